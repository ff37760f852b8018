/**
 * The Kronecker product nearest to a sum of Kronecker products, in the Frobenius norm [VP93].
 *
 * The rearranged matrix Σ_k vec(A_k) vec(G_k)ᵀ has rank m, the number of terms, so its leading singular vectors are
 * Σ x_k A_k and Σ y_k G_k with x the leading eigenvector of Q P, for the m × m inner products P_kl = ⟨A_k, A_l⟩ and
 * Q_kl = ⟨G_k, G_l⟩. Neither the sum nor its rearrangement is formed.
 *
 * The eigenvector comes from squaring Q P over and over, which is 2^20 turns of power iteration, and not from a
 * factorisation: inner products of positive semidefinite matrices are not negative, so no weight can become negative,
 * not even by rounding or where the two largest singular values are equal. The result is then positive semidefinite.
 * Squarings cost m³, so where terms are many, turns of power iteration take their place, through the terms themselves and
 * without P and Q, and what rounding makes negative is 0: they are near the optimum, and never worse than merging.
 *
 * @module
 */
import type { Ops } from '../ops/ops.ts';
import type { Shaped } from '../tensor.ts';
import { sizeOf } from '../tensor.ts';
import type { Product } from './blockOperator.ts';

/** Squarings of Q P. */
const squarings = 20;

/** Most terms whose Q P is squared. */
const mostSquared = 32;

/** Turns of power iteration for more. */
const turns = 50;

/** Least divisor, so that a sum that is zero stays zero. */
const tiny = 1e-30;

const asRows = <T extends Shaped>(ops: Ops<T>, matrices: ReadonlyArray<T>): T =>
  ops.concat(
    matrices.map((m) => ops.reshape(m, [1, sizeOf(m.shape)])),
    0,
  );

/** M over the mean magnitude of its entries. */
const normalised = <T extends Shaped>(ops: Ops<T>, m: T): T =>
  ops.div(m, ops.maximum(ops.mean(ops.abs(m), [0, 1]), ops.full([], tiny)));

/** Weights x `[1, m]` of the A_k, and P x. */
interface Weights<T> {
  readonly x: T;
  readonly Px: T;
}

/** x out of rows of numbers, over their mean magnitude. */
const rowOf = <T extends Shaped>(ops: Ops<T>, x: T): T => {
  const m = sizeOf(x.shape);
  return ops.reshape(normalised(ops, ops.reshape(x, [m, 1])), [1, m]);
};

const bySquaring = <T extends Shaped>(ops: Ops<T>, As: T, Gs: T): Weights<T> => {
  const [P, Q] = [As, Gs].map((scaled) => ops.matmul(scaled, scaled, { transposeB: true }));
  const start = normalised(ops, ops.matmul(Q, P));
  const power = Array.from({ length: squarings }).reduce((m: T) => normalised(ops, ops.matmul(m, m)), start);
  // Row sums: the power applied to weights of one, which are those of the merged A.
  const x = rowOf(ops, ops.sum(power, [1]));
  return { x, Px: ops.matmul(x, P) };
};

const byTurns = <T extends Shaped>(ops: Ops<T>, As: T, Gs: T): Weights<T> => {
  const times = (rows: T, x: T): T => ops.matmul(ops.matmul(x, rows), rows, { transposeB: true });
  const none = ops.full([], 0);
  const turn = (x: T): T => rowOf(ops, ops.maximum(times(Gs, times(As, x)), none));
  const x = Array.from({ length: turns }).reduce(turn, ops.full([1, As.shape[0]], 1));
  return { x, Px: times(As, x) };
};

/**
 * A ⊗ G that minimises ‖Σ_k A_k ⊗ G_k − A ⊗ G‖_F; one term is returned as it is.
 *
 * The iteration starts from the merged A = Σ_k A_k with the G that suits it best, so the result is never worse than
 * merging. A scale common to all A_k goes to A, and the scale of the G_k to G.
 *
 * @param ops - interpreter
 * @param terms - at least one, with symmetric positive semidefinite factors A_k `[in, in]` and G_k `[out, out]`
 * @returns symmetric positive semidefinite A `[in, in]` and G `[out, out]`
 * @example
 * ```ts
 * import { nearestKronecker, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * // Two terms with the same A are a Kronecker product already: A ⊗ (G₁ + G₂).
 * const { ops } = referenceBackend();
 * const A = tensor([1], [1, 1]);
 * const nearest = nearestKronecker(ops, [
 *   { A, G: tensor([1, 0, 0, 2], [2, 2]) },
 *   { A, G: tensor([3, 0, 0, 4], [2, 2]) },
 * ]);
 * Array.from(nearest.G.data, (g) => Math.round(1e6 * g * nearest.A.data[0]) / 1e6); // => [4, 0, 0, 6]
 * ```
 */
export const nearestKronecker = <T extends Shaped>(ops: Ops<T>, terms: ReadonlyArray<Product<T>>): Product<T> => {
  if (terms.length === 1) return terms[0];
  const As = asRows(
    ops,
    terms.map(({ A }) => A),
  );
  const Gs = asRows(
    ops,
    terms.map(({ G }) => G),
  );
  // Inner products of matrices scaled to a mean magnitude of 1, which cannot under- or overflow. x and y do not notice.
  const weigh = terms.length > mostSquared ? byTurns : bySquaring;
  const { x, Px } = weigh(ops, normalised(ops, As), normalised(ops, Gs));
  const y = ops.div(Px, ops.maximum(ops.dot(Px, x), ops.full([], tiny)));
  return {
    A: ops.reshape(ops.matmul(x, As), terms[0].A.shape),
    G: ops.reshape(ops.matmul(y, Gs), terms[0].G.shape),
  };
};
