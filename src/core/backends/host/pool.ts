/**
 * Buffers that are used again: allocators that remember what they handed out, and a pool for what comes back.
 *
 * New memory is dear twice, when the system first maps it and when the collector lets it go, and a training step makes
 * hundreds of megabytes of it. An array is told apart by its object, which reshaped tensors share. It belongs to the
 * arena that handed it out last and comes back once; what comes back from elsewhere is ignored.
 *
 * New arrays lie in the memory of the vector unit as long as there is room, others in memory of their own. Large ones go
 * back to that memory at once, where arrays of any length take their place. The collector does not see how large arrays
 * there are, and would let a loop that hands nothing back fill the memory: where much has left the arenas, what leaves them
 * has a weight, an array that nobody touches and whose size the collector sees.
 *
 * @module
 */
import type { ReadonlyVector } from '../../tensor.ts';
import type { Precision, Vector } from './kernels/precision.ts';
import type { VectorMemory } from './memory/memory.ts';

/** Makes arrays of one float type. */
export interface Allocator {
  /** An array with arbitrary contents, all of which the caller overwrites. */
  readonly take: (length: number) => Vector;
  /** An array of zeros. */
  readonly zeros: (length: number) => Vector;
}

/** An allocator whose arrays go back to the pool at its end. */
export interface Arena extends Allocator {
  /** An arena within this one: what it keeps belongs to this one. */
  readonly open: () => Arena;
  /**
   * Ends the arena: its arrays go back, except those that share a buffer with one in `keep`. Arrays of `retire` go back
   * whichever allocator of the pool made them. What is allocated after the end is collected like any other array.
   */
  readonly close: (keep: ReadonlyArray<ReadonlyVector>, retire: ReadonlyArray<ReadonlyVector>) => void;
}

/** A pool and the allocators that draw on it. */
export interface Pool {
  /** Arrays that it makes are collected like any other, unless they are retired. */
  readonly root: Allocator;
  readonly open: () => Arena;
  /** Bytes that lie unused in the pool. */
  readonly idleBytes: () => number;
  /** Lets go of all unused buffers. */
  readonly clear: () => void;
}

/** Bytes from which an array is worth keeping; smaller ones are as quick to make. */
const worthKeeping = 1024;
/** Closed arenas over which the largest demand is remembered. */
const remembered = 16;
/** The pool keeps at most this many times the largest demand. */
const generosity = 2;
/** Bytes from which an array goes back to the memory that it lies in: making it takes less time than using it once. */
const large = 2 ** 19;
/** Bytes outside the arenas up to which nothing has a weight. */
const weightless = 2 ** 27;
/** Bytes from which a weight is an array of pages that the system gives when they are touched. */
const pages = 65_536;

/** Settings of {@link createPool}. */
export interface PoolSettings {
  /** Where 32-bit floats go as long as there is room. */
  readonly memory?: Pick<VectorMemory, 'take' | 'give' | 'addressOf'> | null;
  /** Bytes of the smallest array that the pool keeps; measured unless given. */
  readonly smallest?: number;
  /** Sets all elements to zero. */
  readonly clear?: (data: Vector) => void;
}

const nobody: object = {};
const shelf: object = {};

/**
 * An array that the pool has made: who gives it back (an arena, `nobody`, or the `shelf` while it lies in the pool), the arena
 * whose end it outlives while that ends, its position in the order in which arrays came back, and its weight, once it has
 * one.
 */
const slotFor = (data: Vector) => ({
  data,
  owner: nobody,
  keeper: null as object | null,
  order: 0,
  weight: null as ArrayBuffer | null,
});

type Slot = ReturnType<typeof slotFor>;

/** An array of a size, of which nothing is touched. */
const weightOf = (bytes: number): ArrayBuffer => {
  const { ArrayBuffer: Growing } = globalThis as unknown as {
    readonly ArrayBuffer: new (length: number, options?: { readonly maxByteLength: number }) => ArrayBuffer;
  };
  return bytes < pages ? new Growing(bytes) : new Growing(bytes, { maxByteLength: bytes });
};

/** Whether an array is a part of what it shares memory with. */
const isPart = (data: ReadonlyVector): boolean => data.byteOffset > 0 || data.byteLength < data.buffer.byteLength;

/** Unused arrays by length. Last in, first out, so that they stay in the caches. */
interface Shelves {
  readonly put: (slot: Slot) => void;
  readonly get: (length: number) => Slot | undefined;
  readonly bytes: () => number;
  /** Drops the arrays that have lain longest until the rest is within a bound. */
  readonly trim: (bound: number) => void;
}

const createShelves = (drop: (slot: Slot) => void): Shelves => {
  const shelves = new Map<number, Array<Slot>>();
  let bytes = 0;
  let order = 0;
  return {
    put: (slot) => {
      const { data } = slot;
      order += 1;
      slot.order = order;
      slot.owner = shelf;
      bytes += data.byteLength;
      const same = shelves.get(data.length);
      if (same === undefined) shelves.set(data.length, [slot]);
      else same.push(slot);
    },
    get: (length) => {
      const slot = shelves.get(length)?.pop();
      if (slot !== undefined) bytes -= slot.data.byteLength;
      return slot;
    },
    bytes: () => bytes,
    trim: (bound) => {
      if (bytes <= bound) return;
      const oldestFirst = Array.from(shelves.values())
        .flat()
        .sort((x, y) => x.order - y.order);
      let count = 0;
      for (; count < oldestFirst.length && bytes > bound; count += 1) {
        bytes -= oldestFirst[count].data.byteLength;
        drop(oldestFirst[count]);
      }
      shelves.clear();
      for (const slot of oldestFirst.slice(count)) {
        const same = shelves.get(slot.data.length);
        if (same === undefined) shelves.set(slot.data.length, [slot]);
        else same.push(slot);
      }
    },
  };
};

/**
 * An empty pool.
 *
 * What it holds on to is bounded by the demand of the last arenas, so its size follows the program's: some steps after
 * a large evaluation it has shrunk again.
 *
 * @param precision - element type of all arrays
 * @param settings - where arrays lie
 */
export const createPool = (precision: Precision, settings: PoolSettings = {}): Pool => {
  const { memory = null, smallest = worthKeeping, clear = (data: Vector): void => void data.fill(0) } = settings;
  const slots = new WeakMap<ReadonlyVector, Slot>();
  const drop = ({ data }: Slot): void => {
    slots.delete(data);
    memory?.give(data);
  };
  const shelves = createShelves(drop);
  const demands = new Array<number>(remembered).fill(0);
  let closed = 0;

  const made = (length: number): Slot => {
    const slot = slotFor(memory?.take(length) ?? precision.zeros(length));
    slots.set(slot.data, slot);
    return slot;
  };

  const allocator = (lend: (slot: Slot) => void): Allocator => {
    const taken = (length: number): Vector => {
      const slot = shelves.get(length) ?? made(length);
      lend(slot);
      return slot.data;
    };
    const isSmall = (length: number): boolean => length * precision.bytes < smallest;
    return {
      take: (length) => (isSmall(length) ? precision.zeros(length) : taken(length)),
      zeros: (length) => {
        if (isSmall(length)) return precision.zeros(length);
        const data = taken(length);
        clear(data);
        return data;
      },
    };
  };

  const isInMemory = ({ data }: Slot): boolean => memory !== null && memory.addressOf(data, 0) >= 0;

  let outside = 0;
  const lost = new FinalizationRegistry<number>((bytes) => {
    outside -= bytes;
  });

  const lendForGood = (slot: Slot): void => {
    const { data } = slot;
    slot.owner = nobody;
    if (!isInMemory(slot)) return;
    outside += data.byteLength;
    lost.register(data, data.byteLength, data);
    if (outside > weightless) slot.weight ??= weightOf(data.byteLength);
  };

  const takeBack = (slot: Slot): void => {
    const { data } = slot;
    if (slot.owner === nobody && lost.unregister(data)) outside -= data.byteLength;
    if (data.byteLength < large || !isInMemory(slot)) {
      shelves.put(slot);
      return;
    }
    slot.owner = shelf;
    drop(slot);
  };

  /** The slot of an array, or of the one among some that it is a part of. */
  const slotAmong = (some: ReadonlyArray<Slot>, part: ReadonlyVector): Slot | undefined => {
    const known = slots.get(part);
    if (known !== undefined || !isPart(part)) return known;
    const { buffer, byteOffset } = part;
    return some.find(({ data }) => {
      const at = byteOffset - data.byteOffset;
      return data.buffer === buffer && at >= 0 && at < data.byteLength;
    });
  };

  const open = (bequeath: (slot: Slot) => void): Arena => {
    const owner = {};
    let lent: Array<Slot> | null = [];
    let demand = 0;

    const lend = (slot: Slot): void => {
      if (lent === null) {
        lendForGood(slot);
        return;
      }
      slot.owner = owner;
      lent.push(slot);
      demand += slot.data.byteLength;
    };

    return {
      ...allocator(lend),
      open: () => open(lend),
      close: (keep, retire) => {
        if (lent === null) return;
        const mine = lent;
        lent = null;
        for (const data of keep) {
          const slot = slotAmong(mine, data);
          if (slot !== undefined) slot.keeper = owner;
        }
        for (const slot of mine) {
          if (slot.owner !== owner) continue; // it was retired by somebody, and may be in use again
          if (slot.keeper === owner) bequeath(slot);
          else takeBack(slot);
        }
        for (const data of retire) {
          const slot = slots.get(data);
          if (slot !== undefined && slot.owner !== shelf && slot.keeper !== owner) takeBack(slot);
        }
        demands[closed % remembered] = demand;
        closed += 1;
        shelves.trim(generosity * Math.max(...demands));
      },
    };
  };

  return {
    root: allocator(lendForGood),
    open: () => open(lendForGood),
    idleBytes: shelves.bytes,
    clear: () => shelves.trim(-1),
  };
};
