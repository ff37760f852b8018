/**
 * Dense factorisations as in a textbook, in f64.
 *
 * Unblocked, and of other kinds than the fast interpreters use where there is a choice (Jacobi rotations for the
 * eigendecomposition), so that agreement means something.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { KfacError, NonFinite } from '../../errors.ts';
import { raise } from '../../errors.ts';
import type { Tensor } from '../../tensor.ts';
import { generate, showShape, tensor } from '../../tensor.ts';
import type { SymmetricEigen } from '../backend.ts';

const orderOf = (where: string, m: Tensor): number =>
  m.shape.length === 2 && m.shape[0] === m.shape[1]
    ? m.shape[0]
    : raise({ _tag: 'ShapeMismatch', where, expected: 'a square matrix', actual: showShape(m.shape) });

/** Columns of the right-hand sides that go with a matrix of order n. */
const columnsOf = (where: string, m: Tensor, b: Tensor): number => {
  const n = orderOf(where, m);
  return b.shape.length === 2 && b.shape[0] === n
    ? b.shape[1]
    : raise({
        _tag: 'ShapeMismatch',
        where,
        expected: `right-hand sides [${n}, columns]`,
        actual: `${showShape(m.shape)} and ${showShape(b.shape)}`,
      });
};

const nonFinite = (where: string, what: string): NonFinite => ({
  _tag: 'NonFinite',
  where,
  what,
  advice: 'Look for what made it so in the input, or raise the damping.',
});

const allFinite = (x: Tensor): boolean => Array.from(x.data).every(Number.isFinite);

/** L L^T = M, column by column: l_jj = √(m_jj − Σ l_jp²), l_ij = (m_ij − Σ l_ip l_jp) / l_jj. */
export const cholesky = (m: Tensor, where = 'cholesky'): E.Either<KfacError, Tensor> => {
  const n = orderOf(where, m);
  const l = new Float64Array(n * n);
  for (let j = 0; j < n; j += 1) {
    for (let i = j; i < n; i += 1) {
      let rest = m.data[i * n + j];
      for (let p = 0; p < j; p += 1) rest -= l[i * n + p] * l[j * n + p];
      if (i > j) {
        l[i * n + j] = rest / l[j * n + j];
      } else if (rest > 0 && rest < Infinity) {
        l[j * n + j] = Math.sqrt(rest);
      } else {
        return E.left(
          Number.isFinite(rest)
            ? { _tag: 'NotPositiveDefinite', where, order: j + 1 }
            : nonFinite(where, `the Cholesky factor at order ${j + 1}`),
        );
      }
    }
  }
  return E.right({ shape: [n, n], dtype: 'f64', data: l });
};

/** X with L L^T X = B: forward, then backward substitution. */
export const choleskySolve = (l: Tensor, b: Tensor, where = 'choleskySolve'): Tensor => {
  const columns = columnsOf(where, l, b);
  const n = l.shape[0];
  const x = Float64Array.from(b.data);
  for (let c = 0; c < columns; c += 1) {
    for (let i = 0; i < n; i += 1) {
      for (let p = 0; p < i; p += 1) x[i * columns + c] -= l.data[i * n + p] * x[p * columns + c];
      x[i * columns + c] /= l.data[i * n + i];
    }
    for (let i = n - 1; i >= 0; i -= 1) {
      for (let p = i + 1; p < n; p += 1) x[i * columns + c] -= l.data[p * n + i] * x[p * columns + c];
      x[i * columns + c] /= l.data[i * n + i];
    }
  }
  return { shape: b.shape, dtype: 'f64', data: x };
};

const identity = (n: number): Tensor => generate([n, n], (position) => (position % (n + 1) === 0 ? 1 : 0));

/** M^(−1), made exactly symmetric by averaging with its transpose. */
export const inverse = (m: Tensor): E.Either<KfacError, Tensor> =>
  E.map((l: Tensor) => {
    const n = m.shape[0];
    const { data } = choleskySolve(l, identity(n));
    return generate([n, n], (position) => {
      const [i, j] = [Math.floor(position / n), position % n];
      return (data[i * n + j] + data[j * n + i]) / 2;
    });
  })(cholesky(m, 'inverse'));

/** X with M X = B by Gaussian elimination with partial pivoting on [M B]. */
export const solve = (m: Tensor, b: Tensor): E.Either<KfacError, Tensor> => {
  const columns = columnsOf('solve', m, b);
  const n = m.shape[0];
  const rows = Array.from({ length: n }, (_, i) => [
    ...Array.from(m.data).slice(i * n, (i + 1) * n),
    ...Array.from(b.data).slice(i * columns, (i + 1) * columns),
  ]);
  for (let k = 0; k < n; k += 1) {
    let pivot = k;
    for (let i = k + 1; i < n; i += 1) if (Math.abs(rows[i][k]) > Math.abs(rows[pivot][k])) pivot = i;
    [rows[k], rows[pivot]] = [rows[pivot], rows[k]];
    if (rows[k][k] === 0) return E.left(nonFinite('solve', `the inverse of a singular matrix (pivot ${k + 1})`));
    for (let i = k + 1; i < n; i += 1) {
      const factor = rows[i][k] / rows[k][k];
      for (let j = k; j < n + columns; j += 1) rows[i][j] -= factor * rows[k][j];
    }
  }
  for (let i = n - 1; i >= 0; i -= 1) {
    for (let c = n; c < n + columns; c += 1) {
      for (let p = i + 1; p < n; p += 1) rows[i][c] -= rows[i][p] * rows[p][c];
      rows[i][c] /= rows[i][i];
    }
  }
  const x = tensor(
    rows.flatMap((row) => row.slice(n)),
    [n, columns],
  );
  return allFinite(x) ? E.right(x) : E.left(nonFinite('solve', 'the solution'));
};

/** Most sweeps over all pairs. Convergence is quadratic: about ten are made. */
const SWEEPS = 60;

/** (x_k, y_k) to (c x_k − s y_k, s x_k + c y_k) for n pairs that start at x and y and are `step` apart. */
const rotate = (data: Float64Array, n: number, x: number, y: number, step: number, c: number, s: number): void => {
  for (let k = 0; k < n; k += 1) {
    const [a, b] = [data[x + k * step], data[y + k * step]];
    data[x + k * step] = c * a - s * b;
    data[y + k * step] = s * a + c * b;
  }
};

/**
 * M = U diag(values) U^T by cyclic Jacobi rotations [GV13 §8.5]. The lower triangle
 * is read.
 */
export const eigh = (m: Tensor): E.Either<KfacError, SymmetricEigen<Tensor>> => {
  const n = orderOf('eigh', m);
  if (!allFinite(m)) return E.left(nonFinite('eigh', 'the matrix'));
  const a = Float64Array.from(m.data, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    return m.data[Math.max(i, j) * n + Math.min(i, j)];
  });
  const u = Float64Array.from(identity(n).data);
  const negligible = 2 ** -60 * a.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  let rotated = true;
  for (let sweep = 0; rotated && sweep < SWEEPS; sweep += 1) {
    rotated = false;
    for (let p = 0; p < n; p += 1) {
      for (let q = p + 1; q < n; q += 1) {
        const apq = a[p * n + q];
        if (Math.abs(apq) <= negligible) continue;
        rotated = true;
        const tau = (a[q * n + q] - a[p * n + p]) / (2 * apq);
        const t = (tau >= 0 ? 1 : -1) / (Math.abs(tau) + Math.hypot(1, tau));
        const c = 1 / Math.hypot(1, t);
        const s = t * c;
        rotate(a, n, p, q, n, c, s); // columns of J^T A J …
        rotate(a, n, p * n, q * n, 1, c, s); // … and rows
        a[p * n + q] = 0;
        a[q * n + p] = 0;
        rotate(u, n, p, q, n, c, s);
      }
    }
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => a[i * n + i] - a[j * n + j]);
  return E.right({
    values: generate([n], (i) => a[order[i] * n + order[i]]),
    vectors: generate([n, n], (at) => u[Math.floor(at / n) * n + order[at % n]]),
  });
};
