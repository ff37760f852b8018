/**
 * What the tests of the iterative solvers share: matrices that act on block vectors, and their dense solution.
 *
 * @module
 */
import { stack, unstack } from '../../../src/core/operators/vec.ts';
import type { Params } from '../../../src/core/params.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import type { Action } from '../../../src/core/operators/action.ts';
import { gaussian, orThrow, referenceEnv } from '../../support/training.ts';

export const { backend } = referenceEnv();
export const { ops } = backend;

/** Blocks of 6 and 4 elements. */
export const shapes = { a: [3, 2], b: [4] };
export const names = Object.keys(shapes);
export const n = 10;

/** A block vector of normal draws. */
export const vectorOf = (seed: number): Params<Tensor> => ({ a: gaussian(seed, [3, 2]), b: gaussian(seed + 1, [4]) });

/** A matrix `[10, 10]` as an action on block vectors. */
export const acting =
  (M: Tensor): Action<Tensor> =>
  (on, v) =>
    unstack(on, on.matmul(M, stack(on, v, names)), shapes);

/** All elements as a column. */
export const columnOf = (v: Params<Tensor>): Tensor => stack(ops, v, names);

/** M⁻¹ b by elimination. */
export const solved = async (M: Tensor, b: Params<Tensor>): Promise<Params<Tensor>> =>
  unstack(ops, orThrow(await backend.linearAlgebra.solve(M, columnOf(b))()), shapes);

/** M⁻¹. */
export const inverted = async (M: Tensor): Promise<Tensor> =>
  orThrow(await backend.linearAlgebra.solve(M, diagonalMatrix(Array.from({ length: n }, () => 1)))());

/** A diagonal matrix. */
export const diagonalMatrix = (values: ReadonlyArray<number>): Tensor =>
  values
    .map((value, i) => ops.pad(ops.full([1, 1], value), [i, i], [values.length, values.length]))
    .reduce((x, y) => ops.add(x, y));

/** ‖b − M x‖ / ‖b‖. */
export const residualOf = (M: Tensor, x: Params<Tensor>, b: Params<Tensor>): number => {
  const column = columnOf(b);
  const r = ops.sub(column, ops.matmul(M, columnOf(x)));
  return Math.sqrt(ops.dot(r, r).data[0] / ops.dot(column, column).data[0]);
};

/** A symmetric positive definite matrix with eigenvalues from 0.5. */
export const definiteMatrix = (seed: number): Tensor => ops.addDiagonal(ops.gram(gaussian(seed, [n + 5, n])), 0.5);

/** A symmetric matrix Q diag(d) Qᵀ with the given eigenvalues. */
export const symmetricMatrix = async (seed: number, eigenvalues: ReadonlyArray<number>): Promise<Tensor> => {
  const { vectors } = orThrow(await backend.linearAlgebra.eigh(definiteMatrix(seed))());
  const scaledColumns = ops.matmul(vectors, diagonalMatrix(eigenvalues));
  const M = ops.matmul(scaledColumns, vectors, { transposeB: true });
  return ops.scale(0.5, ops.add(M, ops.transposed(M)));
};

/** A matrix with positive definite symmetric part and a skew part as large. */
export const generalMatrix = (seed: number): Tensor => {
  const B = gaussian(seed + 100, [n, n]);
  return ops.add(definiteMatrix(seed), ops.sub(B, ops.transposed(B)));
};
