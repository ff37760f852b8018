/**
 * Steering: how training goes on is decided while it goes on.
 *
 * @module
 */
import type { Optimizer } from '../../solvers/presets/optimizer.ts';
import type { EvaluationRecord, TrainEvent } from './events.ts';

/** How to go on; as before where nothing is said. */
export interface Course {
  /** The optimizer from now on. It takes over what the one before it remembers, so the two should be of one kind. */
  readonly optimizer?: Optimizer;
  /** Whether to stop here. */
  readonly stop?: boolean;
}

/**
 * Asked after each step and each evaluation how to go on.
 *
 * @param event - what happened
 * @param evaluations - all evaluations so far
 */
export type Steer = (event: TrainEvent, evaluations: ReadonlyArray<EvaluationRecord>) => Course | Promise<Course>;

/** Settings of {@link plateau}. */
export interface PlateauOptions {
  /** The optimizer at a learning rate. */
  readonly optimizer: (learningRate: number) => Optimizer;
  /** What training begins with. */
  readonly learningRate: number;
  /** What the rate is multiplied by where the loss has stopped falling, between 0 and 1; 0.5 unless given. */
  readonly factor?: number;
  /** Evaluations in a row without an improvement until it is, at least 1; 2 unless given. */
  readonly patience?: number;
  /** By how much a loss must be below the best one to count as an improvement, 0 unless given. */
  readonly minimumGain?: number;
}

interface Seen {
  readonly rate: number;
  readonly best: number;
  readonly waited: number;
}

const rateAfter = (
  { learningRate, factor = 0.5, patience = 2, minimumGain = 0 }: PlateauOptions,
  evaluations: ReadonlyArray<EvaluationRecord>,
): number => {
  const start: Seen = { rate: learningRate, best: Infinity, waited: 0 };
  const last = evaluations.reduce(({ rate, best, waited }: Seen, { loss }): Seen => {
    if (loss < best - minimumGain) return { rate, best: loss, waited: 0 };
    return waited + 1 >= patience ? { rate: factor * rate, best, waited: 0 } : { rate, best, waited: waited + 1 };
  }, start);
  return last.rate;
};

/**
 * A learning rate that falls where the loss on the test examples no longer does.
 *
 * @param options - the optimizer at any rate, the rate to begin with, when and by what it falls
 * @returns for the option `steer` of training, which evaluates as often as `evaluateEvery` says
 * @example
 * ```ts
 * import { plateau, type TrainOptions } from 'kfac-ts/pipelines';
 * import { sgdOptimizer } from 'kfac-ts/solvers';
 *
 * const options: TrainOptions = {
 *   duration: { epochs: 30 },
 *   batch: 64,
 *   seed: 1,
 *   evaluateEvery: 100,
 *   steer: plateau({ optimizer: (learningRate) => sgdOptimizer({ learningRate }), learningRate: 0.1 }),
 * };
 * ```
 */
export const plateau =
  (options: PlateauOptions): Steer =>
  (event, evaluations) => {
    if (event.event !== 'evaluation') return {};
    const rate = rateAfter(options, evaluations);
    return rate === rateAfter(options, evaluations.slice(0, -1)) ? {} : { optimizer: options.optimizer(rate) };
  };
