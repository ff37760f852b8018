import { programOf } from '../support/programOf.ts';
import fc from 'fast-check';

import { vjp } from '../../src/core/autodiff/reverse.ts';
import { constant } from '../../src/core/nn/initialisers/constant.ts';
import { dense } from '../../src/core/nn/layers/dense.ts';
import type { Layer } from '../../src/core/nn/layers/layer.ts';
import { leaf } from '../../src/core/nn/layers/layer.ts';
import { sequential } from '../../src/core/nn/layers/sequential.ts';
import type { Loss } from '../../src/core/nn/losses/loss.ts';
import { softmaxCrossEntropy } from '../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { squaredError } from '../../src/core/nn/losses/squaredError.ts';
import type { Model } from '../../src/core/nn/model.ts';
import { model } from '../../src/core/nn/model.ts';
import { joinPath } from '../../src/core/params.ts';
import type { Batch } from '../../src/core/pipeline/context.ts';
import { backward, forward } from '../../src/core/pipeline/forward.ts';
import { pipeline } from '../../src/core/pipeline/stage.ts';
import type { TrainState } from '../../src/core/pipeline/trainState.ts';
import { withObjective } from '../../src/core/pipeline/withObjective.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { tensor } from '../../src/core/tensor.ts';
import type { CaptureOptions } from '../../src/curvature/capture.ts';
import { capture } from '../../src/curvature/capture.ts';
import { updateFactors } from '../../src/curvature/curvature.ts';
import type { Estimator } from '../../src/curvature/estimators.ts';
import { curvaturePropagation, empirical, exact, monteCarlo } from '../../src/curvature/estimators.ts';
import { kfac } from '../../src/curvature/kfac.ts';
import { sample } from '../../src/curvature/sample.ts';
import { expectUnbiased, scaledError } from '../support/closeness.ts';
import { examplesOf, fisherOf, indices } from '../support/sequences.ts';
import { gaussian, referenceEnv, runStage, stateOf, tryStage } from '../support/training.ts';

const { ops } = referenceEnv().backend;

/** x + b, without telling of a site. */
const shift = (features: number): Layer =>
  leaf({
    kind: 'shift',
    label: 'shift',
    parameters: (path) => [{ path: joinPath(path, 'b'), shape: [features], initialiser: constant(0) }],
    apply: (on, params, path, x) => on.add(x, params[joinPath(path, 'b')]),
  });

const only = model('shift', [1], shift(1));
const mixed = model(
  'mixed',
  [2],
  sequential({ first: dense({ in: 2, out: 3 }), shift: shift(3), last: dense({ in: 3, out: 3 }) }),
);

const secondOf = async (
  network: Model,
  loss: Loss,
  estimator: Estimator,
  options: CaptureOptions,
  batch: Batch<Tensor>,
  state: TrainState<Tensor>,
  fraction = 1,
): Promise<Tensor> => {
  const step = pipeline(
    withObjective({ model: network, loss }),
    forward,
    backward,
    sample({ fraction }),
    capture(estimator, options),
    updateFactors(kfac()),
  );
  const { averages } = (await runStage(step, state, batch)).state.curvature;
  return Object.entries(averages).flatMap(([, { second }]) => (second === undefined ? [] : [second]))[0];
};

/** E[g_n²] of the training gradients of single examples. */
const meanSquare = (
  network: Model,
  loss: Loss,
  state: TrainState<Tensor>,
  { inputs, targets }: Batch<Tensor>,
  path: string,
): Tensor => {
  const n = inputs.shape[0];
  const squares = Array.from({ length: n }, (_, i) => {
    const { outputs, pullback } = vjp(ops, programOf(network), state.params, [examplesOf(ops, inputs, i, 1)]);
    return ops.square(pullback(loss.gradient(ops, outputs, examplesOf(ops, targets, i, 1))).params[path]);
  });
  return ops.scale(
    1 / n,
    squares.reduce((x, y) => ops.add(x, y)),
  );
};

describe('the diagonal of a parameter without a site', () => {
  const two = { inputs: tensor([0, 0], [2, 1]), targets: tensor([1, -1], [2, 1]) };
  const zero = { ...stateOf(only, 1), params: { b: tensor([0], [1]) } };

  it.each([
    ['exact', exact()],
    ['empirical', empirical()],
  ])(
    'worked example: y = x + b at x = 0, 0 and y = 1, −1: every g² is 1, so their mean is (%s)',
    async (_, estimator) => {
      expect(Array.from((await secondOf(only, squaredError, estimator, {}, two, zero)).data)).toEqual([1]);
    },
  );

  const drawn = fc.record({ seed: fc.nat(1000), n: fc.integer({ min: 1, max: 8 }) });
  const batchOf = (seed: number, n: number) => ({ inputs: gaussian(seed, [n, 2]), targets: indices(seed + 1, [n], 3) });

  it.each([1, 2, 16])('law: exact is the diagonal of the Fisher, %d passes at once', async (passesAtOnce) => {
    await fc.assert(
      fc.asyncProperty(drawn, async ({ seed, n }) => {
        const [batch, state] = [batchOf(seed, n), stateOf(mixed, seed)];
        const found = await secondOf(mixed, softmaxCrossEntropy, exact(), { passesAtOnce }, batch, state);
        const block = { kind: 'parameter', name: 'shift.b' } as const;
        const F = fisherOf(ops, { model: mixed, loss: softmaxCrossEntropy }, state.params, batch.inputs, block);
        const diagonal = [0, 1, 2].map((i) => F.data[4 * i]);
        expect(scaledError(found.data, diagonal)).toBeLessThan(1e-12);
      }),
      { numRuns: 10 },
    );
  });

  it('law: empirical is the mean square of the training gradients, also on a part of the batch', async () => {
    await fc.assert(
      fc.asyncProperty(drawn, async ({ seed, n }) => {
        const [batch, state] = [batchOf(seed, n), stateOf(mixed, seed)];
        const expected = meanSquare(mixed, softmaxCrossEntropy, state, batch, 'shift.b');
        const found = await secondOf(mixed, softmaxCrossEntropy, empirical(), {}, batch, state);
        expect(scaledError(found.data, expected.data)).toBeLessThan(1e-12);
        // One example twice: whichever is drawn, it is the mean.
        const one = { inputs: examplesOf(ops, batch.inputs, 0, 1), targets: examplesOf(ops, batch.targets, 0, 1) };
        const same = {
          inputs: ops.concat([one.inputs, one.inputs], 0),
          targets: ops.concat([one.targets, one.targets], 0),
        };
        const half = await secondOf(mixed, softmaxCrossEntropy, empirical(), {}, same, state, 0.5);
        expect(scaledError(half.data, meanSquare(mixed, softmaxCrossEntropy, state, one, 'shift.b').data)).toBeLessThan(
          1e-12,
        );
      }),
      { numRuns: 10 },
    );
  });

  it.each([
    ['exact', exact(), { exampleGroups: 1 }],
    ['exact', exact(), { exampleGroups: 4 }],
    ['empirical', empirical(), { exampleGroups: 1 }],
    ['monteCarlo', monteCarlo(), {}],
    ['curvaturePropagation', curvaturePropagation(), {}],
  ] as const)('law: %s is unbiased, within 5 standard errors over 400 keys %p', async (name, estimator, options) => {
    const [batch, state] = [batchOf(5, 6), stateOf(mixed, 5)];
    const expected =
      name === 'empirical'
        ? meanSquare(mixed, softmaxCrossEntropy, state, batch, 'shift.b')
        : await secondOf(mixed, softmaxCrossEntropy, exact(), {}, batch, state);
    const draws = await Promise.all(
      Array.from({ length: 400 }, (_, lo) =>
        secondOf(mixed, softmaxCrossEntropy, estimator, options, batch, { ...state, key: { hi: 7, lo } }),
      ),
    );
    expectUnbiased(draws, expected);
  });

  it('law: the error falls with the number of groups, to nothing with one for each example', async () => {
    const [batch, state] = [batchOf(5, 8), stateOf(mixed, 5)];
    const expected = await secondOf(mixed, softmaxCrossEntropy, exact(), { exampleGroups: 8 }, batch, state);
    const errorOf = async (exampleGroups: number): Promise<number> => {
      const errors = await Promise.all(
        Array.from({ length: 40 }, async (_, lo) => {
          const key = { hi: 3, lo };
          const found = await secondOf(mixed, softmaxCrossEntropy, exact(), { exampleGroups }, batch, {
            ...state,
            key,
          });
          return scaledError(found.data, expected.data);
        }),
      );
      return errors.reduce((sum, error) => sum + error, 0) / errors.length;
    };
    const [one, four, eight, more] = [await errorOf(1), await errorOf(4), await errorOf(8), await errorOf(99)];
    expect(one).toBeGreaterThan(1.3 * four);
    expect(four).toBeGreaterThan(1e-3);
    expect([eight, more]).toEqual([0, 0]);
  });

  it('the groups of examples leave the statistics of sites as they are, bit for bit', async () => {
    const [batch, state] = [batchOf(5, 6), stateOf(mixed, 5)];
    const averagesWith = async (estimator: Estimator, options: CaptureOptions) =>
      (
        await runStage(
          pipeline(
            withObjective({ model: mixed, loss: softmaxCrossEntropy }),
            forward,
            backward,
            capture(estimator, options),
            updateFactors(kfac()),
          ),
          state,
          batch,
        )
      ).state.curvature.averages;
    for (const estimator of [exact(), empirical()]) {
      const [one, all] = [await averagesWith(estimator, { exampleGroups: 1 }), await averagesWith(estimator, {})];
      for (const site of ['first', 'last']) expect(one[site]).toEqual(all[site]);
    }
  });

  it.each([0, 1.5, NaN])('refuses %d groups', async (exampleGroups) => {
    const step = pipeline(
      withObjective({ model: mixed, loss: softmaxCrossEntropy }),
      forward,
      backward,
      capture(exact(), { exampleGroups }),
    );
    expect(await tryStage(step, stateOf(mixed, 5), batchOf(5, 6))).toMatchObject({
      left: { _tag: 'BadConfig', path: 'capture.exampleGroups', actual: String(exampleGroups) },
    });
  });
});
