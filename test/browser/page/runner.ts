/**
 * What a page does when a test asks: the conformance suite and steps of training on one backend. The same code runs in
 * the page itself and in a worker.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import fc from 'fast-check';

import type { BackendReport } from '../../../src/core/backends/backend.ts';
import type { BackendOptions } from '../../../src/core/backends/choice/choose.ts';
import { chooseBackend } from '../../../src/core/backends/choice/choose.ts';
import type { KfacError } from '../../../src/core/errors.ts';
import { conformance } from '../../support/conformance.ts';
import type { Departure } from '../../support/trajectory.ts';
import { departure } from '../../support/trajectory.ts';
import type { Outcome } from './harness.ts';
import { runTests } from './harness.ts';
import type { ThreadedProducts } from './threads.ts';
import { threadedProducts } from './threads.ts';

/** What is asked of a page. */
export interface Request {
  readonly options: BackendOptions;
  /** Cases of each property. */
  readonly runs: number;
  /** Steps of training. */
  readonly steps: number;
}

/** What a page answers. */
export interface Answer {
  readonly isolated: boolean;
  readonly report: BackendReport;
  readonly tests: ReadonlyArray<Outcome>;
  readonly departure: E.Either<KfacError, Departure>;
  readonly products: ThreadedProducts;
}

const isIsolated = (): boolean => {
  const isolated: unknown = Reflect.get(globalThis, 'crossOriginIsolated');
  return isolated === true;
};

/**
 * Does what is asked.
 *
 * @param request - backend and sizes
 * @returns numbers and outcomes, or why there is no such backend
 */
export const answer = async ({ options, runs, steps }: Request): Promise<E.Either<KfacError, Answer>> => {
  fc.configureGlobal({ numRuns: runs, seed: 20150319 });
  const opened = await chooseBackend(options)();
  if (E.isLeft(opened)) return opened;
  return opened.right(async (backend) => {
    const departed = await departure(backend, steps)();
    const report = backend.report();
    const products = await threadedProducts();
    const tests = await runTests(() => conformance('backend', () => E.right(backend))); // which disposes of it
    return E.right({ isolated: isIsolated(), report, tests, departure: departed, products });
  });
};
