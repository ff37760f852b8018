/**
 * Decides how native jobs run: one alone on this thread with all processors, several beside each other, unless there is one thread for all.
 *
 * Jobs that are started in one turn of the event loop are seen together; a solver starts the factorisations of all
 * layers at once. One thread each, the largest first, is as fast as one after another on two processors and faster on
 * more. A job waits for the end of the turn, which takes a few microseconds; small ones do not wait.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';

import type { FactorisationError, Job } from './job.ts';
import type { NativeKernels } from './kernels.ts';

/** Runs jobs. The input of a job has been read when its task has started. */
export interface Schedule {
  /**
   * Runs a job.
   *
   * @param work - multiplications, roughly
   * @param job - the computation
   * @param order - of the matrix: a small one's job has one thread; large unless given
   */
  readonly run: <A>(work: number, job: Job<A>, order?: number) => TaskEither<FactorisationError, A>;
}

interface Waiting {
  readonly work: number;
  readonly start: (alone: boolean) => void;
}

/** Multiplications below which a job takes less time than handing it over. */
const smallWork = 1e6;

/** Order of a matrix from which a factorisation is worth several threads. */
const worthThreads = 160;

/**
 * A schedule for the jobs of one library.
 *
 * @param kernels - the two ways to run a job, and how to make a small call
 * @param threads - that there may be; any number unless given
 */
export const createSchedule = (
  kernels: Pick<NativeKernels, 'run' | 'runNow' | 'small'>,
  threads = Infinity,
): Schedule => {
  let waiting: Array<Waiting> = [];

  const dispatch = (): void => {
    const jobs = waiting.sort((x, y) => y.work - x.work);
    waiting = [];
    for (const { start } of jobs) start(jobs.length === 1 || threads === 1);
  };

  return {
    run:
      (work, job, order = Infinity) =>
      () => {
        const planned = job(); // reads the input
        const again: typeof job = () => planned;
        const now = () => (order < worthThreads ? kernels.small(() => kernels.runNow(again)) : kernels.runNow(again));
        if (E.isLeft(planned) || work < smallWork) return Promise.resolve(now());
        if (waiting.length === 0) setImmediate(dispatch);
        return new Promise((resolve, reject) => {
          const start = (alone: boolean): void => {
            if (alone) resolve(now());
            else kernels.run(again)().then(resolve, reject);
          };
          waiting.push({ work, start });
        });
      },
  };
};
