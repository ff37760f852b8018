/**
 * The portable backend: everything in WebAssembly memory, with vectors, and nothing that a machine would have to have installed.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { BackendUnavailable, BadConfig } from '../../errors.ts';
import type { Tensor } from '../../tensor.ts';
import type { Backend } from '../backend.ts';
import { hostBackend } from '../host/backend.ts';
import type { VectorUnit } from '../host/simd/instance.ts';
import { refusedLimit, vectorUnit } from '../host/simd/instance.ts';
import { singleKernels } from '../host/simd/kernels.ts';
import type { SharingOptions } from '../host/simd/sharing.ts';
import { refusedSharing, sharedUnit } from '../host/simd/sharing.ts';
import { windowProducts } from '../host/simd/windowProducts.ts';
import { isFused } from '../webAssembly/fused.ts';
import { openTeam } from '../threads/team.ts';
import { processorCount } from '../threads/worker.ts';
import { portableFactorisations } from './factorisations.ts';
import type { PortableOptions } from './products/products.ts';
import { portableProducts } from './products/products.ts';

/** Settings of {@link portableBackend}. */
export interface PortableBackendOptions extends Omit<PortableOptions, 'threads' | 'team'> {
  /** Threads of a large product; as many as the machine runs at once unless given. */
  readonly threads?: number;
  /** From which size loops are shared between threads; none are unless given. */
  readonly sharing?: SharingOptions;
  /** Largest size of one memory for arrays, as in `NativeOptions`. */
  readonly memoryLimit?: number;
  /** The vector unit; that of the process, or one with the limit, unless given. */
  readonly unit?: VectorUnit | null;
}

const unavailable = (reason: string): BackendUnavailable => ({
  _tag: 'BackendUnavailable',
  backend: 'portable',
  reason,
  advice: 'Use the native, the gpu or the reference backend.',
});

/** Threads need memory that they share. */
const threadWarnings = (unit: VectorUnit, threads: number): ReadonlyArray<string> =>
  unit.memory.shared || threads === 1
    ? []
    : ['Products run on one thread: memory cannot be shared here, as on a page that is not isolated across origins.'];

/**
 * Opens the portable backend, which has single precision only.
 *
 * @param options - threads
 * @returns the backend, or why WebAssembly cannot be used here
 * @example
 * ```ts
 * import * as E from 'fp-ts/lib/Either.js';
 * import { describeError, portableBackend } from 'kfac-ts/core';
 *
 * const opened = portableBackend({ threads: 1 });
 * console.log(E.isRight(opened) ? opened.right.report() : describeError(opened.left));
 * ```
 */
export const portableBackend = (
  options: PortableBackendOptions = {},
): E.Either<BackendUnavailable | BadConfig, Backend<Tensor>> => {
  const { threads = processorCount(), memoryLimit } = options;
  if (!(Number.isInteger(threads) && threads >= 1)) {
    const expected = 'a whole number of at least 1';
    return E.left({ _tag: 'BadConfig', path: 'threads', expected, actual: String(threads) });
  }
  const refused = refusedSharing(options.sharing) ?? refusedLimit(memoryLimit);
  if (refused !== null) return E.left(refused);
  const { unit = vectorUnit(memoryLimit) } = options;
  if (unit === null) return E.left(unavailable('WebAssembly with vectors cannot be used here'));
  const team = openTeam({ ...options, threads, memory: unit.memory, what: 'Everything runs' });
  const shared = sharedUnit(unit, team, options.sharing);
  const kernels = singleKernels(undefined, shared);
  const products = portableProducts(unit, kernels, { ...options, threads, team });
  if (products === null) return E.left(unavailable('there is no memory for WebAssembly'));
  const warnings = threadWarnings(unit, threads);
  return E.right(
    hostBackend({
      name: 'portable',
      dtype: 'f32',
      products: products.fused === isFused() ? { ...products, windows: windowProducts(shared, Infinity) } : products,
      kernels,
      factorisations: portableFactorisations,
      report: () => ({
        backend: 'portable',
        library: `vectors in WebAssembly${products.fused ? ', fused multiply-add' : ''}`,
        threads: team.threads(),
        factorisations: 'portable',
        warnings: [...warnings, ...team.warnings()],
      }),
      dispose: TE.fromTask(products.dispose),
      unit,
    }),
  );
};
