/**
 * Kernels on rows that are named by an index. An index outside the rows gathers NaN, and what is scattered to it is
 * lost, as on the host.
 *
 * @module
 */
import { gridOf } from './grid.ts';
import type { Kernel } from './kernel.ts';
import { functionText } from './kernel.ts';

/**
 * Rows of a matrix `a` `[rows, width]` at n indices `b`: `[n, width]`. The number is what an index outside gathers.
 *
 * @param rows - rows of the matrix
 * @param width - its columns
 * @param n - number of indices
 */
export const gatherKernel = (rows: number, width: number, n: number): Kernel => {
  const grid = gridOf([n, width]);
  const [row, column] = grid.index;
  return {
    key: `gather ${rows} ${width} ${n}`,
    source: () =>
      functionText(
        ['a', 'b', 'outside'],
        [
          grid.setup,
          `let v = outside; let i = b[${row}];`,
          `if (i >= 0 && i < ${rows}) { v = a[i * ${width} + ${column}]; }`,
          'return v;',
        ],
      ),
    threads: grid.threads,
    components: 1,
    arrays: 2,
    numbers: 1,
  };
};

/**
 * Sums of rows of a matrix `b` `[n, width]` by indices `a`: `[rows, width]`. Each thread looks at all indices, because
 * kernels cannot add to what another one adds to.
 *
 * @param rows - rows of the result
 * @param width - columns
 * @param n - number of indices
 */
export const scatterAddKernel = (rows: number, width: number, n: number): Kernel => {
  const grid = gridOf([rows, width]);
  const [row, column] = grid.index;
  return {
    key: `scatter ${rows} ${width} ${n}`,
    source: () =>
      functionText(
        ['a', 'b'],
        [
          grid.setup,
          'let s = 0.5; s = 0;',
          `for (let j = 0; j < ${n}; j++) { if (a[j] === ${row}) { s += b[j * ${width} + ${column}]; } }`,
          'return s;',
        ],
      ),
    threads: grid.threads,
    components: 1,
    arrays: 2,
    numbers: 0,
  };
};

/** 1 at the index, 0 elsewhere: `[n, classes]`. */
export const oneHotKernel = (classes: number, n: number): Kernel => {
  const grid = gridOf([n, classes]);
  const [row, column] = grid.index;
  return {
    key: `oneHot ${classes} ${n}`,
    source: () => functionText(['a'], [grid.setup, `return a[${row}] === ${column} ? 1 : 0;`]),
    threads: grid.threads,
    components: 1,
    arrays: 1,
    numbers: 0,
  };
};
