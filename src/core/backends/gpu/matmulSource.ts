/**
 * Source of the matrix product, C = A B, in tiles of 4 rows by 1 column per thread.
 *
 * One thread returns C[4y + 0..3][x]. The WebAssembly backend runs four neighbouring x at once, so that each round of
 * the loop does 16 multiplications for one vector of B and four numbers of A; that is the largest tile whose result a
 * kernel can return. Operands differ only in where a thread starts reading and how far it steps, so that all
 * transposes are one template. Products are added in the order of k, as in the textbook loop.
 *
 * @module
 */
import type { Epilogue } from './epilogue.ts';
import { activationSource } from './epilogue.ts';
import { integers, unrolledLoop } from './kernelText.ts';

/**
 * How an operand lies in memory. For A [m, k] (and for Bᵀ in the same way):
 * `rows`: element (i, p) at `i k + p`; `columns`: at `p m + i`; `panels`: groups of four rows, at
 * `4 k ⌊i / 4⌋ + 4 p + i mod 4` (see `panels.ts`).
 */
export type OperandLayout = 'rows' | 'columns' | 'panels';

/** Everything that the source of a product depends on. */
export interface MatmulSpec {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: OperandLayout;
  readonly b: OperandLayout;
  readonly epilogue: Epilogue;
}

const rowsOfTile = [0, 1, 2, 3];

/** How a thread walks along an operand: pointers, where they start, what they read, how they step. */
interface Walk {
  readonly pointers: ReadonlyArray<string>;
  readonly start: string;
  /** Reads of the current round, one for each row of the tile (A) or one (B). */
  readonly reads: ReadonlyArray<string>;
  readonly step: string;
}

/** Rows 4y to 4y + 3 of A. Rows beyond m read row 4y: their results are dropped, but reads stay inside the array. */
const walkA = (m: number, k: number, layout: OperandLayout): Walk => {
  if (layout === 'rows') {
    const row = (r: number): string => (r === 0 ? 'this.thread.y * 4' : `this.thread.y * 4 + ${r}`);
    const guard = (r: number): string => (m % 4 === 0 || r === 0 ? '' : `if (${row(r)} > ${m - 1}) { p${r} = p0; }`);
    return {
      pointers: rowsOfTile.map((r) => `p${r}`),
      start: rowsOfTile.map((r) => `p${r} = (${row(r)}) * ${k}; ${guard(r)}`).join(' '),
      reads: rowsOfTile.map((r) => `a[p${r}]`),
      step: rowsOfTile.map((r) => `p${r}++;`).join(' '),
    };
  }
  const [start, step] = layout === 'panels' ? [4 * k, 4] : [4, m];
  return {
    pointers: ['pa'],
    start: `pa = this.thread.y * ${start};`,
    reads: rowsOfTile.map((r) => (r === 0 ? 'a[pa]' : `a[pa + ${r}]`)),
    step: `pa += ${step};`,
  };
};

/** Column x of B. Columns beyond n read the first column of their group of four. */
const walkB = (n: number, k: number, layout: OperandLayout): Walk => {
  const group = 'this.thread.x >> 2';
  const [start, first, step] = {
    rows: [`this.thread.x * ${k}`, `(${group}) * ${4 * k}`, 1] as const,
    columns: ['this.thread.x', `(${group}) * 4`, n] as const,
    panels: [`(${group}) * ${4 * k} + (this.thread.x & 3)`, '', 4] as const, // panels are filled up
  }[layout];
  const guard = n % 4 === 0 || layout === 'panels' ? '' : `if (this.thread.x > ${n - 1}) { pb = ${first}; }`;
  return { pointers: ['pb'], start: `pb = ${start}; ${guard}`, reads: ['b[pb]'], step: `pb += ${step};` };
};

/** Threads along x and y for a product of m rows and n columns. */
export const matmulThreads = (m: number, n: number): readonly [number, number] => [
  4 * Math.ceil(n / 4),
  Math.ceil(m / 4),
];

/**
 * The source of a kernel `(a, b) => C`, or `(a, b, bias) => C`. The bias has an element for each thread along x.
 *
 * @param spec - extents, layouts and epilogue; all are literals in the source
 */
export const matmulSource = (spec: MatmulSpec): string => {
  const { m, n, k, epilogue } = spec;
  const a = walkA(m, k, spec.a);
  const b = walkB(n, k, spec.b);
  const round = [`bv = ${b.reads[0]};`, ...a.reads.map((read, r) => `s${r} += ${read} * bv;`), a.step, b.step].join(
    ' ',
  );
  const result = (r: number): string => activationSource(epilogue.activation, `s${r}${epilogue.bias ? ' + bv' : ''}`);
  return [
    `function(${epilogue.bias ? 'a, b, bias' : 'a, b'}) {`,
    integers([...a.pointers, ...b.pointers]),
    `let bv = 0.5; ${rowsOfTile.map((r) => `let s${r} = 0;`).join(' ')}`,
    a.start,
    b.start,
    unrolledLoop(k, round),
    epilogue.bias ? 'bv = bias[this.thread.x];' : '',
    `return [${rowsOfTile.map(result).join(', ')}];`,
    '}',
  ].join('\n');
};
