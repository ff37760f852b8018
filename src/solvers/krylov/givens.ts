/**
 * The small least-squares problem of GMRES, on the host: min ‖β e₁ − H y‖ by Givens rotations, one column at a time.
 *
 * @module
 */

/** R y = g after j columns: R upper triangular by columns, g with one entry more, whose size is the residual. */
export interface LeastSquares {
  readonly columns: ReadonlyArray<ReadonlyArray<number>>;
  readonly rotations: ReadonlyArray<readonly [number, number]>;
  readonly g: ReadonlyArray<number>;
}

/** The problem without columns. */
export const emptyLeastSquares = (beta: number): LeastSquares => ({ columns: [], rotations: [], g: [beta] });

/**
 * Adds a column of the Hessenberg matrix.
 *
 * @param problem - j columns so far
 * @param h - the new column, `[j + 2]`
 */
export const withColumn = (problem: LeastSquares, h: ReadonlyArray<number>): LeastSquares => {
  const j = problem.columns.length;
  const column = [...h];
  for (let i = 0; i < j; i += 1) {
    const [c, s] = problem.rotations[i];
    const [a, b] = [column[i], column[i + 1]];
    column[i] = c * a + s * b;
    column[i + 1] = c * b - s * a;
  }
  const length = Math.hypot(column[j], column[j + 1]);
  const [c, s] = length === 0 ? [1, 0] : [column[j] / length, column[j + 1] / length];
  const last = problem.g[j];
  return {
    columns: [...problem.columns, [...column.slice(0, j), length]],
    rotations: [...problem.rotations, [c, s]],
    g: [...problem.g.slice(0, j), c * last, -s * last],
  };
};

/** A pivot below this, relative to the largest, counts as zero. */
const singular = 1e-14;

/**
 * y by back substitution. An entry whose pivot is zero, which only a singular operator has, is 0.
 *
 * @param problem - at least one column
 */
export const solutionOf = (problem: LeastSquares): ReadonlyArray<number> => {
  const { columns, g } = problem;
  const y = columns.map(() => 0);
  const largest = Math.max(...columns.map((column, i) => Math.abs(column[i])));
  for (let i = columns.length - 1; i >= 0; i -= 1) {
    let sum = g[i];
    for (let k = i + 1; k < columns.length; k += 1) sum -= columns[k][i] * y[k];
    const pivot = columns[i][i];
    y[i] = Math.abs(pivot) <= singular * largest ? 0 : sum / pivot;
  }
  return y;
};
