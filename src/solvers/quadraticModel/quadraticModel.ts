/**
 * The quadratic model of the loss restricted to two directions [MG15 §6.4, §7].
 *
 * M(δ) − M(0) = ½ δᵀ (F + λ I) δ + ∇ᵀ δ with δ = α d + μ δ₀, where d is the descent direction and δ₀ the last update. The
 * products with F are exact, through J-products, not the Kronecker approximation: that is what makes α and μ safe.
 *
 * @module
 */

/** The model's coefficients in the basis (d, δ₀). */
export interface QuadraticModel {
  /** dᵀFd, dᵀFδ₀, δ₀ᵀFδ₀ with F the mean over examples. */
  readonly curvature: readonly [number, number, number];
  /** dᵀd, dᵀδ₀, δ₀ᵀδ₀. */
  readonly squares: readonly [number, number, number];
  /** ∇ᵀd, ∇ᵀδ₀. */
  readonly slopes: readonly [number, number];
}

/** Where the model is least. */
export interface ModelMinimum {
  /** α, the learning rate. */
  readonly alpha: number;
  /** μ, the momentum. */
  readonly mu: number;
}

/**
 * The model from its eight coefficients in the order of {@link QuadraticModel}'s fields.
 *
 * @param c - coefficients, `[8]`
 */
export const quadraticModelOf = (c: ArrayLike<number>): QuadraticModel => ({
  curvature: [c[0], c[1], c[2]],
  squares: [c[3], c[4], c[5]],
  slopes: [c[6], c[7]],
});

/** The matrix [[a, b], [b, c]] of the model with damping. */
const damped = (model: QuadraticModel, lambda: number): readonly [number, number, number] => {
  const { curvature, squares } = model;
  return [curvature[0] + lambda * squares[0], curvature[1] + lambda * squares[1], curvature[2] + lambda * squares[2]];
};

/**
 * Below this ratio of determinant to diagonal product, d and δ₀ count as parallel. The ratio is the squared sine of their
 * angle; α and μ lose as many digits as it has zeros, and the coefficients are sums of a backend's precision.
 */
const parallel = { f32: 1e-5, f64: 1e-10 };

/**
 * (α, μ) that minimise M: a 2 × 2 solve. Without a last update, or with one that is parallel to d, μ is 0.
 *
 * @param model - coefficients
 * @param lambda - damping λ of the model, at least 0
 * @param dtype - precision of the coefficients, f64 unless given
 */
export const minimiseModel = (
  model: QuadraticModel,
  lambda: number,
  dtype: keyof typeof parallel = 'f64',
): ModelMinimum => {
  const [a, b, c] = damped(model, lambda);
  const [p, q] = model.slopes;
  const determinant = a * c - b * b;
  if (determinant <= parallel[dtype] * a * c) return { alpha: a > 0 ? -p / a : 0, mu: 0 };
  return { alpha: (b * q - c * p) / determinant, mu: (b * p - a * q) / determinant };
};

/**
 * M(α d + μ δ₀) − M(0).
 *
 * @param model - coefficients
 * @param lambda - damping λ of the model, at least 0
 * @param at - α and μ
 */
export const modelChange = (model: QuadraticModel, lambda: number, at: ModelMinimum): number => {
  const [a, b, c] = damped(model, lambda);
  const { alpha, mu } = at;
  return 0.5 * (alpha * alpha * a + 2 * alpha * mu * b + mu * mu * c) + alpha * model.slopes[0] + mu * model.slopes[1];
};

/**
 * What the gradient promises of a step, ∇ᵀ(α d + μ δ₀): below 0 on the way down.
 *
 * @param model - the model
 * @param at - the step
 */
export const slopeAt = ({ slopes }: QuadraticModel, { alpha, mu }: ModelMinimum): number =>
  alpha * slopes[0] + mu * slopes[1];

/** A step, and what it was made shorter by. */
export interface Bounded {
  readonly at: ModelMinimum;
  readonly scale: number;
}

/**
 * A step whose slope |∇ᵀδ| is at most a bound: itself, or made shorter.
 *
 * @param model - the model
 * @param at - the step
 * @param most - the bound, at least 0
 */
export const withinSlope = (model: QuadraticModel, at: ModelMinimum, most: number): Bounded => {
  const slope = Math.abs(slopeAt(model, at));
  if (!(slope > most)) return { at, scale: 1 };
  const scale = most / slope;
  return { at: { alpha: scale * at.alpha, mu: scale * at.mu }, scale };
};
