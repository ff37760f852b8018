/**
 * Layers that arrange each example's elements anew.
 *
 * @module
 */
import type { Shape } from '../../tensor.ts';
import { checkShape, showShape, sizeOf } from '../../tensor.ts';
import type { Layer } from './layer.ts';
import { leaf } from './layer.ts';

/**
 * The elements of each example under another shape: `[n, …]` to `[n, …shape]`.
 *
 * @param shape - shape of one example afterwards
 * @example
 * ```ts
 * import { evaluating, model, referenceBackend, reshape, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const inputs = tensor([1, 2, 3, 4], [1, 4]);
 * model('square', [4], reshape([2, 2])).program(ops, {}, evaluating({ inputs })).shape; // => [1, 2, 2]
 * ```
 */
export const reshape = (shape: Shape): Layer => {
  checkShape('reshape', shape);
  return leaf({
    kind: 'reshape',
    label: `reshape ${showShape(shape)}`,
    parameters: () => [],
    apply: (ops, _params, _path, x) => ops.reshape(x, [x.shape[0], ...shape]),
  });
};

/**
 * The elements of each example in a row: `[n, …]` to `[n, d]`.
 *
 * @example
 * ```ts
 * import { dense, flatten, model, sequential } from 'kfac-ts/core';
 *
 * const net = model('pixels', [28, 28], sequential([flatten(), dense({ in: 784, out: 10 })]));
 * net.inputs; // => { inputs: [28, 28] }
 * ```
 */
export const flatten = (): Layer =>
  leaf({
    kind: 'flatten',
    label: 'flatten',
    parameters: () => [],
    apply: (ops, _params, _path, x) => ops.reshape(x, [x.shape[0], sizeOf(x.shape.slice(1))]),
  });
