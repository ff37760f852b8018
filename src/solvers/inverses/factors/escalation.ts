/**
 * Raising the damping until a factorisation succeeds.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import type * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../../core/errors.ts';

/** How λ is raised. */
export interface Raises<A> {
  /** By what it is multiplied … */
  readonly factor: number;
  /** … at most so many times … */
  readonly times: number;
  /** … where this has come of it. */
  readonly areNeeded: (outcome: E.Either<KfacError, A>) => boolean;
}

const whereNotPositiveDefinite: Raises<unknown> = {
  factor: 10,
  times: 6,
  areNeeded: (outcome) => E.isLeft(outcome) && outcome.left._tag === 'NotPositiveDefinite',
};

/** What was found, and the λ that it took. */
export interface Escalated<A> {
  readonly found: A;
  readonly lambda: number;
}

/**
 * Runs with λ, and with more whenever that is needed; unless told otherwise with ten times as much where a matrix is not positive
 * definite, at most 6 times. An error of such a matrix says which damping was tried last.
 *
 * @param lambda - λ of the first try
 * @param run - what needs it, for example a factorisation
 * @param raises - how λ is raised
 */
export const escalating =
  <A>(
    lambda: number,
    run: (lambda: number) => TE.TaskEither<KfacError, A>,
    raises: Raises<A> = whereNotPositiveDefinite,
  ): TE.TaskEither<KfacError, Escalated<A>> =>
  async () => {
    const outcome = await run(lambda)();
    const { factor, times, areNeeded } = raises;
    if (times > 0 && areNeeded(outcome)) return escalating(lambda * factor, run, { ...raises, times: times - 1 })();
    if (E.isRight(outcome)) return E.right({ found: outcome.right, lambda });
    const error = outcome.left;
    return E.left(error._tag === 'NotPositiveDefinite' ? { ...error, damping: lambda } : error);
  };

/**
 * Metrics of blocks whose λ had to rise: the λ that they took, by block.
 *
 * @param lambda - λ of the first try
 * @param blocks - what each block took
 */
export const raisedMetrics = (
  lambda: number,
  blocks: Readonly<Record<string, { readonly lambda: number }>>,
): Readonly<Record<string, number>> =>
  Object.fromEntries(
    Object.entries(blocks).flatMap(([name, block]) =>
      block.lambda === lambda ? [] : [[`raisedDamping.${name}`, block.lambda] as const],
    ),
  );

/** An error of a factorisation, with the block that it happened in. */
export const inBlock =
  (name: string) =>
  (error: KfacError): KfacError =>
    error._tag === 'NotPositiveDefinite' ? { ...error, where: name } : error;
