/**
 * Softmax and its logarithms over rows.
 *
 * What a row needs of all its elements, the maximum m and the sum of e^(x − m), is computed once for each row; both
 * softmaxes are then elementwise. The first maximum, whose exponential is 1, is left out of the sum: log Σ is as small as
 * the others where m is far above them.
 *
 * @module
 */
import { expOfDifferenceText, log1pText, specialNames } from './functions.ts';
import { gridOf } from './grid.ts';
import type { Kernel } from './kernel.ts';
import { functionText } from './kernel.ts';

/** What is computed of rows. */
export type RowFunction = 'softmax' | 'logSoftmax';

/** Statements that set `top` to the maximum of a row and `at` to its position; a NaN stays. */
const findTop = (row: string, columns: number): string =>
  [
    `let top = a[${row} * ${columns}]; let at = 0.5; at = 0;`,
    `for (let i = 0; i < ${columns}; i++) { let v = a[${row} * ${columns} + i];`,
    'if (v > top) { at = i; } top = v > top ? v : (top >= v ? top : v + top); }',
    // From −∞, −∞ cannot be subtracted.
    'let first = 1; if (top < -3.4028234663852886e+38) { top = 0; first = 0; }',
  ].join('\n');

/** Statements that set `s` to the sum of e^(x − top) over the others. */
const sumOthers = (row: string, columns: number): string =>
  [
    'let s = 0.5; s = 0;',
    `for (let j = 0; j < ${columns}; j++) { let v = a[${row} * ${columns} + j]; let y = 0.5;`,
    `if (j !== at) { ${expOfDifferenceText('v', 'top', 'y')} s += y; } }`,
  ].join('\n');

/** Statements that set `l` to log(1 + s). */
const logOfSum = `let l = 0.5; { let x = s; let y = 0.5; ${log1pText} l = y; }`;

/** log Σ e^x of each row: `[rows, columns]` to `[rows]`. */
export const logSumExpKernel = (rows: number, columns: number): Kernel => ({
  key: `logSumExp ${rows} ${columns}`,
  source: () =>
    functionText(
      ['a', ...specialNames],
      [
        findTop('this.thread.x', columns),
        sumOthers('this.thread.x', columns),
        logOfSum,
        'return first > 0 ? top + l : -infinity;',
      ],
    ),
  threads: [rows],
  components: 1,
  arrays: 1,
  numbers: specialNames.length,
});

/** The maximum of each row, 0 for −∞, and Σ or log Σ of e^(x − m), 1 or 0 where that is 0 or −∞: `[rows, 2]`. */
export const rowKernel = (of: RowFunction, rows: number, columns: number): Kernel => {
  const grid = gridOf([rows, 2]);
  const [row, part] = grid.index;
  return {
    key: `row of ${of} ${rows} ${columns}`,
    source: () =>
      functionText(
        ['a', ...(of === 'softmax' ? [] : specialNames)],
        [
          grid.setup,
          findTop(row, columns),
          `let result = top; if (${part} > 0) {`,
          sumOthers(row, columns),
          of === 'softmax' ? 'result = first > 0 ? first + s : 1;' : `${logOfSum} result = first > 0 ? l : 0;`,
          '} return result;',
        ],
      ),
    threads: grid.threads,
    components: 1,
    arrays: 1,
    numbers: of === 'softmax' ? 0 : specialNames.length,
  };
};

/** e^(a − m) / Σ, or a − m − log Σ, with m and Σ or log Σ of each row in b. */
export const elementKernel = (of: RowFunction, rows: number, columns: number): Kernel => {
  const grid = gridOf([rows, columns]);
  const [row, column] = grid.index;
  const setup = `let v = a[${row} * ${columns} + ${column}]; let top = b[${row} * 2]; let s = b[${row} * 2 + 1];`;
  return {
    key: `${of} ${rows} ${columns}`,
    source: () =>
      functionText(
        ['a', 'b'],
        [
          grid.setup,
          setup,
          ...(of === 'softmax'
            ? ['let y = 0.5;', expOfDifferenceText('v', 'top', 'y'), 'return y / s;']
            : ['return v - top - s;']),
        ],
      ),
    threads: grid.threads,
    components: 1,
    arrays: 2,
    numbers: 0,
  };
};
