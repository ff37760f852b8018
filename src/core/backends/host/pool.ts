/**
 * Buffers that are used again: allocators that remember what they handed out, and a pool for what comes back.
 *
 * New memory is dear twice, when the system first maps it and when the collector lets it go, and a training step makes
 * hundreds of megabytes of it. Arrays are told apart by their buffer, so reshaped ones count as what they share. A
 * buffer belongs to the arena that handed it out last and comes back once; what comes back from elsewhere is ignored.
 *
 * @module
 */
import type { ReadonlyVector } from '../../tensor.ts';
import type { Precision, Vector } from './kernels/precision.ts';

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

/** Bytes from which a buffer is worth keeping; smaller ones are as quick to make. */
const smallest = 1024;
/** Closed arenas over which the largest demand is remembered. */
const remembered = 16;
/** The pool keeps at most this many times the largest demand. */
const generosity = 2;

/** A buffer that was handed out: its array, and the arena that gives it back (`null`: none does). */
interface Loan {
  readonly data: Vector;
  readonly owner: object | null;
}

/** Unused buffers by length. Last in, first out, so that buffers stay in the caches. */
interface Shelves {
  readonly put: (data: Vector) => void;
  readonly get: (length: number) => Vector | undefined;
  readonly bytes: () => number;
  /** Drops the buffers that have lain longest until the rest is within a bound. */
  readonly trim: (bound: number) => void;
}

interface Idle {
  readonly data: Vector;
  /** Position in the order in which buffers came back. */
  readonly order: number;
}

const createShelves = (): Shelves => {
  const shelves = new Map<number, Array<Idle>>();
  let bytes = 0;
  let order = 0;
  return {
    put: (data) => {
      order += 1;
      bytes += data.byteLength;
      const shelf = shelves.get(data.length);
      if (shelf === undefined) shelves.set(data.length, [{ data, order }]);
      else shelf.push({ data, order });
    },
    get: (length) => {
      const idle = shelves.get(length)?.pop();
      if (idle !== undefined) bytes -= idle.data.byteLength;
      return idle?.data;
    },
    bytes: () => bytes,
    trim: (bound) => {
      if (bytes <= bound) return;
      const oldestFirst = Array.from(shelves.values())
        .flat()
        .sort((x, y) => x.order - y.order);
      let drop = 0;
      for (; drop < oldestFirst.length && bytes > bound; drop += 1) bytes -= oldestFirst[drop].data.byteLength;
      shelves.clear();
      for (const idle of oldestFirst.slice(drop)) {
        const shelf = shelves.get(idle.data.length);
        if (shelf === undefined) shelves.set(idle.data.length, [idle]);
        else shelf.push(idle);
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
 */
export const createPool = (precision: Precision): Pool => {
  const shelves = createShelves();
  const loans = new WeakMap<ArrayBufferLike, Loan>();
  const demands = new Array<number>(remembered).fill(0);
  let closed = 0;

  const allocator = (lend: (data: Vector) => void): Allocator => {
    const lent = (data: Vector): Vector => {
      lend(data);
      return data;
    };
    const isSmall = (length: number): boolean => length * precision.bytes < smallest;
    return {
      take: (length) =>
        isSmall(length) ? precision.zeros(length) : lent(shelves.get(length) ?? precision.zeros(length)),
      zeros: (length) =>
        isSmall(length) ? precision.zeros(length) : lent(shelves.get(length)?.fill(0) ?? precision.zeros(length)),
    };
  };

  const takeBack = ({ data }: Loan): void => {
    loans.delete(data.buffer);
    shelves.put(data);
  };

  const lendForGood = (data: Vector): void => void loans.set(data.buffer, { data, owner: null });

  const open = (bequeath: (data: Vector) => void): Arena => {
    const owner = {};
    let made: Array<Vector> | null = [];
    let demand = 0;

    const lend = (data: Vector): void => {
      if (made === null) {
        lendForGood(data);
        return;
      }
      made.push(data);
      demand += data.byteLength;
      loans.set(data.buffer, { data, owner });
    };

    return {
      ...allocator(lend),
      open: () => open(lend),
      close: (keep, retire) => {
        if (made === null) return;
        const kept = new Set(keep.map(({ buffer }) => buffer));
        for (const data of made) {
          const loan = loans.get(data.buffer);
          if (loan?.owner !== owner) continue; // it was retired by somebody, and may be in use again
          if (kept.has(data.buffer)) bequeath(data);
          else takeBack(loan);
        }
        for (const { buffer } of retire) {
          const loan = loans.get(buffer);
          if (loan !== undefined && !kept.has(buffer)) takeBack(loan);
        }
        made = null;
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
