/**
 * Collective operations: what processes that train together do together, each calling the same ones in the same order.
 *
 * A process may stand for several ranks: one over MPI is one of them, one that simulates is all of them. So every operation
 * takes an array of each rank that is here. Operations are posted and then waited for, on this thread or without holding it;
 * their arrays must stay as they are until then.
 *
 * @module
 */
import type * as TE from 'fp-ts/lib/TaskEither.js';

import type { CollectiveFailed } from '../errors.ts';
import type { ReadonlyVector } from '../tensor.ts';

/** An operation under way. */
export interface Posted {
  /** Holds this thread until it is done; a `CollectiveFailed` is raised where it fails. */
  readonly wait: () => void;
  /** The same without holding the thread. */
  readonly done: TE.TaskEither<CollectiveFailed, void>;
}

/** Traffic of a process so far. */
export interface Traffic {
  /** Operations posted. */
  readonly messages: number;
  /** Bytes of the arrays that were handed over, before whatever the library makes of them. */
  readonly bytes: number;
  /** Bytes that came in from others, were each operation done as well as can be. */
  readonly carried: number;
  /** Seconds in which this thread did nothing but post messages and wait for them. */
  readonly waited: number;
}

/** Processes that compute together. Vectors of one operation are of one type, `f32`, `f64` or `i32`. */
export interface Collective {
  /** What carries the messages, for reports. */
  readonly name: string;
  /** Number of ranks. */
  readonly size: number;
  /** The ranks that this process stands for, in ascending order: one, or all of them. */
  readonly ranks: ReadonlyArray<number>;
  /** `out` becomes the sum over all ranks, elementwise, the same bits on every rank. */
  readonly allReduce: (parts: ReadonlyArray<ReadonlyVector>, out: ReadonlyVector) => Posted;
  /** `out` becomes the parts of all ranks one after another; part r has `lengths[r]` elements. */
  readonly allGather: (
    parts: ReadonlyArray<ReadonlyVector>,
    lengths: ReadonlyArray<number>,
    out: ReadonlyVector,
  ) => Posted;
  /** `data` becomes what it is on the rank `root`: on all ranks, or on `among`, in ascending order, of which some are here. */
  readonly broadcast: (root: number, data: ReadonlyVector, among?: ReadonlyArray<number>) => Posted;
  /** `out` of each rank here becomes its run of the sum over all ranks; the run of rank r has `lengths[r]` elements. */
  readonly reduceScatter: (
    parts: ReadonlyArray<ReadonlyVector>,
    lengths: ReadonlyArray<number>,
    out: ReadonlyArray<ReadonlyVector>,
  ) => Posted;
  /**
   * Each rank sends each other one a run: of a part, the run for rank r has `lengths[r]` elements. `out` of each rank here becomes what all
   * have sent it, one after another.
   */
  readonly allToAll: (
    parts: ReadonlyArray<ReadonlyVector>,
    lengths: ReadonlyArray<number>,
    out: ReadonlyArray<ReadonlyVector>,
  ) => Posted;
  /** Done once every rank has posted it. */
  readonly barrier: () => Posted;
  /** Lets operations under way go on, for which some libraries need a moment of this thread now and then. */
  readonly progress: () => void;
  /** What has been sent so far. */
  readonly traffic: () => Traffic;
  /** Ends every process at once: where this one cannot go on and the others would wait for it. */
  readonly abort: (code: number) => void;
  /** Takes leave of the others; nothing may be posted afterwards. */
  readonly end: () => void;
}

/**
 * Bytes that each of so many ranks takes in at least [P21]: of a sum, all parts but one of as many as there are ranks, once to be added up and
 * once when they are; of an array that one rank has, all of it; of one of which each rank has a run, the others' runs.
 */
export const carriedBy = {
  sum: (bytes: number, ranks: number): number => (2 * bytes * (ranks - 1)) / ranks,
  array: (bytes: number, isSender: boolean): number => (isSender ? 0 : bytes),
  runs: (bytes: number, own: number): number => bytes - own,
};

/** Where each of several runs begins that lie one behind the other. */
export const startsOf = (lengths: ReadonlyArray<number>): ReadonlyArray<number> =>
  lengths.map((_, i) => lengths.slice(0, i).reduce((sum, length) => sum + length, 0));

/** Where the run of each rank begins when so many things are shared out evenly, and where the last one ends. */
export const evenBounds = (count: number, size: number): ReadonlyArray<number> =>
  Array.from({ length: size + 1 }, (_, rank) => Math.floor((count * rank) / size));
