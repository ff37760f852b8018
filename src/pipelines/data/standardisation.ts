/**
 * Data in standard deviations from their mean, and the way back.
 *
 * Each number of the last axis has a mean and a deviation of its own, over all other axes: a column of a table, a feature of a
 * sequence. It is done to the data, in double precision, before anything is computed in 32 bits: a year or a price in cents
 * is then as good as a number near 0. What was done is a value, so that whoever predicts later can do the same and undo it.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as R from 'fp-ts/lib/Record.js';

import type { KfacError } from '../../core/errors.ts';
import { attempt } from '../../core/errors.ts';
import type { Moments } from '../../core/moments.ts';
import { mergedMoments, momentsOfColumns, restoredColumns, standardisedColumns } from '../../core/moments.ts';
import { arrayAt } from '../../core/nn/layers/circumstances.ts';
import type { Range } from '../../core/nn/admissible.ts';
import type { Params } from '../../core/params.ts';
import { mapParams } from '../../core/params.ts';
import type { Shape, Tensor } from '../../core/tensor.ts';
import { showShape } from '../../core/tensor.ts';
import { rangesOf } from './batches.ts';
import type { Dataset, Draw } from './dataset.ts';
import { largestIn } from './dataset.ts';
import { knowing } from './derived.ts';

/** What numbers are measured by. */
export interface Standardisation {
  /** `[columns]`, in double precision. */
  readonly mean: Tensor;
  /** `[columns]`, above 0: 1 for a column that does not vary, which is only shifted. */
  readonly deviation: Tensor;
}

/** What arrays of a data set are measured by, by their names. */
export type Standardisations = Params<Standardisation>;

/** How many columns rows of a shape have. */
const widthOf = (shape: Shape): number => (shape.length < 2 ? 1 : shape[shape.length - 1]);

const float = (data: Tensor['data']): Tensor => ({ shape: [data.length], dtype: 'f64', data });

/** How far from its mean a column of equal numbers can seem to be, since the mean is rounded. */
const rounding = (count: number, mean: number): number => count * Number.EPSILON * Math.abs(mean);

const fromMoments = ({ count, mean, squares }: Moments): Standardisation => ({
  mean: float(mean),
  deviation: float(
    Float64Array.from(squares, (sum, column) => {
      const deviation = Math.sqrt(sum / count);
      return deviation > rounding(count, mean[column]) ? deviation : 1;
    }),
  ),
});

/** That numbers have as many columns as they are measured by. */
const checked = (name: string, { shape }: Tensor, { mean }: Standardisation): E.Either<KfacError, null> =>
  widthOf(shape) === mean.data.length
    ? E.right(null)
    : E.left({
        _tag: 'BadData',
        source: name,
        expected: `${mean.data.length} numbers on the last axis, as what they are standardised by has`,
        actual: showShape(shape),
        advice: 'Give the same columns as in training.',
      });

/**
 * Mean and deviation of each column of an array.
 *
 * @param x - `[n, …, columns]`, or `[n]` for one column
 * @example
 * ```ts
 * import { tensor } from 'kfac-ts/core';
 * import { standardisationOf } from 'kfac-ts/pipelines';
 *
 * standardisationOf(tensor([1, 7, 3, 7], [2, 2])).mean.data; // => [2, 7]
 * ```
 */
export const standardisationOf = ({ shape, data }: Tensor): Standardisation =>
  fromMoments(momentsOfColumns(data, widthOf(shape)));

/**
 * Mean and deviation of arrays of a data set: of the examples to train on, since those for the test are not known yet.
 *
 * @param data - a data set; it is gone through once, part by part
 * @param names - which arrays
 * @returns what they are measured by; `BadData` where there is no such array
 * @example
 * ```ts
 * import { orRaise, tensor } from 'kfac-ts/core';
 * import { datasetOf, standardisationsOf } from 'kfac-ts/pipelines';
 *
 * const data = orRaise(datasetOf('points', tensor([1, 7, 3, 7], [2, 2]), tensor([5, 6], [2])));
 * const measured = orRaise(standardisationsOf(data, ['inputs', 'targets']));
 * measured.targets.deviation.data; // => [0.5]
 * ```
 */
export const standardisationsOf = (
  data: Dataset,
  names: ReadonlyArray<string>,
): E.Either<KfacError, Standardisations> =>
  attempt(() => {
    const none: Moments = { count: 0, mean: new Float64Array(0), squares: new Float64Array(0) };
    const moments = rangesOf(data.size).reduce<Params<Moments>>(
      (before, indices) => {
        const batch = data.batch(indices);
        return mapParams(before, (known, name) => {
          const x = arrayAt(batch, name, data.name);
          return mergedMoments(known, momentsOfColumns(x.data, widthOf(x.shape)));
        });
      },
      Object.fromEntries(names.map((name) => [name, none])),
    );
    return mapParams(moments, fromMoments);
  });

/**
 * Numbers in standard deviations from the mean.
 *
 * @param x - `[n, …, columns]`, or `[n]` for one column
 * @param by - what they are measured by
 * @returns (x − mean) / deviation, in the precision of x
 * @example
 * ```ts
 * import { orRaise, tensor } from 'kfac-ts/core';
 * import { standardise, standardisationOf, unstandardise } from 'kfac-ts/pipelines';
 *
 * const prices = tensor([100, 300], [2, 1]);
 * const by = standardisationOf(prices);
 * orRaise(standardise(prices, by)).data; // => [-1, 1]
 * orRaise(unstandardise(tensor([0.5], [1, 1]), by)).data; // => [250]
 * ```
 */
export const standardise = (x: Tensor, by: Standardisation): E.Either<KfacError, Tensor> =>
  pipe(
    checked('standardise', x, by),
    E.map(() => standardisedColumns(x, by.mean.data, by.deviation.data)),
  );

/**
 * Numbers in the units that they had before {@link standardise}.
 *
 * @param x - `[n, …, columns]`, or `[n]` for one column
 * @param by - what they were measured by
 * @returns x · deviation + mean, in double precision
 * @example
 * ```ts
 * import { orRaise, tensor } from 'kfac-ts/core';
 * import { standardisationOf, unstandardise } from 'kfac-ts/pipelines';
 *
 * const by = standardisationOf(tensor([100, 300], [2, 1]));
 * orRaise(unstandardise(tensor([0.5], [1, 1]), by)).data; // => [250]
 * ```
 */
export const unstandardise = (x: Tensor, by: Standardisation): E.Either<KfacError, Tensor> =>
  pipe(
    checked('unstandardise', x, by),
    E.map(() => restoredColumns(x, by.mean.data, by.deviation.data)),
  );

/** What is known of numbers of a range, from the columns that go furthest. */
const standardisedRange = ({ least, most }: Range, { mean, deviation }: Standardisation): Range => {
  const furthest = (bound: number, pick: (...values: ReadonlyArray<number>) => number): number =>
    pick(...Array.from(mean.data, (centre, j) => (bound - centre) / deviation.data[j]));
  return { least: furthest(least, Math.min), most: furthest(most, Math.max), isWhole: false };
};

/** What is known of the numbers of a data set, in standard deviations. */
const standardisedKnown = (draw: Draw, by: Standardisations): Pick<Draw, 'largest' | 'ranges'> => {
  if (draw.ranges === undefined) return {};
  const ranges = mapParams(draw.ranges, (range, name) =>
    Object.hasOwn(by, name) ? standardisedRange(range, by[name]) : range,
  );
  return { ranges, largest: Math.max(...Object.values(ranges).map(largestIn)) };
};

/**
 * A data set some of whose arrays are in standard deviations from their mean; the others are as they were.
 *
 * @param data - a data set
 * @param by - what arrays are measured by, by their names
 * @returns the data set; `BadData` where it has no such array, or one of other columns
 * @example
 * ```ts
 * import { orRaise, tensor } from 'kfac-ts/core';
 * import { datasetOf, standardisationsOf, standardisedBy } from 'kfac-ts/pipelines';
 *
 * const data = orRaise(datasetOf('points', tensor([1, 7, 3, 7], [2, 2]), tensor([0, 1], [2], 'i32')));
 * const by = orRaise(standardisationsOf(data, ['inputs']));
 * orRaise(standardisedBy(data, by)).batch(Int32Array.of(1)).inputs.data; // => [1, 0]
 * ```
 */
export const standardisedBy = (data: Dataset, by: Standardisations): E.Either<KfacError, Dataset> =>
  pipe(
    attempt(() => mapParams(by, (_, name) => arrayAt(data.batch(Int32Array.of(0)), name, data.name))),
    E.chain((first) =>
      pipe(
        by,
        R.traverseWithIndex(E.Applicative)((name, measured) => checked(`${data.name}, ${name}`, first[name], measured)),
      ),
    ),
    E.map(() => ({
      ...data,
      batch: knowing(
        (indices) =>
          mapParams(data.batch(indices), (x, name) =>
            Object.hasOwn(by, name) ? standardisedColumns(x, by[name].mean.data, by[name].deviation.data) : x,
          ),
        standardisedKnown(data.batch, by),
      ),
    })),
  );
