/**
 * Derived operations in one pass each, where the default takes several.
 *
 * @module
 */
import { raise } from '../../errors.ts';
import { unaryDerivative } from '../../ops/derived.ts';
import type { Derived, Ops } from '../../ops/ops.ts';
import type { UnaryKind } from '../../ops/primitives.ts';
import { broadcastShape } from '../../ops/shapes.ts';
import { pullByMaximum } from '../../ops/ties.ts';
import type { Shape, Tensor } from '../../tensor.ts';
import { sameShape, showShape } from '../../tensor.ts';

import type { Host } from './host.ts';
import { floatsOf, floatTensor } from './host.ts';
import type { Kernels, VjpKind } from './kernels/kernels.ts';
import { extentsOf } from './reductions.ts';
import { transposeTensor } from './transpose.ts';

const orderOf = (where: string, shape: Shape): number =>
  shape.length === 2 && shape[0] === shape[1]
    ? shape[0]
    : raise({ _tag: 'ShapeMismatch', where, expected: 'a square matrix', actual: showShape(shape) });

const isFused = (kind: UnaryKind, table: Kernels['vjp']): kind is VjpKind => kind in table;

/** Fused versions of what training steps are made of. */
type Fused = Pick<
  Derived<Tensor>,
  | 'scale'
  | 'linearCombination'
  | 'combineWithSquare'
  | 'overRoot'
  | 'unaryVjp'
  | 'maxVjp'
  | 'addDiagonal'
  | 'trace'
  | 'dot'
  | 'dots'
  | 'transposed'
  | 'withOnes'
  | 'oneHot'
  | 'sigmoidMinus'
  | 'sigmoidCrossEntropy'
>;

/**
 * The fused operations.
 *
 * @param host - the interpreter
 * @param self - its operations, for the cases without a fused version
 */
export const fused = (host: Host, self: () => Ops<Tensor>): Fused => {
  const { allocator, kernels } = host;

  /** A function of two arrays, which are repeated to one shape first. */
  const ofTwo =
    (where: string, kernel: Kernels['sigmoidMinus']): ((x: Tensor, y: Tensor) => Tensor) =>
    (x, y) => {
      const shape = broadcastShape(where, x.shape, y.shape);
      const [a, b] = [x, y].map((z) => floatsOf(host, sameShape(z.shape, shape) ? z : self().broadcastTo(z, shape)));
      const out = allocator.take(a.length);
      kernel(a, b, out);
      return floatTensor(host, shape, out);
    };

  const dotOf = (x: Tensor, y: Tensor): number =>
    sameShape(x.shape, y.shape)
      ? kernels.dot(floatsOf(host, x), floatsOf(host, y))
      : raise({
          _tag: 'ShapeMismatch',
          where: 'dot',
          expected: 'two arrays of one shape',
          actual: `${showShape(x.shape)} and ${showShape(y.shape)}`,
        });

  return {
    scale: (c, x) => {
      const data = floatsOf(host, x);
      const out = allocator.take(data.length);
      kernels.binary.mul.right(data, 0, c, out, 0, out.length);
      return floatTensor(host, x.shape, out);
    },
    linearCombination: (a, x, b, y) => {
      if (!sameShape(x.shape, y.shape)) return self().add(self().scale(a, x), self().scale(b, y));
      const out = allocator.take(x.data.length);
      kernels.linearCombination(a, floatsOf(host, x), b, floatsOf(host, y), out);
      return floatTensor(host, x.shape, out);
    },
    combineWithSquare: (a, x, b, y) => {
      if (!sameShape(x.shape, y.shape)) return self().linearCombination(a, x, b, self().square(y));
      const out = allocator.take(x.data.length);
      kernels.combineWithSquare(a, floatsOf(host, x), b, floatsOf(host, y), out);
      return floatTensor(host, x.shape, out);
    },
    overRoot: (x, c, y, d) => {
      if (!sameShape(x.shape, y.shape)) {
        return self().div(x, self().add(self().scale(c, self().sqrt(y)), self().full([], d)));
      }
      const out = allocator.take(x.data.length);
      kernels.overRoot(c, floatsOf(host, x), d, floatsOf(host, y), out);
      return floatTensor(host, x.shape, out);
    },
    unaryVjp: (kind, x, y, cotangent) => {
      if (!isFused(kind, kernels.vjp) || !sameShape(x.shape, cotangent.shape)) {
        return self().mul(cotangent, unaryDerivative(self(), kind, x, y));
      }
      const out = allocator.take(x.data.length);
      kernels.vjp[kind](floatsOf(host, x), floatsOf(host, y), floatsOf(host, cotangent), out);
      return floatTensor(host, x.shape, out);
    },
    maxVjp: (x, y, axes, cotangent) => {
      const extents = extentsOf(x.shape, axes);
      if (extents === null || x.data.length === 0) return pullByMaximum(self(), x, y, axes, cotangent);
      const out = allocator.take(x.data.length);
      const [data, tops, cotangents] = [x, y, cotangent].map((operand) => floatsOf(host, operand));
      kernels.middleMaximaVjp(data, tops, cotangents, extents.outer, extents.reduced, extents.inner, out);
      return floatTensor(host, x.shape, out);
    },
    addDiagonal: (m, c) => {
      const n = orderOf('addDiagonal', m.shape);
      const out = allocator.take(n * n);
      kernels.copyRows(floatsOf(host, m), 0, 0, out, 0, 0, 1, n * n);
      for (let i = 0; i < out.length; i += n + 1) out[i] += c;
      return floatTensor(host, m.shape, out);
    },
    trace: (m) => {
      const n = orderOf('trace', m.shape);
      let sum = 0;
      for (let i = 0; i < n; i += 1) sum += m.data[i * (n + 1)];
      return self().full([], sum);
    },
    dot: (x, y) => self().full([], dotOf(x, y)),
    // Not rounded between the arrays.
    dots: (xs, ys) => {
      let sum = 0;
      for (let i = 0; i < xs.length; i += 1) sum += dotOf(xs[i], ys[i]);
      return self().full([], sum);
    },
    transposed: (m) => transposeTensor(host, m, [1, 0]),
    withOnes: (x) => {
      if (x.shape.length !== 2) return self().concat([x, self().full([x.shape[0], 1], 1)], 1);
      const [rows, columns] = x.shape;
      const out = allocator.take(rows * (columns + 1));
      kernels.copyRows(floatsOf(host, x), 0, columns, out, 0, columns + 1, rows, columns);
      for (let end = columns; end < out.length; end += columns + 1) out[end] = 1;
      return floatTensor(host, [rows, columns + 1], out);
    },
    oneHot: (indices, classes) => {
      const at = indices.data;
      const out = allocator.zeros(at.length * classes);
      for (let i = 0; i < at.length; i += 1) {
        if (at[i] >= 0 && at[i] < classes && Number.isInteger(at[i])) out[i * classes + at[i]] = 1;
      }
      return floatTensor(host, [...indices.shape, classes], out);
    },
    sigmoidMinus: ofTwo('sigmoidMinus', kernels.sigmoidMinus),
    sigmoidCrossEntropy: ofTwo('sigmoidCrossEntropy', kernels.sigmoidCrossEntropy),
  };
};
