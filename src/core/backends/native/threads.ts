/**
 * The number of threads that a BLAS uses, and how background work shares the processors.
 *
 * @module
 */
import type { Around } from './job.ts';

/** Reads and sets how many threads one call may use; a setting of the whole process. */
export interface Threads {
  readonly get: () => number;
  readonly set: (count: number) => void;
}

/**
 * While tasks run, every call gets one thread: the processors are shared between calls, not within them.
 *
 * A BLAS that is called from several threads at once, each call on several threads, makes its callers wait for each
 * other and spins meanwhile. Eight inverses of order 785 on two processors take 44 ms one after the other with two
 * threads, 41 ms at once with one thread each, and 1184 ms at once with two threads each (OpenBLAS 0.3.21).
 *
 * @param threads - the setting; what it was comes back after the last task
 */
export const oneThreadEach = (threads: Threads): Around => {
  let running = 0;
  let before = 1;
  return (task) => async () => {
    if (running === 0) {
      before = threads.get();
      threads.set(1);
    }
    running += 1;
    try {
      return await task();
    } finally {
      running -= 1;
      if (running === 0) threads.set(before);
    }
  };
};

/** Makes a call in a way of its own. */
export type Way = <A>(call: () => A) => A;

/** As it is. */
export const asItIs: Way = (call) => call();

/**
 * A way to make calls on one thread, for those that take less time than waking the others: OpenBLAS wakes them for products
 * from 64 × 64 × 64 on and for factorisations of any order. On two processors that more than doubles an inverse of order 65
 * (71 microseconds instead of 26) and a product of order 72 (16 instead of 7).
 *
 * @param threads - the setting; what it was comes back after the call
 */
export const onOneThread =
  (threads: Threads): Way =>
  (call) => {
    const before = threads.get();
    if (before === 1) return call();
    threads.set(1);
    try {
      return call();
    } finally {
      threads.set(before);
    }
  };
