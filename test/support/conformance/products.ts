/**
 * Products of matrices: every transpose, batches, extents of 0 and 1, and sizes around those of tiles.
 *
 * @module
 */
import fc from 'fast-check';

import type { Transposes } from '../../../src/core/ops/primitives.ts';
import type { Shape, Tensor } from '../../../src/core/tensor.ts';
import { arrayOf, extent, wideExtent } from '../arbitraries.ts';
import type { Case } from './trial.ts';
import { given, magnitude, reference } from './trial.ts';

const transposes: fc.Arbitrary<Transposes> = fc.constantFrom(
  {},
  { transposeA: true },
  { transposeB: true },
  { transposeA: true, transposeB: true },
  { transposeA: false, transposeB: false },
);

const matrixShape = (rows: number, columns: number, transposed = false): Shape =>
  transposed ? [columns, rows] : [rows, columns];

/** k + 1 times |op(A)| |op(B)|. */
const productError = (a: Tensor, b: Tensor, k: number, flags: Transposes = {}): Tensor =>
  reference.scale(k + 1, reference.matmul(magnitude(a), magnitude(b), flags));

const products = (batch: fc.Arbitrary<Shape>, side: fc.Arbitrary<number>): Case['trials'] =>
  given(
    fc.tuple(batch, side, side, side, transposes).chain(([lead, m, n, k, flags]) =>
      fc.record({
        flags: fc.constant(flags),
        k: fc.constant(k),
        a: arrayOf([...lead, ...matrixShape(m, k, flags.transposeA)]),
        b: arrayOf([...lead, ...matrixShape(k, n, flags.transposeB)]),
      }),
    ),
    ({ flags, k, a, b }) => ({
      label: JSON.stringify(flags),
      operands: [a, b],
      run: (ops, [x, y]) => ops.matmul(x, y, flags),
      error: ([x, y]) => productError(x, y, k, flags),
    }),
  );

/** Cases of `matmul`, `affine` and `gram`. */
export const productCases: ReadonlyArray<Case> = [
  { operation: 'matmul', trials: products(fc.constant([]), wideExtent) },
  {
    operation: 'matmul',
    trials: products(
      extent.map((b) => [b]),
      extent,
    ),
  },
  {
    operation: 'affine',
    trials: given(
      fc
        .tuple(wideExtent, wideExtent, wideExtent, fc.boolean())
        .chain(([n, from, to, hasBias]) =>
          fc.tuple(arrayOf([n, from]), arrayOf([to, from]), hasBias ? arrayOf([to]) : fc.constant(null)),
        ),
      ([x, weight, bias]) => ({
        label: '',
        operands: bias === null ? [x, weight] : [x, weight, bias],
        run: (ops, [a, w, b]) => ops.affine(a, w, b ?? null),
        error: ([a, w, b]) => {
          const product = productError(a, w, x.shape[1] + 1, { transposeB: true });
          return b === undefined ? product : reference.add(product, magnitude(b));
        },
      }),
    ),
  },
  {
    operation: 'gram',
    trials: given(
      fc.tuple(wideExtent, wideExtent).chain((shape) => arrayOf(shape)),
      (x) => ({
        label: '',
        operands: [x],
        run: (ops, [a]) => ops.gram(a),
        error: ([a]) => productError(a, a, x.shape[0], { transposeA: true }),
      }),
    ),
  },
  {
    operation: 'gram',
    trials: given(
      fc.tuple(wideExtent, wideExtent).chain((shape) => arrayOf(shape)),
      (x) => ({
        label: 'is exactly symmetric: S − Sᵀ = 0',
        operands: [x],
        run: (ops, [a]) => {
          const s = ops.gram(a);
          return ops.sub(s, ops.transposed(s));
        },
      }),
    ),
  },
];
