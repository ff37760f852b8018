/**
 * Values that are computed once: recording what a program's primitives give, and giving it back.
 *
 * A program is a pure function, so it calls the same primitives in the same order whatever interpreter runs it. The
 * values of one run can therefore stand in for the computation in the next, by position alone.
 *
 * @module
 */
import type { Whole } from '../ops/ops.ts';
import type { Primitives } from '../ops/primitives.ts';
import type { Shaped } from '../tensor.ts';

/** What a run consists of: primitives, and the operations that are differentiated as a whole. */
export type Recorded<T extends Shaped> = Primitives<T> & Whole<T>;

/**
 * Primitives that hand every result on, and operations that are differentiated as a whole.
 *
 * @param ops - interpreter that computes
 * @param keep - receives each result and gives it back
 */
export const recording = <T extends Shaped>(ops: Recorded<T>, keep: (value: T) => T): Recorded<T> => ({
  constant: (value) => keep(ops.constant(value)),
  full: (shape, value) => keep(ops.full(shape, value)),
  matmul: (a, b, transposes) => keep(ops.matmul(a, b, transposes)),
  affine: (x, weight, bias) => keep(ops.affine(x, weight, bias)),
  gram: (x) => keep(ops.gram(x)),
  unary: (kind, x) => keep(ops.unary(kind, x)),
  binary: (kind, a, b) => keep(ops.binary(kind, a, b)),
  select: (condition, a, b) => keep(ops.select(condition, a, b)),
  sum: (x, axes) => keep(ops.sum(x, axes)),
  max: (x, axes) => keep(ops.max(x, axes)),
  reshape: (x, shape) => keep(ops.reshape(x, shape)),
  transpose: (x, permutation) => keep(ops.transpose(x, permutation)),
  broadcastTo: (x, shape) => keep(ops.broadcastTo(x, shape)),
  concat: (xs, axis) => keep(ops.concat(xs, axis)),
  slice: (x, begin, size) => keep(ops.slice(x, begin, size)),
  pad: (x, begin, shape) => keep(ops.pad(x, begin, shape)),
  gather: (x, indices) => keep(ops.gather(x, indices)),
  scatterAdd: (indices, updates, rows) => keep(ops.scatterAdd(indices, updates, rows)),
  patches: (images, window) => keep(ops.patches(images, window)),
  unpatches: (columns, window, shape) => keep(ops.unpatches(columns, window, shape)),
  convolve: (images, filters, window) => keep(ops.convolve(images, filters, window)),
  convolveTransposed: (outputs, filters, window, shape) =>
    keep(ops.convolveTransposed(outputs, filters, window, shape)),
  correlate: (images, outputs, window, groups) => keep(ops.correlate(images, outputs, window, groups)),
  stopGradient: (x) => keep(ops.stopGradient(x)),
  keep: (path, x) => keep(ops.keep(path, x)),
  site: (site, input, output) => keep(ops.site(site, input, output)),
  softmax: (x) => keep(ops.softmax(x)),
  standardised: (x, axes, epsilon) => {
    const { values, mean, variance } = ops.standardised(x, axes, epsilon);
    return { values: keep(values), mean: keep(mean), variance: keep(variance) };
  },
});

/**
 * The same operations, which compute nothing: each gives the next of the recorded values.
 *
 * @param values - results of the same program's operations, in order
 */
export const replaying = <T extends Shaped>(values: ReadonlyArray<T>): Recorded<T> => {
  let at = -1;
  const next = (): T => {
    at += 1;
    return values[at];
  };
  return {
    constant: next,
    full: next,
    matmul: next,
    affine: next,
    gram: next,
    unary: next,
    binary: next,
    select: next,
    sum: next,
    max: next,
    reshape: next,
    transpose: next,
    broadcastTo: next,
    concat: next,
    slice: next,
    pad: next,
    gather: next,
    scatterAdd: next,
    patches: next,
    unpatches: next,
    convolve: next,
    convolveTransposed: next,
    correlate: next,
    stopGradient: next,
    keep: next,
    site: next,
    softmax: next,
    standardised: () => ({ values: next(), mean: next(), variance: next() }),
  };
};
