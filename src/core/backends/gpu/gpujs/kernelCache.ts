/**
 * Compiled kernels by key, least recently used first out.
 *
 * Bounded by memory as well as by number: a kernel keeps room for its arguments and results, so that a hundred kernels
 * may be a megabyte or a gigabyte. The bounds should hold all products of a training step; one kernel too many, and a
 * loop over layers would find each of them just evicted.
 *
 * @module
 */
/** Bounds of a cache. */
export interface CacheLimits {
  readonly kernels: number;
  readonly bytes: number;
}

/** Room for the products of a training step of a few dozen layers. */
export const defaultLimits: CacheLimits = { kernels: 256, bytes: 2 ** 29 };

/** What is known of a kernel here. */
export interface Destroyable {
  readonly destroy: () => void;
}

/** A kernel and the memory that it holds on to. */
export interface SizedKernel<K extends Destroyable> {
  readonly kernel: K;
  readonly bytes: number;
}

/** Kernels by key. */
export interface KernelCache<K extends Destroyable> {
  /**
   * The kernel of a key. A kernel that is bigger than the bounds is kept until another one is asked for.
   *
   * @param key - everything that the kernel's source and sizes depend on
   * @param create - makes the kernel when the cache does not have it
   */
  readonly obtain: (key: string, create: () => SizedKernel<K>) => K;
  /** What the cache holds now. */
  readonly usage: () => CacheLimits;
  /** Destroys all kernels. */
  readonly clear: () => void;
}

/**
 * An empty cache.
 *
 * @param limits - bounds, see {@link defaultLimits}
 */
export const kernelCache = <K extends Destroyable>(limits: CacheLimits = defaultLimits): KernelCache<K> => {
  const entries = new Map<string, SizedKernel<K>>(); // in order of use, the oldest first
  let bytes = 0;

  const evict = (key: string, entry: SizedKernel<K>): void => {
    entries.delete(key);
    bytes -= entry.bytes;
    entry.kernel.destroy();
  };

  const makeRoom = (needed: number): void => {
    for (const [key, entry] of entries) {
      if (entries.size < limits.kernels && bytes + needed <= limits.bytes) return;
      evict(key, entry);
    }
  };

  return {
    obtain: (key, create) => {
      const known = entries.get(key);
      if (known !== undefined) {
        entries.delete(key);
        entries.set(key, known);
        return known.kernel;
      }
      const made = create();
      makeRoom(made.bytes);
      entries.set(key, made);
      bytes += made.bytes;
      return made.kernel;
    },
    usage: () => ({ kernels: entries.size, bytes }),
    clear: () => {
      for (const [key, entry] of entries) evict(key, entry);
    },
  };
};
