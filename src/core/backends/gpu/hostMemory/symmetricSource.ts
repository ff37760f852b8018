/**
 * Source of the symmetric product C = XᵀX, of which only the tiles on and above the diagonal are computed.
 *
 * The threads of a tile agree on where it is, so leaving early below the diagonal is a real branch, which halves the
 * work.
 *
 * @module
 */
import { integers, plus, unrolledLoop } from '../gpujs/kernelText.ts';
import type { Tiling } from './tiling.ts';
import { tileSource } from './tiling.ts';

/** Everything that the source depends on. */
export interface SymmetricSpec {
  /** Order of C: columns of X. */
  readonly d: number;
  /** Length of the sums: rows of X. */
  readonly k: number;
  /** `columns`: element (p, i) of X at `p d + i`, d a multiple of four; `panels`: packed, see `panels.ts`. */
  readonly layout: 'columns' | 'panels';
  readonly tiling: Tiling;
}

/**
 * The source of a kernel `(a) => C` over the threads of its tiling; a thread returns C[4i + 0..3][4j + x] for j at or
 * above i.
 *
 * @param spec - extents, layout and tiling; all are literals in the source
 */
export const symmetricSource = (spec: SymmetricSpec): string => {
  const { d, k } = spec;
  const [group, step] = spec.layout === 'panels' ? [4 * k, 4] : [4, d];
  const rows = [0, 1, 2, 3];
  const pointers = ['p0', 'p1', 'p2', 'p3', 'pb'];
  const round = (u: number): string =>
    [
      `bv = a[${plus('pb', u * step)} + this.thread.x];`,
      ...rows.map((r) => `s${r} += a[${plus(`p${r}`, u * step)}] * bv;`),
    ].join(' ');
  return [
    'function(a) {',
    integers(['i', 'j', ...pointers]),
    'let bv = 0.5; let s0 = 0; let s1 = 0; let s2 = 0; let s3 = 0;',
    tileSource(spec.tiling),
    'if (j < i) { return [0, 0, 0, 0]; }',
    ...rows.map((r) => `p${r} = ${plus(`i * ${group}`, r)};`),
    `pb = j * ${group};`,
    unrolledLoop(k, round, (rounds) => pointers.map((pointer) => `${pointer} += ${rounds * step};`).join(' ')),
    'return [s0, s1, s2, s3];',
    '}',
  ].join('\n');
};
