/**
 * Source of the matrix product, C = A B, in tiles of four rows by four columns.
 *
 * One thread returns a column of a tile. The WebAssembly backend runs the four threads of a tile at once, so that each
 * round of the loop does 16 multiplications for four numbers of A and four of B; that is the largest tile whose result
 * a kernel can return. Operands differ only in where a thread starts reading and how far it steps, so that all
 * transposes are one template. Products are added in the order of k, as in the textbook loop.
 *
 * @module
 */
import { integers, plus, unrolledLoop } from '../gpujs/kernelText.ts';
import type { Tiling } from './tiling.ts';
import { tileSource } from './tiling.ts';

/**
 * How an operand lies in memory. For A [m, k] (and for Bᵀ in the same way):
 * `rows`: element (i, p) at `i k + p`; `columns`: at `p m + i`, where m is a multiple of four; `panels`: groups of four
 * rows, at `4 k ⌊i / 4⌋ + 4 p + i mod 4` (see `panels.ts`).
 */
export type OperandLayout = 'rows' | 'columns' | 'panels';

/** Everything that the source of a product depends on. */
export interface MatmulSpec {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: OperandLayout;
  /** Not `rows`: the four threads of a tile read neighbours. */
  readonly b: Exclude<OperandLayout, 'rows'>;
  /** Whether a bias is added, with an element for each column or for each row of C. */
  readonly bias: 'columns' | 'rows' | null;
  readonly tiling: Tiling;
}

const rowsOfTile = [0, 1, 2, 3];

/** How a thread walks along an operand: pointers, where they start, what it reads in a round, how far a round steps. */
interface Walk {
  readonly pointers: ReadonlyArray<string>;
  readonly start: string;
  /** Row r of the tile, in round u. */
  readonly read: (r: number, u: number) => string;
  readonly step: number;
}

/** Rows 4i to 4i + 3 of A. Rows beyond m read row 4i: their results are dropped, but reads stay inside the array. */
const walkA = (m: number, k: number, layout: OperandLayout): Walk => {
  if (layout === 'rows') {
    const guard = (r: number): string => (m % 4 === 0 || r === 0 ? '' : `if (i * 4 + ${r} > ${m - 1}) { p${r} = p0; }`);
    return {
      pointers: rowsOfTile.map((r) => `p${r}`),
      start: rowsOfTile.map((r) => `p${r} = (${plus('i * 4', r)}) * ${k}; ${guard(r)}`).join(' '),
      read: (r, u) => `a[${plus(`p${r}`, u)}]`,
      step: 1,
    };
  }
  const [start, step] = layout === 'panels' ? [4 * k, 4] : [4, m];
  return {
    pointers: rowsOfTile.map((r) => `p${r}`),
    start: rowsOfTile.map((r) => `p${r} = ${plus(`i * ${start}`, r)};`).join(' '),
    read: (r, u) => `a[${plus(`p${r}`, u * step)}]`,
    step,
  };
};

/** Columns 4j to 4j + 3 of B, one for each thread of a tile. */
const walkB = (n: number, k: number, layout: MatmulSpec['b']): Walk => {
  const [start, step] = layout === 'panels' ? [4 * k, 4] : [4, n];
  return {
    pointers: ['pb'],
    start: `pb = j * ${start};`,
    read: (_, u) => `b[${plus('pb', u * step)} + this.thread.x]`,
    step,
  };
};

/**
 * The source of a kernel `(a, b) => C`, or `(a, b, bias) => C`, over the threads of its tiling; a thread returns
 * C[4i + 0..3][4j + x]. The bias is filled up to whole tiles.
 *
 * @param spec - extents, layouts, bias and tiling; all are literals in the source
 */
export const matmulSource = (spec: MatmulSpec): string => {
  const { m, n, k } = spec;
  const a = walkA(m, k, spec.a);
  const b = walkB(n, k, spec.b);
  const round = (u: number): string =>
    [`bv = ${b.read(0, u)};`, ...rowsOfTile.map((r) => `s${r} += ${a.read(r, u)} * bv;`)].join(' ');
  const advance = (rounds: number): string =>
    [a, b].flatMap(({ pointers, step }) => pointers.map((p) => `${p} += ${rounds * step};`)).join(' ');
  const bias = { columns: () => ' + bv', rows: (r: number) => ` + bias[${plus('i * 4', r)}]` };
  const result = (r: number): string => `s${r}${spec.bias === null ? '' : bias[spec.bias](r)}`;
  return [
    `function(${spec.bias === null ? 'a, b' : 'a, b, bias'}) {`,
    integers(['i', 'j', ...a.pointers, ...b.pointers]),
    `let bv = 0.5; ${rowsOfTile.map((r) => `let s${r} = 0;`).join(' ')}`,
    tileSource(spec.tiling),
    a.start,
    b.start,
    unrolledLoop(k, round, advance),
    spec.bias === 'columns' ? 'bv = bias[j * 4 + this.thread.x];' : '',
    `return [${rowsOfTile.map(result).join(', ')}];`,
    '}',
  ].join('\n');
};
