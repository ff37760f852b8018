/**
 * Ranks in a table: those of a row keep the same inverses, and those of a column hear of what the others have made with them [P21].
 *
 * One row of all ranks keeps every inverse everywhere and sends no directions; rows of one rank keep each inverse once. Between
 * them, a row shares an inverse when it is made, and each of its ranks sends a direction to its own column, all at the same time.
 *
 * @module
 */
import { raise } from '../../errors.ts';

/** Who turns gradients into directions: all ranks, one for each factorised matrix, or a share of them. */
export type GradientWorkers = 'all' | 'one' | number;

/** Extents of the table: ranks in a row, and rows. */
export interface Rows {
  readonly workers: number;
  readonly count: number;
}

/** Every number of workers that so many ranks can be shared out by, most first. */
export const workersFor = (size: number): ReadonlyArray<number> =>
  Array.from({ length: size }, (_, i) => size - i).filter((workers) => size % workers === 0);

/** How far a share may be from the fraction that it stands for, as 0.333 is. */
const nearly = 0.01;

/**
 * The table of so many ranks.
 *
 * @param size - number of ranks
 * @param gradientWorkers - all of them, one, or a share f of them where f times the ranks is a number that they can be shared out by
 */
export const rowsFor = (size: number, gradientWorkers: GradientWorkers): Rows => {
  const asked = gradientWorkers === 'all' ? size : gradientWorkers === 'one' ? 1 : gradientWorkers * size;
  const workers = workersFor(size).find((each) => Math.abs(each - asked) < nearly * each);
  if (workers !== undefined) return { workers, count: size / workers };
  const shares = workersFor(size).map((each) => Number((each / size).toPrecision(3)));
  return raise({
    _tag: 'BadConfig',
    path: 'gradientWorkers',
    expected: `all, one, or a share of ${size} ranks: ${shares.join(', ')}`,
    actual: String(gradientWorkers),
  });
};

/** The row of a rank. */
export const rowOf = ({ workers }: Rows, rank: number): number => Math.floor(rank / workers);

/** The ranks of a row. */
export const ranksInRow = ({ workers }: Rows, row: number): ReadonlyArray<number> =>
  Array.from({ length: workers }, (_, column) => row * workers + column);

/** The ranks of a column, the one of each row. */
export const ranksInColumn = ({ workers, count }: Rows, column: number): ReadonlyArray<number> =>
  Array.from({ length: count }, (_, row) => row * workers + column);
