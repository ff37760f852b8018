/**
 * A data set: how many examples, and the examples at given positions.
 *
 * Rows are made when they are asked for, at once, so images stay bytes in memory (an eighth of what doubles take) and a data
 * set on disk fits the same interface. What comes over the wire is waited for before training.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { KfacError } from '../../core/errors.ts';
import { attempt } from '../../core/errors.ts';
import type { Params } from '../../core/params.ts';
import { mapParams } from '../../core/params.ts';
import type { Batch } from '../../core/pipeline/context.ts';
import type { Rows } from '../../core/rows.ts';
import type { Range } from '../../core/nn/admissible.ts';
import { extremes, firstFraction, firstOutside, gatherRows } from '../../core/rows.ts';
import type { ReadonlyVector, Tensor } from '../../core/tensor.ts';
import { checkShape, checkTensor, showShape, sizeOf } from '../../core/tensor.ts';

/** Gives examples. */
export interface Draw {
  (indices: ReadonlyVector): Batch<Tensor>;
  /**
   * The largest magnitude among the numbers of all examples, where it is known that it is finite. It belongs to the
   * function and not to the data set, so that whoever puts another function in its place does not vouch for that one too;
   * without it, every batch is looked at before anything is computed with it.
   */
  readonly largest?: number;
  /** What is known of the numbers of each array of all examples, likewise. */
  readonly ranges?: Readonly<Record<string, Range>>;
}

/** Examples that can be asked for by position. */
export interface Dataset {
  readonly name: string;
  /** Number of examples. */
  readonly size: number;
  /** The examples at positions from 0 to size − 1, as new tensors: `[n, …]`. */
  readonly batch: Draw;
  /** How long each example is, `[size]`, where lengths differ: training then takes those of about one length together. */
  readonly lengths?: ReadonlyVector;
  /** How many examples may be judged at a time, where outputs are large. */
  readonly chunk?: number;
}

/** The training examples, and others to judge a model by. */
export interface Splits {
  readonly train: Dataset;
  readonly test: Dataset;
}

const countOf = ({ shape, data }: Rows): number => (sizeOf(shape) === 0 ? 0 : data.length / sizeOf(shape));

const bad = (source: string, expected: string, actual: string, advice: string): E.Either<KfacError, never> =>
  E.left({ _tag: 'BadData', source, expected, actual, advice });

/** The numbers of rows. Bytes need no look, whatever their number, unless they are integers: those may be a few classes. */
const rangeIn = ({ data, scale, dtype }: Rows): Range => {
  const isWhole = dtype === 'i32';
  const [least, most] = data.BYTES_PER_ELEMENT === 1 && !isWhole ? [0, 255] : extremes(data);
  return { least: Math.min(scale * least, scale * most), most: Math.max(scale * least, scale * most), isWhole };
};

export const largestIn = ({ least, most }: Range): number => Math.max(Math.abs(least), Math.abs(most));

/** The range of rows that fill their shape, without a NaN or an infinity; whole numbers where they are integers. */
const checkRows = (source: string, rows: Rows): E.Either<KfacError, Range> => {
  const { shape, data, scale, dtype } = rows;
  const example = (at: number): string => `${data[at]} in example ${Math.floor(at / sizeOf(shape))}`;
  const valid = attempt(() => checkShape(source, shape));
  if (E.isLeft(valid)) return valid;
  if (!Number.isInteger(countOf(rows))) {
    const rowsOfSize = `rows of ${sizeOf(shape)} numbers, as shape ${showShape(shape)} has`;
    return bad(source, rowsOfSize, `${data.length} numbers`, 'The last example is not whole.');
  }
  const known = rangeIn(rows);
  if (!(largestIn(known) < Infinity)) {
    const at = firstOutside(data, -Number.MAX_VALUE, Number.MAX_VALUE);
    const actual = at < 0 ? `a scale of ${scale}` : example(at);
    return bad(source, 'finite numbers', actual, 'Remove or repair the example.');
  }
  const fraction = dtype === 'i32' ? firstFraction(data, scale) : -1;
  return fraction < 0
    ? E.right(known)
    : bad(source, 'whole numbers of 32 bits', example(fraction), 'Take f32 or f64 for numbers that are not whole.');
};

/** A data set with examples: one of a program's own may say any size. */
export const checkSize = (data: Dataset): E.Either<KfacError, Dataset> =>
  Number.isSafeInteger(data.size) && data.size >= 1
    ? E.right(data)
    : bad(
        data.name,
        'a size that is a whole number of at least 1',
        String(data.size),
        'Say how many examples there are.',
      );

/** Arrays by name as one data set. */
const together = (name: string, arrays: Params<Rows>): E.Either<KfacError, Dataset> => {
  const names = Object.keys(arrays);
  const [first, ...others] = names;
  if (first === undefined) return bad(name, 'at least one array', 'none', 'Name the arrays: inputs, targets, …');
  const size = countOf(arrays[first]);
  return pipe(
    names,
    E.traverseArray((array) =>
      pipe(
        checkRows(`${name}, ${array}`, arrays[array]),
        E.map((range) => [array, range] as const),
      ),
    ),
    E.chain((ranges) =>
      size === 0 || others.some((other) => countOf(arrays[other]) !== size)
        ? bad(
            name,
            others.length === 0 ? 'at least one example' : `as many ${names.join(' as ')}, and at least one`,
            names.map((array) => `${countOf(arrays[array])} ${array}`).join(' and '),
            'The first axis of each counts examples.',
          )
        : E.right(ranges),
    ),
    E.map((ranges) => ({
      name,
      size,
      batch: Object.assign(
        (indices: ReadonlyVector): Batch<Tensor> => {
          const gathered = new Map(
            [...new Set(Object.values(arrays))].map((rows) => [rows, gatherRows(rows, indices)]),
          );
          return mapParams(arrays, (rows) => gathered.get(rows) ?? gatherRows(rows, indices));
        },
        { largest: Math.max(...ranges.map(([, range]) => largestIn(range))), ranges: Object.fromEntries(ranges) },
      ),
    })),
  );
};

/**
 * A data set in memory. All arrays have as many rows, at least one, and all numbers must be finite.
 *
 * @param name - name for reports
 * @param inputs - what goes into the model, row by row; or rows of any number of arrays by name
 * @param targets - what the loss compares with, row by row
 * @example
 * ```ts
 * import { dataset } from 'kfac-ts/pipelines';
 *
 * // Two grey images of 2 × 2 pixels, kept as bytes and scaled when they are asked for.
 * const pixels = new Uint8Array([0, 255, 255, 0, 255, 0, 0, 255]);
 * const data = dataset(
 *   'tiny images',
 *   { shape: [4], data: pixels, scale: 1 / 255, dtype: 'f64' },
 *   { shape: [], data: new Uint8Array([0, 1]), scale: 1, dtype: 'i32' },
 * );
 * data._tag === 'Right' ? data.right.size : null; // => 2
 * ```
 */
export function dataset(name: string, inputs: Rows, targets: Rows): E.Either<KfacError, Dataset>;
export function dataset(name: string, arrays: Params<Rows>): E.Either<KfacError, Dataset>;
export function dataset(
  name: string,
  ...given: readonly [inputs: Rows, targets: Rows] | readonly [arrays: Params<Rows>]
): E.Either<KfacError, Dataset> {
  return together(name, given.length === 2 ? { inputs: given[0], targets: given[1] } : given[0]);
}

/**
 * The rows of a tensor, whose first axis counts them.
 *
 * @example
 * ```ts
 * import { tensor } from 'kfac-ts/core';
 * import { dataset, rowsOf } from 'kfac-ts/pipelines';
 *
 * const inputs = rowsOf(tensor([1, 2, 3, 4], [2, 2]));
 * const targets = rowsOf(tensor([0, 1], [2], 'i32'));
 * dataset('points', inputs, targets)._tag; // => 'Right'
 * ```
 */
export const rowsOf = (x: Tensor): Rows => ({ shape: x.shape.slice(1), data: x.data, scale: 1, dtype: x.dtype });

/**
 * A data set of tensors, `[n, …]` each.
 *
 * @param name - name for reports
 * @param inputs - what goes into the model; or any number of arrays by name
 * @param targets - what the loss compares with; the inputs themselves for an autoencoder
 * @example
 * ```ts
 * import { tensor } from 'kfac-ts/core';
 * import { datasetOf } from 'kfac-ts/pipelines';
 *
 * const data = datasetOf('points', tensor([1, 2, 3, 4], [2, 2]), tensor([0, 1], [2], 'i32'));
 * data._tag === 'Right' ? data.right.size : null; // => 2
 *
 * // Arrays by the names that models, losses and weights have for them.
 * const tokens = tensor([1, 2, 3, 0], [2, 2], 'i32');
 * const sentences = datasetOf('sentences', { tokens, mask: tensor([1, 1, 1, 0], [2, 2]) });
 * sentences._tag === 'Right' ? Object.keys(sentences.right.batch(Int32Array.of(0))) : []; // => ['tokens', 'mask']
 * ```
 */
export function datasetOf(name: string, inputs: Tensor, targets: Tensor): E.Either<KfacError, Dataset>;
export function datasetOf(name: string, arrays: Batch<Tensor>): E.Either<KfacError, Dataset>;
export function datasetOf(
  name: string,
  ...given: readonly [inputs: Tensor, targets: Tensor] | readonly [arrays: Batch<Tensor>]
): E.Either<KfacError, Dataset> {
  const arrays = given.length === 2 ? { inputs: given[0], targets: given[1] } : given[0];
  return pipe(
    attempt(() => {
      const distinct = new Set(Object.values(mapParams(arrays, (x, array) => checkTensor(`${name}, ${array}`, x))));
      return new Map([...distinct].map((x) => [x, rowsOf(x)]));
    }),
    E.chain((rows) =>
      together(
        name,
        mapParams(arrays, (x) => rows.get(x) ?? rowsOf(x)),
      ),
    ),
  );
}

/** Examples as functions take them that only look: a data set, or a few examples as arrays by name. */
export type Examples = Dataset | Batch<Tensor>;

/** Whether they are a data set; a batch may have arrays called `name` and `batch`. */
export const isDataset = (given: Examples): given is Dataset => typeof given.batch === 'function';

/** The data set, or the one that the arrays make. */
export const examplesOf = (given: Examples): E.Either<KfacError, Dataset> =>
  isDataset(given) ? E.right(given) : datasetOf('examples', given);
