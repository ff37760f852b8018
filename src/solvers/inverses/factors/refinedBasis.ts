/**
 * An eigenbasis that follows its matrix: one power iteration, and the columns made orthonormal in the order of their
 * eigenvalues [VMZ24, algorithm 4].
 *
 * Backends offer no QR, so Q is X L⁻ᵀ with L Lᵀ = XᵀX, once more for its digits. Where columns are nearly dependent a
 * multiple of the identity is added first, which keeps the triangle and takes the condition down [FKN20]. Columns stay where
 * they are: what is known of the third direction of the old basis is of the third of the new one.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../../core/backends/backend.ts';
import type { KfacError } from '../../../core/errors.ts';
import { iterate } from '../../../core/iterate.ts';
import { calculate } from '../../../core/pipeline/compute.ts';
import type { Shaped } from '../../../core/tensor.ts';
import { tensor } from '../../../core/tensor.ts';

/** Distance between 1 and the next number. */
const spacing = (dtype: 'f32' | 'f64'): number => (dtype === 'f32' ? 2 ** -23 : 2 ** -52);

/** Passes until the columns count as dependent. */
const mostPasses = 6;

/** X L⁻ᵀ with L Lᵀ = XᵀX + shift I. */
const pass = <T extends Shaped>({ ops, linearAlgebra }: Backend<T>, x: T, shift: number): TE.TaskEither<KfacError, T> =>
  pipe(
    calculate(() => (shift === 0 ? ops.gram(x) : ops.addDiagonal(ops.gram(x), shift))),
    TE.chain((gram) => linearAlgebra.cholesky(gram)),
    TE.chain((L) => linearAlgebra.choleskySolve(L, L)), // (L Lᵀ)⁻¹ L = L⁻ᵀ
    TE.chain((triangle) => calculate(() => ops.matmul(x, triangle))),
  );

interface Turn<T> {
  readonly x: T;
  /** Passes without a shift, one after another: two make columns orthonormal. */
  readonly good: number;
  readonly count: number;
}

/**
 * Q of X = Q R with a positive diagonal of R, for columns of about unit length; `null` where they are dependent.
 *
 * @param backend - where to compute
 * @param x - X `[n, n]`
 */
export const orthonormalColumns = <T extends Shaped>(backend: Backend<T>, x: T): TE.TaskEither<KfacError, T | null> => {
  const shift = 10 * x.shape[1] * spacing(backend.dtype);
  const turned = ({ x: before, good, count }: Turn<T>): TE.TaskEither<KfacError, Turn<T>> =>
    pipe(
      pass(backend, before, 0),
      TE.map((next) => ({ x: next, good: good + 1, count: count + 1 })),
      TE.orElse((error) =>
        error._tag === 'NotPositiveDefinite'
          ? pipe(
              pass(backend, before, shift),
              TE.map((next) => ({ x: next, good: 0, count: count + 1 })),
            )
          : TE.left(error),
      ),
    );
  return iterate<KfacError, Turn<T>, T | null>({ x, good: 0, count: 0 }, (turn) => {
    if (turn.good === 2) return TE.right(E.right(turn.x));
    if (turn.count === mostPasses) return TE.right(E.right(null));
    return pipe(turned(turn), TE.map(E.left));
  });
};

/** Positions from the largest value to the smallest, and where each position went. */
const descending = (
  values: ArrayLike<number>,
): readonly [order: ReadonlyArray<number>, places: ReadonlyArray<number>] => {
  const order = Array.from(values, (_, i) => i).sort((i, j) => values[j] - values[i]);
  const places = order.map((_, i) => order.indexOf(i));
  return [order, places];
};

/**
 * The basis after one power iteration.
 *
 * @param backend - where to compute
 * @param m - M `[n, n]`, symmetric positive semidefinite
 * @param basis - U `[n, n]`, orthonormal and near the eigenvectors of M
 * @returns orthonormal columns nearer to them, in the order of U's; U itself where M U has none
 */
export const refinedBasis = <T extends Shaped>(backend: Backend<T>, m: T, basis: T): TE.TaskEither<KfacError, T> => {
  const { ops } = backend;
  const [n] = m.shape;
  const indices = (positions: ReadonlyArray<number>): T => ops.constant(tensor(positions, [n], 'i32'));
  return pipe(
    calculate(() => {
      const trace = ops.trace(m);
      const zero = ops.full([], 0);
      const scaled = ops.div(m, ops.select(ops.greater(trace, zero), trace, ops.full([], 1)));
      // What M maps to nothing stays as it is.
      const product = ops.linearCombination(1, ops.matmul(scaled, basis), 4 * spacing(backend.dtype), basis);
      return { product, eigenvalues: ops.sum(ops.mul(basis, product), [0]) };
    }),
    TE.chain(({ product, eigenvalues }) =>
      pipe(
        backend.read(eigenvalues),
        TE.map(({ data }) => ({ product, sorted: descending(data) })),
      ),
    ),
    TE.chain(({ product, sorted: [order, places] }) =>
      pipe(
        calculate(() => {
          const rows = ops.gather(ops.transposed(product), indices(order));
          const lengths = ops.sqrt(ops.sum(ops.square(rows), [1]));
          return ops.transposed(ops.div(rows, ops.reshape(lengths, [n, 1])));
        }),
        TE.chain((x) => orthonormalColumns(backend, x)),
        TE.chain((q) =>
          calculate(() => (q === null ? basis : ops.transposed(ops.gather(ops.transposed(q), indices(places))))),
        ),
      ),
    ),
  );
};
