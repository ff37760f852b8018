/**
 * Workers from source text, in Node.js and in browsers.
 *
 * From text, because a file of its own would have to be found again after bundling. Nothing of Node.js is imported, so
 * that a bundler for browsers has nothing to replace.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import { currentProcess } from '../process.ts';

/** A worker. It never keeps a process alive. */
export interface Worker {
  readonly post: (message: object) => void;
  readonly terminate: () => Promise<void>;
}

/** A worker of `node:worker_threads`. */
interface NodeWorker {
  readonly postMessage: (message: object) => void;
  readonly terminate: () => Promise<number>;
  readonly unref: () => void;
  readonly on: (event: 'error' | 'exit', listener: () => void) => void;
}

/** A worker of a browser. */
interface WebWorker {
  readonly postMessage: (message: object) => void;
  readonly terminate: () => void;
  onerror: (() => void) | null; // eslint-disable-line no-restricted-syntax -- how browsers attach a listener
}

/** The part of a browser that is used here. */
interface Browser {
  readonly Worker?: new (url: string) => WebWorker;
  readonly Blob?: new (parts: ReadonlyArray<string>, options: { readonly type: string }) => object;
  readonly URL?: {
    readonly createObjectURL: (blob: object) => string;
    readonly revokeObjectURL: (url: string) => void;
  };
  readonly navigator?: { readonly hardwareConcurrency?: number };
}

interface NodeThreads {
  readonly Worker: new (source: string, options: { readonly eval: boolean }) => NodeWorker;
}

interface NodeOs {
  readonly availableParallelism: () => number;
}

const builtin = (name: string): unknown => currentProcess()?.getBuiltinModule?.(name);

const browser = (): Browser => globalThis as unknown as Browser;

/** Threads that this machine runs at once. */
export const processorCount = (): number =>
  (builtin('node:os') as NodeOs | undefined)?.availableParallelism() ?? browser().navigator?.hardwareConcurrency ?? 1;

const inNode = ({ Worker }: NodeThreads, source: string, lost: () => void): Worker => {
  const worker = new Worker(source, { eval: true });
  worker.on('error', lost);
  worker.on('exit', lost);
  worker.unref();
  return {
    post: (message) => worker.postMessage(message),
    terminate: async () => {
      await worker.terminate();
    },
  };
};

const inBrowser = ({ Worker, Blob, URL }: Required<Browser>, source: string, lost: () => void): Worker => {
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const worker = new Worker(url);
  URL.revokeObjectURL(url); // the worker holds on to it
  worker.onerror = lost;
  return {
    post: (message) => worker.postMessage(message),
    terminate: () => {
      worker.terminate();
      return Promise.resolve();
    },
  };
};

const hasWorkers = (scope: Browser): scope is Required<Browser> =>
  scope.Worker !== undefined && scope.Blob !== undefined && scope.URL !== undefined;

/**
 * Starts a worker.
 *
 * @param source - its program
 * @param lost - called when it has failed or ended
 * @returns the worker, or why there is none
 */
export const startWorker = (source: string, lost: () => void): E.Either<string, Worker> => {
  const threads = builtin('node:worker_threads') as NodeThreads | undefined;
  const scope = browser();
  if (threads === undefined && !hasWorkers(scope)) return E.left('there are no workers here');
  return E.tryCatch(
    () => (threads === undefined ? inBrowser(scope as Required<Browser>, source, lost) : inNode(threads, source, lost)),
    String,
  );
};
