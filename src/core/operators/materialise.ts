/**
 * Forming the matrices of operators: for tests, small models and solvers that need them.
 *
 * @module
 */
import type { Ops } from '../ops/ops.ts';
import type { Params } from '../params.ts';
import type { Shape, Shaped } from '../tensor.ts';
import { generate, sizeOf } from '../tensor.ts';
import type { Applicable } from './action.ts';
import { act } from './action.ts';
import { applyBlock } from './apply.ts';
import type { BlockOperator } from './blockOperator.ts';
import { stack, unstack, unvec, vec } from './vec.ts';

/** One product with a basis vector per column. */
const columnsOf = <T extends Shaped>(ops: Ops<T>, n: number, image: (column: T) => T): T =>
  ops.concat(
    Array.from({ length: n }, (_, j) => image(ops.constant(generate([n, 1], (i) => (i === j ? 1 : 0))))),
    1,
  );

/**
 * The matrix of an operator on arrays of a shape: for tests and small models.
 *
 * @param ops - interpreter
 * @param op - operator
 * @param shape - shape of the arrays acted on, n elements
 * @returns `[n, n]`, acting on column-stacked elements
 * @example
 * ```ts
 * import { diagonal, kronecker, materialise, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const operator = kronecker(diagonal(tensor([1, 10], [2])), diagonal(tensor([2, 3], [2])));
 * const matrix = materialise(ops, operator, [2, 2]);
 * [0, 1, 2, 3].map((i) => matrix.data[5 * i]); // => [2, 3, 20, 30]
 * ```
 */
export const materialise = <T extends Shaped>(ops: Ops<T>, op: BlockOperator<T>, shape: Shape): T =>
  columnsOf(ops, sizeOf(shape), (column) => vec(ops, applyBlock(ops, op, unvec(ops, column, shape))));

/**
 * The matrix of an operator on block vectors: for tests and small models.
 *
 * @param ops - interpreter
 * @param operator - operator, or its action
 * @param shapes - shapes of the blocks acted on, n elements in all
 * @returns `[n, n]`, acting on the blocks in the order of `shapes`, each column-stacked
 * @example
 * ```ts
 * import { blockDiagonal, diagonal, materialiseBlocks, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const operator = blockDiagonal({ w: diagonal(tensor([2], [1])), b: diagonal(tensor([4], [1])) });
 * materialiseBlocks(ops, operator, { w: [1], b: [1] }).data; // => [2, 0, 0, 4]
 * ```
 */
export const materialiseBlocks = <T extends Shaped>(ops: Ops<T>, operator: Applicable<T>, shapes: Params<Shape>): T => {
  const names = Object.keys(shapes);
  const n = names.reduce((sum, name) => sum + sizeOf(shapes[name]), 0);
  return columnsOf(ops, n, (column) => stack(ops, act(ops, operator, unstack(ops, column, shapes)), names));
};
