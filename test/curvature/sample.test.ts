import { programOf } from '../support/programOf.ts';
import { jvp } from '../../src/core/autodiff/forward.ts';
import type { ModelProgram } from '../../src/core/nn/model.ts';
import { softmaxCrossEntropy } from '../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { squaredError } from '../../src/core/nn/losses/squaredError.ts';
import type { Sample } from '../../src/core/pipeline/context.ts';
import { backward, forward } from '../../src/core/pipeline/forward.ts';
import { pipeline } from '../../src/core/pipeline/stage.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { tensor } from '../../src/core/tensor.ts';
import { capture } from '../../src/curvature/capture.ts';
import { updateFactors } from '../../src/curvature/curvature.ts';
import type { Estimator } from '../../src/curvature/estimators.ts';
import { empirical, exact } from '../../src/curvature/estimators.ts';
import { kfac } from '../../src/curvature/kfac.ts';
import type { SampleOptions } from '../../src/curvature/sample.ts';
import { sample } from '../../src/curvature/sample.ts';
import { expectUnbiased, scaledError } from '../support/closeness.ts';
import { gaussian, mlp, referenceEnv, runStage, stateOf, tryStage } from '../support/training.ts';
import { withObjective } from '../../src/core/pipeline/withObjective.ts';

const { ops } = referenceEnv().backend;

const objective = { model: mlp([3, 4, 3]), loss: softmaxCrossEntropy };
const batch = { inputs: gaussian(4, [6, 3]), targets: tensor([0, 1, 2, 0, 1, 2], [6], 'i32') };
const state = stateOf(objective.model, 8);

const stepOf = (estimator: Estimator, options: SampleOptions) =>
  pipeline(withObjective(objective), forward, backward, sample(options), capture(estimator), updateFactors(kfac()));

const rowOf = (x: Tensor, n: number): string => JSON.stringify(Array.from(ops.slice(x, [n, 0], [1, x.shape[1]]).data));

/** Which examples of the batch a sample holds. */
const examplesOf = (drawn: Sample<Tensor>): ReadonlyArray<number> => {
  const all = Array.from({ length: 6 }, (_, n) => rowOf(batch.inputs, n));
  return Array.from({ length: drawn.outputs.shape[0] }, (_, n) => all.indexOf(rowOf(drawn.sites[0].input, n)));
};

describe('sample', () => {
  it.each([
    ['exact', exact()],
    ['empirical', empirical()],
  ])('law: what is captured is what the whole batch gives at the chosen examples (%s)', async (_, estimator) => {
    const found = await runStage(stepOf(estimator, { fraction: 0.5 }), state, batch);
    const whole = await runStage(stepOf(estimator, { fraction: 1 }), state, batch);
    if (found.captured === null || whole.captured === null) throw new Error('expected captures');
    const chosen = examplesOf(found.sample);
    expect(found.captured.examples).toBe(3);
    expect(new Set(chosen).size).toBe(3);
    expect(chosen).not.toContain(-1);
    const [few, all] = [found.captured, whole.captured];
    chosen.forEach((from, to) => {
      expect(few.targets.data[to]).toBe(batch.targets.data[from]);
      all.sites.forEach((site, s) => {
        site.cotangents.forEach((pass, p) => {
          expect(rowOf(few.sites[s].cotangents[p], to)).toBe(rowOf(pass, from));
        });
      });
    });
  });

  it('law: J u on the sample is J u of the batch at the chosen examples', async () => {
    const found = await runStage(stepOf(exact(), { fraction: 0.5 }), state, batch);
    const u = found.gradient;
    const { tangent } = jvp(ops, programOf(objective.model), state.params, u, [batch.inputs]);
    const pushed = found.sample.pushforward(u);
    examplesOf(found.sample).forEach((from, to) => expect(rowOf(pushed, to)).toBe(rowOf(tangent, from)));
    expect(found.pushforward(u)).toEqual(tangent);
  });

  it('law: unbiased, every entry of A and G within 5 standard errors of the whole batch over 400 keys', async () => {
    const factorsWith = async (fraction: number, lo: number) => {
      const { state: after } = await runStage(stepOf(exact(), { fraction }), { ...state, key: { hi: 1, lo } }, batch);
      return after.curvature.averages['0'];
    };
    const whole = await factorsWith(1, 0);
    const draws = await Promise.all(Array.from({ length: 400 }, (_, i) => factorsWith(0.5, i)));
    for (const name of ['A', 'G']) {
      expectUnbiased(
        draws.map((averages) => averages[name]),
        whole[name],
      );
    }
  });

  it('law: a parameter without a site sees the sample, E over samples of Σ g² / n is that of the batch', async () => {
    const base = mlp([3, 2]);
    const program: ModelProgram = (o, params, at) => o.mul(base.program(o, params, at), params['scale']);
    const scaled = { model: { ...base, program }, loss: squaredError };
    const given = stateOf(base, 2);
    const start = { ...given, params: { ...given.params, scale: tensor([2, -1], [2]) } };
    const data = { inputs: batch.inputs, targets: gaussian(3, [6, 2]) };
    const step = pipeline(
      withObjective(scaled),
      forward,
      backward,
      sample({ fraction: 0.1 }),
      capture(exact()),
      updateFactors(kfac()),
    );
    const secondOf = async (inputs: Tensor, targets: Tensor, lo: number): Promise<Tensor> =>
      (await runStage(step, { ...start, key: { hi: 1, lo } }, { inputs, targets })).state.curvature.averages['scale'][
        'second'
      ];
    const singles = await Promise.all(
      Array.from({ length: 6 }, (_, n) =>
        secondOf(ops.slice(data.inputs, [n, 0], [1, 3]), ops.slice(data.targets, [n, 0], [1, 2]), 0),
      ),
    );
    const mean = ops.scale(
      1 / 6,
      singles.reduce((x, y) => ops.add(x, y)),
    );
    const draws = await Promise.all(Array.from({ length: 200 }, (_, i) => secondOf(data.inputs, data.targets, i)));
    expectUnbiased(draws, mean);
    expect(scaledError(draws[0].data, mean.data)).toBeGreaterThan(1e-6);
  });

  it('option: the examples change from step to step, 1 takes all, and at least one is taken', async () => {
    const drawnAt = async (step: number, fraction: number) =>
      (await runStage(stepOf(exact(), { fraction }), { ...state, step }, batch)).sample;
    expect(examplesOf(await drawnAt(0, 0.5))).not.toEqual(examplesOf(await drawnAt(1, 0.5)));
    expect(examplesOf(await drawnAt(0, 1))).toEqual([0, 1, 2, 3, 4, 5]);
    expect(examplesOf(await drawnAt(0, 1e-9)).length).toBe(1);
  });

  it.each([
    [{ fraction: 0.1, atLeast: 4 }, 4],
    [{ fraction: 0.5, atLeast: 2 }, 3],
    [{ fraction: 0.5, atLeast: 3 }, 3],
    [{ fraction: 0.1, atLeast: 6 }, 6],
    [{ fraction: 0.1, atLeast: 256 }, 6],
    [{ fraction: 1, atLeast: 1 }, 6],
  ])('option: %j takes %d of 6 examples, each once', async (options, expected) => {
    const found = await runStage(stepOf(exact(), options), state, batch);
    const chosen = examplesOf(found.sample);
    expect(new Set(chosen).size).toBe(expected);
    expect(chosen).not.toContain(-1);
    expect(found.captured?.examples).toBe(expected);
    // All examples are the batch itself, which is not gone through again.
    expect(found.sample.outputs === found.outputs).toBe(expected === 6);
  });

  it('option: between its periods it leaves the sample alone, but for a state without statistics', async () => {
    const drawnAt = async (step: number, updates: number) =>
      runStage(
        stepOf(exact(), { fraction: 0.5, every: 3 }),
        { ...state, step, curvature: { averages: {}, updates } },
        batch,
      );
    expect((await drawnAt(0, 0)).sample.outputs.shape[0]).toBe(3);
    expect((await drawnAt(1, 0)).sample.outputs.shape[0]).toBe(3);
    const { sample: drawn, outputs } = await runStage(
      pipeline(withObjective(objective), forward, sample({ fraction: 0.5, every: 3 })),
      { ...state, step: 1, curvature: { averages: {}, updates: 1 } },
      batch,
    );
    expect(drawn.outputs).toBe(outputs);
  });

  it('a second stage of the same size keeps the sample, one of another size draws its own, 1 gives the batch back', async () => {
    const sampled = (...fractions: readonly [number, number]) =>
      runStage(
        pipeline(
          withObjective(objective),
          forward,
          sample({ fraction: fractions[0] }),
          sample({ fraction: fractions[1] }),
        ),
        state,
        batch,
      );
    const one = await runStage(pipeline(withObjective(objective), forward, sample({ fraction: 0.5 })), state, batch);
    expect(examplesOf((await sampled(0.5, 0.5)).sample)).toEqual(examplesOf(one.sample));
    expect((await sampled(0.5, 1 / 3)).sample.outputs.shape[0]).toBe(2);
    const back = await sampled(0.5, 1);
    expect(back.sample.outputs).toBe(back.outputs);
    expect(back.sample.targets).toBe(batch.targets);
  });

  it.each([
    ['fraction', { fraction: 0 }],
    ['fraction', { fraction: 1.5 }],
    ['fraction', { fraction: Number.NaN }],
    ['atLeast', { fraction: 1, atLeast: 0 }],
    ['atLeast', { fraction: 0.5, atLeast: 2.5 }],
    ['atLeast', { fraction: 0.5, atLeast: -1 }],
    ['atLeast', { fraction: 0.5, atLeast: Number.NaN }],
    ['every', { fraction: 1, every: 0 }],
    ['every', { fraction: 1, every: 1.5 }],
  ] as const)('refuses %s in %j', async (path, options) => {
    expect(await tryStage(stepOf(empirical(), options), state, batch)).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'BadConfig', path: `sample.${path}` },
    });
  });
});
