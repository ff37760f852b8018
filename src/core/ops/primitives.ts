/**
 * The primitives of the array language.
 *
 * A program is written once against `Ops<T>` and interpreted many times: to compute, to differentiate, to count.
 * Every primitive has a VJP and a JVP rule stated in terms of primitives (`core/autodiff`), so the set is closed
 * under differentiation and interpreters stack. An interpreter {@link raise}s `ShapeMismatch` on operands that do not
 * fit; nothing else about a primitive can fail.
 *
 * @module
 */
import type { Shape, Shaped, Tensor } from '../tensor.ts';
import type { Site } from './site.ts';
import type { Window } from './window.ts';

/**
 * Elementwise functions of one argument. `step` is 1 where x is greater than 0, else 0. `normalCdf` is Φ, the normal
 * distribution function, with its digits on the far left, where ½ + ½ erf(x/√2) has none.
 */
export const unaryKinds = [
  'neg',
  'exp',
  'log',
  'sqrt',
  'square',
  'abs',
  'sign',
  'step',
  'tanh',
  'sigmoid',
  'softplus',
  'relu',
  'erf',
  'normalCdf',
  'gelu',
] as const;

/** An elementwise function of one argument. */
export type UnaryKind = (typeof unaryKinds)[number];

/** Elementwise functions of two arguments, with broadcasting. `greater` and `equal` give 1 or 0. */
export type BinaryKind = 'add' | 'sub' | 'mul' | 'div' | 'max' | 'min' | 'greater' | 'equal';

/** Which operands of a product are transposed. */
export interface Transposes {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/** About thirty operations (counting each elementwise kind) that every interpreter implements. */
export interface Primitives<T extends Shaped> {
  /** A host tensor as a value of this interpreter; floats take the interpreter's own precision, `i32` stays. */
  readonly constant: (value: Tensor) => T;
  /** An array of one repeated number. */
  readonly full: (shape: Shape, value: number) => T;
  /** Product of `[m, k]` and `[k, n]`, or of `[b, m, k]` and `[b, k, n]`, after the flagged transposes. */
  readonly matmul: (a: T, b: T, transposes?: Transposes) => T;
  /** x Wᵀ + b with x `[n, in]`, W `[out, in]`, b `[out]` or `null`: `[n, out]`. */
  readonly affine: (x: T, weight: T, bias: T | null) => T;
  /** xᵀ x with x `[n, d]`: `[d, d]`, exactly symmetric. */
  readonly gram: (x: T) => T;
  /** f(x) for one of the functions of one argument, entry by entry. */
  readonly unary: (kind: UnaryKind, x: T) => T;
  /** Shapes broadcast as in NumPy: aligned at the last axis, an extent of 1 repeats. */
  readonly binary: (kind: BinaryKind, a: T, b: T) => T;
  /** a where the condition is not 0, else b; all three broadcast together. */
  readonly select: (condition: T, a: T, b: T) => T;
  /** Sum over axes, which are dropped. */
  readonly sum: (x: T, axes: ReadonlyArray<number>) => T;
  /** Maximum over axes, which are dropped; the maximum over nothing is -Infinity. */
  readonly max: (x: T, axes: ReadonlyArray<number>) => T;
  /** The same elements in row-major order under another shape. */
  readonly reshape: (x: T, shape: Shape) => T;
  /** Axis `i` of the result is axis `permutation[i]` of x. */
  readonly transpose: (x: T, permutation: ReadonlyArray<number>) => T;
  /** x repeated to a shape that it broadcasts to. */
  readonly broadcastTo: (x: T, shape: Shape) => T;
  /** Joins along an axis; all other extents agree. */
  readonly concat: (xs: ReadonlyArray<T>, axis: number) => T;
  /** The box of extents `size` that starts at `begin`. */
  readonly slice: (x: T, begin: ReadonlyArray<number>, size: ReadonlyArray<number>) => T;
  /** x in a box of zeros of the given shape, starting at `begin`; the adjoint of `slice`. */
  readonly pad: (x: T, begin: ReadonlyArray<number>, shape: Shape) => T;
  /** Rows of x `[rows, …]` at `i32` indices of any shape: `[…indices, …]`. */
  readonly gather: (x: T, indices: T) => T;
  /** Zeros `[rows, …]` with updates `[…indices, …]` added at their rows; the adjoint of `gather`. */
  readonly scatterAdd: (indices: T, updates: T, rows: number) => T;
  /** Sliding windows of images `[n, h, w, c]`: `[n, oh, ow, kh * kw * c]` (im2col). */
  readonly patches: (images: T, window: Window) => T;
  /** The adjoint of `patches`: overlapping windows are summed into images of the given shape. */
  readonly unpatches: (columns: T, window: Window, shape: Shape) => T;
  /**
   * Convolution of images `[n, h, w, c]` with filters `[out, kh * kw * c / groups]`: `[n, oh, ow, out]`. A filter's elements
   * are in the order of `patches`; there are as many groups as a filter's length says, and the i-th run of `out / groups`
   * filters sees the i-th run of `c / groups` channels.
   */
  readonly convolve: (images: T, filters: T, window: Window) => T;
  /** The adjoint of `convolve` in the images, of the given shape: a transposed convolution. */
  readonly convolveTransposed: (outputs: T, filters: T, window: Window, shape: Shape) => T;
  /** The adjoint of `convolve` in the filters. */
  readonly correlate: (images: T, outputs: T, window: Window, groups: number) => T;
  /** x, taken as a constant by interpreters that differentiate. */
  readonly stopGradient: (x: T) => T;
  /** x, passed through; a forward pass that is recorded gives it as the next running state at the path. */
  readonly keep: (path: string, x: T) => T;
  /** The site's output, passed through; interpreters that differentiate record the site. */
  readonly site: (site: Site, input: T, output: T) => T;
}
