/**
 * Statistics over all windows of a capture.
 *
 * Each window stands for all passes of the estimator, so windows add up as batches do, by the monoid, and the mean is what
 * all passes together give. A window is computed in a scope of its own: memory is that of one window.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { Backend } from '../../core/backends/backend.ts';
import { attempt, raise } from '../../core/errors.ts';
import type { Ops } from '../../core/ops/ops.ts';
import { mapParams } from '../../core/params.ts';
import type { Captured } from '../../core/pipeline/context.ts';
import { tidily } from '../../core/pipeline/tidied.ts';
import type { Shaped } from '../../core/tensor.ts';
import type { BlockStatistics } from './statistics.ts';
import { combine } from './statistics.ts';

const arraysOf = <T>(statistics: BlockStatistics<T>): ReadonlyArray<T> =>
  Object.values(statistics).flatMap(({ sums }) => Object.values(sums));

/**
 * Sums over all windows.
 *
 * @param backend - where to compute
 * @param captured - the first window, and how to make the others
 * @param ofWindow - statistics of one window, in arrays of their own
 */
export const statisticsOfWindows = <T extends Shaped>(
  backend: Backend<T>,
  captured: Captured<T>,
  ofWindow: (ops: Ops<T>, window: Captured<T>) => BlockStatistics<T>,
): BlockStatistics<T> =>
  captured.more.reduce(
    (sum, window) => {
      const { backend: inner, close } = backend.scope();
      const added = attempt(() => {
        const next = ofWindow(inner.ops, window(inner.ops));
        return mapParams(sum, (statistics, name) => combine(inner.ops, statistics, next[name]));
      });
      close(E.isRight(added) ? arraysOf(added.right) : [], arraysOf(sum));
      return E.isRight(added) ? added.right : raise(added.left);
    },
    tidily(
      backend,
      captured.sites.map(({ input }) => input),
      ({ ops }) => ofWindow(ops, captured),
    ),
  );
