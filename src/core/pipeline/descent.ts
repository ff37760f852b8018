/**
 * A step from the gradient on.
 *
 * Nearly every step begins with the model's outputs and its gradient. What follows is an optimizer's own: a value by itself,
 * so that several can go on from one gradient.
 *
 * @module
 */
import type { Context, Field, Given } from './context.ts';
import type { Forwarded } from './forward.ts';
import type { AddsOf, AnyStage, InOrder, Stage } from './stage.ts';
import { inOrder } from './stage.ts';
import type { Shaped } from '../tensor.ts';

/** What is known once the gradient is. */
export type FromGradient = Given | Forwarded | 'gradient' | 'siteCotangents';

/** The part of a step that comes after the gradient. */
export type Descent = Stage<FromGradient, 'next' | 'metrics'>;

/** A step's knowledge once the gradient is known. */
export type GradientContext<T extends Shaped> = Context<T, FromGradient>;

/**
 * Stages in order from the gradient on: like `pipeline`, where what `forward` and `backward` add is there already.
 *
 * @example
 * ```ts
 * import { backward, descent, forward, pipeline } from 'kfac-ts/core';
 * import { identity, solve, update } from 'kfac-ts/solvers';
 *
 * const descending = descent(solve(identity), update({ learningRate: 0.1 }));
 * const step = pipeline(forward, backward, descending);
 * ```
 */
export function descent<const Stages extends ReadonlyArray<AnyStage>>(
  ...stages: Stages extends InOrder<Stages, FromGradient> ? Stages : InOrder<Stages, FromGradient>
): Stage<FromGradient, FromGradient | AddsOf<Stages[number]>>;
export function descent(...parts: ReadonlyArray<Stage<Field, Field>>): Stage<Field, Field> {
  return inOrder(parts);
}
