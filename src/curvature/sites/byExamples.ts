/**
 * Sums over examples, some of them at a time: what is formed of each (patches, gradients of single examples, rotated rows) never
 * lies in memory for a whole batch.
 *
 * @module
 */
import type { Ops } from '../../core/ops/ops.ts';
import type { Params } from '../../core/params.ts';
import { zipParams } from '../../core/params.ts';
import type { Shaped } from '../../core/tensor.ts';
import { sizeOf } from '../../core/tensor.ts';
import type { Run } from '../statistics/partition.ts';
import { partitionOf } from '../statistics/partition.ts';
import type { Statistics } from '../statistics/statistics.ts';
import type { Seen } from './kind.ts';

/** Elements that are always formed at once: some hundred kilobytes. */
const fewestElements = 2 ** 15;

/**
 * Some rows of an array.
 *
 * @param ops - interpreter
 * @param x - `[n, …]`
 * @param run - which rows
 */
export const rowsIn = <T extends Shaped>(ops: Ops<T>, x: T, { begin, size }: Run): T => {
  const [n, ...rest] = x.shape;
  return size === n ? x : ops.slice(x, [begin, ...rest.map(() => 0)], [size, ...rest]);
};

type Arrays<T> = Pick<Seen<T>, 'input' | 'cotangents' | 'weights' | 'isotropic' | 'key'>;

const arraysIn = <T extends Shaped>(ops: Ops<T>, seen: Arrays<T>, run: Run): Arrays<T> => ({
  ...seen,
  input: rowsIn(ops, seen.input, run),
  cotangents: seen.cotangents.map((g) => rowsIn(ops, g, run)),
  ...(seen.weights === null || seen.weights === undefined ? {} : { weights: rowsIn(ops, seen.weights, run) }),
});

/**
 * What a site saw of some examples.
 *
 * @param ops - interpreter
 * @param seen - what it saw of all
 * @param run - which examples
 */
export const seenIn = <T extends Shaped>(ops: Ops<T>, seen: Seen<T>, run: Run): Seen<T> => ({
  ...seen,
  ...arraysIn(ops, seen, run),
  ...(seen.other === undefined ? {} : { other: arraysIn(ops, seen.other, run) }),
});

/** Elements of all arrays that a site saw, and of the largest. */
const elementsOf = <T extends Shaped>({ input, cotangents, other }: Seen<T>) => {
  const sizes = [input, ...cotangents, ...(other === undefined ? [] : [other.input, ...other.cotangents])].map(
    ({ shape }) => sizeOf(shape),
  );
  return { all: sizes.reduce((x, y) => x + y), largest: Math.max(...sizes) };
};

/**
 * Sums, without what was needed on the way where that is worth it.
 *
 * @param ops - interpreter
 * @param seen - what the site saw
 * @param sums - in arrays of their own
 */
export const forgetting = <T extends Shaped>(ops: Ops<T>, seen: Seen<T>, sums: (on: Ops<T>) => Params<T>): Params<T> =>
  elementsOf(seen).all < fewestElements
    ? sums(ops)
    : ops.within((on) => {
        const found = sums(on);
        return [found, Object.values(found)];
      });

/**
 * Statistics of one site, without what was needed on the way where that is worth it.
 *
 * @param ops - interpreter
 * @param seen - what the site saw
 * @param statistics - in arrays of their own
 */
export const inTurn = <T extends Shaped>(
  ops: Ops<T>,
  seen: Seen<T>,
  statistics: (on: Ops<T>) => Statistics<T>,
): Statistics<T> =>
  elementsOf(seen).all < fewestElements
    ? statistics(ops)
    : ops.within((on) => {
        const found = statistics(on);
        return [found, Object.values(found.sums)];
      });

/**
 * Sums over examples, each window of which holds about as much as the largest array that the site saw.
 *
 * @param ops - interpreter
 * @param seen - what the site saw
 * @param elements - how many are formed of one example
 * @param sums - of some examples, additive
 */
export const byExamples = <T extends Shaped>(
  ops: Ops<T>,
  seen: Seen<T>,
  elements: number,
  sums: (on: Ops<T>, part: Seen<T>, run: Run) => Params<T>,
): Params<T> => {
  const [n] = seen.input.shape;
  const { all, largest } = elementsOf(seen);
  const most = Math.max(fewestElements, largest);
  if (n * elements <= most) return sums(ops, seen, { begin: 0, size: n });
  const size = Math.max(1, Math.floor(most / (elements + all / n)));
  return partitionOf(n, { size }).reduce(
    (before: Params<T>, run, i): Params<T> =>
      ops.within((on) => {
        const found = sums(on, seenIn(on, seen, run), run);
        const after = i === 0 ? found : zipParams(before, found, (x, y) => on.add(x, y));
        return [after, Object.values(after), Object.values(before)];
      }),
    {},
  );
};
