import type { Program } from '../../src/core/autodiff/program.ts';
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
import { scaledError } from '../support/closeness.ts';
import { gaussian, mlp, orThrow, referenceEnv, runStage, stateOf, tryStage } from '../support/training.ts';

const { ops } = referenceEnv().backend;

const objective = { model: mlp([3, 4, 3]), loss: softmaxCrossEntropy };
const batch = { inputs: gaussian(4, [6, 3]), targets: tensor([0, 1, 2, 0, 1, 2], [6], 'i32') };
const state = stateOf(objective.model, 8);

const stepOf = (estimator: Estimator, options: CaptureOptions = {}) =>
  pipeline(forward(objective), backward(objective), capture(estimator, objective.loss, options), updateFactors(kfac()));

const factorsWith = async (estimator: Estimator, options: CaptureOptions = {}, lo = 0) => {
  const { state: after } = await runStage(stepOf(estimator, options), { ...state, key: { hi: 1, lo } }, batch);
  return after.curvature.averages['0'];
};

/** Each entry's mean over draws is within 5 standard errors of what is expected. */
const expectUnbiased = (draws: ReadonlyArray<Tensor>, expected: Tensor): void => {
  for (let i = 0; i < expected.data.length; i += 1) {
    const mean = draws.reduce((sum, d) => sum + d.data[i], 0) / draws.length;
    const variance = draws.reduce((sum, d) => sum + (d.data[i] - mean) ** 2, 0) / (draws.length - 1);
    expect(Math.abs(mean - expected.data[i])).toBeLessThan(5 * Math.sqrt(variance / draws.length) + 1e-12);
  }
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
    const columns = loss.squareRootColumns(ops, outputs);
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
    const step = orThrow(optimizerOf('kfac', { estimator: 'sampled' })).step(objective);
    expect(await tryStage(step, state, batch)).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'BadConfig', path: 'estimator', actual: 'sampled' },
    });
    expect(kfacPreset().hyperparameters['estimator']).toBe('monteCarlo');
  });
});

describe('statistics from a fraction of the batch', () => {
  it('law: unbiased, every entry of A and G within 5 standard errors of the whole batch over 400 keys', async () => {
    const whole = await factorsWith(exact());
    const draws = await Promise.all(Array.from({ length: 400 }, (_, i) => factorsWith(exact(), { fraction: 0.5 }, i)));
    for (const name of ['A', 'G']) {
      expectUnbiased(
        draws.map((averages) => averages[name]),
        whole[name],
      );
    }
  });

  it('law: the statistics are those of the chosen rows, with their targets', async () => {
    const { captured } = await runStage(stepOf(exact(), { fraction: 0.5 }), state, batch);
    const whole = (await runStage(stepOf(exact()), state, batch)).captured;
    if (captured === null || whole === null) throw new Error('expected captures');
    expect(captured.examples).toBe(3);
    const rowOf = (x: Tensor, n: number): string =>
      JSON.stringify(Array.from(ops.slice(x, [n, 0], [1, x.shape[1]]).data));
    const all = Array.from({ length: 6 }, (_, n) => rowOf(whole.sites[0].input, n));
    const chosen = Array.from({ length: 3 }, (_, n) => all.indexOf(rowOf(captured.sites[0].input, n)));
    expect(new Set(chosen).size).toBe(3);
    expect(chosen).not.toContain(-1);
    chosen.forEach((from, to) => {
      expect(captured.targets.data[to]).toBe(batch.targets.data[from]);
      whole.sites.forEach((site, s) => {
        expect(rowOf(captured.sites[s].cotangents[1], to)).toBe(rowOf(site.cotangents[1], from));
      });
    });
  });

  it('option: the rows change from step to step, and a fraction of 1 takes all', async () => {
    const inputAt = async (step: number, fraction: number) => {
      const { captured } = await runStage(stepOf(exact(), { fraction }), { ...state, step }, batch);
      return captured?.sites[0].input.data;
    };
    expect(await inputAt(0, 0.5)).not.toEqual(await inputAt(1, 0.5));
    expect(await inputAt(0, 1)).toEqual(batch.inputs.data);
    expect((await inputAt(0, 1e-9))?.length).toBe(3);
  });

  it('law: a parameter without a site has the second moment of the whole batch, whatever the fraction', async () => {
    const base = mlp([3, 2]);
    const program: Program = (o, params, inputs) => o.mul(base.program(o, params, inputs), params['scale']);
    const scaled = { model: { ...base, program }, loss: squaredError };
    const given = stateOf(base, 2);
    const secondWith = async (fraction: number): Promise<Tensor> => {
      const step = pipeline(
        forward(scaled),
        backward(scaled),
        capture(monteCarlo(), scaled.loss, { fraction }),
        updateFactors(kfac()),
      );
      const start = { ...given, params: { ...given.params, scale: tensor([2, -1], [2]) } };
      const data = { inputs: batch.inputs, targets: gaussian(3, [6, 2]) };
      return (await runStage(step, start, data)).state.curvature.averages['scale']['second'];
    };
    expect(scaledError((await secondWith(0.5)).data, (await secondWith(1)).data)).toBeLessThan(1e-14);
    expect((await secondWith(1)).data[0]).toBeGreaterThan(0);
  });

  it.each([
    ['fraction', { fraction: 0 }],
    ['fraction', { fraction: 1.5 }],
    ['fraction', { fraction: Number.NaN }],
    ['every', { every: 0 }],
    ['every', { every: 1.5 }],
  ] as const)('refuses %s in %j', async (path, options) => {
    expect(await tryStage(stepOf(empirical(), options), state, batch)).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'BadConfig', path: `capture.${path}` },
    });
  });
});
