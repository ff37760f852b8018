/**
 * Examples on their way into a computation: whatever a data source gives is checked here, so that what it did wrong is not
 * blamed on the learning rate.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as RA from 'fp-ts/lib/ReadonlyArray.js';

import type { KfacError } from '../../core/errors.ts';
import { attempt } from '../../core/errors.ts';
import type { Lookup } from '../../core/nn/lookups.ts';
import { arrayAt } from '../../core/nn/layers/circumstances.ts';
import { checkIndices } from '../../core/nn/lookups.ts';
import type { Batch } from '../../core/pipeline/context.ts';
import { firstOutside } from '../../core/rows.ts';
import type { ReadonlyVector, Tensor } from '../../core/tensor.ts';
import { checkTensor, showShape, sizeOf } from '../../core/tensor.ts';
import { messageOf } from '../files/thrown.ts';
import { range } from './batches.ts';
import type { Dataset } from './dataset.ts';

type FloatType = 'f32' | 'f64';

/** The largest number of each type. */
const largestOf: Readonly<Record<FloatType, number>> = { f32: 2 ** 128 - 2 ** 104, f64: Number.MAX_VALUE };

const bad = (source: string, expected: string, actual: string, advice: string): E.Either<KfacError, never> =>
  E.left({ _tag: 'BadData', source, expected, actual, advice });

/** One array of a batch: a tensor with a row for each example, whose numbers are finite where they are computed with. */
const checkArray = (
  source: string,
  x: Tensor,
  indices: ReadonlyVector,
  dtype: FloatType,
): E.Either<KfacError, Tensor> =>
  pipe(
    attempt(() => checkTensor(source, x)),
    E.chain(({ shape, data }) => {
      if (shape[0] !== indices.length) {
        return bad(source, `${indices.length} examples`, showShape(shape), 'The first axis counts examples.');
      }
      const at = firstOutside(data, -largestOf[dtype], largestOf[dtype]);
      if (at < 0) return E.right(x);
      const actual = `${data[at]} in example ${indices[Math.floor(at / sizeOf(shape.slice(1)))]}`;
      return Number.isFinite(data[at])
        ? bad(source, `numbers that ${dtype} holds`, actual, 'Scale the data, or compute in f64.')
        : bad(source, 'finite numbers', actual, 'Remove or repair the example.');
    }),
  );

const isKnownToFit = ({ batch: { largest } }: Dataset, dtype: FloatType): boolean =>
  largest !== undefined && largest <= largestOf[dtype];

/**
 * The examples at some positions, checked unless the data set is known to have none that are wrong.
 *
 * @param data - where they come from
 * @param indices - their positions
 * @param dtype - precision that they are computed with in
 * @param lookups - which arrays are indices, and of which table
 */
export const examplesAt = (
  data: Dataset,
  indices: ReadonlyVector,
  dtype: FloatType,
  lookups: ReadonlyArray<Lookup> = [],
): E.Either<KfacError, Batch<Tensor>> =>
  pipe(
    E.tryCatch(
      () => attempt(() => data.batch(indices)),
      (thrown): KfacError => ({
        _tag: 'BadData',
        source: data.name,
        expected: 'examples',
        actual: `the error “${messageOf(thrown)}”`,
        advice: 'It comes from the data source.',
      }),
    ),
    E.flatten,
    E.chainFirst((batch) =>
      isKnownToFit(data, dtype)
        ? E.right(null)
        : pipe(
            Object.entries(batch),
            E.traverseArray(([name, x]: readonly [string, Tensor]) =>
              checkArray(`${data.name}, ${name}`, x, indices, dtype),
            ),
          ),
    ),
    E.chainFirst((batch) =>
      pipe(
        lookups,
        E.traverseArray((table) =>
          pipe(
            attempt(() => arrayAt(batch, table.array, data.name)),
            E.chain((x) => checkIndices(`${data.name}, ${table.array}`, x, table, (row) => indices[row])),
          ),
        ),
      ),
    ),
  );

/** Examples that are looked at together when one of them is searched for. */
const searched = 500;

/**
 * Finds what is wrong with a data set before training, where its largest number says that something is, or where its inputs
 * are indices. Data that is made when it is asked for is looked at then.
 *
 * @param data - a data set
 * @param dtype - precision that it is computed with in
 * @param lookups - which arrays are indices, and of which table
 */
export const checkExamples = (
  data: Dataset,
  dtype: FloatType,
  lookups: ReadonlyArray<Lookup> = [],
): E.Either<KfacError, Dataset> => {
  if (data.batch.largest === undefined || (isKnownToFit(data, dtype) && lookups.length === 0)) return E.right(data);
  return pipe(
    RA.makeBy(Math.ceil(data.size / searched), (i) =>
      range(i * searched, Math.min(searched, data.size - i * searched)),
    ),
    E.traverseArray((indices) => examplesAt(data, indices, dtype, lookups)),
    E.map(() => data),
  );
};
