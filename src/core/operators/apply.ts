/**
 * Applying linear operators, and forming them for tests.
 *
 * @module
 */
import type { Ops } from '../ops/ops.ts';
import type { Params } from '../params.ts';
import { mapParams, zipParams } from '../params.ts';
import type { Shaped } from '../tensor.ts';
import { generate, sizeOf } from '../tensor.ts';
import type { BlockOperator, LinearOperator } from './linearOperator.ts';

/** vec(V), column-stacking, as a column `[n, 1]`. */
const vec = <T extends Shaped>(ops: Ops<T>, v: T): T =>
  ops.reshape(v.shape.length === 2 ? ops.transposed(v) : v, [sizeOf(v.shape), 1]);

/** The inverse of {@link vec}. */
const unvec = <T extends Shaped>(ops: Ops<T>, column: T, shape: Shaped['shape']): T =>
  shape.length === 2 ? ops.transposed(ops.reshape(column, [shape[1], shape[0]])) : ops.reshape(column, shape);

const applyEither = <T extends Shaped>(ops: Ops<T>, op: BlockOperator<T>, v: T, transposed: boolean): T => {
  switch (op._tag) {
    case 'kronecker':
      return ops.matmul(ops.matmul(op.G, v, { transposeA: transposed }), op.A, { transposeB: !transposed });
    case 'diagonal':
      return ops.mul(op.values, v);
    case 'dense':
      return unvec(ops, ops.matmul(op.matrix, vec(ops, v), { transposeA: transposed }), v.shape);
    case 'damped':
      return ops.linearCombination(1, applyEither(ops, op.operator, v, transposed), op.lambda, v);
  }
};

/**
 * op v on one array.
 *
 * @param ops - interpreter
 * @param op - operator
 * @param v - array, `[out, in]` for a Kronecker product
 * @returns an array of the same shape
 */
export const applyBlock = <T extends Shaped>(ops: Ops<T>, op: BlockOperator<T>, v: T): T =>
  applyEither(ops, op, v, false);

/** opᵀ v on one array. */
export const applyBlockTranspose = <T extends Shaped>(ops: Ops<T>, op: BlockOperator<T>, v: T): T =>
  applyEither(ops, op, v, true);

const dampedSum = <T extends Shaped>(ops: Ops<T>, image: Params<T>, lambda: number, v: Params<T>): Params<T> =>
  zipParams(image, v, (y, x) => ops.linearCombination(1, y, lambda, x));

/**
 * op v on a block vector. Blocks that the operator does not have are dropped.
 *
 * @param ops - interpreter
 * @param op - operator
 * @param v - arrays by block
 */
export const apply = <T extends Shaped>(ops: Ops<T>, op: LinearOperator<T>, v: Params<T>): Params<T> => {
  switch (op._tag) {
    case 'blockDiagonal':
      return mapParams(op.blocks, (block, name) => applyBlock(ops, block, v[name]));
    case 'damped':
      return dampedSum(ops, apply(ops, op.operator, v), op.lambda, v);
    case 'matrixFree':
      return op.apply(v);
  }
};

/** opᵀ v on a block vector. */
export const applyTranspose = <T extends Shaped>(ops: Ops<T>, op: LinearOperator<T>, v: Params<T>): Params<T> => {
  switch (op._tag) {
    case 'blockDiagonal':
      return mapParams(op.blocks, (block, name) => applyBlockTranspose(ops, block, v[name]));
    case 'damped':
      return dampedSum(ops, applyTranspose(ops, op.operator, v), op.lambda, v);
    case 'matrixFree':
      return op.applyTranspose(v);
  }
};

/**
 * The matrix of an operator on arrays of a shape, one product with a basis vector per column: for tests and small
 * models.
 *
 * @param ops - interpreter
 * @param op - operator
 * @param shape - shape of the arrays acted on, n elements
 * @returns `[n, n]`, acting on column-stacked elements
 */
export const materialise = <T extends Shaped>(ops: Ops<T>, op: BlockOperator<T>, shape: Shaped['shape']): T => {
  const n = sizeOf(shape);
  const columns = Array.from({ length: n }, (_, j) => {
    const basis = ops.constant(generate([n, 1], (i) => (i === j ? 1 : 0)));
    return vec(ops, applyBlock(ops, op, unvec(ops, basis, shape)));
  });
  return ops.concat(columns, 1);
};
