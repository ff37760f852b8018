/**
 * Adam's moments, and the direction that they make: for the solver, and for whatever else scales by them.
 *
 * @module
 */
import type { Ops } from '../../core/ops/ops.ts';
import type { Params } from '../../core/params.ts';
import { mapParams } from '../../core/params.ts';
import type { Shaped } from '../../core/tensor.ts';

/** Settings of Adam, with the defaults of the paper. */
export interface AdamOptions {
  /** β₁ of the first moment, 0.9 unless given. */
  readonly beta1?: number;
  /** β₂ of the second moment, 0.999 unless given. */
  readonly beta2?: number;
  /** ε added to the root of the second moment, 1e-8 unless given. */
  readonly epsilon?: number;
}

/** Averages of gradients and of their squares, which begin at zero. */
export interface Moments<T> {
  readonly m: Params<T>;
  readonly v: Params<T>;
}

/** What 32 bits hold: a gradient of 0 over a floor of 0 would be no number. */
const leastFloor = 1e-37;

/**
 * x ← β x + (1 − β) sample, from zero at first. One that joins later (of a parameter that was held fixed) begins at what
 * t samples like this one would have made of it, so that the correction for the beginning, 1 − βᵗ, is its own.
 *
 * @param ops - interpreter
 * @param beta - β in [0, 1)
 * @param before - the averages so far, or `undefined`
 * @param sample - what is new
 * @param t - how many samples there are with this one
 */
export const averagedWith = <T extends Shaped>(
  ops: Ops<T>,
  beta: number,
  before: Params<T> | undefined,
  sample: Params<T>,
  t: number,
): Params<T> =>
  mapParams(sample, (x, path) =>
    before !== undefined && Object.hasOwn(before, path)
      ? ops.linearCombination(beta, before[path], 1 - beta, x)
      : ops.scale(1 - beta ** t, x),
  );

/**
 * The moments with a gradient averaged in.
 *
 * @param ops - interpreter
 * @param options - β₁, β₂
 * @param before - the moments so far; neither at first
 * @param gradient - the next gradient
 * @param t - how many gradients there are with it
 */
export const momentsWith = <T extends Shaped>(
  ops: Ops<T>,
  { beta1 = 0.9, beta2 = 0.999 }: AdamOptions,
  before: Partial<Moments<T>>,
  gradient: Params<T>,
  t: number,
): Moments<T> => ({
  m: averagedWith(ops, beta1, before.m, gradient, t),
  v: mapParams(gradient, (g, path) =>
    before.v !== undefined && Object.hasOwn(before.v, path)
      ? ops.combineWithSquare(beta2, before.v[path], 1 - beta2, g)
      : ops.scale(1 - beta2 ** t, ops.square(g)),
  ),
});

/** What turns averages into Adam's step: m̂ / (√v̂ + ε) is m / (c √v + ε′). */
export interface Corrections {
  /** c = (1 − β₁ᵗ) / √(1 − β₂ᵗ). */
  readonly c: number;
  /** ε′ = ε (1 − β₁ᵗ), above 0. */
  readonly floor: number;
}

/**
 * Adam's corrections of averages that began at zero, as two numbers, so that no corrected copy is made.
 *
 * @param options - β₁, β₂, ε
 * @param t - how many gradients there are in them, at least 1
 */
export const correctionsAt = ({ beta1, beta2, epsilon }: Required<AdamOptions>, t: number): Corrections => {
  const correction = 1 - beta1 ** t;
  return { c: correction / Math.sqrt(1 - beta2 ** t), floor: Math.max(epsilon * correction, leastFloor) };
};

/**
 * m̂ / (√v̂ + ε) [KB15, algorithm 1].
 *
 * @param ops - interpreter
 * @param options - β₁, β₂, ε
 * @param moments - averages of t gradients
 * @param t - how many there are, at least 1
 */
export const adamDirection = <T extends Shaped>(
  ops: Ops<T>,
  { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: AdamOptions,
  { m, v }: Moments<T>,
  t: number,
): Params<T> => {
  const { c, floor } = correctionsAt({ beta1, beta2, epsilon }, t);
  return mapParams(m, (x, path) => ops.overRoot(x, c, v[path], floor));
};
