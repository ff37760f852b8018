/**
 * Partitions of a layer's inputs and outputs into runs of neighbours.
 *
 * @module
 */

/**
 * How to cut: into a number of parts whose sizes differ by at most one, into parts of a size, the last of the rest, or into
 * equal groups, the last of which takes what is left over (the homogeneous coordinate of inputs that are heads).
 */
export type Cut = { readonly count: number } | { readonly size: number } | { readonly groups: number };

/** A run of rows or columns. */
export interface Run {
  readonly begin: number;
  readonly size: number;
}

/**
 * The runs that a cut makes of n rows.
 *
 * @param n - number of rows, at least 1
 * @param cut - whole numbers of at least 1; more parts than rows count as n
 */
export const partitionOf = (n: number, cut: Cut): ReadonlyArray<Run> => {
  if ('size' in cut) {
    return Array.from({ length: Math.ceil(n / cut.size) }, (_, i) => ({
      begin: i * cut.size,
      size: Math.min(cut.size, n - i * cut.size),
    }));
  }
  if ('groups' in cut) {
    const groups = Math.min(n, cut.groups);
    const size = Math.floor(n / groups);
    return Array.from({ length: groups }, (_, i) => ({
      begin: i * size,
      size: i === groups - 1 ? n - i * size : size,
    }));
  }
  const count = Math.min(n, cut.count);
  const beginOf = (i: number): number => Math.floor((i * n) / count);
  return Array.from({ length: count }, (_, i) => ({ begin: beginOf(i), size: beginOf(i + 1) - beginOf(i) }));
};
