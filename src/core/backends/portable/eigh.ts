/**
 * Symmetric eigendecomposition in f64: Householder tridiagonalisation, then implicit QL with its rotations applied late.
 *
 * Own code rather than a library's: those in JavaScript rotate two columns of a matrix at a time, which for hundreds of
 * columns is bound by memory. Here the rows of the eigenvectors wait in panels until many sweeps of rotations are known.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import { eigenLoops } from './eigen/simdLoops.ts';
import type { NonFinite, ShapeMismatch } from '../../errors.ts';
import type { ReadonlyVector } from '../../tensor.ts';

import type { EigenLoops } from './eigen/loops.ts';
import { mostOrder, mostRotations, panelRows, places, plainLoops } from './eigen/loops.ts';
import type { Rotations, Sweep } from './eigen/ql.ts';
import { diagonalise } from './eigen/ql.ts';
import { formOrthogonal, tridiagonalise } from './eigen/tridiagonal.ts';

/** Eigenvalues in ascending order, and the eigenvectors as the columns of a row-major [n, n] matrix. */
export interface Eigen {
  readonly values: Float64Array;
  readonly vectors: Float64Array;
}

const failed = (what: string): NonFinite => ({
  _tag: 'NonFinite',
  where: 'eigh',
  what,
  advice: 'Look for what made it so in the input.',
});

/** A power of two of about the size of the largest entry, by which a matrix is divided so that no square overflows. */
const scaleOf = (n: number, m: ReadonlyVector): E.Either<NonFinite, number> => {
  let most = 0;
  for (let i = 0; i < n; i += 1) {
    for (let j = 0; j <= i; j += 1) {
      const value = Math.abs(m[i * n + j]);
      if (!(value < Infinity)) return E.left(failed(`entry (${i}, ${j}) of the matrix`));
      if (value > most) most = value;
    }
  }
  return E.right(most === 0 ? 1 : 2 ** Math.min(Math.max(Math.floor(Math.log2(most)), -1000), 1000));
};

/** The orthogonal matrix Q in panels: element (i, j) at `8 (⌊i / 8⌋ n + j) + i mod 8`. */
const packPanels = (data: Float64Array, n: number, stride: number, panels: number): void => {
  data.fill(0, panels + n * (n - (n % panelRows)), panels + n * (n + panelRows)); // the last one may not be full
  for (let i = 0; i < n; i += 1) {
    const to = panels + n * (i - (i % panelRows)) + (i % panelRows);
    const from = places.matrix + i * stride;
    for (let j = 0; j < n; j += 1) data[to + panelRows * j] = data[from + j];
  }
};

/** Rotations that wait. */
interface Waiting extends Rotations {
  /** Applies them to all panels. */
  readonly apply: () => void;
}

const waitingRotations = (loops: EigenLoops, n: number, panels: number): Waiting => {
  let count = 0;
  let sweeps: Array<Sweep & { readonly first: number }> = [];
  const apply = (): void => {
    for (let panel = 0; panel < n; panel += panelRows) {
      for (const { top, first, count: rotations } of sweeps) loops.rotate(panels + panel * n, top, first, rotations);
    }
    count = 0;
    sweeps = [];
  };
  return {
    add: (c: number, s: number): void => {
      loops.data[places.rotations + 2 * count] = c;
      loops.data[places.rotations + 2 * count + 1] = s;
      count += 1;
    },
    end: (sweep: Sweep): void => {
      if (sweep.count > 0) sweeps.push({ ...sweep, first: count - sweep.count });
      if (count + n > mostRotations) apply();
    },
    apply,
  };
};

/**
 * The decomposition on given loops.
 *
 * @param n - order, at least 1
 * @param m - M, shape [n, n]; its lower triangle is read
 * @param scale - what to divide M by
 * @param loopsOf - loops over an array of some length
 * @returns eigenvalues and eigenvectors
 */
export const eighOn = (
  n: number,
  m: ReadonlyVector,
  scale: number,
  loopsOf: (length: number) => EigenLoops,
): E.Either<NonFinite, Eigen> => {
  const stride = n + (n % 2);
  const panels = places.matrix + n * stride;
  const loops = loopsOf(panels + n * (n + panelRows));
  const { data } = loops;
  for (let i = 0; i < n; i += 1) {
    for (let j = 0; j <= i; j += 1) data[places.matrix + i * stride + j] = m[i * n + j] / scale;
  }
  const { diagonal, below, betas } = tridiagonalise(loops, n, stride);
  formOrthogonal(loops, n, stride, betas);
  packPanels(data, n, stride, panels);
  const rotations = waitingRotations(loops, n, panels);
  if (!diagonalise(diagonal, below, rotations)) return E.left(failed('an eigenvalue'));
  rotations.apply();
  const order = Array.from({ length: n }, (_, j) => j).sort((a, b) => diagonal[a] - diagonal[b]);
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i += 1) {
    const from = panels + n * (i - (i % panelRows)) + (i % panelRows);
    for (let j = 0; j < n; j += 1) vectors[i * n + j] = data[from + panelRows * order[j]];
  }
  return E.right({ values: Float64Array.from(order, (j) => diagonal[j] * scale), vectors });
};

/**
 * The eigendecomposition of a symmetric matrix: `M = U diag(values) Uᵀ`, `UᵀU = I`.
 *
 * @param n - order, at most 8192
 * @param m - M, shape [n, n]; its lower triangle is read
 * @returns eigenvalues and eigenvectors, or where M has an entry that is not finite
 */
export const eigh = (n: number, m: ReadonlyVector): E.Either<NonFinite | ShapeMismatch, Eigen> => {
  if (n > mostOrder) {
    return E.left({
      _tag: 'ShapeMismatch',
      where: 'eigh',
      expected: `an order of at most ${mostOrder}`,
      actual: String(n),
    });
  }
  if (n === 0) return E.right({ values: new Float64Array(0), vectors: new Float64Array(0) });
  const scale = scaleOf(n, m);
  return E.isLeft(scale) ? scale : eighOn(n, m, scale.right, (length) => eigenLoops(length) ?? plainLoops(length));
};
