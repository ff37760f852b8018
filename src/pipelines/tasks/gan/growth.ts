/**
 * Looks at what is made as it grows: a few of all that there were.
 *
 * @module
 */
import type { Glimpse, Look } from '../task.ts';

/**
 * Looks on the way that are spread evenly over a run, but for the last of them, which is at its end.
 *
 * @param look - what an optimizer came to, with the looks on the way
 * @param count - how many at most
 */
export const growthOf = ({ earlier = [] }: Look, count: number): ReadonlyArray<Glimpse> => {
  const before = earlier.slice(0, -1);
  const chosen = Math.min(count, before.length);
  return Array.from({ length: chosen }, (_, i) => before[Math.floor((i * before.length) / chosen)]);
};
