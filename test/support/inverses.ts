/**
 * Inverses by themselves, without a step around them.
 *
 * @module
 */
import * as TE from 'fp-ts/lib/TaskEither.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { Backend } from '../../src/core/backends/backend.ts';
import type { KfacError } from '../../src/core/errors.ts';
import type { LinearOperator } from '../../src/core/operators/linearOperator.ts';
import type { Field } from '../../src/core/pipeline/context.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import type { Inverse } from '../../src/solvers/solver/inverse.ts';

/** The operator that an inverse prepares from nothing. */
export const inverted = <Needs extends Field>(
  inverse: Inverse<Needs>,
  backend: Backend<Tensor>,
  curvature: LinearOperator<Tensor>,
  lambda: number,
): TE.TaskEither<KfacError, LinearOperator<Tensor>> =>
  pipe(
    inverse.prepare(backend, curvature, lambda, null),
    TE.map(({ operator }) => operator),
  );
