import fc from 'fast-check';

import {
  broadcastStrides,
  denseStrides,
  forEachBlock,
  forEachRun,
  mergeAxes,
} from '../../../../src/core/backends/host/strides.ts';

const extents = fc.array(fc.constantFrom(0, 1, 1, 2, 3, 4), { maxLength: 5 });

/** Positions of all elements in row-major order, by definition. */
const positionsOf = (shape: ReadonlyArray<number>, strides: ReadonlyArray<number>): ReadonlyArray<number> =>
  shape.reduce<ReadonlyArray<number>>(
    (positions, extent, axis) =>
      positions.flatMap((position) => Array.from({ length: extent }, (_, i) => position + i * strides[axis])),
    [0],
  );

const walked = (
  shape: ReadonlyArray<number>,
  strides: ReadonlyArray<ReadonlyArray<number>>,
): ReadonlyArray<ReadonlyArray<number>> => {
  const walk = mergeAxes(shape, strides);
  const last = walk.extents.length - 1;
  const seen = strides.map((): Array<number> => []);
  forEachRun(walk, 1, (positions) => {
    for (let i = 0; i < walk.extents[last]; i += 1) {
      positions.forEach((position, array) => seen[array].push(position + i * walk.strides[array][last]));
    }
  });
  return seen;
};

describe('walk', () => {
  it('law: merging axes changes nothing. The same positions in the same order', () => {
    fc.assert(
      fc.property(
        extents.chain((shape) => {
          const strides = fc.array(fc.nat(20), { minLength: shape.length, maxLength: shape.length });
          const masked = fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length });
          return fc.tuple(fc.constant(shape), strides, masked);
        }),
        ([shape, strides, masked]) => {
          const dense = denseStrides(shape);
          const from = shape.map((extent, axis) => (masked[axis] ? 1 : extent));
          const arrays = [dense, strides, broadcastStrides(from, shape)];
          expect(walked(shape, arrays)).toEqual(arrays.map((own) => positionsOf(shape, own)));
        },
      ),
    );
  });

  it('law: rows three loops at a time are the same positions in the same order', () => {
    fc.assert(
      fc.property(
        extents,
        fc.array(fc.nat(20), { minLength: 5, maxLength: 5 }),
        fc.boolean(),
        (shape, distances, areRuns) => {
          const last = shape.length - 1;
          const strides = shape.map((_, axis) => (areRuns && axis === last ? 1 : distances[axis]));
          const dense = denseStrides(shape);
          const seen: Array<readonly [number, number]> = [];
          forEachBlock(mergeAxes(shape, [strides, dense]), (at, steps, to, stepsTo, counts, n) => {
            const inLoops = (own: ReadonlyArray<number>): ReadonlyArray<number> =>
              positionsOf([...counts, n], [...own, 1]);
            const [from, target] = [inLoops(steps), inLoops(stepsTo)];
            from.forEach((position, i) => seen.push([at + position, to + target[i]]));
          });
          const [from, target] = [strides, dense].map((own) => positionsOf(shape, own));
          expect(seen).toEqual(from.map((position, i) => [position, target[i]]));
        },
      ),
    );
  });

  it('merges a dense array to one axis, and a row against a matrix to two', () => {
    expect(mergeAxes([2, 1, 3, 4], [denseStrides([2, 1, 3, 4])])).toEqual({ extents: [24], strides: [[1]] });
    const shape = [5, 2, 3];
    const strides = [denseStrides(shape), broadcastStrides([2, 3], shape), broadcastStrides([5, 1, 1], shape)];
    expect(mergeAxes(shape, strides)).toEqual({
      extents: [5, 6],
      strides: [
        [6, 1],
        [0, 1],
        [1, 0],
      ],
    });
  });
});
