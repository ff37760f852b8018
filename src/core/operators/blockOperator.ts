/**
 * Operators on one array as data: structured matrices that are applied, never formed.
 *
 * A Kronecker product A ⊗ G acts on V `[out, in]` as G V Aᵀ, so that (A ⊗ G) vec(V) = vec(G V Aᵀ) with column-stacking
 * vec. Its factors are of any kind. A factor is an operator by itself, on the column-stacked elements of an array; only the
 * values of a diagonal have the shape of the array.
 *
 * @module
 */
import type { Shape, Shaped } from '../tensor.ts';
import type { Damped, Scaled, SkewPart, Sum, SymmetricPart } from './composite.ts';
import type { Factor } from './factors/factor.ts';
import { dense, orderOf } from './factors/factor.ts';

/** A ⊗ G with A of order in and G of order out, on arrays `[out, in]`. */
export interface Kronecker<T> {
  readonly _tag: 'kronecker';
  readonly A: Factor<T>;
  readonly G: Factor<T>;
}

/** (U_A ⊗ U_G) diag(S) (U_A ⊗ U_G)ᵀ on arrays `[out, in]`: orthonormal U_A of order in and U_G of order out, S `[out, in]`. */
export interface EigenKronecker<T> {
  readonly _tag: 'eigenKronecker';
  readonly UA: Factor<T>;
  readonly UG: Factor<T>;
  readonly S: T;
}

/**
 * (A ⊗ B + sign · C ⊗ D)⁻¹ = (K₁ ⊗ K₂) (I + sign · S₁ ⊗ S₂)⁻¹ (K₁ ⊗ K₂)ᵀ on arrays `[out, in]` [MG15 App. B], where K₁
 * `[in, in]` and S₁ `[in]` of the pair (A, C), K₂ `[out, out]` and S₂ `[out]` of the pair (B, D). The K's are not
 * orthonormal.
 */
export interface TwoTerm<T> {
  readonly _tag: 'twoTerm';
  readonly K1: T;
  readonly S1: T;
  readonly K2: T;
  readonly S2: T;
  readonly sign: 1 | -1;
}

/** An operator on one array. */
export type BlockOperator<T> =
  | Factor<T>
  | Kronecker<T>
  | EigenKronecker<T>
  | TwoTerm<T>
  | Damped<BlockOperator<T>>
  | Sum<BlockOperator<T>>
  | Scaled<BlockOperator<T>>
  | SymmetricPart<BlockOperator<T>>
  | SkewPart<BlockOperator<T>>;

/**
 * A ⊗ G.
 *
 * @param A - of order in
 * @param G - of order out
 * @example
 * ```ts
 * import { applyBlock, denseOperator, identityOperator, kronecker, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * // (A ⊗ I) V = V Aᵀ.
 * const { ops } = referenceBackend();
 * const A = denseOperator(tensor([1, 2, 3, 4], [2, 2]));
 * applyBlock(ops, kronecker(A, identityOperator(1)), tensor([1, 1], [1, 2])).data; // => [3, 7]
 * ```
 */
export const kronecker = <T>(A: Factor<T>, G: Factor<T>): Kronecker<T> => ({ _tag: 'kronecker', A, G });

/** A ⊗ G as two full matrices. */
export interface Product<T> {
  /** `[in, in]`. */
  readonly A: T;
  /** `[out, out]`. */
  readonly G: T;
}

/**
 * A ⊗ G of full matrices.
 *
 * @param A - `[in, in]`
 * @param G - `[out, out]`
 */
export const kroneckerOf = <T>(A: T, G: T): Kronecker<T> => kronecker(dense(A), dense(G));

/** The matrices of A ⊗ G where both factors are full; `null` of any other operator. */
export const productIn = <T>(op: BlockOperator<T>): Product<T> | null =>
  op._tag === 'kronecker' && op.A._tag === 'dense' && op.G._tag === 'dense' ? { A: op.A.matrix, G: op.G.matrix } : null;

/**
 * (U_A ⊗ U_G) diag(vec S) (U_A ⊗ U_G)ᵀ.
 *
 * @param UA - of order in
 * @param UG - of order out
 * @param S - `[out, in]`
 * @example
 * ```ts
 * import { applyBlock, eigenKronecker, identityOperator, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * // In a basis that is the coordinates' own, S scales each element.
 * const { ops } = referenceBackend();
 * const operator = eigenKronecker(identityOperator(2), identityOperator(1), tensor([3, 4], [1, 2]));
 * applyBlock(ops, operator, tensor([1, 1], [1, 2])).data; // => [3, 4]
 * ```
 */
export const eigenKronecker = <T>(UA: Factor<T>, UG: Factor<T>, S: T): EigenKronecker<T> => ({
  _tag: 'eigenKronecker',
  UA,
  UG,
  S,
});

/**
 * (K₁ ⊗ K₂) (I + sign · S₁ ⊗ S₂)⁻¹ (K₁ ⊗ K₂)ᵀ.
 *
 * @param K1 - `[in, in]`
 * @param S1 - `[in]`
 * @param K2 - `[out, out]`
 * @param S2 - `[out]`
 * @param sign - 1 or −1
 * @example
 * ```ts
 * import { applyBlock, referenceBackend, tensor, twoTerm } from 'kfac-ts/core';
 *
 * // (1 · 1 + 2 · 3)⁻¹ in dimension one: K₁ = K₂ = 1, S₁ = 2, S₂ = 3.
 * const { ops } = referenceBackend();
 * const one = tensor([1], [1, 1]);
 * const operator = twoTerm(one, tensor([2], [1]), one, tensor([3], [1]), 1);
 * applyBlock(ops, operator, tensor([14], [1, 1])).data; // => [2]
 * ```
 */
export const twoTerm = <T>(K1: T, S1: T, K2: T, S2: T, sign: 1 | -1): BlockOperator<T> => ({
  _tag: 'twoTerm',
  K1,
  S1,
  K2,
  S2,
  sign,
});

/**
 * op + λ I on one array.
 *
 * @example
 * ```ts
 * import { applyBlock, dampedBlock, diagonal, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * applyBlock(ops, dampedBlock(diagonal(tensor([2, 5], [2])), 0.5), tensor([1, 1], [2])).data; // => [2.5, 5.5]
 * ```
 */
export const dampedBlock = <T>(operator: BlockOperator<T>, lambda: number): BlockOperator<T> => ({
  _tag: 'damped',
  operator,
  lambda,
});

/** Shape of the arrays that an operator acts on; `[n]` where it only knows their number of elements. */
export const shapeOf = <T extends Shaped>(op: BlockOperator<T>): Shape => {
  switch (op._tag) {
    case 'kronecker':
      return [orderOf(op.G), orderOf(op.A)];
    case 'eigenKronecker':
      return op.S.shape;
    case 'twoTerm':
      return [op.K2.shape[0], op.K1.shape[0]];
    case 'diagonal':
      return op.values.shape;
    case 'dense':
    case 'identity':
    case 'lowRank':
    case 'cholesky':
    case 'directSum':
      return [orderOf(op)];
    case 'sum': {
      const shapes = op.operators.map((term) => shapeOf(term));
      return shapes.find((shape) => shape.length === 2) ?? shapes[0];
    }
    case 'damped':
    case 'scaled':
    case 'symmetricPart':
    case 'skewPart':
      return shapeOf(op.operator);
  }
};
