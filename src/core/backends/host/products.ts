/**
 * Matrix products of the host interpreter, on kernels that a backend brings.
 *
 * @module
 */
import type { Primitives } from '../../ops/primitives.ts';
import type { ProductExtents } from '../../ops/shapes.ts';
import { affineShape, gramShape, matmulExtents } from '../../ops/shapes.ts';
import type { Shape, Tensor } from '../../tensor.ts';

import type { Host } from './host.ts';
import { floatsOf, floatTensor } from './host.ts';

/** Extents of a product of matrices without looking further: the shape rules are for the rest, and slower. */
const matrixExtents = (a: Shape, b: Shape, transposeA: boolean, transposeB: boolean): ProductExtents | null => {
  if (a.length !== 2 || b.length !== 2) return null;
  const k = transposeA ? a[0] : a[1];
  if (k !== (transposeB ? b[1] : b[0])) return null;
  return { batch: null, m: transposeA ? a[1] : a[0], n: transposeB ? b[0] : b[1], k };
};

/** The primitives that multiply matrices. */
export const matrixProducts = (host: Host): Pick<Primitives<Tensor>, 'matmul' | 'affine' | 'gram'> => {
  const { products, allocator } = host;
  return {
    matmul: (a, b, transposes = {}) => {
      const { transposeA = false, transposeB = false } = transposes;
      const { batch, m, n, k } =
        matrixExtents(a.shape, b.shape, transposeA, transposeB) ?? matmulExtents(a.shape, b.shape, transposes);
      const shape = batch === null ? [m, n] : [batch, m, n];
      const length = (batch ?? 1) * m * n;
      if (length === 0 || k === 0) return floatTensor(host, shape, allocator.zeros(length));
      const out = allocator.take(length);
      const extents = { m, n, k, transposeA, transposeB };
      if (batch === null) products.matmul(floatsOf(host, a), floatsOf(host, b), extents, out);
      else products.batchedMatmul(batch, floatsOf(host, a), floatsOf(host, b), extents, out);
      return floatTensor(host, shape, out);
    },
    affine: (x, weight, bias) => {
      const shape = affineShape(x.shape, weight.shape, bias === null ? null : bias.shape);
      const [m, n] = shape;
      const k = x.shape[1];
      if (m * n * k === 0) {
        const out = allocator.zeros(m * n);
        if (bias !== null) for (let row = 0; row < m; row += 1) out.set(floatsOf(host, bias), row * n);
        return floatTensor(host, shape, out);
      }
      const out = allocator.take(m * n);
      const left = floatsOf(host, x);
      const right = floatsOf(host, weight);
      if (bias === null) products.matmul(left, right, { m, n, k, transposeA: false, transposeB: true }, out);
      else products.affine(left, right, floatsOf(host, bias), m, n, k, out);
      return floatTensor(host, shape, out);
    },
    gram: (x) => {
      const shape = gramShape(x.shape);
      const [rows, columns] = x.shape;
      if (rows * columns === 0) return floatTensor(host, shape, allocator.zeros(columns * columns));
      const out = allocator.take(columns * columns);
      products.gram(floatsOf(host, x), rows, columns, out);
      return floatTensor(host, shape, out);
    },
  };
};
