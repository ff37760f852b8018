/**
 * Matrix products for graphics processors: a thread for each element of the result, or for four neighbours in a row.
 *
 * The tiles of `matmulSource.ts` return rows of four that would have to be put in order by another kernel. Here four
 * neighbours of one row are in order as they come, and still read five numbers for four products instead of eight.
 *
 * @module
 */
import { integers, plus, unrolledLoop } from '../../gpujs/kernelText.ts';

import type { Kernel } from './kernel.ts';
import { functionText } from './kernel.ts';

/** Extents and layout of C = op(A) op(B) + bias. */
export interface ProductSpec {
  /** Matrices that lie one after another; 1 for a single product. */
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  /** Whether a row is added to each row of the result. */
  readonly bias: boolean;
  /** Whether only elements on and above the diagonal are needed; threads below it leave at once. */
  readonly upper: boolean;
}

const flag = (value: boolean): string => (value ? 't' : 'n');

const keyOf = (what: string, { batch, m, n, k, transposeA, transposeB, bias, upper }: ProductSpec): string =>
  `${what} ${batch} ${m} ${n} ${k} ${flag(transposeA)}${flag(transposeB)}${bias ? ' bias' : ''}${upper ? ' upper' : ''}`;

/** Where a thread starts to read A and B, how far it steps along k, and how far apart columns of B are. */
interface Walk {
  readonly start: string;
  readonly stepA: number;
  readonly stepB: number;
  readonly across: number;
}

const walkOf = ({ m, n, k, transposeA, transposeB, batch }: ProductSpec, row: string, column: string): Walk => {
  const [rowA, stepA] = transposeA ? [1, m] : [k, 1];
  const [columnB, stepB] = transposeB ? [k, 1] : [1, n];
  const inBatch = (matrix: number): string => (batch === 1 ? '' : ` + this.thread.z * ${matrix}`);
  return {
    start: `pa = ${row} * ${rowA}${inBatch(m * k)}; pb = ${column} * ${columnB}${inBatch(k * n)};`,
    stepA,
    stepB,
    across: columnB,
  };
};

/** Statements that move both pointers ahead. */
const advance =
  ({ stepA, stepB }: Walk) =>
  (rounds: number): string =>
    `pa += ${rounds * stepA}; pb += ${rounds * stepB};`;

const threadsOf = (x: number, { m, batch }: ProductSpec): ReadonlyArray<number> =>
  batch === 1 ? [x, m] : [x, m, batch];

/** A product with a thread for each element. */
export const plainProductKernel = (spec: ProductSpec): Kernel => {
  const walk = walkOf(spec, 'this.thread.y', 'this.thread.x');
  return {
    key: keyOf('matmul', spec),
    source: () =>
      functionText(spec.bias ? ['a', 'b', 'c'] : ['a', 'b'], [
        spec.upper ? 'if (this.thread.x < this.thread.y) { return 0; }' : '',
        integers(['pa', 'pb']),
        `let s = 0.5; s = 0; ${walk.start}`,
        unrolledLoop(
          spec.k,
          (u) => `s += a[${plus('pa', u * walk.stepA)}] * b[${plus('pb', u * walk.stepB)}];`,
          advance(walk),
        ),
        spec.bias ? 'return s + c[this.thread.x];' : 'return s;',
      ]),
    threads: threadsOf(spec.n, spec),
    components: 1,
    arrays: spec.bias ? 3 : 2,
    numbers: 0,
  };
};

/** A product with a thread for each four neighbours in a row; n is a multiple of 4. */
export const wideProductKernel = (spec: ProductSpec): Kernel => {
  const walk = walkOf(spec, 'this.thread.y', '(this.thread.x * 4)');
  const lanes = [0, 1, 2, 3];
  const round = (u: number): string =>
    [
      `v = a[${plus('pa', u * walk.stepA)}];`,
      ...lanes.map((lane) => `s${lane} += v * b[${plus('pb', u * walk.stepB + lane * walk.across)}];`),
    ].join(' ');
  const result = (lane: number): string => (spec.bias ? `s${lane} + c[this.thread.x * 4 + ${lane}]` : `s${lane}`);
  return {
    key: keyOf('matmul4', spec),
    source: () =>
      functionText(spec.bias ? ['a', 'b', 'c'] : ['a', 'b'], [
        spec.upper ? 'if (this.thread.x * 4 + 3 < this.thread.y) { return [0, 0, 0, 0]; }' : '',
        integers(['pa', 'pb']),
        `let v = 0.5; ${lanes.map((lane) => `let s${lane} = 0.5; s${lane} = 0;`).join(' ')} ${walk.start}`,
        unrolledLoop(spec.k, round, advance(walk)),
        `return [${lanes.map(result).join(', ')}];`,
      ]),
    threads: threadsOf(spec.n / 4, spec),
    components: 4,
    arrays: spec.bias ? 3 : 2,
    numbers: 0,
  };
};
