/**
 * Reading scalars back in the middle of a step.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import type * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../backends/backend.ts';
import type { KfacError } from '../errors.ts';
import { mapped } from '../tasks.ts';
import type { ReadonlyVector, Shaped } from '../tensor.ts';

/**
 * Several scalars in one read.
 *
 * @param backend - where they are
 * @param scalars - arrays of shape `[]`, at least one
 * @returns their values in order
 * @example
 * ```ts
 * import { readScalars, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const backend = referenceBackend();
 * const [x, y] = [tensor([1], []), tensor([2], [])];
 * const numbers = await readScalars(backend, [x, y])();
 * numbers._tag; // => 'Right'
 * ```
 */
export const readScalars = <T extends Shaped>(
  backend: Backend<T>,
  scalars: ReadonlyArray<T>,
): TE.TaskEither<KfacError, ReadonlyVector> => {
  const stacked = backend.ops.concat(
    scalars.map((scalar) => backend.ops.reshape(scalar, [1])),
    0,
  );
  return pipe(
    backend.read(stacked),
    mapped(({ data }) => data),
  );
};
