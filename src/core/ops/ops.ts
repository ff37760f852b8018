/**
 * `Ops<T>`: primitives plus operations derived from them.
 *
 * Derived operations have default implementations on primitives, so an interpreter gets them for free; one that can
 * do better (a fused loop, a device kernel) overrides what it likes, see `complete.ts`. Interpreters that differentiate
 * see the primitives that a derived operation is made of, but for those whose derivatives are known as a whole
 * ({@link Whole}).
 *
 * @module
 */
import type { Shape, Shaped } from '../tensor.ts';
import type { Primitives, UnaryKind } from './primitives.ts';
import type { Window } from './window.ts';

/** What was standardised, and by what. */
export interface Standardised<T> {
  /** (x − mean) / √(variance + ε), in the shape of x. */
  readonly values: T;
  /** The mean, without the axes. */
  readonly mean: T;
  /** The mean square of the distances from it, likewise. */
  readonly variance: T;
}

/** Operations that every interpreter has by default. */
export interface Derived<T extends Shaped> {
  /** a + b, broadcast as all operations of two arrays are. */
  readonly add: (a: T, b: T) => T;
  /** a − b. */
  readonly sub: (a: T, b: T) => T;
  /** a b, entry by entry. */
  readonly mul: (a: T, b: T) => T;
  /** a / b, entry by entry. */
  readonly div: (a: T, b: T) => T;
  /** The larger of a and b, entry by entry. */
  readonly maximum: (a: T, b: T) => T;
  /** The smaller of a and b, entry by entry. */
  readonly minimum: (a: T, b: T) => T;
  /** 1 where a is greater than b, else 0. */
  readonly greater: (a: T, b: T) => T;
  /** 1 where a is b, else 0. */
  readonly equal: (a: T, b: T) => T;
  /** −x. */
  readonly neg: (x: T) => T;
  /** eˣ. */
  readonly exp: (x: T) => T;
  /** ln x. */
  readonly log: (x: T) => T;
  /** √x. */
  readonly sqrt: (x: T) => T;
  /** x². */
  readonly square: (x: T) => T;
  /** |x|. */
  readonly abs: (x: T) => T;
  /** tanh x. */
  readonly tanh: (x: T) => T;
  /** 1 / (1 + e⁻ˣ). */
  readonly sigmoid: (x: T) => T;
  /** ln (1 + eˣ). */
  readonly softplus: (x: T) => T;
  /** max(x, 0). */
  readonly relu: (x: T) => T;
  /** The error function: the normal distribution function is ½ (1 + erf(x/√2)). */
  readonly erf: (x: T) => T;
  /** Φ(x) = ½ (1 + erf(x/√2)), the normal distribution function. */
  readonly normalCdf: (x: T) => T;
  /** x Φ(x) with Φ the normal distribution function (the exact form, not the tanh one). */
  readonly gelu: (x: T) => T;
  /** σ(x) − y, with its digits where σ(x) is near 1 and y is 1. */
  readonly sigmoidMinus: (x: T, y: T) => T;
  /** y softplus(−x) + (1 − y) softplus(x) = softplus(x) − y x, with its digits where x is large and y is 1. */
  readonly sigmoidCrossEntropy: (x: T, y: T) => T;
  /** c x for a number c. */
  readonly scale: (c: number, x: T) => T;
  /** a x + b y for numbers a, b and equal shapes. */
  readonly linearCombination: (a: number, x: T, b: number, y: T) => T;
  /** a x + b y² for numbers a, b and equal shapes: an average of squares with the next one. */
  readonly combineWithSquare: (a: number, x: T, b: number, y: T) => T;
  /** x / (c √y + d) for numbers c, d and equal shapes: a direction over the root of its squares. */
  readonly overRoot: (x: T, c: number, y: T, d: number) => T;
  /** cotangent ⊙ f′(x) where y = f(x): the VJP of an elementwise function. */
  readonly unaryVjp: (kind: UnaryKind, x: T, y: T, cotangent: T) => T;
  /** The cotangent of x where y = max x over axes: elements that are the largest share it. */
  readonly maxVjp: (x: T, y: T, axes: ReadonlyArray<number>, cotangent: T) => T;
  /** x with mean 0 and variance 1 over axes: (x − mean) / √(variance + ε), and what it was standardised by. */
  readonly standardised: (x: T, axes: ReadonlyArray<number>, epsilon: number) => Standardised<T>;
  /** The cotangent of x where y is x standardised, with the variance of x. The derivative is symmetric: its JVP, too. */
  readonly standardisedVjp: (y: T, variance: T, axes: ReadonlyArray<number>, epsilon: number, cotangent: T) => T;
  /** The cotangent y ⊙ (c − Σ y c) of x where y = softmax x. The derivative is symmetric: its JVP, too. */
  readonly softmaxVjp: (y: T, cotangent: T) => T;
  /** M + c I for a square M. */
  readonly addDiagonal: (m: T, c: number) => T;
  /** Sum of the diagonal of a square matrix: shape `[]`. */
  readonly trace: (m: T) => T;
  /** ⟨x, y⟩ over all elements of equal shapes: shape `[]`. */
  readonly dot: (x: T, y: T) => T;
  /** Σ ⟨xᵢ, yᵢ⟩ over pairs of arrays of equal shapes, 0 where there are none: shape `[]`. */
  readonly dots: (xs: ReadonlyArray<T>, ys: ReadonlyArray<T>) => T;
  /** Mean over axes, which are dropped. */
  readonly mean: (x: T, axes: ReadonlyArray<number>) => T;
  /** Transpose of a matrix. */
  readonly transposed: (m: T) => T;
  /** Over the last axis; −∞ with zero gradients where all elements are −∞, as in a row that is masked throughout. */
  readonly logSumExp: (x: T) => T;
  /** Over the last axis; zeros where all elements are −∞. */
  readonly softmax: (x: T) => T;
  /** Over the last axis; −∞ where all elements are. */
  readonly logSoftmax: (x: T) => T;
  /** 1 at the index, 0 elsewhere: indices of any shape to `[…indices, classes]`. */
  readonly oneHot: (indices: T, classes: number) => T;
  /** The sum over the axes along which a value of `shape` was repeated to give x: the adjoint of `broadcastTo`. */
  readonly sumTo: (x: T, shape: Shape) => T;
  /** x with a column of ones appended: `[n, d]` to `[n, d + 1]` (the homogeneous coordinate). */
  readonly withOnes: (x: T) => T;
  /**
   * Σ w p pᵀ over all places of a window, with p what `patches` gives there, and a one behind it where the sum is
   * homogeneous. Weights w of at least 0 are a column `[n * oh * ow, 1]`; all are 1 where they are `null`.
   */
  readonly patchGram: (images: T, window: Window, weights: T | null, homogeneous: boolean) => T;
  /**
   * The same arrays, about to be looked at as wholes: an interpreter whose arrays are spread over processes has them put together in
   * few messages.
   */
  readonly whole: (arrays: ReadonlyArray<T>) => ReadonlyArray<T>;
  /**
   * The same arrays, about to be looked at element by element: an interpreter whose arrays are spread over processes has sums added up, in
   * few messages, and may leave each process with a run of a large one.
   */
  readonly addedUp: (arrays: ReadonlyArray<T>) => ReadonlyArray<T>;
  /**
   * The same arrays, which will be `addedUp` after other things have been computed: an interpreter whose arrays are spread over processes
   * may begin with it.
   */
  readonly addingUp: (arrays: ReadonlyArray<T>) => ReadonlyArray<T>;
  /**
   * What a computation gives, with the arrays that live on; all others that the operations it is given have made go back to memory
   * at its end, and so do arrays of before that are spent, which nobody else may hold. For sums over parts of a whole that is
   * never in memory at once.
   */
  readonly within: <A>(
    run: (ops: Ops<T>) => readonly [result: A, kept: ReadonlyArray<T>, spent?: ReadonlyArray<T>],
  ) => A;
}

/** The derived operations that are differentiated as a whole, by one operation. */
export type Whole<T extends Shaped> = Pick<Derived<T>, 'softmax' | 'standardised'>;

/** The array language: what a program may use. */
export interface Ops<T extends Shaped> extends Primitives<T>, Derived<T> {}
