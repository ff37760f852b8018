/**
 * Inner products of parameter trees.
 *
 * @module
 */
import type { Ops } from './ops.ts';
import type { Params } from '../params.ts';
import type { Shaped } from '../tensor.ts';

/**
 * ⟨x, y⟩ over all leaves: an array of shape `[]`, so that nothing is read back.
 *
 * @param ops - interpreter
 * @param x - a tree
 * @param y - a tree with the same paths
 * @example
 * ```ts
 * import { innerProduct, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const x = { w: tensor([1, 2], [2]), b: tensor([3], [1]) };
 * innerProduct(ops, x, x).data; // => [14]
 * ```
 */
export const innerProduct = <T extends Shaped>(ops: Ops<T>, x: Params<T>, y: Params<T>): T =>
  ops.dots(
    Object.values(x),
    Object.keys(x).map((path) => y[path]),
  );
