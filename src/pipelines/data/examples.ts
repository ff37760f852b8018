/**
 * Examples on their way into a computation: whatever a data source gives is checked here, so that what it did wrong is not
 * blamed on the learning rate.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { KfacError } from '../../core/errors.ts';
import { attempt } from '../../core/errors.ts';
import type { Admissible } from '../../core/nn/admissible.ts';
import { checkAdmissible, isWithin } from '../../core/nn/admissible.ts';
import { arrayAt } from '../../core/nn/layers/circumstances.ts';
import type { Batch } from '../../core/pipeline/context.ts';
import type { FloatType } from '../../core/random/uniform.ts';
import { firstOutside, largestFloat } from '../../core/rows.ts';
import { shown } from '../../core/shown.ts';
import type { ReadonlyVector, Shape, Tensor } from '../../core/tensor.ts';
import { checkTensor, showShape, sizeOf } from '../../core/tensor.ts';
import { messageOf } from '../files/thrown.ts';
import { range, rangesOf } from './batches.ts';
import type { Dataset } from './dataset.ts';

/** What is asked of an array of a batch besides finite numbers. */
export interface Demand {
  /** Name of the array. */
  readonly array: string;
  /** What may be in it, given its shape; `null` for any numbers. */
  readonly admits: (shape: Shape) => Admissible | null;
  /** Name of the array of weights, if there is one: what weighs nothing may be anything. */
  readonly weights?: string;
}

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
      const at = firstOutside(data, -largestFloat[dtype], largestFloat[dtype]);
      if (at < 0) return E.right(x);
      const actual = `${data[at]} in example ${indices[Math.floor(at / sizeOf(shape.slice(1)))]}`;
      return Number.isFinite(data[at])
        ? bad(source, `numbers that ${dtype} holds`, actual, 'Scale the data, or compute in f64.')
        : bad(source, 'finite numbers', actual, 'Remove or repair the example.');
    }),
  );

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A promise among what was given: that it may be rejected later is nobody's concern any more. */
const isPromise = (value: unknown): boolean => {
  if (!isRecord(value) || typeof value['then'] !== 'function') return false;
  Promise.resolve(value).catch(() => undefined);
  return true;
};

/** What a data source gave, in a few words. */
const given = (value: unknown): string => (isPromise(value) ? 'a promise' : shown(value));

const promised = 'A data source gives its examples at once: wait for the data before training.';

/** Arrays by name. From JavaScript anything may come, a promise most likely. */
const checkArrays = (source: string, batch: Batch<Tensor>): E.Either<KfacError, Batch<Tensor>> => {
  const isLate = isPromise(batch);
  if (isLate || !isRecord(batch)) {
    const advice = isLate ? promised : 'Give a record: inputs, targets, …';
    return bad(source, 'examples, as arrays by name', isLate ? 'a promise' : shown(batch), advice);
  }
  const wrong = Object.keys(batch).find((name) => !isRecord(batch[name]) || isPromise(batch[name]));
  return wrong === undefined
    ? E.right(batch)
    : bad(
        `${source}, ${wrong}`,
        'an array',
        given(batch[wrong]),
        isPromise(batch[wrong]) ? promised : 'Make tensors with tensor(values, shape, dtype).',
      );
};

const isKnownToFit = ({ batch: { largest } }: Dataset, dtype: FloatType): boolean =>
  largest !== undefined && largest <= largestFloat[dtype];

/** An array that a batch must have holds what it may. */
const checkDemand = (
  data: Dataset,
  batch: Batch<Tensor>,
  indices: ReadonlyVector,
  { array, admits, weights = '' }: Demand,
): E.Either<KfacError, unknown> =>
  pipe(
    attempt(() => {
      const x = arrayAt(batch, array, data.name);
      return { x, admissible: admits(x.shape) };
    }),
    E.chain(({ x, admissible }) => {
      const known = data.batch.ranges?.[array];
      if (admissible === null || (known !== undefined && isWithin(known, admissible))) return E.right(x);
      return checkAdmissible(`${data.name}, ${array}`, x, admissible, {
        exampleAt: (row) => indices[row],
        ...(Object.hasOwn(batch, weights) ? { weights: batch[weights] } : {}),
      });
    }),
  );

/**
 * The examples at some positions, checked unless the data set is known to have none that are wrong.
 *
 * @param data - where they come from
 * @param indices - their positions
 * @param dtype - precision that they are computed with in
 * @param demands - what arrays may hold
 */
export const examplesAt = (
  data: Dataset,
  indices: ReadonlyVector,
  dtype: FloatType,
  demands: ReadonlyArray<Demand> = [],
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
    E.chain((batch) => checkArrays(data.name, batch)),
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
        demands,
        E.traverseArray((demand) => checkDemand(data, batch, indices, demand)),
      ),
    ),
  );

/**
 * Arrays that are all of the examples, checked as those of a data set.
 *
 * @param name - what errors call them
 * @param arrays - a batch, whose first array counts the examples
 * @param dtype - precision that they are computed with in
 * @param demands - what arrays may hold
 */
export const examplesIn = (
  name: string,
  arrays: Batch<Tensor>,
  dtype: FloatType,
  demands: ReadonlyArray<Demand> = [],
): E.Either<KfacError, Batch<Tensor>> => {
  const size = Object.values(arrays)[0]?.shape[0] ?? 0;
  return examplesAt({ name, size, batch: () => arrays }, range(0, size), dtype, demands);
};

/** Whether an array is known to hold what it may, from the shape that it has in a batch of one example. */
const isKnownToHold = (data: Dataset, demand: Demand): boolean =>
  pipe(
    examplesAt(data, range(0, 1), 'f64'),
    E.chain((batch) => attempt(() => demand.admits(arrayAt(batch, demand.array, data.name).shape))),
    E.match(
      () => false,
      (admissible) => {
        const known = data.batch.ranges?.[demand.array];
        return admissible === null || (known !== undefined && isWithin(known, admissible));
      },
    ),
  );

/**
 * Finds what is wrong with a data set before training, where what is known of its numbers says that something may be. Data
 * that is made when it is asked for is looked at then.
 *
 * @param data - a data set
 * @param dtype - precision that it is computed with in
 * @param demands - what arrays may hold
 */
export const checkExamples = (
  data: Dataset,
  dtype: FloatType,
  demands: ReadonlyArray<Demand> = [],
): E.Either<KfacError, Dataset> => {
  if (data.batch.largest === undefined) return E.right(data);
  if (isKnownToFit(data, dtype) && demands.every((demand) => isKnownToHold(data, demand))) return E.right(data);
  return pipe(
    rangesOf(data.size),
    E.traverseArray((indices) => examplesAt(data, indices, dtype, demands)),
    E.map(() => data),
  );
};
