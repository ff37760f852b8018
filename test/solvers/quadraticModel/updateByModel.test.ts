/**
 * Steps whose direction rules give and whose length the quadratic model chooses.
 */
import * as E from 'fp-ts/lib/Either.js';
import fc from 'fast-check';

import { attempt } from '../../../src/core/errors.ts';
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { innerProduct } from '../../../src/core/ops/innerProduct.ts';
import type { Params } from '../../../src/core/params.ts';
import { mapParams, zipParams } from '../../../src/core/params.ts';
import { computation } from '../../../src/core/pipeline/compute.ts';
import { backward, forward } from '../../../src/core/pipeline/forward.ts';
import { pipeline, stage } from '../../../src/core/pipeline/stage.ts';
import type { TrainState } from '../../../src/core/pipeline/trainState.ts';
import { withObjective } from '../../../src/core/pipeline/withObjective.ts';
import * as RTE from 'fp-ts/lib/ReaderTaskEither.js';
import type { Tensor } from '../../../src/core/tensor.ts';
import { kfac } from '../../../src/solvers/presets/kfac.ts';
import type { ModelUpdateOptions } from '../../../src/solvers/quadraticModel/quadraticUpdate.ts';
import { updateByModel } from '../../../src/solvers/quadraticModel/quadraticUpdate.ts';
import { damp } from '../../../src/solvers/solver/damp.ts';
import { identity } from '../../../src/solvers/solver/firstOrder.ts';
import { solve } from '../../../src/solvers/solver/solver.ts';
import { momentum } from '../../../src/solvers/update/rules/momentum.ts';
import { weightDecay } from '../../../src/solvers/update/rules/weightDecay.ts';
import { scaledError } from '../../support/closeness.ts';
import { gaussian, mlp, referenceEnv, runStage, stateOf } from '../../support/training.ts';

const { ops } = referenceEnv().backend;
// Linear: the model is the loss, but for λ.
const objective = { model: mlp([3, 2]), loss: squaredError };
const batchAt = (seed: number) => ({ inputs: gaussian(seed, [12, 3]), targets: gaussian(seed + 1, [12, 2]) });
const batch = batchAt(1);
const free = 1e9;

/** How often the Jacobian was asked for. */
const counting = (counter: { looks: number }) =>
  stage<'sample', 'sample'>('counting', ({ sample }) =>
    RTE.right({
      sample: {
        ...sample,
        pushforward: (tangents) => {
          counter.looks += 1;
          return sample.pushforward(tangents);
        },
      },
    }),
  );

const stepBy = (options: ModelUpdateOptions, counter = { looks: 0 }) =>
  pipeline(
    withObjective(objective),
    forward,
    backward,
    damp(1e-12),
    solve(identity),
    counting(counter),
    updateByModel(options),
  );

const lossAt = async (state: TrainState<Tensor>): Promise<number> =>
  (await runStage(pipeline(withObjective(objective), forward), state, batch)).loss.data[0];

/** A step, what it changed, its slope, and the change of the loss. */
const taken = async (options: ModelUpdateOptions, from: TrainState<Tensor>) => {
  const out = await runStage(stepBy(options), from, batch);
  const delta = zipParams(out.next.params, from.params, (after, before) => ops.linearCombination(1, after, -1, before));
  const [slope] = innerProduct(ops, out.gradient, delta).data;
  return { ...out, delta, slope, change: (await lossAt(out.next)) - (await lossAt(from)) };
};

/** Expects some parameters to be a number of times others. */
const expectTimes = (times: number, whole: Params<Tensor>, part: Params<Tensor>): void => {
  for (const [path, { data }] of Object.entries(whole)) {
    const expected = Array.from(data, (x) => times * x);
    expect(scaledError(part[path].data, expected)).toBeLessThan(1e-9);
  }
};

describe('the step that rules give, as long as the model says', () => {
  it('law: it ends where the loss is least along its direction, and promises what it gains', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1000), async (seed) => {
        const { next, direction, predictedChange, change } = await taken({}, stateOf(objective.model, seed));
        const there = await runStage(pipeline(withObjective(objective), forward, backward), next, batch);
        const [left] = innerProduct(ops, there.gradient, direction).data;
        const [size] = innerProduct(ops, direction, direction).data;
        expect(Math.abs(left)).toBeLessThan(1e-8 * size);
        expect(change).toBeLessThan(0);
        expect(predictedChange / change).toBeCloseTo(1, 8);
      }),
      { numRuns: 30 },
    );
  });

  it('law: η goes η times as far, and promises η (2 − η) times as much', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1000), fc.double({ min: 0.01, max: 1.9, noNaN: true }), async (seed, learningRate) => {
        const from = stateOf(objective.model, seed);
        const [whole, part] = [await taken({}, from), await taken({ learningRate }, from)];
        expectTimes(learningRate, whole.delta, part.delta);
        const promise = learningRate * (2 - learningRate) * whole.predictedChange;
        expect(part.predictedChange / promise).toBeCloseTo(1, 8);
      }),
      { numRuns: 30 },
    );
  });

  it('momentum turns it, and the model sees what is taken: it gains what it promises in the third step, too', async () => {
    const options = { rules: [momentum(0.8)], learningRate: 0.5 };
    let state = stateOf(objective.model, 3);
    for (let i = 0; i < 2; i += 1) state = (await taken(options, state)).next;
    const [plain, turned] = [await taken({ learningRate: 0.5 }, state), await taken(options, state)];
    expect(scaledError(turned.delta['0.weight'].data, plain.delta['0.weight'].data)).toBeGreaterThan(0.05);
    expect(turned.predictedChange / turned.change).toBeCloseTo(1, 8);
  });

  it('looks at the model when it is due; between two looks it takes the same rate, and half the slope for a promise', async () => {
    const counter = { looks: 0 };
    const options = { learningRate: 1, every: 3 };
    let state = stateOf(objective.model, 3);
    const rates: Array<unknown> = [];
    const looks: Array<number> = [];
    for (let i = 0; i < 5; i += 1) {
      const out = await runStage(stepBy(options, counter), state, batch);
      const delta = zipParams(out.next.params, state.params, (a, b) => ops.linearCombination(1, a, -1, b));
      const [slope] = innerProduct(ops, out.gradient, delta).data;
      if (i % 3 !== 0) expect(out.predictedChange / (slope / 2)).toBeCloseTo(1, 9);
      rates.push(out.metrics['learningRate']);
      looks.push(counter.looks);
      state = out.next;
    }
    expect(looks).toEqual([1, 1, 1, 2, 2]);
    expect([rates[1], rates[2], rates[4]]).toEqual([rates[0], rates[0], rates[3]]);
    expect(rates[3]).not.toEqual(rates[0]);
  });

  it('law: the gradient promises at most κ times the loss, between two looks too', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1000), fc.double({ min: 0.01, max: 1, noNaN: true }), async (seed, lossBound) => {
        const options = { lossBound, every: 2, rules: [momentum(0.5)] };
        let state = stateOf(objective.model, seed);
        for (let i = 0; i < 4; i += 1) {
          const before = await lossAt(state);
          const { slope, next } = await taken(options, state);
          expect(Math.abs(slope)).toBeLessThanOrEqual(lossBound * before * (1 + 1e-9));
          state = next;
        }
      }),
      { numRuns: 20 },
    );
  });

  it('what momentum remembers promises at most κ times the loss, however long the direction', async () => {
    const long = stage<'direction', 'direction'>('long', ({ direction }) =>
      RTE.right({ direction: Object.fromEntries(Object.entries(direction).map(([path, d]) => [path, d])) }),
    );
    const rules = [momentum(0.8)];
    const from = stateOf(objective.model, 3);
    const { next, gradient, loss } = await runStage(
      pipeline(
        withObjective(objective),
        forward,
        backward,
        damp(1e-12),
        solve(identity),
        long,
        updateByModel({ rules, lossBound: 1e-6 }),
      ),
      from,
      batch,
    );
    const [promised] = innerProduct(ops, gradient, next.rules['momentum']['velocity'] as never).data;
    expect(Math.abs(promised)).toBeLessThanOrEqual(1e-6 * loss.data[0] * (1 + 1e-9));
  });

  it('where nothing is left to learn it stays: a loss of 0 has no direction', async () => {
    const from = stateOf(objective.model, 3);
    const fitted = {
      ...batch,
      targets: ops.constant((await runStage(pipeline(withObjective(objective), forward), from, batch)).outputs),
    };
    for (const options of [{ lossBound: 1 }, { lossBound: 1, rules: [momentum(0.8)], every: 5 }]) {
      const first = (await runStage(stepBy(options), from, fitted)).next;
      expect((await runStage(stepBy(options), first, fitted)).next.params).toEqual(from.params);
    }
    const step = pipeline(withObjective(objective), kfac().step);
    const after = (await runStage(step, (await runStage(step, from, fitted)).next, fitted)).next;
    expect(after.params).toEqual(from.params);
  });

  it('a step between two looks goes no further than its bound let the one at the look go', async () => {
    const options = { lossBound: 1e-3, rules: [momentum(0.8)], every: 5 };
    const first = await taken(options, stateOf(objective.model, 3));
    // Of a batch that is learned nothing is left to promise, so nothing bounds what momentum remembers.
    const outputs = (await runStage(pipeline(withObjective(objective), forward), first.next, batch)).outputs;
    const learned = { ...batch, targets: ops.constant(outputs) };
    const second = await runStage(stepBy(options), first.next, learned);
    expect(second.metrics['slopeScale']).toBeCloseTo(Number(first.metrics['slopeScale']), 12);
    const delta = zipParams(second.next.params, first.next.params, (a, b) => ops.linearCombination(1, a, -1, b));
    expectTimes(0.8, first.delta, delta);
  });

  it('where the direction climbs, the rate of the look before stands: it does not turn the steps to come around', async () => {
    const towards = (sign: number) =>
      pipeline(
        withObjective(objective),
        forward,
        backward,
        damp(1e-12),
        solve(identity),
        computation<'direction', 'direction'>('turned', (on, { direction }) => ({
          direction: mapParams(direction, (d) => on.scale(sign, d)),
        })),
        updateByModel({ learningRate: 0.1 }),
      );
    const first = await runStage(towards(1), stateOf(objective.model, 3), batch);
    const second = await runStage(towards(-1), first.next, batch);
    expect(second.metrics['learningRate']).toBe(first.metrics['learningRate']);
    // With nothing before, it goes back along it.
    expect((await runStage(towards(-1), stateOf(objective.model, 3), batch)).metrics['learningRate']).toBeLessThan(0);
  });

  it('law: steps have the part of their length that the state says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1000), fc.double({ min: 0.01, max: 1, noNaN: true }), async (seed, stepLength) => {
        const from = stateOf(objective.model, seed);
        const options = { learningRate: 0.5, rules: [momentum(0.5)] };
        const whole = await taken(options, from);
        const part = await taken(options, { ...from, scalars: { ...from.scalars, stepLength } });
        expectTimes(stepLength, whole.delta, part.delta);
      }),
      { numRuns: 20 },
    );
  });

  it.each([
    ['a bound of 0', () => updateByModel({ lossBound: 0 }), 'updateByModel.lossBound', 'a number above 0'],
    [
      'a bound that is no number',
      () => updateByModel({ lossBound: Number.NaN }),
      'updateByModel.lossBound',
      'a number above 0',
    ],
    ['a period of 0', () => updateByModel({ every: 0 }), 'updateByModel.every', 'a whole number of at least 1'],
    [
      'two rules of a name',
      () => updateByModel({ rules: [weightDecay(1), weightDecay(2)] }),
      'updateByModel.rules',
      'rules whose names differ, for each has a memory under its name: rename one',
    ],
  ])('refuses %s', (_, make, path, expected) => {
    expect(attempt(make)).toMatchObject(E.left({ _tag: 'BadConfig', path, expected }));
  });

  it('foresees a rate that is no number', () => {
    const { foresee } = updateByModel({ learningRate: (step) => (step < 3 ? 1 : Number.NaN), lossBound: free });
    expect(foresee?.(0, 3)).toBeNull();
    expect(foresee?.(0, 4)).toMatchObject({ path: 'learningRate', actual: 'NaN at step 3' });
  });
});
