/**
 * The two-term Kronecker solve [MG15 App. B]: (A ⊗ B ± C ⊗ D)⁻¹ = (K₁ ⊗ K₂) (I ± S₁ ⊗ S₂)⁻¹ (K₁ ⊗ K₂)ᵀ.
 *
 * K₁ and S₁ solve the symmetric eigenproblem of the pair, K₁ᵀ A K₁ = I and K₁ᵀ C K₁ = diag(S₁). The paper takes
 * K₁ = A^(−½) E₁; any root W of A⁻¹ = W Wᵀ will do in place of A^(−½), and the one used here, the eigenvectors of A over
 * the roots of its eigenvalues, saves a product.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend, SymmetricEigen } from '../../../core/backends/backend.ts';
import type { KfacError } from '../../../core/errors.ts';
import type { BlockOperator, Product } from '../../../core/operators/blockOperator.ts';
import { twoTerm } from '../../../core/operators/blockOperator.ts';
import type { Ops } from '../../../core/ops/ops.ts';
import { axesOf } from '../../../core/ops/shapes.ts';
import { readScalars } from '../../../core/pipeline/read.ts';
import type { Shaped } from '../../../core/tensor.ts';
import { calculate } from '../../../core/pipeline/compute.ts';

/** Kᵀ A K = I and Kᵀ C K = diag(S). */
interface Pair<T> {
  readonly K: T;
  readonly S: T;
}

const smallestOf = <T extends Shaped>(ops: Ops<T>, x: T): T => ops.neg(ops.max(ops.neg(x), axesOf(x.shape)));

/** (M + Mᵀ) / 2: a product that is symmetric but for rounding. */
const symmetrised = <T extends Shaped>(ops: Ops<T>, m: T): T => ops.linearCombination(0.5, m, 0.5, ops.transposed(m));

/** Numbers that must be positive, or it is an error. */
const allPositive = <T extends Shaped>(
  backend: Backend<T>,
  scalars: () => ReadonlyArray<T>,
  otherwise: KfacError,
): TE.TaskEither<KfacError, void> =>
  pipe(
    calculate(scalars),
    TE.chain((found) => readScalars(backend, found)),
    TE.chain((values) => (Array.from(values).every((value) => value > 0) ? TE.right(undefined) : TE.left(otherwise))),
  );

/** The eigenproblem of a symmetric pair, given the eigenvectors of A and its eigenvalues, which are positive. */
const eigenOfPair = <T extends Shaped>(
  { ops, linearAlgebra }: Backend<T>,
  { values, vectors }: SymmetricEigen<T>,
  C: T,
): TE.TaskEither<KfacError, Pair<T>> =>
  pipe(
    calculate(() => {
      const W = ops.div(vectors, ops.reshape(ops.sqrt(values), [1, values.shape[0]]));
      return { W, projected: symmetrised(ops, ops.matmul(ops.matmul(W, C, { transposeA: true }), W)) };
    }),
    TE.bind('eigen', ({ projected }) => linearAlgebra.eigh(projected)),
    TE.chain(({ W, eigen }) => calculate(() => ({ K: ops.matmul(W, eigen.vectors), S: eigen.values }))),
  );

/** The smallest of 1 ± S₁ᵢ S₂ⱼ, shape `[]`. */
const smallestFactor = <T extends Shaped>(ops: Ops<T>, S1: T, S2: T, sign: 1 | -1): T => {
  const products = ops.mul(ops.reshape(S2, [S2.shape[0], 1]), ops.reshape(S1, [1, S1.shape[0]]));
  return ops.add(ops.full([], 1), smallestOf(ops, ops.scale(sign, products)));
};

/**
 * (A ⊗ B + sign · C ⊗ D)⁻¹ as an operator. Fails with `NotPositiveDefinite` when A, B or the whole is not.
 *
 * @param backend - where to factorise
 * @param first - A `[in, in]` and B `[out, out]`, symmetric positive definite
 * @param second - C `[in, in]` and D `[out, out]`, symmetric
 * @param sign - 1 or −1
 * @param where - who asks, for the error
 */
export const twoTermInverse = <T extends Shaped>(
  backend: Backend<T>,
  first: Product<T>,
  second: Product<T>,
  sign: 1 | -1,
  where = 'twoTerm',
): TE.TaskEither<KfacError, BlockOperator<T>> => {
  const { ops, linearAlgebra } = backend;
  const failure = (order: number): KfacError => ({ _tag: 'NotPositiveDefinite', where, order });
  const [inputs, out] = [first.A.shape[0], first.G.shape[0]];
  return pipe(
    TE.Do,
    TE.apS('eigenA', linearAlgebra.eigh(first.A)),
    TE.apS('eigenG', linearAlgebra.eigh(first.G)),
    TE.chainFirst(({ eigenA, eigenG }) =>
      allPositive(
        backend,
        () => [eigenA, eigenG].map(({ values }) => smallestOf(ops, values)),
        failure(Math.max(inputs, out)),
      ),
    ),
    TE.bind('ofA', ({ eigenA }) => eigenOfPair(backend, eigenA, second.A)),
    TE.bind('ofG', ({ eigenG }) => eigenOfPair(backend, eigenG, second.G)),
    TE.chainFirst(({ ofA, ofG }) =>
      allPositive(backend, () => [smallestFactor(ops, ofA.S, ofG.S, sign)], failure(inputs * out)),
    ),
    TE.map(({ ofA, ofG }) => twoTerm(ofA.K, ofA.S, ofG.K, ofG.S, sign)),
  );
};
