/**
 * What each stage of a step costs in the mean, from counts of steps.
 *
 * A stage that does something dear now and then (inverses, statistics) has two costs: what it takes in most steps, and what
 * the others take beyond that.
 *
 * @module
 */
import type { StepCount } from './count.ts';

/** What a stage costs, in operations per step. */
export interface StageCost {
  readonly stage: string;
  /** In every step. */
  readonly always: number;
  /** What dear steps cost beyond that, spread over all steps. */
  readonly periodic: number;
  /** How many steps there are to a dear one; 1 where there is none. */
  readonly every: number;
}

/** What most of some steps cost: the middle, or the lower of the two in the middle. */
const usualOf = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)];

const mean = (values: ReadonlyArray<number>): number => values.reduce((sum, x) => sum + x, 0) / values.length;

const costOfStage = (stage: string, costs: ReadonlyArray<number>): StageCost => {
  const usual = usualOf(costs);
  const dear = costs.filter((cost) => cost > usual);
  const periodic = dear.reduce((sum, cost) => sum + cost - usual, 0) / costs.length;
  return {
    stage,
    always: mean(costs) - periodic,
    periodic,
    every: dear.length === 0 ? 1 : Math.round(costs.length / dear.length),
  };
};

/**
 * Costs of the stages of some steps, in the order in which they come. They add up to the mean of the steps.
 *
 * @param counts - steps of one run, whole periods of them for the mean to be that of a long run
 * @example
 * ```ts
 * import { stageCosts } from 'kfac-ts/core';
 *
 * // Inverses in every other step.
 * const counts = [9, 1, 9, 1].map((solve) => ({ stages: { forward: 10, solve } }));
 * stageCosts(counts)[1]; // => { stage: 'solve', always: 1, periodic: 4, every: 2 }
 * ```
 */
export const stageCosts = (counts: ReadonlyArray<Pick<StepCount, 'stages'>>): ReadonlyArray<StageCost> =>
  [...new Set(counts.flatMap(({ stages }) => Object.keys(stages)))].map((stage) =>
    costOfStage(
      stage,
      counts.map(({ stages }) => stages[stage] ?? 0),
    ),
  );
