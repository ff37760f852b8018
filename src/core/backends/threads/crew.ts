/**
 * Threads that share the work of a kernel with the thread that calls it, while that thread waits.
 *
 * The caller does its part of the work itself and everybody claims small chunks, so nothing depends on a worker: one
 * that starts late, or that the system has put aside, takes fewer chunks. Two things follow. A call needs no turn of
 * the event loop, so that products stay synchronous in form; and the caller only ever waits for chunks that somebody
 * has claimed and not finished. When that takes longer than any chunk could, the crew is given up, and the caller is
 * told to compute again alone.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { CrewMessage, Introduction } from './workerText.ts';
import { word, workerText } from './workerText.ts';
import type { Worker } from './worker.ts';
import { startWorker } from './worker.ts';

/** Elements `start <= i < end` of a kernel's result. */
export type Range = (start: number, end: number) => void;

/** Threads that share kernels over one memory. */
export interface Crew {
  /** Makes a kernel known. */
  readonly introduce: (kernel: Introduction) => void;
  /** Makes a kernel forgotten. */
  readonly dismiss: (kernel: number) => void;
  /**
   * Computes all elements of a kernel together.
   *
   * @param kernel - number of a kernel that was introduced
   * @param cells - how many elements there are
   * @param chunk - how many of them are claimed at once, a multiple of 4
   * @param here - computes elements on the calling thread
   * @returns whether that worked; if not, what is wrong with the crew, which must not be used again
   */
  readonly share: (kernel: number, cells: number, chunk: number, here: Range) => E.Either<string, void>;
  /** What is wrong with it, if anything is known to be. */
  readonly trouble: () => string | null;
  /** Ends all workers. */
  readonly dismissAll: () => Promise<void>;
}

/** Settings of {@link startCrew}. */
export interface CrewOptions {
  /** Workers besides the caller, at least 1. */
  readonly workers: number;
  /** The shared memory that kernels run over. */
  readonly memory: object;
  /** How long a claimed chunk may take, in milliseconds; far more than any does unless given. */
  readonly patience?: number;
  /** Program of the workers. */
  readonly source?: string;
}

/** Time in milliseconds that no chunk takes, however busy the machine is. */
const defaultPatience = 10_000;

/** Waits until a word of shared memory is no longer `value`; where waiting is forbidden, by looking at it again. */
const waitForChange = (control: Int32Array, position: number, value: number, milliseconds: number): void => {
  const waited = E.tryCatch(() => Atomics.wait(control, position, value, milliseconds), String);
  if (E.isRight(waited)) return;
  // A browser's main thread: the wait is shorter than a chunk, well below the time of a frame.
  const end = Date.now() + milliseconds;
  while (Atomics.load(control, position) === value && Date.now() < end);
};

/**
 * Starts workers. It does not wait for them: they take part in jobs once they run.
 *
 * @param options - how many, and the memory
 * @returns the crew, or why there are no workers here
 */
export const startCrew = (options: CrewOptions): E.Either<string, Crew> => {
  const { memory, patience = defaultPatience, source = workerText } = options;
  const control = new Int32Array(new SharedArrayBuffer(4 * (word.asleep + options.workers)));
  let trouble: string | null = null;
  const lost = (): void => {
    trouble ??= 'a worker has ended';
  };

  const workers: Array<Worker> = [];
  for (let member = 0; member < options.workers; member += 1) {
    const started = E.flatMap((worker: Worker) =>
      E.tryCatch(() => {
        worker.post({ type: 'greeting', control, memory, member } satisfies CrewMessage);
        return worker;
      }, String),
    )(startWorker(source, lost));
    if (E.isLeft(started)) {
      workers.forEach(({ terminate }) => void terminate());
      return started;
    }
    workers.push(started.right);
  }

  const send = (message: CrewMessage): void => workers.forEach(({ post }) => post(message));

  const ring = (): void => {
    Atomics.add(control, word.bell, 1);
    Atomics.notify(control, word.bell);
    workers.forEach(({ post }, member) => {
      const fetched = Atomics.compareExchange(control, word.asleep + member, 1, 0) === 1;
      if (fetched) post({ type: 'wake' } satisfies CrewMessage);
    });
  };

  /** Waits for the chunks that workers have claimed. Nobody enters a job that is closed. */
  const finish = (): void => {
    const end = Date.now() + patience;
    for (;;) {
      const busy = Atomics.load(control, word.busy);
      if (busy === 0) return;
      const left = end - Date.now();
      if (left <= 0) {
        trouble = `a worker did not finish its work within ${patience} ms`;
        return;
      }
      waitForChange(control, word.busy, busy, left);
    }
  };

  let job = 0;
  return E.right({
    introduce: (kernel) => send({ type: 'introduction', ...kernel }),
    dismiss: (kernel) => send({ type: 'dismissal', kernel }),
    share: (kernel, cells, chunk, here) => {
      if (trouble !== null) return E.left(trouble);
      control[word.kernel] = kernel;
      control[word.cells] = cells;
      control[word.chunk] = chunk;
      Atomics.store(control, word.next, 0);
      job = (job % 0x7fffffff) + 1;
      Atomics.store(control, word.job, job);
      ring();
      for (;;) {
        const start = Atomics.add(control, word.next, 1) * chunk;
        if (start >= cells) break;
        here(start, Math.min(start + chunk, cells));
      }
      Atomics.store(control, word.job, 0);
      finish();
      if (Atomics.load(control, word.failed) === 1) trouble ??= 'a kernel failed in a worker';
      return trouble === null ? E.right(undefined) : E.left(trouble);
    },
    trouble: () => trouble,
    dismissAll: async () => {
      trouble ??= 'it was dismissed';
      await Promise.all(workers.map(({ terminate }) => terminate()));
    },
  });
};
