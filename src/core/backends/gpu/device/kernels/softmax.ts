/**
 * Softmax and its logarithms over rows.
 *
 * log Σ e^x is computed once for each row; both softmaxes are then elementwise.
 *
 * @module
 */
import { unaryText } from './functions.ts';
import { gridOf } from './grid.ts';
import type { Kernel } from './kernel.ts';
import { functionText } from './kernel.ts';

/** The text of a function in a block of its own, from a local `x` to a local of the caller. */
const inBlock = (text: string, argument: string, result: string): string =>
  `{ let x = ${argument}; let y = 0.5; ${text} ${result} = y; }`;

/** Sets −∞, from which −∞ cannot be subtracted, to 0. */
const orZero = (name: string): string => `if (${name} < -3.4028234663852886e+38) { ${name} = 0; }`;

/** log Σ e^x of each row: `[rows, columns]` to `[rows]`. */
export const logSumExpKernel = (rows: number, columns: number): Kernel => ({
  key: `logSumExp ${rows} ${columns}`,
  source: () =>
    functionText(
      ['a', 'nan', 'infinity'],
      [
        `let top = a[this.thread.x * ${columns}];`,
        `for (let i = 0; i < ${columns}; i++) { let v = a[this.thread.x * ${columns} + i]; top = v > top ? v : (top >= v ? top : v + top); }`,
        orZero('top'),
        'let s = 0.5; s = 0; let l = 0.5;',
        `for (let j = 0; j < ${columns}; j++) { let e = 0.5; ${inBlock(unaryText.exp, `a[this.thread.x * ${columns} + j] - top`, 'e')} s += e; }`,
        inBlock(unaryText.log, 's', 'l'),
        'return top + l;',
      ],
    ),
  threads: [rows],
  components: 1,
  arrays: 1,
  numbers: 2,
});

/** a − b, or e^(a − b), with an element of b for each row of a. */
export const shiftKernel = (rows: number, columns: number, isExponential: boolean): Kernel => {
  const grid = gridOf([rows, columns]);
  const [row, column] = grid.index;
  return {
    key: `${isExponential ? 'softmax' : 'logSoftmax'} ${rows} ${columns}`,
    source: () =>
      functionText(
        ['a', 'b'],
        [
          grid.setup,
          `let shift = b[${row}]; ${orZero('shift')} let x = a[${row} * ${columns} + ${column}] - shift;`,
          ...(isExponential ? ['let y = 0.5;', unaryText.exp, 'return y;'] : ['return x;']),
        ],
      ),
    threads: grid.threads,
    components: 1,
    arrays: 2,
    numbers: 0,
  };
};
