import { squareRootColumns } from '../../src/core/nn/losses/columns.ts';
import { sigmoidCrossEntropy } from '../../src/core/nn/losses/sigmoidCrossEntropy.ts';
import { softmaxCrossEntropy } from '../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { squaredError } from '../../src/core/nn/losses/squaredError.ts';
import { backward, forward } from '../../src/core/pipeline/forward.ts';
import { pipeline } from '../../src/core/pipeline/stage.ts';
import { keyOf } from '../../src/core/random/key.ts';
import { signs } from '../../src/core/random/signs.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { tensor } from '../../src/core/tensor.ts';
import type { CaptureOptions } from '../../src/curvature/capture.ts';
import { capture } from '../../src/curvature/capture.ts';
import { updateFactors } from '../../src/curvature/curvature.ts';
import type { Estimator } from '../../src/curvature/estimators.ts';
import {
  curvaturePropagation,
  empirical,
  estimatorNames,
  estimatorOf,
  exact,
  monteCarlo,
} from '../../src/curvature/estimators.ts';
import { kfac } from '../../src/curvature/kfac.ts';
import { kfac as kfacPreset } from '../../src/solvers/presets/kfac.ts';
import { optimizerOf } from '../../src/solvers/presets/registry.ts';
import { expectUnbiased, scaledError } from '../support/closeness.ts';
import { gaussian, mlp, referenceEnv, runStage, stateOf, tryStage } from '../support/training.ts';
import { withObjective } from '../../src/core/pipeline/withObjective.ts';

const { ops } = referenceEnv().backend;

const objective = { model: mlp([3, 4, 3]), loss: softmaxCrossEntropy };
const batch = { inputs: gaussian(4, [6, 3]), targets: tensor([0, 1, 2, 0, 1, 2], [6], 'i32') };
const state = stateOf(objective.model, 8);

const stepOf = (estimator: Estimator, options: CaptureOptions = {}) =>
  pipeline(withObjective(objective), forward, backward, capture(estimator, options), updateFactors(kfac()));

const factorsWith = async (estimator: Estimator, options: CaptureOptions = {}, lo = 0) => {
  const { state: after } = await runStage(stepOf(estimator, options), { ...state, key: { hi: 1, lo } }, batch);
  return after.curvature.averages['0'];
};

describe('random signs', () => {
  it('law: ±1 with mean 0 within 5 standard errors, and the same for the same key', () => {
    const draw = signs(keyOf(1), [10_000], 'f64');
    expect(new Set(draw.data)).toEqual(new Set([1, -1]));
    const sum = draw.data.length * ops.mean(draw, [0]).data[0];
    expect(Math.abs(sum)).toBeLessThan(5 * 100);
    expect(signs(keyOf(1), [10_000], 'f64')).toEqual(draw);
    expect(signs(keyOf(2), [10_000], 'f64')).not.toEqual(draw);
  });
});

describe('curvaturePropagation', () => {
  it('law: unbiased, every entry of G within 5 standard errors of exact over 400 keys', async () => {
    const expected = (await factorsWith(exact()))['G'];
    const draws = await Promise.all(
      Array.from({ length: 400 }, async (_, i) => (await factorsWith(curvaturePropagation(), {}, i))['G']),
    );
    expectUnbiased(draws, expected);
  });

  it.each([
    ['softmax', softmaxCrossEntropy],
    ['sigmoid', sigmoidCrossEntropy],
    ['squared', squaredError],
  ])('law: one pass, and each example’s cotangent is a signed sum of its columns (%s)', (_, loss) => {
    const outputs = gaussian(2, [5, 3]);
    const found = curvaturePropagation().cotangents(ops, loss, keyOf(3), outputs) ?? [];
    expect(found.length).toBe(1);
    const columns = squareRootColumns(ops, loss, outputs);
    for (let n = 0; n < 5; n += 1) {
      const row = (x: Tensor): Tensor => ops.slice(x, [n, 0], [1, 3]);
      const gaps = Array.from({ length: 8 }, (_sign, s) => {
        const sum = columns
          .map((column, c) => ops.scale((s >> c) & 1 ? 1 : -1, row(column)))
          .reduce((x, y) => ops.add(x, y));
        return scaledError(sum.data, row(found[0]).data);
      });
      expect(Math.min(...gaps)).toBeLessThan(1e-12);
    }
  });

  it('option: more samples change the draw and reduce its error', async () => {
    const expected = (await factorsWith(exact()))['G'];
    const errorOf = async (samples: number): Promise<number> => {
      const draws = await Promise.all(
        Array.from({ length: 20 }, async (_, i) => (await factorsWith(curvaturePropagation({ samples }), {}, i))['G']),
      );
      return draws.reduce((sum, d) => sum + scaledError(d.data, expected.data), 0) / 20;
    };
    // Sixteen times the samples: a quarter of the error, give or take.
    expect(await errorOf(16)).toBeLessThan(0.5 * (await errorOf(1)));
  });
});

describe('estimators by name', () => {
  it('every name gives the estimator of that name', () => {
    expect(estimatorNames.map((name) => estimatorOf(name).name)).toEqual([...estimatorNames]);
  });

  it('an unknown name is an error that lists the names, also from a preset', async () => {
    expect(optimizerOf('kfac', { estimator: 'sampled' })).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'BadConfig', path: 'kfac.estimator', actual: '"sampled"' },
    });
    const step = pipeline(withObjective(objective), forward, backward, capture(estimatorOf('sampled')));
    expect(await tryStage(step, state, batch)).toMatchObject({
      left: { _tag: 'BadConfig', path: 'estimator', actual: 'sampled' },
    });
    expect(kfacPreset().hyperparameters['estimator']).toBe('monteCarlo');
  });
});

describe('a number of samples', () => {
  it.each([0, -1, 1.5, Number.NaN, 1001, 2 ** 53, Infinity])('refuses %p, before keys are split', async (samples) => {
    for (const estimator of [monteCarlo({ samples }), curvaturePropagation({ samples })]) {
      expect(await tryStage(stepOf(estimator), state, batch)).toMatchObject({
        left: { _tag: 'BadConfig', path: 'estimator.samples', expected: 'a whole number from 1 to 1000' },
      });
    }
  });
});

describe('capture', () => {
  it.each([{ every: 0 }, { every: 1.5 }])('refuses %j', async (options) => {
    expect(await tryStage(stepOf(empirical(), options), state, batch)).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'BadConfig', path: 'capture.every' },
    });
  });
});
