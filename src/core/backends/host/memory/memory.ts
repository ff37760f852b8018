/**
 * A WebAssembly memory that holds arrays of host interpreters, where vector kernels work on them in place, as a BLAS and threads
 * do. Several of them are one by `memories.ts`.
 *
 * A shared memory grows and never moves, so views of it stay good; a plain one detaches its views when it grows, so where
 * memory cannot be shared there is one of a fixed size, of which the system gives a page when it is first touched. An
 * array goes back when it is given back, or when the collector finds that nobody holds it.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { ReadonlyVector } from '../../../tensor.ts';
import { addressablePages } from '../../webAssembly/assembler.ts';

import type { Blocks } from './blocks.ts';
import { blocksBetween, line } from './blocks.ts';

/** How much memory there is. Sizes are in bytes. */
export interface MemoryUsage {
  readonly taken: number;
  /** Size of the memory now, and how large it may become. */
  readonly size: number;
  readonly limit: number;
  readonly shared: boolean;
}

/** Memory for arrays of 32-bit floats. */
export interface VectorMemory {
  /** What modules import. */
  readonly memory: object;
  readonly shared: boolean;
  /** Its first address. */
  readonly begin: number;
  /** An array with arbitrary contents, or `null` when there is no room. */
  readonly take: (length: number) => Float32Array | null;
  /** Gives back an array that nobody uses any more. */
  readonly give: (data: ReadonlyVector) => void;
  /** Address of an element of an array, −1 when the array lies elsewhere. */
  readonly addressOf: (x: ReadonlyVector, at: number) => number;
  /** Some elements from an address on. */
  readonly view: (address: number, length: number) => Float32Array;
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

/** Where addresses begin by buffer. */
export interface Begins {
  readonly get: (buffer: ArrayBufferLike) => number | undefined;
  readonly set: (buffer: ArrayBufferLike, begin: number) => unknown;
}

/** Settings of {@link openMemory}. */
export interface MemoryOptions {
  /** Bytes at the beginning that are no arrays; a multiple of 64. */
  readonly reserve: number;
  /** Whether it is to be shared; tried unless given. */
  readonly shared?: boolean;
  /** Pages of 64 KiB that it may have; 4 GiB unless given, less where it is not shared. */
  readonly pages?: number;
  /**
   * The buffers of all memories that are told apart by where their addresses begin, and where those of this one do: at 0, and nothing
   * is told apart, unless given.
   */
  readonly begins?: Begins;
  readonly begin?: number;
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
  const { reserve, pages = addressablePages, begins = new Map<ArrayBufferLike, number>(), begin = 0 } = options;
  const asShared = options.shared === false ? null : sharedMemory(pages);
  const shared = asShared !== null;
  const memory = asShared ?? fixedMemory(pages);
  if (memory === null) return null;
  const limit = shared ? pages * pageBytes : memory.buffer.byteLength;
  const reserved = memory.buffer;
  begins.set(reserved, begin);
  let { buffer } = memory;
  const blocks: Blocks = blocksBetween(reserve, buffer.byteLength - margin);
  const lost = new FinalizationRegistry<number>(blocks.give);

  const grow = (bytes: number): boolean => {
    const had = buffer.byteLength / pageBytes;
    const needed = Math.ceil((bytes + margin) / pageBytes);
    // What is free at the end may be enough with all that can still be had.
    const wanted = [Math.max(needed, Math.min(had, largestStride)), needed, pages - had];
    for (const more of wanted) {
      if (!shared || more === 0 || had + more > pages) continue;
      const grown = E.tryCatch(() => memory.grow(more), String);
      if (E.isLeft(grown)) continue;
      ({ buffer } = memory);
      begins.set(buffer, begin);
      blocks.extend(buffer.byteLength - margin);
      return true;
    }
    return false;
  };

  return {
    memory,
    shared,
    begin,
    take: (length) => {
      const bytes = 4 * length;
      const address = blocks.take(bytes) ?? (grow(bytes) ? blocks.take(bytes) : null);
      if (address === null) return null;
      const data = new Float32Array(buffer, address, length);
      lost.register(data, address, data);
      return data;
    },
    give: (data) => {
      if (begins.get(data.buffer) !== begin) return;
      lost.unregister(data);
      blocks.give(data.byteOffset);
    },
    addressOf: (x, at) => (begins.get(x.buffer) === begin ? begin + x.byteOffset + 4 * at : -1),
    view: (address, length) => new Float32Array(buffer, address - begin, length),
    reserved,
    usage: () => ({ taken: blocks.taken(), size: buffer.byteLength, limit, shared }),
  };
};
