/**
 * A search as data: who is tried with which settings, for how long, and, given what has come of it, what is next.
 *
 * Nothing here trains. What is next follows from the results alone, so a search that goes on later is the one that was never
 * ended.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { KfacError } from '../../core/errors.ts';
import { keyOf } from '../../core/random/key.ts';
import { shown } from '../../core/shown.ts';
import type { Optimizer } from '../../solvers/presets/optimizer.ts';
import type { Presets } from '../../solvers/presets/registry.ts';
import { presetIn, presets as ownPresets } from '../../solvers/presets/registry.ts';
import type { Chosen } from './candidates.ts';
import { candidatesOf, searchedIn } from './candidates.ts';
import type { Budget, Rung } from './halving.ts';
import { amountOf, bestOf, leastSteps, rungsOf } from './halving.ts';

/** What is searched for. */
export interface SearchRequest {
  /** Names of presets, each once. */
  readonly optimizers: ReadonlyArray<string>;
  /** Presets that there are, by name; the library's unless given. */
  readonly presets?: Presets<Optimizer>;
  /** Settings that are not searched, by name of the preset; none unless given. */
  readonly fixed?: Readonly<Record<string, Chosen>>;
  /** Settings of each optimizer that are tried, its defaults among them. */
  readonly trials: number;
  /** How long those train that stay to the end. */
  readonly budget: Budget;
  /** Decides what is drawn, and everything random of the trials. */
  readonly seed: number;
  /** Of the runs with the best settings; the three after `seed` unless given. */
  readonly seeds?: ReadonlyArray<number>;
}

/** One optimizer with all that is tried of it. */
export interface Contender {
  readonly optimizer: string;
  /** Settings by number of the trial. */
  readonly candidates: ReadonlyArray<Chosen>;
}

/** A search: the same rungs for every contender. */
export interface Search {
  readonly presets: Presets<Optimizer>;
  readonly contenders: ReadonlyArray<Contender>;
  readonly rungs: ReadonlyArray<Rung>;
  readonly budget: Budget;
  readonly seed: number;
  readonly seeds: ReadonlyArray<number>;
}

/** A run that is to be made. */
export interface Order {
  readonly optimizer: string;
  readonly trial: number;
  readonly settings: Chosen;
  /** From 0; `null` for a run with the best settings, on the test examples. */
  readonly rung: number | null;
  /** Steps or seconds. */
  readonly budget: number;
  readonly seed: number;
}

/** A run that was made. */
export interface TuneResult extends Order {
  /** What is watched, on examples that it was not trained on; `null` where it came to no end. */
  readonly loss: number | null;
  /** Whatever else the task measures. */
  readonly measures: Readonly<Record<string, number>>;
  readonly steps: number;
  /** Of training. */
  readonly seconds: number;
  /** Why it came to no end. */
  readonly error: string | null;
}

type Results = ReadonlyArray<TuneResult>;

const bad = (path: string, expected: string, actual: string): KfacError => ({
  _tag: 'BadConfig',
  path,
  expected,
  actual,
});

/** Trials beyond this are a slip of the hand. */
export const mostTrials = 1000;

const isSeed = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;

const errorIn = ({ optimizers, trials, budget, seed, seeds = [] }: SearchRequest): KfacError | null => {
  const amount = amountOf(budget);
  const twice = optimizers.find((name, i) => optimizers.indexOf(name) !== i);
  const wrongSeed = [seed, ...seeds].find((n) => !isSeed(n));
  const sameSeed = seeds.find((n, i) => seeds.indexOf(n) !== i);
  if (optimizers.length === 0) return bad('optimizers', 'at least one optimizer', 'none');
  if (twice !== undefined) return bad('optimizers', 'each optimizer once', `${twice} twice`);
  if (!(Number.isInteger(trials) && trials >= 1 && trials <= mostTrials)) {
    return bad('trials', `a whole number from 1 to ${mostTrials}`, shown(trials));
  }
  if (!(amount > 0 && amount < Infinity)) return bad('budget', 'steps, or seconds, above 0', shown(amount));
  if ('steps' in budget && !(Number.isSafeInteger(amount) && amount >= leastSteps(trials))) {
    return bad('budget', `a whole number of at least ${leastSteps(trials)} steps for ${trials} trials`, shown(amount));
  }
  if (wrongSeed !== undefined) return bad('seeds', 'whole numbers of at least 0', shown(wrongSeed));
  return sameSeed === undefined ? null : bad('seeds', 'each seed once', `${sameSeed} twice`);
};

const contenderOf =
  ({ presets = ownPresets, fixed = {}, trials, seed }: SearchRequest) =>
  (optimizer: string): E.Either<KfacError, Contender> => {
    const own = fixed[optimizer] ?? {};
    return pipe(
      presetIn(presets, optimizer, own),
      E.map(() => searchedIn(presets[optimizer].settings, own)),
      E.filterOrElse(
        (searched) => trials === 1 || Object.keys(searched).length > 0,
        () => bad('trials', `1, since nothing of ${optimizer} is left to search`, String(trials)),
      ),
      E.map((searched) => ({ optimizer, candidates: candidatesOf(keyOf(seed), searched, own, trials) })),
    );
  };

/** Seeds that the search has not seen. */
const freshSeeds = (seed: number): ReadonlyArray<number> => [1, 2, 3].map((further) => seed + further);

/**
 * A search, or what is wrong with what was asked for.
 *
 * @param options - who is tried, how often and how long
 * @example
 * ```ts
 * import { searchOf } from 'kfac-ts/pipelines';
 *
 * const asked = { optimizers: ['kfac', 'adam'], trials: 8, budget: { steps: 200 }, seed: 1 };
 * const search = searchOf(asked);
 * search._tag === 'Right' ? search.right.rungs.map(({ budget }) => budget) : []; // => [50, 100, 200]
 * ```
 */
export const searchOf = (options: SearchRequest): E.Either<KfacError, Search> => {
  const error = errorIn(options);
  return error !== null
    ? E.left(error)
    : pipe(
        options.optimizers,
        E.traverseArray(contenderOf(options)),
        E.map((contenders) => ({
          presets: options.presets ?? ownPresets,
          contenders,
          rungs: rungsOf(options.trials, options.budget),
          budget: options.budget,
          seed: options.seed,
          seeds: options.seeds ?? freshSeeds(options.seed),
        })),
      );
};

/** Trials of a contender that are in a rung: all, then the best of the rung before. */
const trialsIn = ({ rungs }: Search, results: Results, rung: number, contender: Contender): ReadonlyArray<number> =>
  rung === 0
    ? contender.candidates.map((_, trial) => trial)
    : bestOf(ofRung(results, contender.optimizer, rung - 1), rungs[rung].trials)
        .map(({ trial }) => trial)
        .toSorted((a, b) => a - b);

const ofRung = (results: Results, optimizer: string, rung: number): Results =>
  results.filter((result) => result.optimizer === optimizer && result.rung === rung);

/** The orders of a rung, where all before it are there: contenders take turns, so that a machine that slows down does so for all. */
const ordersIn = (search: Search, results: Results, rung: number): ReadonlyArray<Order> => {
  const { contenders, rungs, seed } = search;
  const byContender = contenders.map((contender) => trialsIn(search, results, rung, contender));
  return Array.from({ length: rungs[rung].trials }, (_, i) => i).flatMap((i) =>
    contenders.map(({ optimizer, candidates }, c) => {
      const trial = byContender[c][i];
      return { optimizer, trial, settings: candidates[trial], rung, budget: rungs[rung].budget, seed };
    }),
  );
};

/**
 * The best of an optimizer's trials: the first of its last rung.
 *
 * @param search - the search
 * @param results - those of the last rung among them
 * @param optimizer - whose
 * @example
 * ```ts
 * import { orRaise } from 'kfac-ts/core';
 * import { nextOrder, searchOf, winnerOf, type TuneResult } from 'kfac-ts/pipelines';
 *
 * // Of two trials with a loss of 3 and of 2 the second.
 * const search = orRaise(searchOf({ optimizers: ['adam'], trials: 2, budget: { steps: 10 }, seed: 1 }));
 * const results = [3, 2].reduce((known: ReadonlyArray<TuneResult>, loss) => {
 *   const order = nextOrder(search, known);
 *   return order === null ? known : [...known, { ...order, loss, measures: {}, steps: 10, seconds: 1, error: null }];
 * }, []);
 * winnerOf(search, results, 'adam')?.trial; // => 1
 * ```
 */
export const winnerOf = ({ rungs }: Search, results: Results, optimizer: string): TuneResult | null =>
  bestOf(ofRung(results, optimizer, rungs.length - 1), 1)[0] ?? null;

/** Runs with the best settings of each, from every seed. */
const finalOrders = (search: Search, results: Results): ReadonlyArray<Order> =>
  search.seeds.flatMap((seed) =>
    search.contenders.flatMap(({ optimizer }) => {
      const winner = winnerOf(search, results, optimizer);
      if (winner === null) return [];
      const { trial, settings } = winner;
      return [{ optimizer, trial, settings, rung: null, budget: amountOf(search.budget), seed }];
    }),
  );

/** Whether a result is that of an order. */
const answers = (order: Order, result: Order): boolean =>
  order.optimizer === result.optimizer &&
  order.trial === result.trial &&
  order.rung === result.rung &&
  order.seed === result.seed &&
  order.budget === result.budget &&
  Object.keys(order.settings).length === Object.keys(result.settings).length &&
  Object.entries(order.settings).every(([name, value]) => result.settings[name] === value);

/**
 * All orders that results let one know of, in the order in which they are made: those of a rung, and of the runs at the end, are
 * known once all before them are answered.
 *
 * @param search - the search
 * @param results - what has come
 */
const ordersOf = (search: Search, results: Results): ReadonlyArray<Order> => {
  const isAnswered = (order: Order, i: number): boolean => i < results.length && answers(order, results[i]);
  const parts = [
    ...search.rungs.map((_, rung) => (): ReadonlyArray<Order> => ordersIn(search, results, rung)),
    (): ReadonlyArray<Order> => finalOrders(search, results),
  ];
  return parts.reduce(
    (known: ReadonlyArray<Order>, part) => (known.every(isAnswered) ? [...known, ...part()] : known),
    [],
  );
};

/**
 * The next run, or `null` where all are made.
 *
 * @param search - the search
 * @param results - what has come, in the order in which it was asked for
 * @example
 * ```ts
 * import { orRaise } from 'kfac-ts/core';
 * import { nextOrder, searchOf } from 'kfac-ts/pipelines';
 *
 * const search = orRaise(searchOf({ optimizers: ['adam'], trials: 4, budget: { steps: 10 }, seed: 1 }));
 * const { trial, rung, budget, settings } = nextOrder(search, []) ?? {};
 * [trial, rung, budget, settings]; // => [0, 0, 5, {}]
 * ```
 */
export const nextOrder = (search: Search, results: Results): Order | null =>
  ordersOf(search, results)[results.length] ?? null;

/**
 * Whether results are those of a search, from its beginning on.
 *
 * @param search - the search
 * @param results - from a file
 */
export const areOf = (search: Search, results: Results): boolean => {
  const orders = ordersOf(search, results);
  return results.every((result, i) => i < orders.length && answers(orders[i], result));
};

/**
 * What all runs of an optimizer may take together, the same for each.
 *
 * @param search - the search
 * @returns steps, or seconds
 */
export const totalOf = ({ rungs, seeds, budget }: Search): number =>
  rungs.reduce((sum, rung) => sum + rung.trials * rung.budget, 0) + seeds.length * amountOf(budget);
