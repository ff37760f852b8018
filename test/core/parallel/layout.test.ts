/** A symmetric matrix is what its triangle says, in whatever strips it is sent. */
import {
  packedTriangle,
  triangleSize,
  unpackedLower,
  unpackedTriangle,
} from '../../../src/core/parallel/spread/layout.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { generate } from '../../../src/core/tensor.ts';

const zeros = (shape: ReadonlyArray<number>, dtype: 'f32' | 'f64'): Tensor => generate(shape, () => 0, dtype);

describe.each(['f32', 'f64'] as const)('triangles of %s', (dtype) => {
  it.each([1, 2, 7, 256])('law: a matrix of order %i comes back', (n) => {
    const symmetric = generate([n, n], (i) => Math.sin((1 + Math.floor(i / n)) * (1 + (i % n))), dtype);
    const lower = generate([n, n], (i) => (i % n > Math.floor(i / n) ? 0 : 1 + i), dtype);
    const sent = (matrix: Tensor): Tensor => packedTriangle(n, matrix, zeros([triangleSize(n)], dtype));
    expect(
      unpackedTriangle(
        n,
        sent(symmetric),
        generate([n, n], () => NaN, dtype),
      ),
    ).toEqual(symmetric);
    expect(unpackedLower(n, sent(lower), zeros([n, n], dtype))).toEqual(lower);
  });
});

it('small triangles have no element twice, large ones a thirtieth more', () => {
  expect(triangleSize(4)).toBe(10);
  expect(triangleSize(1000) / 500_500).toBeLessThan(1.035);
});
