/**
 * Source of the symmetric product C = XᵀX, of which only the tiles on and above the diagonal are computed.
 *
 * Threads are laid out as x: column in a group of four, y: group of columns, z: group of rows. The four columns that
 * the WebAssembly backend runs at once then agree on y and z, and leaving early below the diagonal is a real branch,
 * which halves the work.
 *
 * @module
 */
import { integers, unrolledLoop } from './kernelText.ts';

/** Everything that the source depends on. */
export interface SymmetricSpec {
  /** Order of C: columns of X. */
  readonly d: number;
  /** Length of the sums: rows of X. */
  readonly k: number;
  /** `columns`: element (p, i) of X at `p d + i`, as it comes; `panels`: packed, see `panels.ts`. */
  readonly layout: 'columns' | 'panels';
}

/** Threads along x, y and z. */
export const symmetricThreads = (d: number): readonly [number, number, number] => [
  4,
  Math.ceil(d / 4),
  Math.ceil(d / 4),
];

/**
 * The source of a kernel `(a) => C`, whose thread (x, y, z) returns C[4z + 0..3][4y + x] for y at or above z.
 *
 * @param spec - extents and layout; all are literals in the source
 */
export const symmetricSource = (spec: SymmetricSpec): string => {
  const { d, k } = spec;
  const [group, step] = spec.layout === 'panels' ? [4 * k, 4] : [4, d];
  const round = `bv = a[pb]; s0 += a[pa] * bv; s1 += a[pa + 1] * bv; s2 += a[pa + 2] * bv; s3 += a[pa + 3] * bv; pa += ${step}; pb += ${step};`;
  return [
    'function(a) {',
    'if (this.thread.y < this.thread.z) { return [0, 0, 0, 0]; }',
    integers(['pa', 'pb']),
    'let bv = 0.5; let s0 = 0; let s1 = 0; let s2 = 0; let s3 = 0;',
    `pa = this.thread.z * ${group};`,
    `pb = this.thread.y * ${group} + this.thread.x;`,
    unrolledLoop(k, round),
    'return [s0, s1, s2, s3];',
    '}',
  ].join('\n');
};
