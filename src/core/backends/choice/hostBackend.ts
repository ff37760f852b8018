/**
 * Choosing a backend whose arrays are in the memory of the processor: where they can be looked at at once, and go back when
 * nobody holds them any more.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { KfacError } from '../../errors.ts';
import { shown } from '../../shown.ts';
import type { Tensor } from '../../tensor.ts';
import type { Backend } from '../backend.ts';
import type { BackendOptions } from './choose.ts';
import { isOfSettings, openHost } from './choose.ts';

/** What `auto` tries, fastest first. */
const ways = ['native', 'portable', 'reference'] as const;

const openFastest = (
  [way, ...slower]: ReadonlyArray<(typeof ways)[number]>,
  options: BackendOptions,
): E.Either<KfacError, Backend<Tensor>> =>
  pipe(
    openHost(way, options),
    E.orElse((error) => (slower.length === 0 || isOfSettings(error) ? E.left(error) : openFastest(slower, options))),
  );

/**
 * Opens a backend in the memory of the processor.
 *
 * @param options - which one: `native` where there is a BLAS, else `portable`, or `reference` where that has not the precision, unless given
 * @returns the backend, or why it cannot be had; `gpu` is none of these
 */
export const openHostBackend = (options: BackendOptions): E.Either<KfacError, Backend<Tensor>> => {
  const { backend = 'auto' } = options;
  switch (backend) {
    case 'auto':
      return openFastest(ways, options);
    case 'native':
    case 'portable':
    case 'reference':
      return openHost(backend, options);
    default:
      return E.left({
        _tag: 'BadConfig',
        path: 'backend',
        expected: 'auto, native, portable or reference, whose arrays are in the memory of the processor',
        actual: shown(backend),
      });
  }
};
