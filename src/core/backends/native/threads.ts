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
