/**
 * Operators on one array as data: structured matrices that are applied, never formed.
 *
 * A Kronecker product A ⊗ G acts on V `[out, in]` as G V Aᵀ, so that (A ⊗ G) vec(V) = vec(G V Aᵀ) with column-stacking
 * vec.
 *
 * @module
 */
import type { Damped, Scaled, SkewPart, Sum, SymmetricPart } from './composite.ts';

/** A ⊗ G with A `[in, in]` and G `[out, out]`, on arrays `[out, in]`. */
export interface Kronecker<T> {
  readonly _tag: 'kronecker';
  readonly A: T;
  readonly G: T;
}

/** (U_A ⊗ U_G) diag(S) (U_A ⊗ U_G)ᵀ on arrays `[out, in]`: orthonormal U_A `[in, in]` and U_G `[out, out]`, S `[out, in]`. */
export interface EigenKronecker<T> {
  readonly _tag: 'eigenKronecker';
  /** `null` is the identity, which is never formed. */
  readonly UA: T | null;
  readonly UG: T;
  readonly S: T;
}

/**
 * (⊕ A_i) ⊗ (⊕ G_j) on arrays `[out, in]`. The orders of the A_i, which add up to in, are the partition of the columns,
 * those of the G_j the partition of the rows.
 */
export interface PartitionedKronecker<T> {
  readonly _tag: 'partitionedKronecker';
  readonly As: ReadonlyArray<T>;
  readonly Gs: ReadonlyArray<T>;
}

/**
 * diag(a) ⊗ (⊕ G_j) on arrays `[out, in]` with a `[in]`: A is the second moment of one-hot vectors. The orders of the G_j,
 * which add up to out, are the partition of the rows; a single one is the ordinary G.
 */
export interface DiagonalKronecker<T> {
  readonly _tag: 'diagonalKronecker';
  readonly a: T;
  readonly Gs: ReadonlyArray<T>;
}

/**
 * ((⊕ U_Ai) ⊗ (⊕ U_Gj)) diag(S) ((⊕ U_Ai) ⊗ (⊕ U_Gj))ᵀ on arrays `[out, in]`: bases of the parts of columns and rows, S
 * `[out, in]`. No U_Ai at all is the identity, which is never formed.
 */
export interface PartitionedEigenKronecker<T> {
  readonly _tag: 'partitionedEigenKronecker';
  readonly UAs: ReadonlyArray<T>;
  readonly UGs: ReadonlyArray<T>;
  readonly S: T;
}

/** shift · I + U core Uᵀ, with U `[n, r]` and core `[r, r]`. */
export interface LowRankFactor<T> {
  readonly U: T;
  readonly core: T;
  readonly shift: number;
}

/** A ⊗ G on arrays `[out, in]` with factors that are never formed. */
export interface LowRankKronecker<T> {
  readonly _tag: 'lowRankKronecker';
  readonly A: LowRankFactor<T>;
  readonly G: LowRankFactor<T>;
}

/** (⊕ A_i) ⊗ (⊕ G_j) on arrays `[out, in]` with parts that are never formed. */
export interface PartitionedLowRankKronecker<T> {
  readonly _tag: 'partitionedLowRankKronecker';
  readonly As: ReadonlyArray<LowRankFactor<T>>;
  readonly Gs: ReadonlyArray<LowRankFactor<T>>;
}

/** Elementwise multiplication by `values`, which has the shape of the arrays acted on. */
export interface Diagonal<T> {
  readonly _tag: 'diagonal';
  readonly values: T;
}

/** A full matrix `[n, n]` on the column-stacked elements of an array of n elements. */
export interface Dense<T> {
  readonly _tag: 'dense';
  readonly matrix: T;
}

/** U diag(D) Uᵀ + ρ I on the column-stacked elements of an array of n elements: U `[n, k]`, D `[k]`. */
export interface LowRankPlusDiagonal<T> {
  readonly _tag: 'lowRankPlusDiagonal';
  readonly U: T;
  readonly D: T;
  readonly rho: number;
}

/**
 * (A ⊗ B + sign · C ⊗ D)⁻¹ = (K₁ ⊗ K₂) (I + sign · S₁ ⊗ S₂)⁻¹ (K₁ ⊗ K₂)ᵀ on arrays `[out, in]` [MG15 App. B]: K₁
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
  | Kronecker<T>
  | EigenKronecker<T>
  | PartitionedKronecker<T>
  | DiagonalKronecker<T>
  | PartitionedEigenKronecker<T>
  | LowRankKronecker<T>
  | PartitionedLowRankKronecker<T>
  | Diagonal<T>
  | Dense<T>
  | LowRankPlusDiagonal<T>
  | TwoTerm<T>
  | Damped<BlockOperator<T>>
  | Sum<BlockOperator<T>>
  | Scaled<BlockOperator<T>>
  | SymmetricPart<BlockOperator<T>>
  | SkewPart<BlockOperator<T>>;

/** A ⊗ G. */
export const kronecker = <T>(A: T, G: T): BlockOperator<T> => ({ _tag: 'kronecker', A, G });

/**
 * (U_A ⊗ U_G) diag(vec S) (U_A ⊗ U_G)ᵀ.
 *
 * @param UA - `[in, in]`, or `null` for the identity
 * @param UG - `[out, out]`
 * @param S - `[out, in]`
 */
export const eigenKronecker = <T>(UA: T | null, UG: T, S: T): BlockOperator<T> => ({
  _tag: 'eigenKronecker',
  UA,
  UG,
  S,
});

/** (⊕ A_i) ⊗ (⊕ G_j). */
export const partitionedKronecker = <T>(As: ReadonlyArray<T>, Gs: ReadonlyArray<T>): BlockOperator<T> => ({
  _tag: 'partitionedKronecker',
  As,
  Gs,
});

/**
 * diag(a) ⊗ (⊕ G_j).
 *
 * @param a - `[in]`
 * @param Gs - at least one, of orders that add up to out
 */
export const diagonalKronecker = <T>(a: T, Gs: ReadonlyArray<T>): BlockOperator<T> => ({
  _tag: 'diagonalKronecker',
  a,
  Gs,
});

/**
 * ((⊕ U_Ai) ⊗ (⊕ U_Gj)) diag(vec S) ((⊕ U_Ai) ⊗ (⊕ U_Gj))ᵀ; with one part of the rows, and one or none of the columns,
 * it is {@link eigenKronecker}.
 *
 * @param UAs - bases of the parts of the columns; none for the identity
 * @param UGs - bases of the parts of the rows
 * @param S - `[out, in]`
 */
export const partitionedEigenKronecker = <T>(UAs: ReadonlyArray<T>, UGs: ReadonlyArray<T>, S: T): BlockOperator<T> =>
  UAs.length <= 1 && UGs.length === 1
    ? eigenKronecker(UAs[0] ?? null, UGs[0], S)
    : { _tag: 'partitionedEigenKronecker', UAs, UGs, S };

/** (⊕ A_i) ⊗ (⊕ G_j) with low-rank parts; with one part each it is {@link lowRankKronecker}. */
export const partitionedLowRankKronecker = <T>(
  As: ReadonlyArray<LowRankFactor<T>>,
  Gs: ReadonlyArray<LowRankFactor<T>>,
): BlockOperator<T> =>
  As.length === 1 && Gs.length === 1 ? lowRankKronecker(As[0], Gs[0]) : { _tag: 'partitionedLowRankKronecker', As, Gs };

/** A ⊗ G with low-rank factors. */
export const lowRankKronecker = <T>(A: LowRankFactor<T>, G: LowRankFactor<T>): BlockOperator<T> => ({
  _tag: 'lowRankKronecker',
  A,
  G,
});

/** Elementwise multiplication. */
export const diagonal = <T>(values: T): BlockOperator<T> => ({ _tag: 'diagonal', values });

/** A full matrix. */
export const dense = <T>(matrix: T): BlockOperator<T> => ({ _tag: 'dense', matrix });

/**
 * U diag(D) Uᵀ + ρ I on column-stacked elements.
 *
 * @param U - `[n, k]`
 * @param D - `[k]`
 * @param rho - ρ
 */
export const lowRankPlusDiagonal = <T>(U: T, D: T, rho: number): BlockOperator<T> => ({
  _tag: 'lowRankPlusDiagonal',
  U,
  D,
  rho,
});

/**
 * (K₁ ⊗ K₂) (I + sign · S₁ ⊗ S₂)⁻¹ (K₁ ⊗ K₂)ᵀ.
 *
 * @param K1 - `[in, in]`
 * @param S1 - `[in]`
 * @param K2 - `[out, out]`
 * @param S2 - `[out]`
 * @param sign - 1 or −1
 */
export const twoTerm = <T>(K1: T, S1: T, K2: T, S2: T, sign: 1 | -1): BlockOperator<T> => ({
  _tag: 'twoTerm',
  K1,
  S1,
  K2,
  S2,
  sign,
});

/** op + λ I on one array. */
export const dampedBlock = <T>(operator: BlockOperator<T>, lambda: number): BlockOperator<T> => ({
  _tag: 'damped',
  operator,
  lambda,
});
