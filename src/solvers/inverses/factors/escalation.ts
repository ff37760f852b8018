/**
 * Raising the damping until a factorisation succeeds.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import type * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../../core/errors.ts';

/** λ is raised by this factor when a factor is not positive definite … */
const factor = 10;
/** … at most this many times. */
const times = 6;

/** What was found, and the λ that it took. */
export interface Escalated<A> {
  readonly found: A;
  readonly lambda: number;
}

/**
 * Runs with λ, and with ten times as much whenever it meets a matrix that is not positive definite, at most 6 times; then
 * the error says which damping was tried last.
 *
 * @param lambda - λ of the first try
 * @param run - the factorisation
 * @param tries - how often λ was raised before
 */
export const escalating =
  <A>(
    lambda: number,
    run: (lambda: number) => TE.TaskEither<KfacError, A>,
    tries = 0,
  ): TE.TaskEither<KfacError, Escalated<A>> =>
  async () => {
    const outcome = await run(lambda)();
    if (E.isRight(outcome)) return E.right({ found: outcome.right, lambda });
    const error = outcome.left;
    if (error._tag !== 'NotPositiveDefinite') return outcome;
    return tries < times ? escalating(lambda * factor, run, tries + 1)() : E.left({ ...error, damping: lambda });
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
