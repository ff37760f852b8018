import * as E from 'fp-ts/lib/Either.js';
import fc from 'fast-check';

import type { KfacError } from '../../../src/core/errors.ts';
import { attempt, describeError } from '../../../src/core/errors.ts';
import {
  affineShape,
  axesOf,
  broadcastShape,
  broadcastToShape,
  concatShape,
  gatherShape,
  gramShape,
  matmulExtents,
  matmulShape,
  padShape,
  patchesShape,
  raisedAxes,
  reducedShape,
  reshapedShape,
  scatterAddShape,
  sliceShape,
  transposedShape,
  unpatchesShape,
} from '../../../src/core/ops/shapes.ts';
import type { Shape } from '../../../src/core/tensor.ts';
import { sizeOf } from '../../../src/core/tensor.ts';
import {
  axesAmong,
  boxIn,
  broadcastableTo,
  extent,
  imagesAndWindow,
  permutationOf,
  reshapeOf,
  shapeOf,
} from '../../support/arbitraries.ts';

const mismatchOf = (run: () => unknown): KfacError | undefined => {
  const result = attempt(run);
  return E.isLeft(result) ? result.left : undefined;
};

const sentenceOf = (run: () => unknown): string => {
  const error = mismatchOf(run);
  return error === undefined ? '' : describeError(error);
};

/** Two shapes that broadcast together, and the result. */
const broadcast = shapeOf().chain((whole) =>
  fc.record({ whole: fc.constant(whole), a: fc.constant(whole), b: broadcastableTo(whole) }),
);

describe('broadcasting', () => {
  it('law: a shape is the identity for what broadcasts to it, on either side, and [] for all', () => {
    fc.assert(
      fc.property(broadcast, ({ whole, a, b }) => {
        expect(broadcastShape('add', a, b)).toEqual(whole);
        expect(broadcastShape('add', b, a)).toEqual(whole);
        expect(broadcastShape('add', b, [])).toEqual(b);
      }),
    );
  });

  it('law: commutative and associative, failures included', () => {
    const small = fc.array(fc.constantFrom(0, 1, 2, 3), { maxLength: 3 });
    const together = (...shapes: ReadonlyArray<Shape>): Shape | undefined => {
      const result = attempt(() => shapes.reduce((a, b) => broadcastShape('add', a, b), []));
      return E.isRight(result) ? result.right : undefined;
    };
    fc.assert(
      fc.property(small, small, small, (a, b, c) => {
        expect(together(a, b)).toEqual(together(b, a));
        expect(together(a, b, c)).toEqual(together(b, c, a));
      }),
    );
  });

  it('law: the raised axes are those that a value was repeated along', () => {
    fc.assert(
      fc.property(broadcast, ({ whole, b }) => {
        const raised = raisedAxes(b, whole);
        const rest = reducedShape('sum', whole, raised);
        expect(sizeOf(rest)).toBe(sizeOf(b));
        expect(rest.filter((e) => e !== 1)).toEqual(b.filter((e) => e !== 1));
        expect(broadcastToShape(b, whole)).toEqual(whole);
      }),
    );
  });

  it('worked example: [2, 1, 3] and [4, 1] make [2, 4, 3]; the second is repeated along axes 0 and 2', () => {
    expect(broadcastShape('add', [2, 1, 3], [4, 1])).toEqual([2, 4, 3]);
    expect(raisedAxes([4, 1], [2, 4, 3])).toEqual([0, 2]);
  });

  it('refuses extents that differ and are not 1, and targets that are too small', () => {
    expect(sentenceOf(() => broadcastShape('mul', [2, 3], [2, 4]))).toBe(
      'mul: expected shapes that broadcast together, got [2, 3] and [2, 4].',
    );
    expect(mismatchOf(() => broadcastShape('mul', [0], [2]))).toMatchObject({ where: 'mul' });
    expect(mismatchOf(() => broadcastToShape([2, 3], [2, 1]))).toMatchObject({ where: 'broadcastTo' });
    expect(mismatchOf(() => broadcastToShape([1, 1], [1]))).toMatchObject({ where: 'broadcastTo' });
  });
});

describe('products', () => {
  const flags = fc.record({ transposeA: fc.boolean(), transposeB: fc.boolean() });

  it('law: (op(A) op(B))ᵀ = op(B)ᵀ op(A)ᵀ', () => {
    fc.assert(
      fc.property(fc.tuple(extent, extent, extent), flags, ([m, n, k], { transposeA, transposeB }) => {
        const a = transposeA ? [k, m] : [m, k];
        const b = transposeB ? [n, k] : [k, n];
        expect(matmulShape(a, b, { transposeA, transposeB })).toEqual([m, n]);
        expect(matmulShape(b, a, { transposeA: !transposeB, transposeB: !transposeA })).toEqual([n, m]);
        expect(matmulExtents(a, b, { transposeA, transposeB })).toEqual({ batch: null, m, n, k });
        expect(matmulShape([7, ...a], [7, ...b], { transposeA, transposeB })).toEqual([7, m, n]);
      }),
    );
  });

  it('law: affine and gram are products. x Wᵀ and xᵀx', () => {
    fc.assert(
      fc.property(extent, extent, extent, (n, from, to) => {
        const product = matmulShape([n, from], [to, from], { transposeB: true });
        expect(affineShape([n, from], [to, from], [to])).toEqual(product);
        expect(affineShape([n, from], [to, from], null)).toEqual(product);
        expect(gramShape([n, from])).toEqual(matmulShape([n, from], [n, from], { transposeA: true }));
      }),
    );
  });

  it('says which inner extents differ, and what was transposed', () => {
    expect(sentenceOf(() => matmulShape([2, 3], [4, 5], {}))).toBe(
      'matmul: expected equal inner extents, not 3 and 4, got [2, 3] and [4, 5].',
    );
    expect(sentenceOf(() => matmulShape([2, 3], [4, 5], { transposeA: true }))).toBe(
      'matmul: expected equal inner extents, not 2 and 4 (transposed: a), got [2, 3] and [4, 5].',
    );
    expect(sentenceOf(() => matmulShape([2, 3], [4, 5], { transposeA: true, transposeB: true }))).toContain('a and b');
  });

  it.each<readonly [string, () => unknown, string]>([
    ['vectors', () => matmulShape([3], [3], {}), 'matmul'],
    ['batches of different sizes', () => matmulShape([2, 3, 3], [4, 3, 3], {}), 'matmul'],
    ['a batch and a matrix', () => matmulShape([2, 3, 3], [3, 3], {}), 'matmul'],
    ['four axes', () => matmulShape([1, 1, 3, 3], [1, 1, 3, 3], {}), 'matmul'],
    ['a weight for other inputs', () => affineShape([4, 3], [2, 4], null), 'affine'],
    ['a bias for other outputs', () => affineShape([4, 3], [2, 3], [3]), 'affine'],
    ['a bias with two axes', () => affineShape([4, 3], [2, 3], [1, 2]), 'affine'],
    ['the gram matrix of a vector', () => gramShape([3]), 'gram'],
  ])('refuses %s', (_, run, where) => {
    expect(mismatchOf(run)).toMatchObject({ _tag: 'ShapeMismatch', where });
  });
});

describe('reductions and rearrangements', () => {
  it('law: a reduction over all axes is a scalar, over none nothing, over two sets both', () => {
    fc.assert(
      fc.property(
        shapeOf().chain((shape) => fc.tuple(fc.constant(shape), axesAmong(shape))),
        ([shape, axes]) => {
          expect(reducedShape('sum', shape, axesOf(shape))).toEqual([]);
          expect(reducedShape('sum', shape, [])).toEqual(shape);
          expect(reducedShape('sum', shape, axes)).toHaveLength(shape.length - axes.length);
          const others = axesOf(shape).filter((axis) => !axes.includes(axis));
          expect([...reducedShape('sum', shape, axes), ...reducedShape('sum', shape, others)].sort()).toEqual(
            [...shape].sort(),
          );
        },
      ),
    );
  });

  it('law: transposing back restores the shape', () => {
    fc.assert(
      fc.property(
        shapeOf().chain((shape) => fc.tuple(fc.constant(shape), permutationOf(shape))),
        ([shape, permutation]) => {
          const back = permutation.map((_, axis) => permutation.indexOf(axis));
          expect(transposedShape(transposedShape(shape, permutation), back)).toEqual(shape);
        },
      ),
    );
  });

  it('law: reshaping keeps the number of elements', () => {
    fc.assert(
      fc.property(
        shapeOf().chain((shape) => fc.tuple(fc.constant(shape), reshapeOf(shape))),
        ([from, to]) => {
          expect(reshapedShape(from, to)).toEqual(to);
          expect(mismatchOf(() => reshapedShape(from, [...to, sizeOf(to) === 0 ? 0 : 2]))).toEqual(
            sizeOf(to) === 0 ? undefined : expect.objectContaining({ where: 'reshape' }),
          );
        },
      ),
    );
  });

  it('law: slicing undoes padding, and padding a slice restores the shape', () => {
    fc.assert(
      fc.property(
        shapeOf().chain((shape) => fc.tuple(fc.constant(shape), boxIn(shape))),
        ([shape, { begin, size }]) => {
          expect(sliceShape(shape, begin, size)).toEqual(size);
          expect(padShape(size, begin, shape)).toEqual(shape);
        },
      ),
    );
  });

  it('law: extents add up along the axis of a concatenation, of which slices are the parts', () => {
    fc.assert(
      fc.property(
        shapeOf(1).chain((shape) => fc.tuple(fc.constant(shape), fc.nat(shape.length - 1), fc.array(extent))),
        ([shape, axis, extents]) => {
          const parts = [shape, ...extents.map((e) => shape.with(axis, e))];
          const total = extents.reduce((sum, e) => sum + e, shape[axis]);
          expect(concatShape(parts, axis)).toEqual(shape.with(axis, total));
        },
      ),
    );
  });

  it('law: gathered rows scatter back to where they came from', () => {
    fc.assert(
      fc.property(shapeOf(1), shapeOf(0, 2), (x, indices) => {
        expect(scatterAddShape(indices, gatherShape(x, indices), x[0])).toEqual(x);
      }),
    );
  });

  it.each<readonly [string, () => unknown, string]>([
    ['an axis that is not there', () => reducedShape('max', [2, 3], [2]), 'max'],
    ['a negative axis', () => reducedShape('sum', [2, 3], [-1]), 'sum'],
    ['an axis twice', () => reducedShape('sum', [2, 3], [1, 1]), 'sum'],
    ['half an axis', () => reducedShape('sum', [2, 3], [0.5]), 'sum'],
    ['a permutation of too few axes', () => transposedShape([2, 3], [0]), 'transpose'],
    ['a permutation with a repetition', () => transposedShape([2, 3], [0, 0]), 'transpose'],
    ['a box that sticks out', () => sliceShape([2, 3], [1, 0], [2, 3]), 'slice'],
    ['a box that starts outside', () => sliceShape([2, 3], [-1, 0], [1, 1]), 'slice'],
    ['a box of negative extent', () => sliceShape([2, 3], [1, 1], [1, -1]), 'slice'],
    ['a frame that is too small', () => padShape([2, 3], [0, 1], [2, 3]), 'pad'],
    ['a frame of fewer axes', () => padShape([2, 3], [0, 0], [6]), 'pad'],
    ['a concatenation of nothing', () => concatShape([], 0), 'concat'],
    [
      'a concatenation of unlike shapes',
      () =>
        concatShape(
          [
            [2, 3],
            [2, 4],
          ],
          0,
        ),
      'concat',
    ],
    ['a concatenation of unlike ranks', () => concatShape([[2, 3], [2]], 0), 'concat'],
    ['a concatenation along no axis', () => concatShape([[2, 3]], -1), 'concat'],
    ['rows of a scalar', () => gatherShape([], [2]), 'gather'],
    ['updates for other indices', () => scatterAddShape([3], [2, 4], 5), 'scatterAdd'],
    ['updates with fewer axes than the indices', () => scatterAddShape([3, 2], [3], 5), 'scatterAdd'],
  ])('refuses %s', (_, run, where) => {
    expect(mismatchOf(run)).toMatchObject({ _tag: 'ShapeMismatch', where });
  });
});

describe('sliding windows', () => {
  /** Places where a window fits, counted one by one. */
  const placesOf = (size: number, kernel: number, stride: number, dilation: number, padding: number): number => {
    const reach = dilation * (kernel - 1);
    return Array.from({ length: size + padding }, (_, start) => start).filter(
      (start) => start % stride === 0 && start + reach < size + padding,
    ).length;
  };

  it('law: as many windows along an axis as there are places for one', () => {
    fc.assert(
      fc.property(imagesAndWindow, ({ images, window: { kernel, stride, dilation, padding } }) => {
        const [n, h, w, c] = images;
        expect(patchesShape(images, { kernel, stride, dilation, padding })).toEqual([
          n,
          placesOf(h, kernel[0], stride[0], dilation[0], padding[0] + padding[1]),
          placesOf(w, kernel[1], stride[1], dilation[1], padding[2] + padding[3]),
          kernel[0] * kernel[1] * c,
        ]);
      }),
    );
  });

  it('law: columns of images go back to images of that shape, and of no other number of channels', () => {
    fc.assert(
      fc.property(imagesAndWindow, ({ images, window }) => {
        const columns = patchesShape(images, window);
        expect(unpatchesShape(columns, window, images)).toEqual(images);
        const other = images.with(3, images[3] + 1);
        expect(mismatchOf(() => unpatchesShape(columns, window, other))).toMatchObject({ where: 'unpatches' });
      }),
    );
  });

  it('refuses windows larger than the images, and says what the columns should be', () => {
    const window = { kernel: [3, 3], stride: [1, 1], dilation: [1, 1], padding: [0, 0, 0, 0] } as const;
    expect(sentenceOf(() => patchesShape([1, 2, 9, 1], window))).toBe(
      'patches: expected images [n, h, w, c] that hold a window of 3 x 3, got [1, 2, 9, 1].',
    );
    expect(sentenceOf(() => unpatchesShape([1, 1, 1, 8], window, [1, 3, 3, 1]))).toBe(
      'unpatches: expected columns [1, 1, 1, 9] for those images, got [1, 1, 1, 8] and [1, 3, 3, 1].',
    );
    expect(mismatchOf(() => unpatchesShape([1, 1, 1, 9], window, [1, 2, 2, 1]))).toMatchObject({ where: 'unpatches' });
  });
});
