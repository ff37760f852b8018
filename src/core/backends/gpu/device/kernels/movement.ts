/**
 * Kernels that move elements.
 *
 * @module
 */
import type { Shape } from '../../../../tensor.ts';
import type { Strides } from '../../../host/strides.ts';
import { denseStrides, mergeAxes } from '../../../host/strides.ts';

import { gridOf, offsetText, pointer } from './grid.ts';
import type { Kernel } from './kernel.ts';
import { arrayNames, functionText } from './kernel.ts';

/**
 * An array read in another order: element i of the result is at `start + Σ iₐ stridesₐ`.
 *
 * @param shape - shape of the result
 * @param strides - a stride in the operand for each of its axes
 * @param from - number of elements of the operand, which a kernel is made for even where it reads a part of them
 * @param start - where its first element is
 */
export const stridedKernel = (shape: Shape, strides: Strides, from: number, start = 0): Kernel => {
  const walk = mergeAxes(shape, [strides]);
  const grid = gridOf(walk.extents);
  return {
    key: `strided ${walk.extents.join('x')} ${walk.strides[0].join(',')} ${start} of ${from}`,
    source: () =>
      functionText(
        ['a'],
        [grid.setup, pointer('p', offsetText(grid.index, walk.strides[0], start), grid), 'return a[p];'],
      ),
    threads: grid.threads,
    components: 1,
    arrays: 1,
    numbers: 0,
  };
};

/** An axis of an operand and of the box that holds it, and where it begins. */
interface Side {
  readonly from: number;
  readonly begin: number;
  readonly to: number;
}

/** The axes of a box; those without padding are merged with the axis before them. */
const mergeBox = (from: Shape, begin: ReadonlyArray<number>, to: Shape): ReadonlyArray<Side> =>
  to.reduce<ReadonlyArray<Side>>((sides, extent, axis) => {
    const last = sides.at(-1);
    return last !== undefined && from[axis] === extent
      ? [...sides.slice(0, -1), { from: last.from * extent, begin: last.begin * extent, to: last.to * extent }]
      : [...sides, { from: from[axis], begin: begin[axis], to: extent }];
  }, []);

/**
 * The operand in a box of zeros.
 *
 * @param from - shape of the operand
 * @param begin - where it begins
 * @param to - shape of the result
 */
export const padKernel = (from: Shape, begin: ReadonlyArray<number>, to: Shape): Kernel => {
  const sides = mergeBox(from, begin, to);
  const box = { from: sides.map((s) => s.from), begin: sides.map((s) => s.begin), to: sides.map((s) => s.to) };
  const grid = gridOf(box.to);
  const inside = box.from.flatMap((extent, axis) => [
    ...(box.begin[axis] === 0 ? [] : [`${grid.index[axis]} >= ${box.begin[axis]}`]),
    ...(box.begin[axis] + extent === box.to[axis] ? [] : [`${grid.index[axis]} < ${box.begin[axis] + extent}`]),
  ]);
  const strides = denseStrides(box.from);
  const start = -strides.reduce((sum, stride, axis) => sum + stride * box.begin[axis], 0);
  const read = [pointer('p', offsetText(grid.index, strides, start), grid), 'v = a[p];'];
  return {
    key: `pad ${box.from.join('x')} ${box.begin.join(',')} ${box.to.join('x')}`,
    source: () =>
      functionText(
        ['a'],
        [
          grid.setup,
          'let v = 0.5; v = 0;',
          ...(inside.length === 0 ? read : [`if (${inside.join(' && ')}) {`, ...read, '}']),
          'return v;',
        ],
      ),
    threads: grid.threads,
    components: 1,
    arrays: 1,
    numbers: 0,
  };
};

/**
 * Matrices side by side.
 *
 * @param rows - rows of all of them
 * @param widths - columns of each, none of them 0; as many as a kernel takes arrays
 */
export const concatKernel = (rows: number, widths: ReadonlyArray<number>): Kernel => {
  const total = widths.reduce((sum, width) => sum + width, 0);
  const grid = gridOf([rows, total]);
  const [row, column] = grid.index;
  const pieces = widths.map((width, i) => {
    const before = widths.slice(0, i).reduce((sum, w) => sum + w, 0);
    const read = `${pointer('p', `${row} * ${width} + ${column} - ${before}`, grid)} v = ${arrayNames[i]}[p];`;
    return i === widths.length - 1 ? `{ ${read} }` : `if (${column} < ${before + width}) { ${read} }`;
  });
  return {
    key: `concat ${rows} ${widths.join(',')}`,
    source: () =>
      functionText(arrayNames.slice(0, widths.length), [
        grid.setup,
        'let v = 0.5;',
        pieces.length === 1 ? pieces[0] : pieces.join(' else '),
        'return v;',
      ]),
    threads: grid.threads,
    components: 1,
    arrays: widths.length,
    numbers: 0,
  };
};

/** A matrix `[rows, columns]` with a column of ones appended. */
export const withOnesKernel = (rows: number, columns: number): Kernel => {
  const grid = gridOf([rows, columns + 1]);
  const [row, column] = grid.index;
  return {
    key: `ones ${rows} ${columns}`,
    source: () =>
      functionText(
        ['a'],
        [
          grid.setup,
          'let v = 0.5; v = 1;',
          `if (${column} < ${columns}) { ${pointer('p', `${row} * ${columns} + ${column}`, grid)} v = a[p]; }`,
          'return v;',
        ],
      ),
    threads: grid.threads,
    components: 1,
    arrays: 1,
    numbers: 0,
  };
};

/** A square matrix of order n with a number added to its diagonal. */
export const addDiagonalKernel = (n: number): Kernel => {
  const grid = gridOf([n, n]);
  const [row, column] = grid.index;
  return {
    key: `addDiagonal ${n}`,
    source: () =>
      functionText(
        ['a', 'value'],
        [
          grid.setup,
          `${pointer('p', `${row} * ${n} + ${column}`, grid)} let v = a[p];`,
          `if (${row} === ${column}) { v = v + value; }`,
          'return v;',
        ],
      ),
    threads: grid.threads,
    components: 1,
    arrays: 1,
    numbers: 1,
  };
};

/** A matrix `[n, n]` from its triangle on and above the diagonal. */
export const mirrorKernel = (n: number): Kernel => {
  const grid = gridOf([n, n]);
  const [row, column] = grid.index;
  return {
    key: `mirror ${n}`,
    source: () =>
      functionText(
        ['a'],
        [
          grid.setup,
          pointer('p', `${row} * ${n} + ${column}`, grid),
          `if (${row} > ${column}) { p = ${column} * ${n} + ${row}; }`,
          'return a[p];',
        ],
      ),
    threads: grid.threads,
    components: 1,
    arrays: 1,
    numbers: 0,
  };
};
