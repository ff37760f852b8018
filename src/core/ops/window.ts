/**
 * Sliding windows over images.
 *
 * @module
 */

/** Geometry of a two-dimensional sliding window, each pair as `[height, width]`. */
export interface Window {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  /** Zero rows and columns added as `[top, bottom, left, right]`. */
  readonly padding: readonly [number, number, number, number];
}
