/**
 * How large the eigenvalues of a symmetric operator are.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import type { Applicable } from '../../core/operators/action.ts';
import { act } from '../../core/operators/action.ts';
import { innerProduct } from '../../core/ops/innerProduct.ts';
import type { Params } from '../../core/params.ts';
import { mapParams } from '../../core/params.ts';
import { readScalars } from '../../core/pipeline/read.ts';
import type { Shaped } from '../../core/tensor.ts';
import { computing } from './vectors.ts';

/**
 * An estimate from below of max |γ| over the eigenvalues γ of a symmetric operator, by power iterations: ‖S v‖ / ‖v‖ at the last of
 * v, S v, S² v, … . It is 0 where v is, or where a product has a length that the arithmetic cannot tell from 0.
 *
 * @param backend - where to compute
 * @param symmetric - S
 * @param start - v
 * @param products - how many, at least 1
 * @example
 * ```ts
 * import { blockDiagonal, diagonal, referenceBackend, tensor } from 'kfac-ts/core';
 * import { spectralRadius } from 'kfac-ts/solvers';
 *
 * const S = blockDiagonal({ w: diagonal(tensor([-4, 1], [2])) });
 * const found = await spectralRadius(referenceBackend(), S, { w: tensor([1, 1], [2]) }, 8)();
 * found._tag === 'Right' ? found.right.toFixed(3) : null; // => '4.000'
 * ```
 */
export const spectralRadius = <T extends Shaped>(
  backend: Backend<T>,
  symmetric: Applicable<T>,
  start: Params<T>,
  products: number,
): TE.TaskEither<KfacError, number> =>
  pipe(
    computing(() =>
      backend.ops.within((ops) => {
        const length = (v: Params<T>): T => ops.sqrt(innerProduct(ops, v, v));
        const atUnit = (v: Params<T>): Params<T> => {
          const norm = length(v);
          return mapParams(v, (leaf) => ops.div(leaf, norm));
        };
        const last = Array.from({ length: products - 1 }).reduce<Params<T>>(
          (v) => atUnit(act(ops, symmetric, v)),
          atUnit(start),
        );
        const radius = length(act(ops, symmetric, last));
        return [radius, [radius]];
      }),
    ),
    TE.chain((radius) => readScalars(backend, [radius])),
    TE.map(([radius]) => (Number.isFinite(radius) ? radius : 0)),
  );
