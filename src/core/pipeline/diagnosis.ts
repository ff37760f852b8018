/**
 * What a failure comes of, where that can be told.
 *
 * A factor without a Cholesky factor, or a loss that is not finite, may come of an index without a row, of parameters that an
 * earlier step has spoilt, or of a layer that overflows. It costs a look at what the step has seen so far, and only when
 * something has failed already.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../backends/backend.ts';
import type { KfacError } from '../errors.ts';
import { checkIndices } from '../nn/lookups.ts';
import type { AnySite } from '../ops/site.ts';
import { largestMagnitude } from '../rows.ts';
import type { Shaped } from '../tensor.ts';
import type { Seen, Suspect } from './suspects.ts';
import { suspectsIn } from './suspects.ts';

const tooLarge = 'Lower the learning rate or raise the damping.';

type OfNumbers = Extract<KfacError, { readonly _tag: 'NonFinite' | 'NotPositiveDefinite' }>;

/** Whether a number that is not finite can make this error. */
export const isOfNumbers = (error: KfacError): error is OfNumbers =>
  error._tag === 'NonFinite' || error._tag === 'NotPositiveDefinite';

const lookedUp = <T extends Shaped>(
  backend: Backend<T>,
  { site, input }: { readonly site: AnySite; readonly input: T },
): TE.TaskEither<KfacError, unknown> => {
  const { path, vocabulary } = site;
  return vocabulary === undefined
    ? TE.right(null)
    : pipe(
        backend.read(input),
        TE.chainEitherK((indices) => checkIndices('the batch', indices, { path, vocabulary })),
      );
};

/** Nothing where all numbers are finite, or an error that names the first array that has others. */
const allFinite = <T extends Shaped>(
  backend: Backend<T>,
  suspects: ReadonlyArray<Suspect<T>>,
): TE.TaskEither<KfacError, unknown> =>
  pipe(
    suspects,
    TE.traverseSeqArray(({ where, what, array }) =>
      pipe(
        backend.read(array),
        TE.chain(({ data }) =>
          largestMagnitude(data) < Infinity
            ? TE.right(null)
            : TE.left<KfacError>({ _tag: 'NonFinite', where, what, advice: tooLarge }),
        ),
      ),
    ),
  );

/** The sites that a step and the steps within it have passed. */
const sitesIn = <T extends Shaped>({ sites = [], parts = [] }: Seen<T>): NonNullable<Seen<T>['sites']> => [
  ...sites,
  ...parts.flatMap((part) => sitesIn<T>(part)),
];

/**
 * Finds the first thing in a step that is not as it should be, in the order in which a step comes to it: indices, parameters and
 * memories, inputs of sites, the loss, cotangents and the gradient, what curvature was made of and what was prepared of it, the
 * direction, the state after.
 *
 * @param backend - where the arrays are
 * @param seen - as much of the step as there is
 * @returns nothing where all is well, or an error that says what it is
 */
export const examine = <T extends Shaped>(backend: Backend<T>, seen: Seen<T>): TE.TaskEither<KfacError, unknown> =>
  pipe(
    sitesIn(seen),
    TE.traverseSeqArray((at) => lookedUp(backend, at)),
    TE.chain(() => allFinite(backend, suspectsIn(seen))),
  );

/**
 * The error, or what it comes of.
 *
 * @param backend - where the arrays are
 * @param seen - as much of the step as there was
 * @param error - what failed
 */
export const causeOf = <T extends Shaped>(
  backend: Backend<T>,
  seen: Seen<T>,
  error: KfacError,
): TE.TaskEither<KfacError, never> =>
  isOfNumbers(error)
    ? pipe(
        examine(backend, seen),
        TE.chain(() => TE.left<KfacError>(error)),
      )
    : TE.left(error);
