/**
 * The solver that an inverse makes: the gradient, preconditioned.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import { applyOn } from '../../core/operators/applyOn.ts';
import { calculate } from '../../core/pipeline/compute.ts';
import type { Context, Field } from '../../core/pipeline/context.ts';
import type { Env } from '../../core/pipeline/env.ts';
import { tidily, tidilyDone } from '../../core/pipeline/tidied.ts';
import { chained, mapped } from '../../core/tasks.ts';
import type { Shaped } from '../../core/tensor.ts';
import { fromBlocks, toBlocks } from '../../curvature/blocks.ts';
import type { Inverse, Refreshed } from './inverse.ts';
import type { RefreshOptions } from './refresh.ts';
import { refresh } from './refresh.ts';
import type { Solved, Solver, SolveNeeds } from './solver.ts';

/**
 * What a solver adds once its inverse is prepared: the direction, the state and the age of the inverse. Where nothing is
 * prepared yet, the direction is the gradient.
 *
 * @param context - the step so far
 * @param refreshed - the state with what is prepared, and what that reports
 */
export const directed =
  <T extends Shaped>({ blocks, gradient }: Context<T, 'blocks' | 'gradient'>, { state, metrics }: Refreshed<T>) =>
  ({ backend }: Env<T>): TE.TaskEither<KfacError, Context<T, Solved>> => {
    const { prepared, preparedAt } = state.solver;
    const found = { state, metrics: { ...metrics, inverseAge: state.step - preparedAt } };
    if (prepared === null) return TE.right({ direction: gradient, ...found });
    const size = Object.values(gradient);
    return pipe(
      calculate(() =>
        tidily(backend, size, ({ ops }) => {
          const v = toBlocks(ops, blocks, gradient);
          ops.whole(Object.values(v)); // every row of a product with an inverse needs all of it
          return v;
        }),
      ),
      chained((v) => tidilyDone(backend, size, (inner) => applyOn(inner, prepared, v))),
      chained((image) => calculate(() => tidily(backend, size, ({ ops }) => fromBlocks(ops, blocks, image)))),
      mapped((direction) => ({ direction, ...found })),
    );
  };

/**
 * A solver that prepares an inverse now and then and applies it to the gradient in every step.
 *
 * @param inverse - the inverse
 * @param options - period, overlap, factors on λ
 *
 * @example
 * ```ts
 * import { kroneckerInverse, preconditioned } from 'kfac-ts/solvers';
 *
 * const solver = preconditioned(kroneckerInverse, { every: 20, siteDamping: { head: 10 } });
 * ```
 */
export const preconditioned = <Needs extends Field = never>(
  inverse: Inverse<Needs>,
  options: RefreshOptions = {},
): Solver<SolveNeeds | Needs> => ({
  run:
    <T extends Shaped>(context: Context<T, SolveNeeds | Needs>) =>
    (env: Env<T>) =>
      pipe(
        refresh(inverse, options, context)(env),
        chained((refreshed) => directed(context, refreshed)(env)),
      ),
});
