/**
 * Array computations as stages.
 *
 * @module
 */
import type * as RTE from 'fp-ts/lib/ReaderTaskEither.js';
import type * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../errors.ts';
import { attempt } from '../errors.ts';
import type { Ops } from '../ops/ops.ts';
import type { Shaped } from '../tensor.ts';
import type { Context, Field } from './context.ts';
import type { Env } from './env.ts';
import type { Stage } from './stage.ts';

/** What a computation does with an interpreter's operations. */
export type Computation<Needs extends Field, Adds extends Field> = <T extends Shaped>(
  ops: Ops<T>,
  context: Context<T, Needs>,
) => Context<T, Adds>;

/** A synchronous computation as a task; what it raises becomes a `Left`. */
export const calculate =
  <A>(run: () => A): TE.TaskEither<KfacError, A> =>
  () =>
    Promise.resolve(attempt(run));

/**
 * A synchronous computation with arrays as an effect; what it raises becomes a `Left`.
 *
 * @param run - computes with the environment's operations
 * @example
 * ```ts
 * import { compute, mapParams, stage } from 'kfac-ts/core';
 *
 * // A stage of one's own: small steps along the gradient.
 * const cautious = stage<'gradient', 'direction'>('cautious', ({ gradient }) =>
 *   compute((ops) => ({ direction: mapParams(gradient, (leaf) => ops.scale(0.1, leaf)) })),
 * );
 * ```
 */
export const compute =
  <T extends Shaped, A>(run: (ops: Ops<T>) => A): RTE.ReaderTaskEither<Env<T>, KfacError, A> =>
  (env) =>
    calculate(() => run(env.backend.ops));

/**
 * A stage that only computes.
 *
 * @param name - a word for reports
 * @param run - from operations and context to the added fields
 * @example
 * ```ts
 * import { computation, mapParams } from 'kfac-ts/core';
 *
 * // Small steps along the gradient, as a stage.
 * const cautious = computation<'gradient', 'direction'>('cautious', (ops, { gradient }) => ({
 *   direction: mapParams(gradient, (leaf) => ops.scale(0.1, leaf)),
 * }));
 * ```
 */
export const computation = <Needs extends Field, Adds extends Field>(
  name: string,
  run: Computation<Needs, Adds>,
): Stage<Needs, Adds> => ({
  name,
  run: <T extends Shaped>(context: Context<T, Needs>) => compute((ops: Ops<T>) => run(ops, context)),
});
