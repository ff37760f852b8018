/**
 * Successive halving [JT16]: all trials for a short while, the better half for twice as long, and so on, until two are left
 * that have the whole budget.
 *
 * Every trial of a rung begins anew, as Hyperband's do [LJD18]: what a rung says is then what training for so long says, no
 * state is kept between rungs, and a search that was ended goes on from its results alone.
 *
 * @module
 */

/** How long a trial may train, in steps or in seconds. */
export type Budget = { readonly steps: number } | { readonly seconds: number };

/** So many trials, each for so long. */
export interface Rung {
  readonly trials: number;
  /** Steps, whole, or seconds. */
  readonly budget: number;
}

/** The number in a budget. */
export const amountOf = (budget: Budget): number => ('steps' in budget ? budget.steps : budget.seconds);

/** How many rungs there are: as many as halvings of the trials leave two or more. */
const rungCount = (trials: number): number => Math.max(1, Math.ceil(Math.log2(trials)));

/**
 * The least budget that has a step for the trials of each rung.
 *
 * @param trials - of the first rung
 */
export const leastSteps = (trials: number): number => 2 ** (rungCount(trials) - 1);

/**
 * The rungs of a search, from the first.
 *
 * @param trials - of the first rung, at least 1
 * @param budget - of the last
 * @example
 * ```ts
 * import { rungsOf } from 'kfac-ts/pipelines';
 *
 * rungsOf(6, { steps: 100 }).map(({ trials, budget }) => `${trials} × ${budget}`); // => ['6 × 25', '3 × 50', '2 × 100']
 * ```
 */
export const rungsOf = (trials: number, budget: Budget): ReadonlyArray<Rung> => {
  const count = rungCount(trials);
  const exact = (rung: number): number => amountOf(budget) / 2 ** (count - 1 - rung);
  return Array.from({ length: count }, (_, rung) => ({
    trials: Math.ceil(trials / 2 ** rung),
    budget: 'steps' in budget ? Math.round(exact(rung)) : exact(rung),
  }));
};

/** What a trial of a rung came to: the lower the better, `null` where it came to no end. */
export interface Ranked {
  readonly trial: number;
  readonly loss: number | null;
}

/**
 * The best of some trials, the best first: those that came to no end last, and of equals the one with the lower number first.
 *
 * @param ranked - what they came to
 * @param count - how many are kept
 */
export const bestOf = <A extends Ranked>(ranked: ReadonlyArray<A>, count: number): ReadonlyArray<A> => {
  const size = ({ loss }: Ranked): number => (loss !== null && Number.isFinite(loss) ? loss : Infinity);
  return ranked.toSorted((a, b) => (size(a) === size(b) ? a.trial - b.trial : size(a) - size(b))).slice(0, count);
};
