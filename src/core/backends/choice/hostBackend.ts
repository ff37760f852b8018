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
import { nativeBackend } from '../native/backend.ts';
import { portableBackend } from '../portable/backend.ts';
import { referenceBackend } from '../reference/backend.ts';
import type { BackendOptions } from './choose.ts';

/**
 * Opens a backend in the memory of the processor.
 *
 * @param options - which one: `native` where there is a BLAS, else `portable`, unless given
 * @returns the backend, or why it cannot be had; `gpu` is none of these
 */
export const openHostBackend = ({
  backend = 'auto',
  dtype,
  threads,
}: BackendOptions): E.Either<KfacError, Backend<Tensor>> => {
  const threading = threads === undefined ? {} : { threads };
  const native = (): E.Either<KfacError, Backend<Tensor>> =>
    nativeBackend({ ...threading, ...(dtype === undefined ? {} : { dtype }) });
  switch (backend) {
    case 'native':
      return native();
    case 'portable':
      return portableBackend(threading);
    case 'reference':
      return E.right(referenceBackend());
    case 'auto':
      return pipe(
        native(),
        E.orElseW(() => portableBackend(threading)),
        E.orElseW((): E.Either<KfacError, Backend<Tensor>> => E.right(referenceBackend())),
      );
    default:
      return E.left({
        _tag: 'BadConfig',
        path: 'backend',
        expected: 'auto, native, portable or reference, whose arrays are in the memory of the processor',
        actual: shown(backend),
      });
  }
};
