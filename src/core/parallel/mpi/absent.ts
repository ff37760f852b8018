/**
 * MPI where there can be none. A bundler for browsers takes this file in place of `mpi.ts`; the `browser` field of package.json
 * says so.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { mpi as real } from './mpi.ts';

export type { Mpi } from './mpi.ts';

/** Says why there is no MPI. */
export const mpi: typeof real = () =>
  E.left({
    _tag: 'BackendUnavailable',
    backend: 'MPI',
    reason: 'a browser opens no libraries of the machine',
    advice: 'Train in one process, or in Node.js.',
  });
