/**
 * How a product is computed: in plain loops or by a kernel, which way round, and on operands as they come or packed.
 *
 * The constants are measured (Node 20, x64, one thread); a product at the border takes about the same time either way.
 *
 * @module
 */
import type { ProductShape } from '../../host/kernels/products.ts';
import type { MatmulSpec, OperandLayout } from './matmulSource.ts';

/** A product by a kernel, with the layouts that it reads. */
export interface KernelPlan {
  readonly by: 'kernel';
  /** Whether the kernel computes Cᵀ = op(B)ᵀ op(A)ᵀ: then its left operand is op(B)ᵀ. */
  readonly swapped: boolean;
  readonly left: OperandLayout;
  readonly right: MatmulSpec['b'];
}

/** How a product is computed. */
export type ProductPlan = KernelPlan | { readonly by: 'loops' };

/**
 * Nanoseconds: of a call, for each element copied, for each element of the result, for each multiplication. A call
 * takes less, but the first one takes some 5 ms, which a kernel must earn back.
 */
const kernelCost = { call: 10_000, copied: 0.6, result: 1.7, multiplication: 0.08 };
const loopCost = { multiplication: 0.8 };

/** Whether a kernel takes less time than plain loops. */
const worthKernel = (m: number, n: number, k: number): boolean => {
  const cells = 16 * Math.ceil(m / 4) * Math.ceil(n / 4); // the kernel computes whole tiles
  const kernel =
    kernelCost.call + kernelCost.copied * (m + n) * k + (kernelCost.result + kernelCost.multiplication * k) * cells;
  return kernel < loopCost.multiplication * m * n * k;
};

/** Whether columns are read often enough, and from far enough apart, to be packed first; or have to be. */
const columnsOf = (width: number, k: number, uses: number): 'columns' | 'panels' =>
  width % 4 > 0 || (width * k >= 1 << 13 && uses >= 64) ? 'panels' : 'columns';

/**
 * The plan of a product.
 *
 * The left operand can be read by rows as it comes, the right one cannot. So when op(B) has its columns in rows of B,
 * the product is turned round if A can then be read as it is, or is the smaller one to pack.
 *
 * @param shape - extents and transposes
 */
export const planProduct = (shape: ProductShape): ProductPlan => {
  const { m, n, k, transposeA, transposeB } = shape;
  if (!worthKernel(m, n, k)) return { by: 'loops' };
  const swapped = transposeB && (transposeA || m < n);
  const a = transposeA ? columnsOf(m, k, n) : null;
  const b = transposeB ? null : columnsOf(n, k, m);
  return swapped
    ? { by: 'kernel', swapped, left: b ?? 'rows', right: a ?? 'panels' }
    : { by: 'kernel', swapped, left: a ?? 'rows', right: b ?? 'panels' };
};

/** How a symmetric product is computed. */
export type SymmetricPlan = { readonly by: 'loops' } | { readonly by: 'kernel'; readonly layout: 'columns' | 'panels' };

/**
 * The plan of XᵀX.
 *
 * @param d - columns of X
 * @param k - rows of X
 */
export const planSymmetric = (d: number, k: number): SymmetricPlan => {
  if (!worthKernel(d, d / 2, k)) return { by: 'loops' };
  return { by: 'kernel', layout: columnsOf(d, k, d / 2) };
};
