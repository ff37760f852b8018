/**
 * A test on every interpreter that every machine has, and on a BLAS where there is one.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { Backend } from '../../src/core/backends/backend.ts';
import { hostKernelBackend } from '../../src/core/backends/gpu/hostMemory/hostKernels.ts';
import { singleKernels } from '../../src/core/backends/host/simd/kernels.ts';
import { nativeBackend } from '../../src/core/backends/native/backend.ts';
import { portableBackend } from '../../src/core/backends/portable/backend.ts';
import { referenceBackend } from '../../src/core/backends/reference/backend.ts';
import type { Shaped } from '../../src/core/tensor.ts';
import { memoryBackend } from '../core/backends/gpu/device/support.ts';
import { loopBackend } from '../core/backends/host/support.ts';
import { orThrow } from './training.ts';

/** What a test does with a backend, whatever its arrays are. */
export type Act = <T extends Shaped>(backend: Backend<T>) => Promise<void>;

/** Opens a backend, acts on it and disposes of it. */
export type Use = (act: Act) => Promise<void>;

const using =
  <T extends Shaped>(open: () => Backend<T>): Use =>
  async (act) => {
    const backend = open();
    await act(backend);
    orThrow(await backend.dispose());
  };

/**
 * Defines tests on every backend.
 *
 * @param define - is given a name, and a function that opens the backend, acts on it and disposes of it
 */
export const onEveryBackend = (define: (name: string, use: Use) => void): void => {
  define('reference', using(referenceBackend));
  define(
    'host f64',
    using(() => loopBackend('f64').backend),
  );
  define(
    'host f32',
    using(() => loopBackend('f32').backend),
  );
  define(
    'host f32, vector unit for all lengths',
    using(() => loopBackend('f32', singleKernels(1)).backend),
  );
  define(
    'portable',
    using(() => orThrow(portableBackend({ threads: 1 }))),
  );
  define(
    'gpu, WebAssembly',
    using(() => orThrow(hostKernelBackend('webasm', { threads: 1 }))),
  );
  define(
    'device in JavaScript',
    using(() => memoryBackend('cpu')),
  );
  define(
    'device in WebAssembly',
    using(() => memoryBackend('webasm')),
  );
  for (const dtype of ['f32', 'f64'] as const) {
    if (E.isRight(nativeBackend({ dtype })))
      define(
        `native ${dtype}`,
        using(() => orThrow(nativeBackend({ dtype }))),
      );
  }
};
