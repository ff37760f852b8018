/**
 * The order of examples: step k of a run always sees the same ones.
 *
 * The epochs, each a permutation of the data set, form one endless stream that is cut into batches. All batches then
 * have the same size, each epoch shows each example exactly once, and what a step sees is a function of key and step
 * alone: a resumed run needs no position in a shuffle. Where examples have lengths, a batch is of examples of about one
 * length, so that little of it is padding; every epoch still shows each example once.
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
  /** How long each example is, where lengths differ: examples of about one length then come in one batch. */
  readonly lengths?: ReadonlyVector | undefined;
}

/** Batches whose examples are sorted by length together: more would leave less to chance. */
const pool = 32;

/** Consecutive parts, the last of which may be shorter. */
const parts = (order: ReadonlyArray<number>, size: number): ReadonlyArray<ReadonlyArray<number>> =>
  Array.from({ length: Math.ceil(order.length / size) }, (_, i) => order.slice(i * size, (i + 1) * size));

/** An order in which the examples of a batch are of about one length, while the batches come in any order. */
const bucketed = (
  { batch, key }: Pick<BatchPlan, 'batch' | 'key'>,
  lengths: ReadonlyVector,
  order: ReadonlyVector,
): ReadonlyVector => {
  const pools = parts(Array.from(order), pool * batch);
  const sorted = pools.flatMap((examples) => examples.toSorted((a, b) => lengths[a] - lengths[b]));
  const batches = parts(sorted, batch);
  // What is left over stays at the end, or no batch after it would be whole.
  const whole = Math.floor(sorted.length / batch);
  const { data: shuffled } = permutation(foldIn(key, 1), whole);
  const all = [...Array.from(shuffled, (i) => batches[i]), ...batches.slice(whole)].flat();
  return generate([all.length], (i) => all[i], 'i32').data;
};

/**
 * One epoch's order.
 *
 * @param plan - key and size
 * @param number - which epoch
 */
export const epochOf = (plan: BatchPlan, number: number): Epoch => {
  const key = foldIn(plan.key, number);
  const { data: order } = permutation(key, plan.size);
  return { number, order: plan.lengths === undefined ? order : bucketed({ ...plan, key }, plan.lengths, order) };
};

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

/** Examples that are looked at together when all of them are gone through. */
const together = 500;

/**
 * The positions of all examples, so many at a time that they fit into memory.
 *
 * @param size - number of examples
 * @param most - in one part
 */
export const rangesOf = (size: number, most: number = together): ReadonlyArray<ReadonlyVector> =>
  Array.from({ length: Math.ceil(size / most) }, (_, i) => range(i * most, Math.min(most, size - i * most)));
