/**
 * Sums over examples, some of them at a time: what is formed of each (patches, gradients of single examples, rotated rows) never
 * lies in memory for a whole batch.
 *
 * @module
 */
import type { Ops } from '../../core/ops/ops.ts';
import { fewestElements, sumsOfParts } from '../../core/ops/parts.ts';
import type { Params } from '../../core/params.ts';
import { arraysWithin } from '../../core/pipeline/arraysIn.ts';
import type { Shaped } from '../../core/tensor.ts';
import { sizeOf } from '../../core/tensor.ts';
import type { Run } from '../statistics/partition.ts';
import type { Seen } from './kind.ts';

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
 * Sums or statistics, without what was needed on the way where that is worth it.
 *
 * @param ops - interpreter
 * @param seen - what the site saw
 * @param compute - in arrays of their own, all of which are in the result
 */
export const forgetting = <T extends Shaped, A extends object>(
  ops: Ops<T>,
  seen: Seen<T>,
  compute: (on: Ops<T>) => A,
): A =>
  elementsOf(seen).all < fewestElements
    ? compute(ops)
    : ops.within((on) => {
        const found = compute(on);
        return [found, [...arraysWithin<T>(found)]];
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
  return sumsOfParts(ops, n, size, (on, begin, count) => {
    const run = { begin, size: count };
    return sums(on, seenIn(on, seen, run), run);
  });
};

/**
 * One sum over examples, as {@link byExamples} has several.
 *
 * @param ops - interpreter
 * @param seen - what the site saw
 * @param elements - how many are formed of one example
 * @param sum - of some examples, additive
 */
export const sumByExamples = <T extends Shaped>(
  ops: Ops<T>,
  seen: Seen<T>,
  elements: number,
  sum: (on: Ops<T>, part: Seen<T>) => T,
): T => byExamples(ops, seen, elements, (on, part) => ({ sum: sum(on, part) }))['sum'];
