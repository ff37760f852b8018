/**
 * What a failure comes of, where that can be told: a number that is not finite may have been an index without a row.
 *
 * It costs a look at the inputs of tables, and only when something has failed already.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../backends/backend.ts';
import type { KfacError } from '../errors.ts';
import { checkIndices } from '../nn/lookups.ts';
import type { AnySite } from '../ops/site.ts';
import type { Shaped } from '../tensor.ts';
import type { SiteInput } from './context.ts';

/** Whether a number that is not finite can make this error. */
const isOfNumbers = ({ _tag }: KfacError): boolean => _tag === 'NonFinite' || _tag === 'NotPositiveDefinite';

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

/**
 * The error, or what it comes of: the first index that a table has no row for.
 *
 * @param backend - where the inputs are
 * @param sites - the sites of the forward pass, none where it was not reached
 * @param error - what failed
 */
export const causeOf = <T extends Shaped>(
  backend: Backend<T>,
  sites: ReadonlyArray<SiteInput<T>>,
  error: KfacError,
): TE.TaskEither<KfacError, never> =>
  isOfNumbers(error)
    ? pipe(
        sites,
        TE.traverseSeqArray((at) => lookedUp(backend, at)),
        TE.chain(() => TE.left(error)),
      )
    : TE.left(error);
