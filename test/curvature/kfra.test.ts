import { activation } from '../../src/core/nn/layers/activation.ts';
import { dense } from '../../src/core/nn/layers/dense.ts';
import { sigmoidCrossEntropy } from '../../src/core/nn/losses/sigmoidCrossEntropy.ts';
import { softmaxCrossEntropy } from '../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { squaredError } from '../../src/core/nn/losses/squaredError.ts';
import type { Model } from '../../src/core/nn/model.ts';
import { model } from '../../src/core/nn/model.ts';
import { residual } from '../../src/core/nn/layers/residual.ts';
import { sequential } from '../../src/core/nn/layers/sequential.ts';
import type { Objective } from '../../src/core/pipeline/objective.ts';
import { backward, forward } from '../../src/core/pipeline/forward.ts';
import { pipeline } from '../../src/core/pipeline/stage.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { tensor } from '../../src/core/tensor.ts';
import { capture } from '../../src/curvature/capture.ts';
import type { Curvature } from '../../src/curvature/curvature.ts';
import { updateFactors } from '../../src/curvature/curvature.ts';
import { exact } from '../../src/curvature/estimators.ts';
import { kfac } from '../../src/curvature/kfac.ts';
import { kfra } from '../../src/curvature/kfra.ts';
import { scaledError } from '../support/closeness.ts';
import { gaussian, mlp, orThrow, referenceEnv, runStage, stateOf, tryStage } from '../support/training.ts';
import { withObjective } from '../../src/core/pipeline/withObjective.ts';

const { backend } = referenceEnv();
const { ops } = backend;

const stepOf = (objective: Objective, curvature: Curvature) =>
  pipeline(withObjective(objective), forward, backward, capture(exact()), updateFactors(curvature));

const averagesOf = async (
  objective: Objective,
  curvature: Curvature,
  batch: { readonly inputs: Tensor; readonly targets: Tensor },
  seed = 4,
) => {
  const { state } = await runStage(stepOf(objective, curvature), stateOf(objective.model, seed), batch);
  return state.curvature.averages;
};

describe('KFRA', () => {
  it('worked example: tanh then a sigmoid loss, two examples: Ḡ_1 = w_2² E[p (1 − p)] E[φ′²]', async () => {
    const net = mlp([1, 1, 1], 'tanh', false);
    const objective = { model: net, loss: sigmoidCrossEntropy };
    const params = { '0.weight': tensor([0.5], [1, 1]), '2.weight': tensor([2], [1, 1]) };
    const batch = { inputs: tensor([1, -2], [2, 1]), targets: tensor([0, 1], [2, 1]) };
    const { state } = await runStage(stepOf(objective, kfra()), { ...stateOf(net, 1), params }, batch);
    const a = [Math.tanh(0.5), Math.tanh(-1)];
    const slopes = a.map((x) => 1 - x * x);
    const variances = a.map((x) => 1 / (1 + Math.exp(-2 * x))).map((p) => p * (1 - p));
    const mean = (values: ReadonlyArray<number>): number => values.reduce((x, y) => x + y) / values.length;
    const { averages } = state.curvature;
    expect(averages['2']['G'].data[0]).toBeCloseTo(mean(variances), 14);
    expect(averages['0']['G'].data[0]).toBeCloseTo(4 * mean(variances) * mean(slopes.map((s) => s * s)), 14);
    expect(averages['0']['A'].data[0]).toBeCloseTo(2.5, 14);
  });

  it.each(['relu', 'tanh', 'sigmoid', 'gelu'] as const)(
    'law: one example: Ḡ is the exact G, with any activation (%s)',
    async (kind) => {
      const net = model(
        'net',
        [3],
        sequential({
          body: sequential([dense({ in: 3, out: 4 }), activation(kind), dense({ in: 4, out: 3, bias: false })]),
          more: activation(kind),
          twice: activation('tanh'),
          head: dense({ in: 3, out: 2 }),
        }),
      );
      const objective = { model: net, loss: softmaxCrossEntropy };
      const batch = { inputs: gaussian(3, [1, 3]), targets: tensor([1], [1], 'i32') };
      const [ours, theirs] = [await averagesOf(objective, kfra(), batch), await averagesOf(objective, kfac(), batch)];
      expect(Object.keys(ours).sort()).toEqual(['body.0', 'body.2', 'head']);
      for (const [name, { A, G }] of Object.entries(theirs)) {
        expect(scaledError(ours[name]['G'].data, G.data)).toBeLessThan(1e-14);
        expect(ours[name]['A']).toEqual(A);
      }
    },
  );

  it('law: a deep linear network with squared error: Ḡ is the exact G of any batch', async () => {
    const net = mlp([3, 4, 2, 3], 'identity');
    const objective = { model: net, loss: squaredError };
    const batch = { inputs: gaussian(3, [7, 3]), targets: gaussian(5, [7, 3]) };
    const [ours, theirs] = [await averagesOf(objective, kfra(), batch), await averagesOf(objective, kfac(), batch)];
    for (const [name, { G }] of Object.entries(theirs)) {
      expect(scaledError(ours[name]['G'].data, G.data)).toBeLessThan(1e-13);
    }
  });

  it('law: several examples of a nonlinear network: symmetric positive semidefinite, and not the exact G', async () => {
    const objective = { model: mlp([3, 4, 3, 2]), loss: softmaxCrossEntropy };
    const batch = { inputs: gaussian(3, [7, 3]), targets: tensor([0, 1, 0, 1, 0, 1, 0], [7], 'i32') };
    const ours = await averagesOf(objective, kfra(), batch);
    const theirs = await averagesOf(objective, kfac(), batch);
    const { G } = ours['0'];
    expect(scaledError(G.data, ops.transposed(G).data)).toBeLessThan(1e-15);
    const { values } = orThrow(await backend.linearAlgebra.eigh(G)());
    expect(values.data[0]).toBeGreaterThan(-1e-15);
    expect(scaledError(G.data, theirs['0']['G'].data)).toBeGreaterThan(1e-5);
  });

  it.each<readonly [string, Model, string]>([
    ['a residual connection', model('r', [2], residual(dense({ in: 2, out: 2 }))), 'model'],
    ['an activation first', model('a', [2], sequential([activation('tanh'), dense({ in: 2, out: 2 })])), '0'],
  ])('refuses %s', async (_, trained, path) => {
    const batch = { inputs: gaussian(3, [3, 2]), targets: gaussian(5, [3, 2]) };
    const objective = { model: trained, loss: squaredError };
    const result = await tryStage(stepOf(objective, kfra()), stateOf(trained, 1), batch);
    expect(result).toMatchObject({ _tag: 'Left', left: { _tag: 'BadConfig', path } });
  });
});
