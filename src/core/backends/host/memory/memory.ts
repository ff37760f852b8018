/**
 * The WebAssembly memory that holds the arrays of host interpreters: one per process, where vector kernels work on them in
 * place, as a BLAS and threads do.
 *
 * A shared memory grows and never moves, so views of it stay good; a plain one detaches its views when it grows, so where
 * memory cannot be shared there is one of a fixed size, of which the system gives a page when it is first touched. An
 * array goes back when it is given back, or when the collector finds that nobody holds it. Whatever does not fit gets
 * memory of its own, and is counted.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { ReadonlyVector } from '../../../tensor.ts';
import { addressablePages } from '../../webAssembly/assembler.ts';

import type { Blocks } from './blocks.ts';
import { blocksBetween, line } from './blocks.ts';

/** How much memory there is, and what became of it. Sizes are in bytes. */
export interface MemoryUsage {
  readonly taken: number;
  /** Size of the memory now, and how large it may become. */
  readonly size: number;
  readonly limit: number;
  readonly shared: boolean;
  /** Arrays that did not fit so far. */
  readonly refused: number;
}

/** Memory for arrays of 32-bit floats. */
export interface VectorMemory {
  /** What modules import. */
  readonly memory: object;
  readonly shared: boolean;
  /** An array with arbitrary contents, or `null` when there is no room. */
  readonly take: (length: number) => Float32Array | null;
  /** Gives back an array that nobody uses any more. */
  readonly give: (data: ReadonlyVector) => void;
  /** Address of an element of an array, −1 when the array lies elsewhere. */
  readonly addressOf: (x: ReadonlyVector, at: number) => number;
  /** An array over the first bytes of the memory, which belong to the kernels. */
  readonly reserved: ArrayBufferLike;
  readonly usage: () => MemoryUsage;
}

/** A memory of WebAssembly. */
interface Memory {
  readonly buffer: ArrayBufferLike;
  readonly grow: (pages: number) => number;
}

/** The part of the JavaScript interface of WebAssembly that is used here. */
interface WebAssemblyInterface {
  readonly Memory: new (limits: {
    readonly initial: number;
    readonly maximum: number;
    readonly shared?: boolean;
  }) => Memory;
}

/** Settings of {@link openMemory}. */
export interface MemoryOptions {
  /** Bytes at the beginning that are no arrays; a multiple of 64. */
  readonly reserve: number;
  /** Whether it is to be shared; tried unless given. */
  readonly shared?: boolean;
  /** Pages of 64 KiB that a shared memory may have; 4 GiB unless given. */
  readonly pages?: number;
}

const pageBytes = 65_536;
/** Pages of a shared memory at first: 16 MiB. */
const firstPages = 256;
/** A memory is doubled until it has this many pages, 512 MiB, and grows by as many from then on. */
const largestStride = 8192;
/** Pages of a memory of fixed size, in the order in which they are tried: 256 MiB, which browsers of telephones give, and 64. */
const fixedPages = [4096, 1024];
/** Bytes at the end that no array has: vectors that begin within an array are read as a whole. */
const margin = line;

const memoryOf = (initial: number, maximum: number, shared: boolean): Memory | null => {
  const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: WebAssemblyInterface };
  return E.toUnion(
    E.tryCatch(
      () => new WebAssembly.Memory({ initial, maximum, ...(shared ? { shared } : {}) }),
      () => null,
    ),
  );
};

const sharedMemory = (pages: number): Memory | null =>
  typeof SharedArrayBuffer === 'function' ? memoryOf(Math.min(firstPages, pages), pages, true) : null;

const fixedMemory = (most: number): Memory | null => {
  for (const pages of fixedPages) {
    const size = Math.min(pages, most);
    const memory = memoryOf(size, size, false);
    if (memory !== null) return memory;
  }
  return null;
};

/**
 * Opens a memory.
 *
 * @param options - what is reserved, and how large it may become
 * @returns the memory, or `null` where there is none to be had
 */
export const openMemory = (options: MemoryOptions): VectorMemory | null => {
  const { reserve, pages = addressablePages } = options;
  const asShared = options.shared === false ? null : sharedMemory(pages);
  const shared = asShared !== null;
  const memory = asShared ?? fixedMemory(pages);
  if (memory === null) return null;
  const limit = shared ? pages * pageBytes : memory.buffer.byteLength;
  const buffers = new Set<ArrayBufferLike>([memory.buffer]);
  const reserved = memory.buffer;
  let { buffer } = memory;
  const blocks: Blocks = blocksBetween(reserve, buffer.byteLength - margin);
  const lost = new FinalizationRegistry<number>(blocks.give);
  let refused = 0;

  const grow = (bytes: number): boolean => {
    const had = buffer.byteLength / pageBytes;
    const needed = Math.ceil((bytes + margin) / pageBytes);
    const wanted = [Math.max(needed, Math.min(had, largestStride)), needed];
    for (const more of wanted) {
      if (!shared || had + more > pages) continue;
      const grown = E.tryCatch(() => memory.grow(more), String);
      if (E.isLeft(grown)) continue;
      ({ buffer } = memory);
      buffers.add(buffer);
      blocks.extend(buffer.byteLength - margin);
      return true;
    }
    return false;
  };

  return {
    memory,
    shared,
    take: (length) => {
      const bytes = 4 * length;
      const address = blocks.take(bytes) ?? (grow(bytes) ? blocks.take(bytes) : null);
      if (address === null) {
        refused += 1;
        return null;
      }
      const data = new Float32Array(buffer, address, length);
      lost.register(data, address, data);
      return data;
    },
    give: (data) => {
      if (!buffers.has(data.buffer)) return;
      lost.unregister(data);
      blocks.give(data.byteOffset);
    },
    addressOf: (x, at) => (buffers.has(x.buffer) ? x.byteOffset + 4 * at : -1),
    reserved,
    usage: () => ({ taken: blocks.taken(), size: buffer.byteLength, limit, shared, refused }),
  };
};
