/**
 * Walks over several arrays at once, each with strides of its own: broadcasting, transposing, cutting boxes.
 *
 * Neighbouring axes that every array goes through as if they were one are merged first, so that whatever the ranks,
 * common cases end up as one or two long runs.
 *
 * @module
 */
import type { Shape } from '../../tensor.ts';
import type { Triple } from './kernels/kernels.ts';

/** Distances between neighbours along each axis, in elements. */
export type Strides = ReadonlyArray<number>;

/** Merged axes: at least one, extents of 1 only when there is a single element. */
export interface Walk {
  readonly extents: ReadonlyArray<number>;
  /** For each array, as many strides as extents. */
  readonly strides: ReadonlyArray<Strides>;
}

/** Strides of a dense row-major array. */
export const denseStrides = (shape: Shape): Strides => {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
};

/** Strides with which a dense array of shape `from` is read as one of shape `to`: 0 along repeated axes. */
export const broadcastStrides = (from: Shape, to: Shape): Strides => {
  const dense = denseStrides(from);
  const offset = to.length - from.length;
  return to.map((_, axis) => (axis < offset || from[axis - offset] === 1 ? 0 : dense[axis - offset]));
};

/**
 * Merges axes.
 *
 * @param shape - extents
 * @param strides - for each array, as many strides as extents
 */
export const mergeAxes = (shape: Shape, strides: ReadonlyArray<Strides>): Walk => {
  const extents: Array<number> = [];
  const merged = strides.map((): Array<number> => []);
  for (let axis = 0; axis < shape.length; axis += 1) {
    const extent = shape[axis];
    if (extent === 1) continue;
    const last = extents.length - 1;
    // The axis before and this one are one axis when a step along the former is a whole run along the latter.
    const joins = last >= 0 && strides.every((own, i) => merged[i][last] === own[axis] * extent);
    if (joins) extents[last] *= extent;
    else extents.push(extent);
    strides.forEach((own, i) => {
      if (joins) merged[i][last] = own[axis];
      else merged[i].push(own[axis]);
    });
  }
  if (extents.length > 0) return { extents, strides: merged };
  return { extents: [1], strides: strides.map(() => [1]) };
};

/**
 * Visits all positions of the outer axes, that is of all but the last `inner` ones, in row-major order.
 *
 * @param walk - merged axes
 * @param inner - axes that the visitor goes over itself
 * @param visit - called with the position in each array, in an array that is used again
 */
export const forEachRun = (walk: Walk, inner: number, visit: (positions: ReadonlyArray<number>) => void): void => {
  const { extents, strides } = walk;
  const outer = extents.length - inner;
  if (extents.includes(0)) return;
  const positions = strides.map(() => 0);
  const index = extents.map(() => 0);
  for (;;) {
    visit(positions);
    let axis = outer - 1;
    for (; axis >= 0; axis -= 1) {
      index[axis] += 1;
      for (let i = 0; i < positions.length; i += 1) positions[i] += strides[i][axis];
      if (index[axis] < extents[axis]) break;
      index[axis] = 0;
      for (let i = 0; i < positions.length; i += 1) positions[i] -= strides[i][axis] * extents[axis];
    }
    if (axis < 0) return;
  }
};

/**
 * Visits the rows of a walk over two arrays that share their last axis, as many at a time as three loops reach.
 *
 * @param walk - merged axes of two arrays
 * @param visit - called with both positions, the distances between rows in either array and the number of rounds for each of
 *   the loops, and the length of a row; elements that are apart in one of the arrays are rows of one
 */
export const forEachBlock = (
  { extents, strides }: Walk,
  visit: (at: number, steps: Triple, to: number, stepsTo: Triple, counts: Triple, n: number) => void,
): void => {
  const last = extents.length - 1;
  const [from, to] = strides;
  const areRuns = from[last] === 1 && to[last] === 1;
  const past = areRuns ? last : last + 1;
  const first = Math.max(0, past - 3);
  const three = (values: ReadonlyArray<number>, none: number): Triple => {
    const [i, j, k] = [none, none, none, ...values.slice(first, past)].slice(-3);
    return [i, j, k];
  };
  const [counts, steps, stepsTo] = [three(extents, 1), three(from, 0), three(to, 0)];
  const n = areRuns ? extents[last] : 1;
  forEachRun({ extents, strides }, extents.length - first, ([at, position]) =>
    visit(at, steps, position, stepsTo, counts, n),
  );
};
