/**
 * The backend that computes in host memory. `native` and `gpu` are this with products and factorisations of their own.
 *
 * A scope is the same interpreter on an arena of the pool, made anew: a few microseconds, and scopes can be open side
 * by side without knowing of each other.
 *
 * @module
 */
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../errors.ts';
import type { Tensor } from '../../tensor.ts';
import { tensor } from '../../tensor.ts';
import type { Backend, BackendReport, Scope } from '../backend.ts';
import { f32, f64 } from './kernels/precision.ts';

import { interpreterOn } from './interpreter.ts';
import type { Kernels } from './kernels/kernels.ts';
import { plainKernels } from './kernels/plain.ts';
import type { Factorisations } from './linearAlgebra.ts';
import { linearAlgebraOf } from './linearAlgebra.ts';
import type { Allocator, Arena } from './pool.ts';
import { createPool } from './pool.ts';
import type { Products } from './kernels/products.ts';
import { singleKernels } from './simd/kernels.ts';

/** What differs between backends in host memory. */
export interface HostSettings {
  readonly name: string;
  readonly dtype: 'f32' | 'f64';
  /** Matrix products in that precision. */
  readonly products: Products;
  /** Factorisations in that precision. */
  readonly factorisations: Factorisations;
  readonly report: () => BackendReport;
  /** Frees what products and factorisations hold. */
  readonly dispose: TE.TaskEither<KfacError, void>;
  /** Elementwise loops; the fastest there are unless given. */
  readonly kernels?: Kernels;
}

/**
 * A backend in host memory.
 *
 * @param settings - its products and factorisations
 */
export const hostBackend = (settings: HostSettings): Backend<Tensor> => {
  const { name, dtype, products, factorisations, report } = settings;
  const precision = dtype === 'f32' ? f32 : f64;
  const kernels = settings.kernels ?? (dtype === 'f32' ? singleKernels() : plainKernels);
  const pool = createPool(precision);

  const backendOn = (allocator: Allocator, open: () => Arena): Backend<Tensor> => {
    const host = { precision, kernels, products, allocator };
    return {
      name,
      dtype,
      ops: interpreterOn(host),
      linearAlgebra: linearAlgebraOf(host, factorisations),
      read: (x) => TE.fromIO(() => tensor(x.data, x.shape, x.dtype)),
      scope: () => scopeOn(open()),
      report,
      dispose: TE.map(pool.clear)(settings.dispose),
    };
  };

  const scopeOn = (arena: Arena): Scope<Tensor> => ({
    backend: backendOn(arena, arena.open),
    close: (keep, retire = []) =>
      arena.close(
        keep.map(({ data }) => data),
        retire.map(({ data }) => data),
      ),
  });

  return backendOn(pool.root, pool.open);
};
