/**
 * Products in plain loops, for sizes at which calling a kernel costs more than the product.
 *
 * Sums are kept in 64 bits and rounded once, so that results differ from a kernel's in the last bits.
 *
 * @module
 */
import type { ReadonlyVector } from '../../../tensor.ts';
import type { Vector } from '../../host/kernels/precision.ts';

/**
 * `C = op(A) op(B)`, everything row-major.
 *
 * @param m - rows of op(A)
 * @param n - columns of op(B)
 * @param k - columns of op(A), rows of op(B)
 * @param transposeA - whether A is stored as [k, m]
 * @param transposeB - whether B is stored as [n, k]
 * @param a - A
 * @param b - B
 * @param c - receives C, shape [m, n]
 */
export const smallProduct = (
  m: number,
  n: number,
  k: number,
  transposeA: boolean,
  transposeB: boolean,
  a: ReadonlyVector,
  b: ReadonlyVector,
  c: Vector,
): void => {
  const [rowA, stepA] = transposeA ? [1, m] : [k, 1];
  const [columnB, stepB] = transposeB ? [k, 1] : [1, n];
  const whole = n - (n % 4);
  for (let i = 0; i < m; i += 1) {
    const firstA = i * rowA;
    for (let j = 0; j < whole; j += 4) {
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      let pa = firstA;
      let pb = j * columnB;
      for (let p = 0; p < k; p += 1) {
        const x = a[pa];
        s0 += x * b[pb];
        s1 += x * b[pb + columnB];
        s2 += x * b[pb + 2 * columnB];
        s3 += x * b[pb + 3 * columnB];
        pa += stepA;
        pb += stepB;
      }
      const at = i * n + j;
      c[at] = s0;
      c[at + 1] = s1;
      c[at + 2] = s2;
      c[at + 3] = s3;
    }
    for (let j = whole; j < n; j += 1) {
      let sum = 0;
      for (let p = 0; p < k; p += 1) sum += a[firstA + p * stepA] * b[j * columnB + p * stepB];
      c[i * n + j] = sum;
    }
  }
};
