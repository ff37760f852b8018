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
import type { Params } from '../params.ts';
import { largestMagnitude } from '../rows.ts';
import type { Shaped } from '../tensor.ts';
import type { Context } from './context.ts';

/** What is looked at: as much of a step as there is. */
export type Seen<T extends Shaped> = Partial<Context<T, 'state' | 'sites' | 'loss' | 'gradient'>>;

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

/** Arrays whose numbers are finite, or an error that names the first that has others. */
const allFinite = <T extends Shaped>(
  backend: Backend<T>,
  where: string,
  named: ReadonlyArray<readonly [what: string, array: T]>,
): TE.TaskEither<KfacError, unknown> =>
  pipe(
    named,
    TE.traverseSeqArray(([what, array]) =>
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

const byPath = <T>(what: string, params: Params<T> = {}): ReadonlyArray<readonly [string, T]> =>
  Object.entries(params).map(([path, array]) => [`${what} ${path}`, array]);

/**
 * Finds the first thing in a step that is not as it should be, in the order in which a step comes to it: indices, parameters,
 * inputs of sites, the loss, the gradient.
 *
 * @param backend - where the arrays are
 * @param seen - as much of the step as there is
 * @returns nothing where all is well, or an error that says what it is
 */
export const examine = <T extends Shaped>(
  backend: Backend<T>,
  { state, sites = [], loss, gradient }: Seen<T>,
): TE.TaskEither<KfacError, unknown> => {
  const numeric = sites.filter(({ site }: { readonly site: AnySite }) => site.vocabulary === undefined);
  return pipe(
    sites,
    TE.traverseSeqArray((at) => lookedUp(backend, at)),
    TE.chain(() =>
      allFinite(backend, 'before the step', byPath('the parameter', { ...state?.held, ...state?.params })),
    ),
    TE.chain(() =>
      allFinite(backend, 'forward', [
        ...numeric.map(
          ({ site, input }) => [`the input of ${site.path === '' ? 'the model' : site.path}`, input] as const,
        ),
        ...(loss === undefined ? [] : [['the loss', loss] as const]),
      ]),
    ),
    TE.chain(() => allFinite(backend, 'backward', byPath('the gradient of', gradient))),
  );
};

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
