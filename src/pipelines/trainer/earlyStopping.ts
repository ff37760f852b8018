/**
 * Early stopping: when the loss on the test examples has not improved for some evaluations, training ends and the best
 * parameters come back.
 *
 * @module
 */
import type { Params } from '../../core/params.ts';
import type { Tensor } from '../../core/tensor.ts';

/** When to stop. */
export interface EarlyStopping {
  /** Evaluations without an improvement until training ends, at least 1. */
  readonly patience: number;
  /** By how much a loss must be below the best one to count as an improvement, 0 unless given. */
  readonly minimumGain?: number;
}

/** The best parameters so far, copied to host memory. */
export interface Best {
  readonly step: number;
  readonly loss: number;
  readonly params: Params<Tensor>;
  /** State of layers that is not trained. */
  readonly running: Params<Tensor>;
}

/** What early stopping remembers between evaluations. */
export interface Watch {
  readonly best: Best | null;
  /** Evaluations since the best one. */
  readonly waited: number;
}

/** Before the first evaluation. */
export const unwatched: Watch = { best: null, waited: 0 };

/**
 * Whether a loss is an improvement.
 *
 * @param options - when to stop
 * @param watch - what is remembered
 * @param loss - loss of the new evaluation
 */
export const improves = (options: EarlyStopping, watch: Watch, loss: number): boolean =>
  watch.best === null || loss < watch.best.loss - (options.minimumGain ?? 0);

/** After an improvement. */
export const improved = (best: Best): Watch => ({ best, waited: 0 });

/** After an evaluation without one. */
export const waiting = (watch: Watch): Watch => ({ ...watch, waited: watch.waited + 1 });

/** Whether patience has run out. */
export const exhausted = (options: EarlyStopping, watch: Watch): boolean => watch.waited >= options.patience;
