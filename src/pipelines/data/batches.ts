/**
 * The order of examples: step k of a run always sees the same ones.
 *
 * The epochs, each a permutation of the data set, form one endless stream that is cut into batches. All batches then
 * have the same size, each epoch shows each example exactly once, and what a step sees is a function of key and step
 * alone: a resumed run needs no position in a shuffle.
 *
 * @module
 */
import type { Key } from '../../core/random/key.ts';
import { permutation } from '../../core/random/permutation.ts';
import { foldIn } from '../../core/random/split.ts';
import type { ReadonlyVector } from '../../core/tensor.ts';
import { generate } from '../../core/tensor.ts';

/** One pass over a data set. */
export interface Epoch {
  /** Counted from 0. */
  readonly number: number;
  /** A permutation of the positions of the data set. */
  readonly order: ReadonlyVector;
}

/** A batch's positions in the data set. */
export interface BatchIndices {
  readonly indices: ReadonlyVector;
  /** The epoch in which the batch ends: saves the next batch a shuffle. */
  readonly epoch: Epoch;
}

/** What the order of examples depends on. */
export interface BatchPlan {
  readonly key: Key;
  /** Number of examples in the data set. */
  readonly size: number;
  /** Number of examples in a batch. */
  readonly batch: number;
}

/**
 * One epoch's order.
 *
 * @param plan - key and size
 * @param number - which epoch
 */
export const epochOf = (plan: BatchPlan, number: number): Epoch => ({
  number,
  order: permutation(foldIn(plan.key, number), plan.size).data,
});

/**
 * The examples of a step.
 *
 * @param plan - key and sizes
 * @param step - the step, counted from 0
 * @param known - an epoch that has been computed already; only saves time
 * @returns positions `[batch]`, and the epoch in which they end
 * @example
 * ```ts
 * import { keyOf } from 'kfac-ts/core';
 * import { batchIndices } from 'kfac-ts/pipelines';
 *
 * // Each epoch goes through all examples once, in an order of its own.
 * const plan = { key: keyOf(1), size: 4, batch: 2 };
 * const first = batchIndices(plan, 0);
 * const second = batchIndices(plan, 1, first.epoch);
 * [...first.indices, ...second.indices].sort(); // => [0, 1, 2, 3]
 * ```
 */
export const batchIndices = (plan: BatchPlan, step: number, known?: Epoch): BatchIndices => {
  const { size, batch } = plan;
  const start = step * batch;
  const first = Math.floor(start / size);
  const last = Math.floor((start + batch - 1) / size);
  const epochs = Array.from({ length: last - first + 1 }, (_, i) =>
    known?.number === first + i ? known : epochOf(plan, first + i),
  );
  const { data: indices } = generate(
    [batch],
    (i) => epochs[Math.floor((start + i) / size) - first].order[(start + i) % size],
    'i32',
  );
  return { indices, epoch: epochs[epochs.length - 1] };
};

/**
 * Consecutive positions.
 *
 * @param start - first position
 * @param length - how many
 * @example
 * ```ts
 * import { range } from 'kfac-ts/pipelines';
 *
 * range(2, 3); // => [2, 3, 4]
 * ```
 */
export const range = (start: number, length: number): ReadonlyVector =>
  generate([length], (i) => start + i, 'i32').data;
