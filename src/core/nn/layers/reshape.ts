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

/** The elements of each example in a row: `[n, …]` to `[n, d]`. */
export const flatten = (): Layer =>
  leaf({
    kind: 'flatten',
    label: 'flatten',
    parameters: () => [],
    apply: (ops, _params, _path, x) => ops.reshape(x, [x.shape[0], sizeOf(x.shape.slice(1))]),
  });
