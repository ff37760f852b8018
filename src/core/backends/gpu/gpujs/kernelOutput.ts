/**
 * The extents of what a kernel of gpu.js returns.
 *
 * @module
 */

/** How many threads a kernel spans, and how many numbers each of its threads returns. */
export interface KernelOutput {
  /** Threads along x, y and z; x runs fastest. */
  readonly size: ReadonlyArray<number>;
  readonly components: 1 | 4;
}
