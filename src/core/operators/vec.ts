/**
 * Column stacking: arrays and block vectors as columns, the order in which materialised operators act.
 *
 * @module
 */
import type { Ops } from '../ops/ops.ts';
import type { Params } from '../params.ts';
import type { Shape, Shaped } from '../tensor.ts';
import { sizeOf } from '../tensor.ts';

/**
 * vec(V), column-stacking, as a column `[n, 1]`.
 *
 * @example
 * ```ts
 * import { referenceBackend, tensor, vec } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * vec(ops, tensor([1, 2, 3, 4], [2, 2])).data; // => [1, 3, 2, 4]
 * ```
 */
export const vec = <T extends Shaped>(ops: Ops<T>, v: T): T =>
  ops.reshape(v.shape.length === 2 ? ops.transposed(v) : v, [sizeOf(v.shape), 1]);

/**
 * The inverse of {@link vec}.
 *
 * @example
 * ```ts
 * import { referenceBackend, tensor, unvec } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * unvec(ops, tensor([1, 3, 2, 4], [4, 1]), [2, 2]).data; // => [1, 2, 3, 4]
 * ```
 */
export const unvec = <T extends Shaped>(ops: Ops<T>, column: T, shape: Shape): T =>
  shape.length === 2 ? ops.transposed(ops.reshape(column, [shape[1], shape[0]])) : ops.reshape(column, shape);

/**
 * The blocks of a vector, column-stacked one after another.
 *
 * @param ops - interpreter
 * @param v - arrays by block, n elements in all
 * @param names - blocks in order
 * @returns `[n, 1]`
 * @example
 * ```ts
 * import { referenceBackend, stack, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const v = { w: tensor([1, 2, 3, 4], [2, 2]), b: tensor([5, 6], [2]) };
 * stack(ops, v, ['b', 'w']).data; // => [5, 6, 1, 3, 2, 4]
 * ```
 */
export const stack = <T extends Shaped>(ops: Ops<T>, v: Params<T>, names: ReadonlyArray<string>): T =>
  ops.concat(
    names.map((name) => vec(ops, v[name])),
    0,
  );

/**
 * The inverse of {@link stack}.
 *
 * @param ops - interpreter
 * @param column - `[n, 1]`
 * @param shapes - shapes by block, in order
 * @example
 * ```ts
 * import { referenceBackend, tensor, unstack } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * unstack(ops, tensor([5, 6, 1, 3, 2, 4], [6, 1]), { b: [2], w: [2, 2] }).w.data; // => [1, 2, 3, 4]
 * ```
 */
export const unstack = <T extends Shaped>(ops: Ops<T>, column: T, shapes: Params<Shape>): Params<T> => {
  const names = Object.keys(shapes);
  const begins = names.map((_, i) => names.slice(0, i).reduce((sum, name) => sum + sizeOf(shapes[name]), 0));
  return Object.fromEntries(
    names.map((name, i) => {
      const part = ops.slice(column, [begins[i], 0], [sizeOf(shapes[name]), 1]);
      return [name, unvec(ops, part, shapes[name])];
    }),
  );
};
