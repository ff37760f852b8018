/**
 * The planner of a search: which runs, in which order, given what has come.
 */
import fc from 'fast-check';

import { keyOf } from '../../../src/core/random/key.ts';
import { uniform } from '../../../src/core/random/uniform.ts';
import { bestOf, rungsOf } from '../../../src/pipelines/tuning/halving.ts';
import type { Order, Search, SearchRequest, TuneResult } from '../../../src/pipelines/tuning/search.ts';
import { areOf, nextOrder, searchOf, totalOf, winnerOf } from '../../../src/pipelines/tuning/search.ts';
import { orThrow } from '../../support/training.ts';
import { errorOf } from '../support.ts';

const asked: SearchRequest = { optimizers: ['kfac', 'adam'], trials: 5, budget: { steps: 40 }, seed: 1 };

/** What becomes of an order: a number that follows from it, or an end before the end. */
type Answer = (order: Order) => number | null;

const lossOf =
  (seed: number): Answer =>
  ({ trial, rung, budget, optimizer }) => {
    const [u] = uniform(keyOf(1000 * seed + 31 * trial + 7 * (rung ?? 99) + optimizer.length), [], 'f64').data;
    return u < 0.2 ? null : u / budget;
  };

const resultOf = (order: Order, loss: number | null): TuneResult => ({
  ...order,
  loss,
  measures: {},
  steps: order.budget,
  seconds: 1,
  error: loss === null ? 'it diverged' : null,
});

const goOn = (search: Search, answer: Answer, known: ReadonlyArray<TuneResult> = []): ReadonlyArray<TuneResult> => {
  const order = nextOrder(search, known);
  return order === null ? known : goOn(search, answer, [...known, resultOf(order, answer(order))]);
};

const requests = fc.record({
  optimizers: fc.constantFrom(['kfac', 'adam'], ['adam', 'sgd', 'kfac-grafted'], ['soap']),
  trials: fc.integer({ min: 1, max: 12 }),
  budget: fc.oneof(
    fc.integer({ min: 8, max: 500 }).map((steps) => ({ steps })),
    fc.double({ min: 0.1, max: 100, noNaN: true }).map((seconds) => ({ seconds })),
  ),
  seed: fc.nat(),
});

describe('rungs', () => {
  it('halve the trials and double what each may take', () => {
    expect(rungsOf(6, { steps: 100 })).toEqual([
      { trials: 6, budget: 25 },
      { trials: 3, budget: 50 },
      { trials: 2, budget: 100 },
    ]);
    expect(rungsOf(1, { seconds: 0.5 })).toEqual([{ trials: 1, budget: 0.5 }]);
  });

  it('keep the best: those that came to no end last, of equals the first', () => {
    const ranked = [3, null, 1, 3, NaN, 2].map((loss, trial) => ({ trial, loss }));
    expect(bestOf(ranked, 6).map(({ trial }) => trial)).toEqual([2, 5, 0, 3, 1, 4]);
    expect(bestOf(ranked, 2).map(({ trial }) => trial)).toEqual([2, 5]);
  });
});

describe('a search', () => {
  it('law: every optimizer has the same budget, run by run, whatever comes of the runs', () => {
    fc.assert(
      fc.property(requests, fc.nat(1000), (request, seed) => {
        const search = orThrow(searchOf(request));
        const results = goOn(search, lossOf(seed));
        const budgets = request.optimizers.map((name) =>
          results.filter(({ optimizer }) => optimizer === name).map(({ budget }) => budget),
        );
        budgets.forEach((own) => {
          expect(own).toEqual(budgets[0]);
          expect(own.reduce((sum, x) => sum + x, 0)).toBeCloseTo(totalOf(search), 6);
        });
      }),
      { numRuns: 40 },
    );
  });

  it('law: a rung has the best of the one before, and the winner is the best of the last', () => {
    fc.assert(
      fc.property(requests, fc.nat(1000), (request, seed) => {
        const search = orThrow(searchOf(request));
        const results = goOn(search, lossOf(seed));
        for (const name of request.optimizers) {
          const rung = (n: number | null) => results.filter((one) => one.optimizer === name && one.rung === n);
          const size = ({ loss }: TuneResult): number => loss ?? Infinity;
          search.rungs.slice(1).forEach(({ trials }, i) => {
            const kept = rung(i + 1).map(({ trial }) => trial);
            const left = rung(i).filter(({ trial }) => !kept.includes(trial));
            const stayed = rung(i).filter(({ trial }) => kept.includes(trial));
            expect(kept).toHaveLength(trials);
            expect(Math.max(...stayed.map(size))).toBeLessThanOrEqual(Math.min(...left.map(size)));
          });
          const last = rung(search.rungs.length - 1);
          const winner = winnerOf(search, results, name);
          expect(winner === null ? NaN : size(winner)).toBe(Math.min(...last.map(size)));
          expect(rung(null).map((one) => [one.seed, one.settings])).toEqual(
            search.seeds.map((s) => [s, winner?.settings]),
          );
        }
      }),
      { numRuns: 40 },
    );
  });

  it('law: it is decided by its seed, and goes on from any of its results as if it had not ended', () => {
    fc.assert(
      fc.property(requests, fc.nat(1000), fc.nat(1000), (request, seed, cut) => {
        const search = orThrow(searchOf(request));
        const whole = goOn(search, lossOf(seed));
        const known = whole.slice(0, cut % (whole.length + 1));
        expect(goOn(orThrow(searchOf(request)), lossOf(seed), known)).toEqual(whole);
        expect(areOf(search, known)).toBe(true);
        expect(whole.length === 0 || !areOf(search, whole.slice(1))).toBe(true);
      }),
      { numRuns: 40 },
    );
    const drawn = (seed: number) => orThrow(searchOf({ ...asked, seed })).contenders[0].candidates[1];
    expect(drawn(1)).not.toEqual(drawn(2));
  });

  it('law: the first candidates have the defaults, the others values in the presets’ ranges; what is set stays', () => {
    const search = orThrow(searchOf({ ...asked, trials: 30, fixed: { kfac: { momentum: 0.25, inverseEvery: 7 } } }));
    const [kfac, adam] = search.contenders.map(({ candidates }) => candidates);
    expect([kfac[0], adam[0]]).toEqual([{ momentum: 0.25, inverseEvery: 7 }, {}]);
    for (const [own, name] of [
      [kfac, 'kfac'],
      [adam, 'adam'],
    ] as const) {
      for (const settings of own.slice(1)) {
        for (const [setting, value] of Object.entries(settings)) {
          const { search: range, range: allowed } = search.presets[name].settings[setting];
          expect(allowed.holds(value)).toBe(true);
          if (setting === 'inverseEvery' || (name === 'kfac' && setting === 'momentum')) continue;
          expect(value).toBeGreaterThanOrEqual(range?.low ?? NaN);
          expect(value).toBeLessThanOrEqual(range?.high ?? NaN);
        }
      }
    }
    expect(kfac.slice(1).every(({ momentum, inverseEvery }) => momentum === 0.25 && inverseEvery === 7)).toBe(true);
    // Learning rates are drawn evenly in their logarithm: half of them are below the geometric mean of the bounds.
    const below = adam.slice(1).filter(({ learningRate }) => Number(learningRate) < Math.sqrt(1e-4 * 3e-2));
    expect(below.length).toBeGreaterThan(7);
    expect(below.length).toBeLessThan(22);
  });

  it('law: more trials leave the first as they are', () => {
    const candidatesOf = (trials: number) => orThrow(searchOf({ ...asked, trials })).contenders[1].candidates;
    expect(candidatesOf(9).slice(0, 4)).toEqual(candidatesOf(4));
  });

  it('tries optimizers in turn, so that a machine that slows down does so for all', () => {
    const order = nextOrder(orThrow(searchOf(asked)), []);
    const second = nextOrder(orThrow(searchOf(asked)), order === null ? [] : [resultOf(order, 1)]);
    expect([order?.optimizer, order?.trial, second?.optimizer, second?.trial]).toEqual(['kfac', 0, 'adam', 0]);
  });

  it.each([
    ['no optimizer', { optimizers: [] }, 'optimizers', 'at least one'],
    ['an optimizer twice', { optimizers: ['adam', 'adam'] }, 'optimizers', 'once'],
    ['an optimizer that there is not', { optimizers: ['adan'] }, 'optimizer', 'one of'],
    ['a setting that there is not', { fixed: { adam: { rate: 1 } } }, 'adam.rate', 'one of'],
    ['no trial', { trials: 0 }, 'trials', 'from 1'],
    ['half a trial', { trials: 1.5 }, 'trials', 'from 1'],
    ['no budget', { budget: { seconds: 0 } }, 'budget', 'above 0'],
    ['an endless budget', { budget: { seconds: Infinity } }, 'budget', 'above 0'],
    ['half a step', { budget: { steps: 40.5 } }, 'budget', 'whole number'],
    ['steps that are too few to be halved', { trials: 16, budget: { steps: 7 } }, 'budget', 'at least 8 steps'],
    ['a seed below 0', { seeds: [-1] }, 'seeds', 'at least 0'],
    ['a seed twice', { seeds: [4, 4] }, 'seeds', 'once'],
    [
      'nothing that is left to search',
      { optimizers: ['sgd'], fixed: { sgd: { learningRate: 0.1, momentum: 0 } } },
      'trials',
      'nothing of sgd is left',
    ],
  ] as const)('refuses %s', (_, change, path, words) => {
    const error = errorOf(searchOf({ ...asked, ...change }));
    expect(error).toMatchObject({ _tag: 'BadConfig', path });
    expect(error._tag === 'BadConfig' && error.expected).toContain(words);
  });
});
