import * as E from 'fp-ts/lib/Either.js';
import fc from 'fast-check';

import { attempt } from '../../../src/core/errors.ts';
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { softmaxCrossEntropy } from '../../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { backward, forward } from '../../../src/core/pipeline/forward.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import type { TrainState } from '../../../src/core/pipeline/trainState.ts';
import { initialState } from '../../../src/core/pipeline/trainState.ts';
import { withObjective } from '../../../src/core/pipeline/withObjective.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { generate, tensor } from '../../../src/core/tensor.ts';
import { kfacAdaptive } from '../../../src/solvers/presets/kfacAdaptive.ts';
import type { CrossBatchOptions } from '../../../src/solvers/quadraticModel/judgement.ts';
import { crossBatchDamping } from '../../../src/solvers/quadraticModel/crossBatchDamping.ts';
import { lastStep, trusted } from '../../../src/solvers/quadraticModel/judgement.ts';
import { mostDamping, reductionRatio } from '../../../src/solvers/quadraticModel/levenbergMarquardt.ts';
import { gaussian, mlp, orThrow, referenceEnv, runStage, stateOf } from '../../support/training.ts';

/** ½ (w − t)² of one weight w on a batch of one example, whose target is t. */
const one = { model: mlp([1, 1], 'identity', false), loss: squaredError };
const loss = (w: number, t: number): number => (w - t) ** 2 / 2;
const weight = (w: number): Readonly<Record<string, Tensor>> => ({ '0.weight': tensor([w], [1, 1]) });
const weightOf = ({ params }: TrainState<Tensor>): number => params['0.weight'].data[0];
const begin = initialState(weight(0), keyOf(1));

/** A step as something before has made it: where it leads, what was promised of it, and the batch that judges. */
interface Step {
  readonly to: number;
  readonly promise: number;
  readonly target?: number;
}

const judged = async (
  state: TrainState<Tensor>,
  { to, promise, target = 1 }: Step,
  options: CrossBatchOptions,
  lambda: number,
  examples?: number,
) => {
  const env = { ...referenceEnv(), ...(examples === undefined ? {} : { examples }) };
  const batch = { inputs: tensor([1], [1, 1]), targets: tensor([target], [1, 1]) };
  const given = await runStage(pipeline(withObjective(one), forward, backward), state, batch);
  const next = {
    ...state,
    step: state.step + 1,
    params: weight(to),
    rules: { ...state.rules, lastUpdate: { update: weight(to - weightOf(state)) } },
    curvature: { averages: {}, updates: 7 },
  };
  const damping = state.scalars['damping'] ?? lambda;
  const context = { ...given, damping, next, predictedChange: promise };
  return orThrow(await crossBatchDamping(options).run(context)(env)());
};

/** What came of some steps, one after another. */
const run = async (
  steps: ReadonlyArray<Step>,
  options: CrossBatchOptions = {},
  lambda = 1,
  from = begin,
  examples?: number,
) => {
  const all: Array<Awaited<ReturnType<typeof judged>>> = [];
  let state = from;
  for (const step of steps) {
    const out = await judged(state, step, options, lambda, examples);
    all.push(out);
    state = out.next;
  }
  return all;
};

/** A step that goes on, at which the last one is judged. */
const onwards: Step = { to: 0.75, promise: -0.1 };

describe('what steps gain on the batches after them', () => {
  it('law: with one batch for all, it is the reduction ratio of the last step', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        fc.double({ min: 0.01, max: 10, noNaN: true }),
        async (to, promise) => {
          const [first, second] = await run([
            { to, promise: -promise },
            { to, promise: -1 },
          ]);
          expect(Object.keys(first.metrics)).not.toContain('reductionRatio');
          expect(second.metrics['reductionRatio']).toBeCloseTo(reductionRatio(loss(0, 1), loss(to, 1), -promise), 12);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('law: of several steps it is the ratio of sums that decay', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.double({ min: 0.1, max: 0.9, noNaN: true }), { minLength: 2, maxLength: 5 }),
        fc.constantFrom(0, 0.5, 0.9),
        async (parts, memory) => {
          // Each step goes a part of the way to the target.
          const places = parts.reduce<ReadonlyArray<number>>(
            (all, part) => [...all, all[all.length - 1] + part * (1 - all[all.length - 1])],
            [0],
          );
          const out = await run(
            places.slice(1).map((to, i) => ({ to, promise: -(i + 1) })),
            { memory },
          );
          let [gained, promised] = [0, 0];
          for (let i = 1; i < parts.length; i += 1) {
            gained = memory * gained + loss(places[i], 1) - loss(places[i - 1], 1);
            promised = memory * promised - i;
            expect(out[i].metrics['reductionRatio']).toBeCloseTo(gained / promised, 12);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('worked example: another batch has another opinion', async () => {
    // From 0 to ½ on the way to 1; the next batch would have 0.4, and has gained 0.08 − 0.005.
    const [, second] = await run([
      { to: 0.5, promise: -0.5 },
      { to: 0.4, promise: -1, target: 0.4 },
    ]);
    expect(second.metrics['reductionRatio']).toBeCloseTo(0.075 / 0.5, 12);
  });
});

describe('λ', () => {
  // The first step gains ⅜.
  const atRatio = (rho: number): ReadonlyArray<Step> => [{ to: 0.5, promise: -0.375 / rho }, onwards];
  const after = async (steps: ReadonlyArray<Step>, options: CrossBatchOptions, lambda: number): Promise<number> =>
    (await run(steps, { decay: 0.5, ...options }, lambda)).map(({ next }) => next.scalars['damping'])[steps.length - 1];

  it.each([
    [2, 0.5],
    [0.6, 0.5],
    [0.5, 1],
    [0.3, 1],
    [0.2, 1],
    [0.1, 2],
  ])('table: a ratio of %d takes λ = 1 to %d with a rate of ½', async (rho, expected) => {
    expect(await after(atRatio(rho), {}, 1)).toBe(expected);
  });

  it('rises where the next batch has lost a little', async () => {
    const steps = [
      { to: 0.5, promise: -1 },
      { to: 0.4, promise: -1, target: 0.2 },
    ];
    expect(await after(steps, {}, 1)).toBe(2);
  });

  it.each<readonly [string, number, CrossBatchOptions, number, number]>([
    ['falls to its least value', 0.6, { minimum: 0.4 }, 0.6, 0.4],
    ['begins at its least value', 0.3, { minimum: 0.4 }, 0.1, 0.4],
    ['rises to its greatest value', 0.05, {}, 20, 30],
    ['stays where it is above that', 0.05, {}, 40, 40],
    ['falls from above it', 0.6, {}, 40, 20],
  ])('%s', async (_, rho, options, lambda, expected) => {
    expect(await after(atRatio(rho), options, lambda)).toBe(expected);
  });

  it.each<readonly [string, number, CrossBatchOptions, number, number]>([
    ['its least value keeps it from falling', 0.6, { minimum: 0.4 }, 0.6, -1],
    ['it falls freely', 0.6, { minimum: 0.3 }, 0.6, 0],
    ['a ratio that moves nothing', 0.3, { minimum: 0.4 }, 0.4, 0],
    ['its greatest value keeps it from rising', 0.05, {}, 20, 1],
    ['… or from rising above what it is already', 0.05, {}, 40, 1],
    ['it rises freely', 0.05, {}, 15, 0],
    ['it is not due', 0.05, { every: 3 }, 40, 0],
  ])('says which bound keeps it: %s', async (_, rho, options, lambda, expected) => {
    const [, second] = await run(atRatio(rho), { decay: 0.5, ...options }, lambda);
    expect(second.metrics).toMatchObject({ dampingLimit: expected });
  });

  it.each([
    [1, 2],
    [29, 58],
    [6e7, mostDamping],
    [mostDamping, mostDamping],
    [1e9, 1e9],
  ])('after a step that is not taken goes from %d to %d', async (lambda, expected) => {
    expect(await after([{ to: 3, promise: -1 }], {}, lambda)).toBe(expected);
  });

  it('adapts every so many steps, by as many factors', async () => {
    const steps = [0.2, 0.4, 0.6, 0.8].map((to) => ({ to, promise: -0.01 }));
    const out = await run(steps, { every: 3, decay: 0.5 });
    expect(out.map(({ next }) => next.scalars['damping'])).toEqual([1, 1, 1, 0.125]);
  });

  it('what steps between two judgements did is taken back as a whole', async () => {
    const steps = [0.2, 3, 4, 5].map((to) => ({ to, promise: -0.01 }));
    const out = await run(steps, { every: 3 });
    expect(out.map(({ metrics }) => metrics['rejected'])).toEqual([0, 0, 0, 1]);
    expect(weightOf(out[3].next)).toBe(0);
  });

  it('the ratios at which it moves are a setting', async () => {
    expect(await after(atRatio(0.1), { low: 0.05 }, 1)).toBe(1);
    expect(await after(atRatio(0.6), { high: 0.7 }, 1)).toBe(1);
  });

  it('stays while nothing was promised', async () => {
    const [, second] = await run([{ to: 0.5, promise: 0 }, onwards]);
    expect(Object.keys(second.metrics)).not.toContain('reductionRatio');
    expect(second.next.scalars).toEqual({ damping: 1, trust: 1 });
  });
});

describe('where the length of steps answers to noise', () => {
  const byLength: CrossBatchOptions = { noise: 'length', decay: 0.5 };
  /** A step that is made from an example far off the others, which gains half of what was promised on it. */
  const noisy = (to: number): Step => ({ to, promise: (loss(to, 10) - loss(0, 10)) / 0.5, target: 10 });
  /** What came of such a step, and of one after it, on the way to 1, whose own gain is so many times its promise. */
  const after = async (to: number, own: number, options = byLength, examples?: number) => {
    const gained = loss((to + 1) / 2, 1) - loss(to, 1);
    const steps = [noisy(to), { to: (to + 1) / 2, promise: gained / own }];
    const [, { next, metrics }] = await run(steps, options, 1, begin, examples);
    return { lambda: next.scalars['damping'], length: next.scalars['stepLength'], metrics };
  };

  it('λ falls where the model holds, though noise has promised much of which nothing is had', async () => {
    // The first step gains ⅜ and promised 9.75: by its promise λ rises.
    expect((await after(0.5, 1)).lambda).toBe(0.5);
    expect((await after(0.5, 1)).metrics['reductionRatio']).toBeCloseTo(1, 12);
    expect((await after(0.5, 1, { decay: 0.5 })).lambda).toBe(2);
  });

  // A step of t to the target of 1 gains 1 − t / 2 of its slope.
  it.each([
    ['too short to tell', 0.1, 1, 1, 0.5],
    ['to the least loss', 1, 1, 1, 1],
    ['a little beyond', 1.5, 1, 1, 1],
    ['too far', 1.7, 1, 0.5, 1],
    ['so far that it loses', 2.1, 1, 0.25, 1],
    ['short, and the model does not hold', 0.1, 0.2, 1, 2],
    ['short, and the model holds by half', 0.1, 0.5, 1, 1],
  ])('table: %s', async (_, to, own, length, lambda) => {
    expect(await after(to, own)).toMatchObject({ length, lambda });
  });

  it('law: what noise has promised does not matter', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0.1, max: 1.9, noNaN: true }),
        fc.double({ min: 1, max: 100, noNaN: true }),
        async (to, times) => {
          const steps = [noisy(to), { to: (to + 1) / 2, promise: -0.01 }];
          const [, { next }] = await run(steps, byLength);
          // The first of other promises, once λ has moved by it.
          const promised = { ...steps[0], promise: times * steps[0].promise };
          const first = (await run([promised], byLength))[0].next;
          const from = { ...first, scalars: { ...first.scalars, damping: 1 } };
          const [other] = await run([steps[1]], byLength, 1, from);
          expect(other.next.scalars).toEqual(next.scalars);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('the share of a batch in all examples is that of its own gain', async () => {
    // The first goes too far for the example of the second, which goes half the way on its own.
    const steps = [noisy(0.5), { to: 0.385, promise: -0.1, target: 0.27 }];
    const lengthWith = async (examples?: number) =>
      (await run(steps, byLength, 1, begin, examples))[1].next.scalars['stepLength'];
    expect(await lengthWith()).toBe(0.5);
    expect(await lengthWith(1_000_000)).toBe(0.5);
    expect(await lengthWith(1)).toBe(1);
  });

  it('λ rises to its greatest value where the model does not hold', async () => {
    expect(await after(0.1, 0.2, { ...byLength, maximum: 1.5 })).toMatchObject({
      lambda: 1.5,
      metrics: { dampingLimit: 1 },
    });
  });

  it('a length comes back to 1, and is not more', async () => {
    const short = { ...begin, scalars: { stepLength: 0.4 } };
    const places = [0.1, 0.2, 0.3, 0.4].map((to) => ({ to, promise: -0.01 }));
    const out = await run(places, byLength, 1, short);
    expect(out.map(({ next }) => next.scalars['stepLength'])).toEqual([0.4, 0.8, 1, 1]);
  });
});

describe('a step that is not taken', () => {
  it.each([
    ['raises the loss of its batch', 3],
    ['makes it no number', Number.NaN],
    ['makes it infinite', Infinity],
  ])('%s: parameters are as before, memories empty, counts go on', async (_, to) => {
    const [first, second] = await run([
      { to: 0.5, promise: -0.375 },
      { to, promise: -1 },
    ]);
    const { curvature, key, held } = first.next;
    expect(second.next).toMatchObject({ curvature, key, held, step: 2, rules: {}, scalars: { damping: 2 } });
    expect(second.next.rules).toEqual({});
    expect(weightOf(second.next)).toBe(0.5);
    expect(second.metrics).toEqual({ rejected: 1, takenBack: 0, nextDamping: 2, dampingLimit: 0 });
  });

  it('halves what steps may promise of their bound, and those after it give it back at the rate of λ', async () => {
    const away: Step = { to: 3, promise: -1 };
    const steps = [away, away, { ...onwards, to: 0.5 }, { ...onwards, to: 0.6 }, onwards];
    const out = await run(steps, { decay: 0.4 });
    const found = out.map(({ next }) => trusted(next.scalars));
    [0.5, 0.25, 0.625, 1, 1].forEach((trust, i) => {
      expect(found[i]).toBeCloseTo(trust, 12);
    });
    const many = await run(Array.from({ length: 40 }, () => away));
    expect(trusted(many[39].next.scalars)).toBe(1e-6);
  });

  it.each([
    [1, 2],
    [0.5, 1.5],
    [0, 1],
  ])('option: λ rises by %d of itself, to %d', async (raise, expected) => {
    const [{ next }] = await run([{ to: 3, promise: -1 }], { raise });
    expect(next.scalars['damping']).toBe(expected);
  });

  it('is forgotten: the next has none to be measured by', async () => {
    const out = await run([{ to: 0.5, promise: -0.375 }, { to: 3, promise: -1 }, onwards]);
    expect(Object.keys(out[2].metrics)).not.toContain('reductionRatio');
    expect(out[2].metrics).toMatchObject({ rejected: 0 });
  });

  it('a step that was taken leaves where it began and what it promised', async () => {
    const [{ next, metrics }] = await run([{ to: 0.5, promise: -0.25 }]);
    expect(lastStep.in(next.rules)).toEqual({ before: weight(0), promise: -0.25, steps: 1, gained: 0, promised: 0 });
    expect(Object.keys(next.rules)).toEqual(['lastUpdate', 'lastStep']);
    expect(metrics).toEqual({ rejected: 0, takenBack: 0, nextDamping: 1, dampingLimit: 0 });
  });
});

describe('a step that is taken back', () => {
  it('has raised the loss of the next batch by more than twice its promise: it is as if it had not been', async () => {
    const [, second] = await run([
      { to: 1, promise: -0.1 },
      { to: 0, promise: -1, target: -1 },
    ]);
    expect(weightOf(second.next)).toBe(0);
    expect(second.next.rules).toEqual({});
    expect(second.next).toMatchObject({ step: 2, scalars: { damping: 2 }, curvature: { updates: 7 } });
    expect(second.metrics).toEqual({ rejected: 1, takenBack: 1, nextDamping: 2, dampingLimit: 0 });
  });

  // From 0 to ½; the next batch, whose target is 0, has lost ⅛, twice what was promised.
  it.each([
    [2, 0.25],
    [1.9, 0],
    [0, 0],
  ])('option: a tolerance of %d leads to %d', async (tolerance, expected) => {
    const steps = [
      { to: 0.5, promise: -0.0625 },
      { to: 0.25, promise: -0.1, target: 0 },
    ];
    const [, second] = await run(steps, { tolerance });
    expect(weightOf(second.next)).toBe(expected);
  });

  it('a batch whose loss is no number takes the last step back', async () => {
    const [, second] = await run([
      { to: 0.5, promise: -0.375 },
      { to: 0.6, promise: -1, target: Number.NaN },
    ]);
    expect(weightOf(second.next)).toBe(0);
  });
});

describe('settings', () => {
  it.each<readonly [string, CrossBatchOptions, string]>([
    ['every', { every: 0 }, '0'],
    ['every', { every: 1.5 }, '1.5'],
    ['decay', { decay: 0 }, '0'],
    ['decay', { decay: 1.1 }, '1.1'],
    ['minimum', { minimum: 0 }, '0'],
    ['minimum', { minimum: 31 }, '31'],
    ['maximum', { maximum: Number.NaN }, 'NaN'],
    ['maximum', { maximum: Infinity }, 'Infinity'],
    ['memory', { memory: -0.1 }, '-0.1'],
    ['memory', { memory: 1 }, '1'],
    ['memory', { memory: 1.5 }, '1.5'],
    ['tolerance', { tolerance: -1 }, '-1'],
    ['tolerance', { tolerance: Number.NaN }, 'NaN'],
  ])('%s is refused where it is out of range: %j', (name, options, actual) => {
    expect(attempt(() => crossBatchDamping(options))).toMatchObject(
      E.left({ _tag: 'BadConfig', path: `crossBatchDamping.${name}`, actual }),
    );
  });

  it('bounds may be equal, and a tolerance nothing', () => {
    expect(crossBatchDamping({ minimum: 2, maximum: 2, tolerance: 0, memory: 0, decay: 1 }).name).toBe(
      'crossBatchDamping',
    );
  });
});

describe('the state', () => {
  const objective = { model: mlp([3, 4, 3]), loss: softmaxCrossEntropy };
  const step = pipeline(withObjective(objective), kfacAdaptive({ damping: 1e-3, lossBound: 4 }).step);
  const batchAt = (i: number) => ({
    inputs: gaussian(10 + i, [12, 3]),
    targets: generate([12], (j) => (i + j) % 3, 'i32'),
  });
  const trained = async (from: TrainState<Tensor>, begins: number, ends: number) => {
    let [state, rejected] = [from, 0];
    for (let i = begins; i < ends; i += 1) {
      const { next, metrics } = await runStage(step, state, batchAt(i));
      state = next;
      rejected += Number(metrics['rejected']);
    }
    return { state, rejected };
  };

  it('law: is data: a copy of it goes on to the same numbers, bit for bit', async () => {
    const start = stateOf(objective.model, 4);
    const { state: whole, rejected } = await trained(start, 0, 12);
    for (let at = 1; at < 12; at += 1) {
      const copy = structuredClone((await trained(start, 0, at)).state);
      expect((await trained(copy, at, 12)).state).toEqual(whole);
    }
    // On noise with hardly any damping, both kinds of steps occur.
    expect(rejected).toBeGreaterThan(0);
    expect(rejected).toBeLessThan(12);
  });

  it.each([
    ['released', ['0.bias', '0.weight'], []],
    ['held', [], ['0.bias', '0.weight']],
    ['held in place of others', ['2.bias', '2.weight'], ['0.bias', '0.weight']],
  ])('goes on where parameters are %s in the middle of a run', async (_, before, after) => {
    const holding = (state: TrainState<Tensor>, paths: ReadonlyArray<string>): TrainState<Tensor> => {
      const all = Object.entries({ ...state.params, ...state.held }).sort(([a], [b]) => (a < b ? -1 : 1));
      return {
        ...state,
        params: Object.fromEntries(all.filter(([path]) => !paths.includes(path))),
        held: Object.fromEntries(all.filter(([path]) => paths.includes(path))),
      };
    };
    // With targets that do not agree steps are taken back, too.
    const first = (await trained(holding(stateOf(objective.model, 4), before), 0, 3)).state;
    const { state } = await trained(holding(first, after), 3, 9);
    expect(Object.keys(state.params)).toHaveLength(4 - after.length);
    for (const { data } of Object.values(state.params)) expect(Array.from(data).every(Number.isFinite)).toBe(true);
  });
});
