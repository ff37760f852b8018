/**
 * Blocks of one stretch of memory: taken and given back in any order, neighbours that are free become one.
 *
 * The smallest free block that is large enough is cut. Sizes and addresses are multiples of 64 bytes, a line of the caches,
 * so that no two arrays share a line and vectors lie within one.
 *
 * @module
 */

/** What a block begins at and is a multiple of, in bytes. */
export const line = 64;

/** A stretch of memory, handed out in blocks. */
export interface Blocks {
  /** Address of a new block, or `null` when none is free. */
  readonly take: (bytes: number) => number | null;
  /** Gives back a block that was taken and not given back. */
  readonly give: (address: number) => void;
  /** Makes the stretch end later. */
  readonly extend: (end: number) => void;
  /** Bytes in blocks that are taken. */
  readonly taken: () => number;
}

/** Free blocks are kept by the powers of two that their sizes lie between. */
const classOf = (bytes: number): number => 31 - Math.clz32(bytes / line);

/** Whole lines. */
const rounded = (bytes: number): number => line * Math.max(1, Math.ceil(bytes / line));

/**
 * A stretch without taken blocks.
 *
 * @param begin - first address, a multiple of 64
 * @param end - address after the last
 */
export const blocksBetween = (begin: number, end: number): Blocks => {
  const takenSizes = new Map<number, number>();
  const freeSizes = new Map<number, number>();
  const freeBegins = new Map<number, number>(); // by the end of the block
  const classes = Array.from({ length: 32 }, () => new Set<number>());
  let taken = 0;
  let limit = begin;

  const release = (address: number, bytes: number): void => {
    freeSizes.set(address, bytes);
    freeBegins.set(address + bytes, address);
    classes[classOf(bytes)].add(address);
  };

  const withdraw = (address: number, bytes: number): void => {
    freeSizes.delete(address);
    freeBegins.delete(address + bytes);
    classes[classOf(bytes)].delete(address);
  };

  /** Joins a block with its free neighbours. */
  const join = (address: number, bytes: number): void => {
    const before = freeBegins.get(address);
    const after = freeSizes.get(address + bytes);
    if (before !== undefined) withdraw(before, address - before);
    if (after !== undefined) withdraw(address + bytes, after);
    const from = before ?? address;
    release(from, address + bytes + (after ?? 0) - from);
  };

  const bestOf = (among: ReadonlySet<number>, bytes: number): number | null => {
    let best: number | null = null;
    let least = Infinity;
    for (const address of among) {
      const size = freeSizes.get(address) ?? 0;
      if (size >= bytes && size < least) {
        best = address;
        least = size;
      }
    }
    return best;
  };

  const find = (bytes: number): number | null => {
    for (let sizes = classOf(bytes); sizes < classes.length; sizes += 1) {
      const found = classes[sizes].size === 0 ? null : bestOf(classes[sizes], bytes);
      if (found !== null) return found;
    }
    return null;
  };

  const extend = (to: number): void => {
    const whole = to - (to % line);
    if (whole > limit) join(limit, whole - limit);
    limit = Math.max(limit, whole);
  };

  extend(end);
  return {
    take: (wanted) => {
      const bytes = rounded(wanted);
      const address = find(bytes);
      if (address === null) return null;
      const size = freeSizes.get(address) ?? bytes;
      withdraw(address, size);
      if (size > bytes) release(address + bytes, size - bytes);
      takenSizes.set(address, bytes);
      taken += bytes;
      return address;
    },
    give: (address) => {
      const bytes = takenSizes.get(address);
      if (bytes === undefined) return;
      takenSizes.delete(address);
      taken -= bytes;
      join(address, bytes);
    },
    extend,
    taken: () => taken,
  };
};
