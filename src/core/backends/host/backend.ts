/**
 * The backend that computes in host memory. `native` and `gpu` are this with products and factorisations of their own.
 *
 * A scope is the same interpreter on an arena of the pool, made anew: a few microseconds, and scopes can be open side
 * by side without knowing of each other.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../errors.ts';
import type { ReadonlyVector, Tensor } from '../../tensor.ts';
import { sizeOf, tensor } from '../../tensor.ts';
import type { Backend, BackendReport, Scope } from '../backend.ts';
import { withinScopes } from '../within.ts';
import { floatTensor } from './host.ts';
import type { Vector } from './kernels/precision.ts';
import { f32, f64 } from './kernels/precision.ts';

import { interpreterOn } from './interpreter.ts';
import type { Kernels } from './kernels/kernels.ts';
import { plainKernels } from './kernels/plain.ts';
import type { Factorisations } from './linearAlgebra.ts';
import { linearAlgebraOf } from './linearAlgebra.ts';
import type { Allocator, Arena } from './pool.ts';
import { createPool } from './pool.ts';
import type { Products } from './kernels/products.ts';
import type { Memories } from './memory/memories.ts';
import type { VectorUnit } from './simd/instance.ts';
import { vectorUnit } from './simd/instance.ts';
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
  /** The vector unit in whose memory arrays of single precision lie; that of the process unless given. */
  readonly unit?: VectorUnit | null;
  /** Bytes of the smallest array that lies there; measured unless given. */
  readonly smallest?: number;
}

/** What to say of arrays that the memories of the vector unit had no room for. */
const crowded = (memory: Memories | null): ReadonlyArray<string> => {
  if (memory === null) return [];
  const { refused, limit, memories } = memory.usage();
  const each = `${limit / 2 ** 20} MiB`;
  const size = memories === 1 ? each : `${memories} memories of ${each}`;
  return refused === 0
    ? []
    : [`${refused} arrays did not fit into the ${size} of vector kernels, which are slower on them.`];
};

/**
 * A backend in host memory.
 *
 * @param settings - its products and factorisations
 */
export const hostBackend = (settings: HostSettings): Backend<Tensor> => {
  const { name, dtype, products, factorisations, report } = settings;
  const precision = dtype === 'f32' ? f32 : f64;
  const { unit = vectorUnit() } = settings;
  const kernels = settings.kernels ?? (dtype === 'f32' ? singleKernels(undefined, unit) : plainKernels);
  const memory = dtype === 'f32' ? (unit?.memory ?? null) : null;
  const pool = createPool(precision, {
    memory,
    clear: (data) => kernels.fill(data, 0),
    ...(settings.smallest === undefined ? {} : { smallest: settings.smallest }),
  });

  const lasting = (values: ReadonlyVector, length: number): Vector => {
    const out = pool.root.take(length);
    kernels.copyRows(values, 0, length, out, 0, length, 1, length);
    return out;
  };

  const backendOn = (allocator: Allocator, open: () => Arena): Backend<Tensor> => {
    const isInside = (data: ReadonlyVector): boolean => memory === null || memory.addressOf(data, 0) >= 0;
    const host = { precision, kernels, products, allocator, isInside };
    return {
      name,
      dtype,
      ops: interpreterOn(host, { within: withinScopes(() => scopeOn(open())) }),
      linearAlgebra: linearAlgebraOf(host, factorisations, lasting, isInside),
      read: (x) => () => Promise.resolve(E.right(tensor(x.data, x.shape, x.dtype))),
      room: (shape) => floatTensor(host, shape, allocator.take(sizeOf(shape))),
      scope: () => scopeOn(open()),
      report: () => {
        const told = report();
        return {
          ...told,
          warnings: [...told.warnings, ...crowded(memory)],
          ...(memory === null ? {} : { memory: memory.usage() }),
        };
      },
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
