/**
 * The native backend where there can be none. A bundler for browsers takes this file in place of `backend.ts`; the
 * `browser` field of package.json says so.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { BackendUnavailable } from '../../errors.ts';

import type {
  canOpenLibrary as canOpen,
  nativeBackend as backend,
  nativeFactorisations as factorisations,
  opensLibraries as opens,
} from './backend.ts';

export type { NativeOptions } from './backend.ts';

const absent: BackendUnavailable = {
  _tag: 'BackendUnavailable',
  backend: 'native',
  reason: 'a browser opens no libraries of the machine',
  advice: 'Use the gpu backend, which is the default in a browser.',
};

/** Nobody can tell. */
export const canOpenLibrary: typeof canOpen = () => null;

/** No program here opens libraries. */
export const opensLibraries: typeof opens = () => false;

/** Says why there is no native backend. */
export const nativeBackend: typeof backend = () => E.left(absent);

/** Says why there are no factorisations of a library. */
export const nativeFactorisations: typeof factorisations = () => E.left(absent);
