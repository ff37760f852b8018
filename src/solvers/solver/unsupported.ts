/**
 * The words for a curvature that a solver or an inverse cannot take.
 *
 * @module
 */
import type { KfacError } from '../../core/errors.ts';

/**
 * The error of a solver or an inverse that cannot take what it is given.
 *
 * @param asker - its name
 * @param path - the block, or the setting
 * @param accepted - what it takes
 * @param actual - what came
 *
 * @example
 * ```ts
 * import { describeError } from 'kfac-ts/core';
 * import { unsupported } from 'kfac-ts/solvers';
 *
 * const refused = unsupported('mine', 'head', 'diagonal blocks', 'sum');
 * describeError(refused); // => 'head: expected diagonal blocks for mine, got sum.'
 * ```
 */
export const unsupported = (asker: string, path: string, accepted: string, actual: string): KfacError => ({
  _tag: 'BadConfig',
  path,
  expected: `${accepted} for ${asker}`,
  actual,
});
