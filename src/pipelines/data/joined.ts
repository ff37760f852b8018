/**
 * Two data sets as one: the examples of the first, then those of the second.
 *
 * @module
 */
import { raise } from '../../core/errors.ts';
import { mapParams } from '../../core/params.ts';
import type { Batch } from '../../core/pipeline/context.ts';
import { gatherRows, stackRows } from '../../core/rows.ts';
import type { ReadonlyVector, Tensor } from '../../core/tensor.ts';
import type { Dataset } from './dataset.ts';
import { largestIn, rowsOf } from './dataset.ts';
import type { Known } from './derived.ts';
import { knowing } from './derived.ts';

/** What is known of the numbers of both. */
const knownOfBoth = ({ ranges: a = {} }: Known, { ranges: b = {} }: Known): Known => {
  const names = Object.keys(a);
  if (names.length === 0 || !names.every((name) => Object.hasOwn(b, name))) return {};
  const ranges = mapParams(a, (range, name) => ({
    least: Math.min(range.least, b[name].least),
    most: Math.max(range.most, b[name].most),
    isWhole: range.isWhole && b[name].isWhole,
  }));
  return { ranges, largest: Math.max(...Object.values(ranges).map(largestIn)) };
};

/** Arrays of the same names and types, one below the other, and their rows in an order. */
const inOrder = (name: string, a: Batch<Tensor>, b: Batch<Tensor>, order: ReadonlyVector): Batch<Tensor> =>
  mapParams({ ...b, ...a }, (_, array) => {
    const [upper, lower] = [a[array], b[array]];
    if (upper?.dtype === lower?.dtype) return gatherRows(rowsOf(stackRows([upper, lower])), order);
    return raise({
      _tag: 'BadData',
      source: `${name}, ${array}`,
      expected: 'an array of one element type in both data sets',
      actual: `${upper?.dtype ?? 'none'} in the first and ${lower?.dtype ?? 'none'} in the second`,
      advice: 'Give both data sets the same arrays.',
    });
  });

/**
 * The examples of one data set, then those of another with the same arrays.
 *
 * @param first - a data set
 * @param second - another
 * @param name - name for reports, both names unless given
 * @example
 * ```ts
 * import { orRaise, tensor } from 'kfac-ts/core';
 * import { datasetOf, joined } from 'kfac-ts/pipelines';
 *
 * const one = orRaise(datasetOf('one', { inputs: tensor([1, 2], [2]) }));
 * const other = orRaise(datasetOf('other', { inputs: tensor([3], [1]) }));
 * joined(one, other).batch(Int32Array.of(2, 0)).inputs.data; // => [3, 1]
 * ```
 */
export const joined = (first: Dataset, second: Dataset, name = `${first.name} and ${second.name}`): Dataset => {
  const { size: border } = first;
  const draw = (indices: ReadonlyVector): Batch<Tensor> => {
    const places = Array.from(indices, (_, place) => place);
    const upper = places.filter((place) => !(indices[place] >= border));
    const lower = places.filter((place) => indices[place] >= border);
    const ofFirst = (): Batch<Tensor> => first.batch(Int32Array.from(upper, (place) => indices[place]));
    const ofSecond = (): Batch<Tensor> => second.batch(Int32Array.from(lower, (place) => indices[place] - border));
    if (lower.length === 0) return ofFirst();
    if (upper.length === 0) return ofSecond();
    const rowOf = new Map([...upper, ...lower].map((place, row) => [place, row]));
    return inOrder(
      name,
      ofFirst(),
      ofSecond(),
      Int32Array.from(places, (place) => rowOf.get(place) ?? -1),
    );
  };
  const lengths = [...(first.lengths ?? []), ...(second.lengths ?? [])];
  const chunk = Math.min(first.chunk ?? Infinity, second.chunk ?? Infinity);
  return {
    name,
    size: border + second.size,
    batch: knowing(draw, knownOfBoth(first.batch, second.batch)),
    ...(lengths.length === border + second.size ? { lengths: Int32Array.from(lengths) } : {}),
    ...(chunk < Infinity ? { chunk } : {}),
  };
};
