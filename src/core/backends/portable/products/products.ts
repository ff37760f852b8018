/**
 * Matrix products without a BLAS: packed panels and vectors in the memory that holds the arrays, on one thread or several.
 *
 * Operands that lie elsewhere, which only small ones do, are copied in. Packed panels stay for the next product. Threads share
 * panels and blocks of the result; what each of them computes depends on nothing but where it is.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { ReadonlyVector } from '../../../tensor.ts';
import type { Kernels } from '../../host/kernels/kernels.ts';
import type { Vector } from '../../host/kernels/precision.ts';
import { f32 } from '../../host/kernels/precision.ts';
import type { Products, ProductShape } from '../../host/kernels/products.ts';
import type { VectorMemory } from '../../host/memory/memory.ts';
import type { VectorUnit } from '../../host/simd/instance.ts';
import type { Crew, CrewOptions } from '../../threads/crew.ts';
import type { Team } from '../../threads/team.ts';
import { openTeam } from '../../threads/team.ts';
import { isFused } from '../../webAssembly/fused.ts';
import type { Tile } from './module.ts';
import { operation, productModule, tiles, word, words } from './module.ts';
import { smallProduct } from './plain.ts';

/** Products and what they run on. */
export interface PortableProducts extends Products {
  /** Threads that a large product runs on. */
  readonly threads: () => number;
  /** Whether a product is added by the instruction that makes it. */
  readonly fused: boolean;
  /** What did not go as planned so far. */
  readonly warnings: () => ReadonlyArray<string>;
  /** Ends workers and gives back the memory of packed panels. */
  readonly dispose: () => Promise<void>;
}

/** Settings of {@link portableProducts}. */
export interface PortableOptions {
  /** Threads, at least 1, the caller's included. */
  readonly threads: number;
  /** Multiplications above which a product is shared between threads; measured unless given. */
  readonly worthSharing?: number;
  /** Multiplications from which a product is packed, and not left to plain loops; measured unless given. */
  readonly worthPacking?: number;
  /**
   * Whether a product may be added by the instruction that makes it, where the engine has one: `true` unless given. Sums are then
   * rounded half as often, and differ in the last bits from those of an engine without it.
   */
  readonly fused?: boolean;
  /** Settings of the crew. */
  readonly crew?: Pick<CrewOptions, 'patience' | 'source'>;
  /** The threads, where products share them with others; so many of their own unless given. */
  readonly team?: Team;
}

/** Multiplications of a product that takes a few times as long as a worker takes to join in. */
const measuredWorth = 2 ** 20;

/** Multiplications from which packing takes less time than plain loops. */
const measuredPacking = 2 ** 9;

/** Panels that a thread packs at once. */
const panelsAtOnce = 8;

interface Exports {
  readonly run_simd: (start: number, end: number, seed: number) => void;
}

/** The part of the JavaScript interface of WebAssembly that is used here. */
interface WebAssemblyInterface {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: { readonly env: { readonly memory: object } },
  ) => { readonly exports: object };
}

const whole = (multiple: number, n: number): number => multiple * Math.ceil(n / multiple);

/** What a product does besides being computed. */
interface Manner {
  /** Writes what the product is added to; `null` where it is added to nothing. */
  readonly begin: ((out: Vector) => void) | null;
  /** Only the diagonal and what is below it are wanted. */
  readonly lower: boolean;
}

const plainly: Manner = { begin: null, lower: false };

/** In plain loops. */
const plainProduct: Products['matmul'] = (a, b, { m, n, k, transposeA, transposeB }, out) =>
  smallProduct(m, n, k, transposeA, transposeB, a, b, out);

/** Where products are computed: a memory with a module over it, and rooms that are used again and grow. */
interface Site {
  readonly memory: VectorMemory;
  /** Describes a product to all threads. */
  readonly job: Int32Array;
  readonly here: Exports['run_simd'];
  /** Number of the kernel that workers know. */
  readonly kernel: number;
  readonly room: (name: string, length: number) => Float32Array | null;
  /** Gives back the rooms. */
  readonly close: () => void;
}

/** A place for products in a memory; `null` where it has no room for the description of a job. */
const openSite = (memory: VectorMemory, tile: Tile, team: Team): Site | null => {
  const place = memory.take(words);
  if (place === null) return null;
  const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: WebAssemblyInterface };
  const module = new WebAssembly.Module(productModule(memory.shared, place.byteOffset, tile));
  const { run_simd: here } = new WebAssembly.Instance(module, { env: { memory: memory.memory } }).exports as Exports;
  const rooms = new Map<string, Float32Array>();
  return {
    memory,
    // A view does not keep the array that it is one of: whoever disposes of the products does.
    job: new Int32Array(place.buffer, place.byteOffset, words),
    here,
    kernel: team.introduce({ module, memory: memory.memory, functions: [] }),
    room: (name, length) => {
      const held = rooms.get(name);
      if (held !== undefined && held.length >= length) return held;
      if (held !== undefined) memory.give(held);
      rooms.delete(name);
      const made = memory.take(length);
      if (made !== null) rooms.set(name, made);
      return made;
    },
    close: () => {
      for (const held of [place, ...rooms.values()]) memory.give(held);
      rooms.clear();
    },
  };
};

/**
 * Products in the memories of a vector unit.
 *
 * @param unit - the vector unit
 * @param kernels - loops on its memory
 * @param options - threads
 * @returns the products, or `null` where the memory has no room for a job's description
 */
export const portableProducts = (
  unit: VectorUnit,
  kernels: Kernels,
  options: PortableOptions,
): PortableProducts | null => {
  const { memory } = unit;
  const { worthSharing = measuredWorth } = options;
  const tile = tiles[(options.fused ?? true) && isFused() ? 'fused' : 'plain'];
  const { block } = tile;
  const worthPacking = Math.max(1, options.worthPacking ?? measuredPacking); // no kernel runs over nothing
  const team = options.team ?? openTeam({ ...options, memory, what: 'Products run' });
  const sites = new Map<VectorMemory, Site>();
  const siteOn = (one: VectorMemory): Site | null => {
    const site = sites.get(one) ?? openSite(one, tile, team);
    if (site !== null) sites.set(one, site);
    return site;
  };
  const spareSite = (): Site | null => {
    const spare = memory.spare();
    return spare === null ? null : siteOn(spare);
  };
  if (siteOn(memory.of(0)) === null && spareSite() === null) return null;

  /** Where an operand lies, −1 where there is no room for it. */
  const within = ({ memory: here, room }: Site, name: string, x: ReadonlyVector, length: number): number => {
    const own = here.addressOf(x, 0);
    if (own >= 0) return own;
    const staged = room(name, length);
    staged?.set(x.length === length ? x : f32.part(x, 0, length));
    return staged?.byteOffset ?? -1;
  };

  const perform = (
    site: Site,
    what: number,
    cells: number,
    chunk: number,
    helpers: Crew | null,
  ): E.Either<string, void> => {
    const { job, kernel, here } = site;
    job[word.operation] = what;
    if (helpers !== null) return helpers.share(kernel, cells, chunk, (start, end) => here(start, end, 0));
    here(0, cells, 0);
    return E.right(undefined);
  };

  /** The three parts of a job. */
  const performAll = (site: Site, m: number, n: number, helpers: Crew | null): E.Either<string, void> => {
    const cells = Math.ceil(m / block.rows) * Math.ceil(n / block.columns);
    const left = perform(site, operation.packLeft, Math.ceil(m / tile.rows), panelsAtOnce, helpers);
    const right = E.isLeft(left) ? left : perform(site, operation.packRight, Math.ceil(n / tile.columns), panelsAtOnce, helpers); // prettier-ignore
    return E.isLeft(right) ? right : perform(site, operation.multiply, cells, 1, helpers);
  };

  /** `out = op(A) op(B)`, added to what it is begun with; false where there is no room. */
  const multiplyOn = (
    site: Site,
    a: ReadonlyVector,
    b: ReadonlyVector,
    { m, n, k, transposeA, transposeB }: ProductShape,
    out: Vector,
    { begin, lower }: Manner,
  ): boolean => {
    const left = within(site, 'a', a, m * k);
    const right = b === a ? left : within(site, 'b', b, k * n);
    const { job, room } = site;
    const own = site.memory.addressOf(out, 0);
    const result = own >= 0 ? null : room('c', m * n);
    const target = result ?? out;
    const packedA = room('left', whole(tile.rows, m) * k);
    const packedB = room('right', whole(tile.columns, n) * k);
    if (left < 0 || right < 0 || packedA === null || packedB === null || (own < 0 && result === null)) return false;
    job.set([
      ...[operation.packLeft, left, transposeA ? 4 : 4 * k, transposeA ? 4 * m : 4],
      ...[right, transposeB ? 4 * k : 4, transposeB ? 4 : 4 * n, result?.byteOffset ?? own],
      ...[m, n, k, packedA.byteOffset, packedB.byteOffset, begin === null ? 0 : 1, lower ? 1 : 0],
    ]);
    const helpers = m * n * k <= worthSharing ? null : team.crew();
    begin?.(target);
    const done = performAll(site, m, n, helpers);
    if (E.isLeft(done)) {
      team.giveUp(done.left);
      begin?.(target);
      performAll(site, m, n, null);
    }
    if (result !== null) out.set(result.subarray(0, m * n));
    return true;
  };

  /** The same in the memory where the result lies, or in one without arrays if there is no room. */
  const multiply = (
    a: ReadonlyVector,
    b: ReadonlyVector,
    shape: ProductShape,
    out: Vector,
    manner: Manner,
  ): boolean => {
    const isDoneOn = (site: Site | null): boolean => site !== null && multiplyOn(site, a, b, shape, out, manner);
    return isDoneOn(siteOn(memory.of(Math.max(0, memory.addressOf(out, 0))))) || isDoneOn(spareSite());
  };

  const matmul: Products['matmul'] = (a, b, shape, out) => {
    const isDone = shape.m * shape.n * shape.k >= worthPacking && multiply(a, b, shape, out, plainly);
    if (!isDone) plainProduct(a, b, shape, out);
  };

  return {
    matmul,
    batchedMatmul: (batch, a, b, shape, out) => {
      const { m, n, k } = shape;
      for (let i = 0; i < batch; i += 1) {
        matmul(f32.part(a, i * m * k, m * k), f32.part(b, i * k * n, k * n), shape, f32.part(out, i * m * n, m * n));
      }
    },
    affine: (x, weight, bias, m, n, k, out) => {
      const shape = { m, n, k, transposeA: false, transposeB: true };
      const begin = (target: Vector): void => kernels.copyRows(bias, 0, 0, target, 0, n, m, n);
      if (m * n * k >= worthPacking && multiply(x, weight, shape, out, { begin, lower: false })) return;
      plainProduct(x, weight, shape, out);
      kernels.binary.add.rows(out, 0, n, bias, 0, 0, out, 0, m, n);
    },
    gram: (x, rows, columns, out) => {
      const shape = { m: columns, n: columns, k: rows, transposeA: true, transposeB: false };
      const isDone = columns ** 2 * rows >= worthPacking && multiply(x, x, shape, out, { begin: null, lower: true }); // prettier-ignore
      if (!isDone) plainProduct(x, x, shape, out);
      kernels.mirrorLower(columns, out, columns);
    },
    threads: team.threads,
    fused: tile.fused,
    warnings: team.warnings,
    dispose: async () => {
      await team.dispose();
      for (const { close } of sites.values()) close();
      sites.clear();
    },
  };
};
