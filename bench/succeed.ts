/**
 * Unwrapping results in measurements, where an error is the end.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { KfacError } from '../src/core/errors.ts';
import { describeError } from '../src/core/errors.ts';

/** The value, or an exception with the error's text. */
export const succeed = <A>(result: E.Either<KfacError, A>): A => {
  if (E.isLeft(result)) throw new Error(describeError(result.left));
  return result.right;
};
