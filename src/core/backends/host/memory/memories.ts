/**
 * Several memories as one: when the first is full, another one is opened, as long as the system gives them.
 *
 * Addresses go on from one memory to the next: those of each begin at a multiple of 4 GiB, more than any has. An instance of a
 * module sees the lowest 32 bits of an address, so what works in one memory needs no other number for it. New arrays go to the
 * memory that had room last, so that what a step makes lies together. Whatever fits nowhere gets memory of its own, and is counted.
 *
 * @module
 */
import type { MemoryReport } from '../../backend.ts';

import { line } from './blocks.ts';
import type { MemoryOptions, MemoryUsage, VectorMemory } from './memory.ts';
import { openMemory } from './memory.ts';

/** Memories for arrays of 32-bit floats. What modules import, and what is reserved, are the first one's. */
export interface Memories extends VectorMemory {
  /** Whether there is no other than the first. */
  readonly isOne: () => boolean;
  /** The memory of an address. */
  readonly of: (address: number) => VectorMemory;
  /** A memory without arrays, for copies of those that have to lie together for once; `null` where there is none to be had. */
  readonly spare: () => VectorMemory | null;
  readonly usage: () => MemoryReport;
}

/** Settings of {@link openMemories}: those of each memory, and how many there may be. */
export interface MemoriesOptions extends Omit<MemoryOptions, 'begins' | 'begin'> {
  /** Memories that arrays may lie in; as many as the system gives unless given. */
  readonly memories?: number;
}

/** What addresses of memories begin at multiples of. */
export const apart = 2 ** 32;

/**
 * Opens the first memory, and others when they are needed.
 *
 * @param options - what is reserved in each, how large each may become, and how many there may be
 * @returns the memories, or `null` where there is none to be had
 */
export const openMemories = (options: MemoriesOptions): Memories | null => {
  const { memories: most = Infinity, ...each } = options;
  const begins = new Map<ArrayBufferLike, number>();
  const first = openMemory({ ...each, begins });
  if (first === null) return null;
  const { shared, begin } = first;
  const opened = [first];
  const holders = [first];
  let current = first;
  let spare: VectorMemory | null = null;
  let isExhausted = false;
  let refused = 0;
  /** Bytes of the largest array that a memory without others has room for. */
  const capacityOf = (memory: VectorMemory): number => memory.usage().limit - options.reserve - line;
  let capacity = capacityOf(first);

  const open = (settings: typeof each): VectorMemory | null => {
    const memory = openMemory({ ...settings, shared, begins, begin: opened.length * apart });
    if (memory?.shared !== shared) return null;
    opened.push(memory);
    return memory;
  };

  const another = (): VectorMemory | null => {
    const memory = isExhausted || holders.length >= most ? null : open(each);
    if (memory === null) {
      isExhausted = true;
      return null;
    }
    holders.push(memory);
    capacity = Math.min(capacity, capacityOf(memory));
    return memory;
  };

  const takenFrom = (memory: VectorMemory | null, length: number): Float32Array | null => {
    const data = memory === null ? null : memory.take(length);
    if (memory !== null && data !== null) current = memory;
    return data;
  };

  const elsewhere = (length: number): Float32Array | null => {
    let data: Float32Array | null = null;
    for (const memory of holders.filter((one) => one !== current)) data ??= takenFrom(memory, length);
    if (4 * length <= capacity) data ??= takenFrom(another(), length);
    if (data === null) refused += 1;
    return data;
  };

  return {
    memory: first.memory,
    shared,
    begin,
    reserved: first.reserved,
    take: (length) => current.take(length) ?? elsewhere(length),
    give: (data) => {
      const begin = begins.get(data.buffer);
      if (begin !== undefined) opened[begin / apart].give(data);
    },
    addressOf: (x, at) => {
      const begin = begins.get(x.buffer);
      return begin === undefined ? -1 : begin + x.byteOffset + 4 * at;
    },
    isOne: () => opened.length === 1,
    of: (address) => opened[Math.floor(address / apart)],
    view: (address, length) => opened[Math.floor(address / apart)].view(address, length),
    spare: () => (spare ??= open({ reserve: options.reserve })),
    usage: () => {
      const usages = opened.map((memory) => memory.usage());
      const sum = (of: (usage: MemoryUsage) => number): number => usages.reduce((total, usage) => total + of(usage), 0);
      return {
        taken: sum(({ taken }) => taken),
        size: sum(({ size }) => size),
        limit: usages[0].limit,
        shared,
        memories: opened.length,
        refused,
      };
    },
  };
};
