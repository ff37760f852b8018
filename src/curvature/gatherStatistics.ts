/**
 * Statistics that travel whenever they are taken.
 *
 * @module
 */
import { leavesOf } from '../core/params.ts';
import { computation } from '../core/pipeline/compute.ts';
import type { Stage } from '../core/pipeline/stage.ts';

/**
 * Puts the averages of all processes together. Without it they stay apart until an inverse is made of them, which sends less where
 * inverses are made more seldom than statistics are taken; with it a step that makes inverses has less to wait for. It changes no step,
 * but for the order in which numbers are added, and does nothing in one process.
 *
 * @example
 * ```ts
 * import { backward, forward, pipeline } from 'kfac-ts/core';
 * import { capture, exact, gatherStatistics, kfac, updateFactors } from 'kfac-ts/curvature';
 *
 * const curved = pipeline(forward, backward, capture(exact()), updateFactors(kfac()), gatherStatistics);
 * ```
 */
export const gatherStatistics: Stage<'state', 'state'> = computation<'state', 'state'>(
  'gatherStatistics',
  (ops, { state }) => {
    ops.whole(Object.values(state.curvature.averages).flatMap(leavesOf));
    return { state };
  },
);
