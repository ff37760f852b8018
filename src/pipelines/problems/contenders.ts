/**
 * What contenders made of each problem, over all seeds. A contender is a preset with settings.
 *
 * Losses are compared by what is above the problem's floor, and two that differ by less than a millionth of the loss that
 * training began with are the same: 32 bits and the evaluation do not tell them apart.
 *
 * @module
 */
import { isOneRate, nameOf } from './choices.ts';
import type { TrialResult } from './trial.ts';

/** A contender's losses, by problem. */
export interface Contender {
  readonly name: string;
  /** The preset. */
  readonly optimizer: string;
  /** How many given learning rates it stands for, the best of which is taken; 0 where none, or more, is given. */
  readonly rates: number;
  /** Steps in units of those of the problems. */
  readonly longer: number;
  /** Mean loss over the training set, over all seeds; ∞ where one of them came to no end. */
  readonly loss: Readonly<Record<string, number>>;
  /** The same above the floor, at least a millionth of the loss that training began with. */
  readonly excess: Readonly<Record<string, number>>;
  /** Why runs came to no end: problem, seed and words. */
  readonly failures: ReadonlyArray<TrialResult>;
  /** Mean seconds of a step, by problem. */
  readonly secondsPerStep: Readonly<Record<string, number>>;
  /** Mean operations of a step in those of Adam, by problem. */
  readonly flopsOfAdam: Readonly<Record<string, number>>;
}

/** Differences below this part of the first loss are none. */
const resolution = 1e-6;

const lengthName = (longer: number): string => (longer === 1 ? '' : `, ${longer} × steps`);

/** `kfac`, `adam@0.003`, `kfac damping=0.1 klClip=0.01`, `adam, 4 × steps`. */
export const contenderName = (result: Pick<TrialResult, 'optimizer' | 'settings' | 'longer'>): string =>
  `${nameOf(result)}${lengthName(result.longer ?? 1)}`;

const mean = (values: ReadonlyArray<number>): number => values.reduce((sum, x) => sum + x, 0) / values.length;

const lossOf = ({ ended, trainLoss }: TrialResult): number => (ended && trainLoss !== null ? trainLoss : Infinity);

const excessOf = (result: TrialResult): number =>
  Math.max(lossOf(result) - result.floor, resolution * Math.abs(result.initialLoss ?? 0));

const known = (values: ReadonlyArray<number | null>): ReadonlyArray<number> => values.filter((value) => value !== null);

const contenderOf = (name: string, results: ReadonlyArray<TrialResult>): Contender => {
  const names = [...new Set(results.map(({ problem }) => problem))];
  const byProblem = (valuesOf: (some: ReadonlyArray<TrialResult>) => ReadonlyArray<number>) =>
    Object.fromEntries(
      names.map((problem) => [problem, mean(valuesOf(results.filter((result) => result.problem === problem)))]),
    );
  const [{ optimizer, settings }] = results;
  return {
    name,
    optimizer,
    rates: isOneRate(settings) ? 1 : 0,
    longer: results[0].longer ?? 1,
    loss: byProblem((some) => some.map(lossOf)),
    excess: byProblem((some) => some.map(excessOf)),
    failures: results.filter(({ ended }) => !ended),
    secondsPerStep: byProblem((some) => known(some.map((result) => result.secondsPerStep))),
    flopsOfAdam: byProblem((some) => known(some.map((result) => result.flopsOfAdam))),
  };
};

/** The contenders among results, in the order in which they come. */
export const contendersOf = (results: ReadonlyArray<TrialResult>): ReadonlyArray<Contender> =>
  [...new Set(results.map(contenderName))].map((name) =>
    contenderOf(
      name,
      results.filter((result) => contenderName(result) === name),
    ),
  );

/** On each problem the one of several rates that is best there. */
const bestOf = (rates: ReadonlyArray<Contender>): Contender => {
  const [{ optimizer, longer }] = rates;
  const names = [...new Set(rates.flatMap(({ excess }) => Object.keys(excess)))];
  const bestOn = (problem: string): Contender =>
    rates.reduce((best, rate) =>
      (rate.excess[problem] ?? Infinity) < (best.excess[problem] ?? Infinity) ? rate : best,
    );
  const byProblem = (valueOf: (best: Contender, problem: string) => number) =>
    Object.fromEntries(names.map((problem) => [problem, valueOf(bestOn(problem), problem)]));
  return {
    name: `${optimizer}, best of ${rates.length} rates${lengthName(longer)}`,
    optimizer,
    rates: rates.length,
    longer,
    loss: byProblem(({ loss }, problem) => loss[problem]),
    excess: byProblem(({ excess }, problem) => excess[problem]),
    failures: [],
    secondsPerStep: byProblem(({ secondsPerStep }, problem) => secondsPerStep[problem]),
    flopsOfAdam: byProblem(({ flopsOfAdam }, problem) => flopsOfAdam[problem]),
  };
};

/** For every preset that comes with several learning rates, the best of them on each problem. */
export const bestRates = (contenders: ReadonlyArray<Contender>): ReadonlyArray<Contender> => {
  const rated = contenders.filter(({ rates }) => rates === 1);
  const alike = rated.map(({ optimizer, longer }) => `${optimizer} ${longer}`);
  return [...new Set(alike)].flatMap((kind) => {
    const rates = rated.filter((_, i) => alike[i] === kind);
    return rates.length > 1 ? [bestOf(rates)] : [];
  });
};
