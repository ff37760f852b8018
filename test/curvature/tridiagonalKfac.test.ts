import { squaredError } from '../../src/core/nn/losses/squaredError.ts';
import { activation } from '../../src/core/nn/layers/activation.ts';
import { dense } from '../../src/core/nn/layers/dense.ts';
import { model } from '../../src/core/nn/model.ts';
import { sequential } from '../../src/core/nn/layers/sequential.ts';
import { materialiseBlocks } from '../../src/core/operators/materialise.ts';
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
import { homogeneousRows } from '../../src/curvature/sites/dense.ts';
import { crossStatistics, tridiagonalKfac } from '../../src/curvature/tridiagonalKfac.ts';
import { scaledError } from '../support/closeness.ts';
import { gaussian, mlp, referenceEnv, runStage, stateOf, tryStage } from '../support/training.ts';
import { withObjective } from '../../src/core/pipeline/withObjective.ts';

const { ops } = referenceEnv().backend;
const objective = { model: mlp([3, 4, 2, 3]), loss: squaredError };
const batch = { inputs: gaussian(1, [9, 3]), targets: gaussian(2, [9, 3]) };
const shapes = { '0': [4, 4], '2': [2, 5], '4': [3, 3] };

const stepOf = (curvature: Curvature, on: Objective = objective) =>
  pipeline(withObjective(on), forward, backward, capture(exact()), updateFactors(curvature));

const site = (path: string) => ({ kind: 'dense', path, weight: `${path}.weight`, bias: `${path}.bias` }) as const;

describe('block-tridiagonal K-FAC', () => {
  it('worked example: one example, ā_1 = (2, 1), ā_2 = (3, 1), g_1 = 5, g_2 = (7, 11)', () => {
    const first = { site: site('a'), input: tensor([2], [1, 1]), cotangents: [tensor([5], [1, 1])] };
    const second = { site: site('b'), input: tensor([3], [1, 1]), cotangents: [tensor([7, 11], [1, 2])] };
    const { sums, weight } = crossStatistics(ops, homogeneousRows(ops, first), homogeneousRows(ops, second));
    expect(Array.from(sums['A'].data)).toEqual([6, 2, 3, 1]);
    expect(Array.from(sums['G'].data)).toEqual([35, 55]);
    expect(weight).toBe(1);
  });

  it('law: one example and one pass: the blocks are those of the whole Fisher, vec(V_i) vec(V_j)ᵀ', async () => {
    const deep = { model: mlp([2, 3, 1]), loss: squaredError };
    const { operator, captured } = await runStage(
      pipeline(withObjective(deep), forward, backward, capture(exact()), updateFactors(tridiagonalKfac())),
      stateOf(deep.model, 3),
      { inputs: gaussian(4, [1, 2]), targets: gaussian(5, [1, 1]) },
    );
    // One output: one column of the square root of H, so the Fisher is the outer product of one vector.
    const rows = (captured?.sites ?? []).map(({ input, cotangents: [g] }) => {
      const V = ops.matmul(g, ops.withOnes(input), { transposeA: true });
      return ops.reshape(ops.transposed(V), [1, V.data.length]);
    });
    const fisher = ops.gram(ops.concat(rows, 1));
    expect(scaledError(materialiseBlocks(ops, operator, { '0': [3, 3], '2': [1, 4] }).data, fisher.data)).toBeLessThan(
      1e-13,
    );
  });

  it('law: its diagonal blocks are those of K-FAC, its matrix is symmetric, and far blocks are zero', async () => {
    const state = stateOf(objective.model, 4);
    const [ours, theirs] = await Promise.all(
      [tridiagonalKfac(), kfac()].map((curvature) => runStage(stepOf(curvature), state, batch)),
    );
    const [M, K] = [ours, theirs].map(({ operator }) => materialiseBlocks(ops, operator, shapes));
    expect(scaledError(M.data, ops.transposed(M).data)).toBeLessThan(1e-15);
    const part = (m: Tensor, row: number, column: number, rows: number, columns: number): Tensor =>
      ops.slice(m, [row, column], [rows, columns]);
    for (const [begin, size] of [
      [0, 16],
      [16, 10],
      [26, 9],
    ]) {
      expect(part(M, begin, begin, size, size)).toEqual(part(K, begin, begin, size, size));
    }
    expect(part(M, 0, 26, 16, 9)).toEqual(ops.full([16, 9], 0));
    expect(ops.sum(ops.square(part(M, 0, 16, 16, 10)), [0, 1]).data[0]).toBeGreaterThan(1e-6);
  });

  it('law: cross statistics are averaged like the others', async () => {
    const first = await runStage(stepOf(tridiagonalKfac({ decay: 0 })), stateOf(objective.model, 4), batch);
    const doubled = { ...batch, inputs: ops.scale(2, batch.inputs) };
    const second = await runStage(stepOf(tridiagonalKfac({ decay: 0 })), stateOf(objective.model, 4), doubled);
    const both = await runStage(stepOf(tridiagonalKfac({ decay: 0.25 })), first.state, doubled);
    for (const name of ['A', 'G']) {
      const [x, y, z] = [first, second, both].map(({ state }) => state.curvature.averages['0→2'][name]);
      expect(scaledError(z.data, ops.linearCombination(0.25, x, 0.75, y).data)).toBeLessThan(1e-14);
      expect(scaledError(x.data, y.data)).toBeGreaterThan(1e-3);
    }
  });

  it('refuses what is not a chain: a layer that is used twice', async () => {
    const twice = model('twice', [2], {
      ...dense({ in: 2, out: 2 }),
      kind: 'twice',
      apply: (on, params, path, x, at) => {
        const layer = dense({ in: 2, out: 2 });
        return layer.apply(
          on,
          params,
          path,
          activation('tanh').apply(on, params, path, layer.apply(on, params, path, x, at), at),
          at,
        );
      },
    });
    const on = { model: twice, loss: squaredError };
    const result = await tryStage(stepOf(tridiagonalKfac(), on), stateOf(twice, 1), {
      inputs: gaussian(1, [3, 2]),
      targets: gaussian(2, [3, 2]),
    });
    expect(result).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'BadConfig', actual: 'a site that is passed several times' },
    });
  });

  it('refuses what is not a chain: layers side by side', async () => {
    const [left, right] = [dense({ in: 2, out: 3 }), dense({ in: 2, out: 3 })];
    const both = model('both', [2], {
      ...sequential([left, right]),
      apply: (on, params, _, x, at) => on.add(left.apply(on, params, '0', x, at), right.apply(on, params, '1', x, at)),
    });
    const on = { model: both, loss: squaredError };
    const result = await tryStage(stepOf(tridiagonalKfac(), on), stateOf(both, 1), {
      inputs: gaussian(1, [3, 2]),
      targets: gaussian(2, [3, 3]),
    });
    expect(result).toMatchObject({ _tag: 'Left', left: { _tag: 'BadConfig', path: '1' } });
  });
});
