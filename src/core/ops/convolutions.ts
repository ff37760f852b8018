/**
 * Convolutions as products of all patches, for interpreters that have no better way.
 *
 * @module
 */
import type { Shape, Shaped } from '../tensor.ts';
import type { Ops } from './ops.ts';
import type { Primitives } from './primitives.ts';
import type { Window } from './window.ts';
import { convolutionExtents, convolveTransposedExtents, correlateShape } from './shapes.ts';

/** The primitives that convolve. */
export type Convolutions<T extends Shaped> = Pick<Primitives<T>, 'convolve' | 'convolveTransposed' | 'correlate'>;

/** x `[rows, taps * groups * width]` group after group: `[groups, rows, taps * width]`. */
const apart = <T extends Shaped>(ops: Ops<T>, x: T, rows: number, taps: number, groups: number, width: number): T =>
  ops.reshape(ops.transpose(ops.reshape(x, [rows, taps, groups, width]), [2, 0, 1, 3]), [groups, rows, taps * width]);

/** The inverse of {@link apart}. */
const together = <T extends Shaped>(ops: Ops<T>, x: T, rows: number, taps: number, groups: number, width: number): T =>
  ops.reshape(ops.transpose(ops.reshape(x, [groups, rows, taps, width]), [1, 2, 0, 3]), [rows, taps * groups * width]);

/**
 * Convolutions made of `patches`, `unpatches` and products.
 *
 * @param self - the interpreter, asked for when an operation runs
 */
export const convolutionsByPatches = <T extends Shaped>(self: () => Ops<T>): Convolutions<T> => {
  /** Patches as rows, group after group: `[groups, rows, taps * width]`, or `[rows, taps * c]` of one group. */
  const columns = (ops: Ops<T>, images: T, window: Window, groups: number): T => {
    const patches = ops.patches(images, window);
    const [n, oh, ow, length] = patches.shape;
    const rows = n * oh * ow;
    const taps = window.kernel[0] * window.kernel[1];
    return groups === 1
      ? ops.reshape(patches, [rows, length])
      : apart(ops, patches, rows, taps, groups, images.shape[3] / groups);
  };
  const rowsOf = ([n, oh, ow]: Shape): number => n * oh * ow;
  const outputRows = (ops: Ops<T>, outputs: T, groups: number): T => {
    const { shape } = outputs;
    const rows = rowsOf(shape);
    return groups === 1
      ? ops.reshape(outputs, [rows, shape[3]])
      : apart(ops, outputs, rows, 1, groups, shape[3] / groups);
  };
  const filtersIn = (ops: Ops<T>, filters: T, groups: number): T => {
    const [out, length] = filters.shape;
    return groups === 1 ? filters : ops.reshape(filters, [groups, out / groups, length]);
  };
  return {
    convolve: (images, filters, window) => {
      const ops = self();
      const { outputs, groups } = convolutionExtents(images.shape, filters.shape, window);
      const product = ops.matmul(columns(ops, images, window, groups), filtersIn(ops, filters, groups), {
        transposeB: true,
      });
      const out = outputs[3];
      return ops.reshape(
        groups === 1 ? product : together(ops, product, rowsOf(outputs), 1, groups, out / groups),
        outputs,
      );
    },
    convolveTransposed: (outputs, filters, window, shape) => {
      const ops = self();
      const { groups } = convolveTransposedExtents(outputs.shape, filters.shape, window, shape);
      const product = ops.matmul(outputRows(ops, outputs, groups), filtersIn(ops, filters, groups));
      const taps = window.kernel[0] * window.kernel[1];
      const rows =
        groups === 1 ? product : together(ops, product, rowsOf(outputs.shape), taps, groups, shape[3] / groups);
      return ops.unpatches(ops.reshape(rows, [...outputs.shape.slice(0, 3), taps * shape[3]]), window, shape);
    },
    correlate: (images, outputs, window, groups) => {
      const ops = self();
      const shape = correlateShape(images.shape, outputs.shape, window, groups);
      const product = ops.matmul(outputRows(ops, outputs, groups), columns(ops, images, window, groups), {
        transposeA: true,
      });
      return groups === 1 ? product : ops.reshape(product, shape);
    },
  };
};
