/**
 * A data set: how many examples, and the examples at given positions.
 *
 * Rows are made when they are asked for, so images stay bytes in memory (an eighth of what doubles take) and a data set
 * on disk or on the wire fits the same interface.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { KfacError } from '../../core/errors.ts';
import type { Batch } from '../../core/pipeline/context.ts';
import type { Rows } from '../../core/rows.ts';
import { firstOutside, gatherRows } from '../../core/rows.ts';
import type { ReadonlyVector, Tensor } from '../../core/tensor.ts';
import { sizeOf } from '../../core/tensor.ts';

/** Examples that can be asked for by position. */
export interface Dataset {
  readonly name: string;
  /** Number of examples. */
  readonly size: number;
  /** The examples at positions from 0 to size − 1, as new tensors: `[n, …]`. */
  readonly batch: (indices: ReadonlyVector) => Batch<Tensor>;
}

/** The training examples, and others to judge a model by. */
export interface Splits {
  readonly train: Dataset;
  readonly test: Dataset;
}

const countOf = ({ shape, data }: Rows): number => (sizeOf(shape) === 0 ? 0 : data.length / sizeOf(shape));

/** Rows without a NaN or an infinity among them. */
const checkFinite = (source: string, rows: Rows): E.Either<KfacError, Rows> => {
  const at = firstOutside(rows.data, -Number.MAX_VALUE, Number.MAX_VALUE);
  return at < 0
    ? E.right(rows)
    : E.left({
        _tag: 'BadData',
        source,
        expected: 'finite numbers',
        actual: `${rows.data[at]} in example ${Math.floor(at / sizeOf(rows.shape))}`,
        advice: 'Remove or repair the example.',
      });
};

/**
 * A data set in memory. There must be as many targets as inputs, at least one of each, and all must be finite.
 *
 * @param name - name for reports
 * @param inputs - what goes into the model, row by row
 * @param targets - what the loss compares with, row by row
 */
export const dataset = (name: string, inputs: Rows, targets: Rows): E.Either<KfacError, Dataset> => {
  const size = countOf(inputs);
  if (size === 0 || size !== countOf(targets)) {
    return E.left({
      _tag: 'BadData',
      source: name,
      expected: 'as many inputs as targets, and at least one',
      actual: `${size} inputs and ${countOf(targets)} targets`,
      advice: 'The first axis of each counts examples.',
    });
  }
  return pipe(
    checkFinite(`${name}, inputs`, inputs),
    E.chain(() => (targets === inputs ? E.right(targets) : checkFinite(`${name}, targets`, targets))),
    E.map(() => ({
      name,
      size,
      batch: (indices) => {
        const x = gatherRows(inputs, indices);
        return { inputs: x, targets: targets === inputs ? x : gatherRows(targets, indices) };
      },
    })),
  );
};

/** The rows of a tensor, whose first axis counts them. */
export const rowsOf = (x: Tensor): Rows => ({ shape: x.shape.slice(1), data: x.data, scale: 1, dtype: x.dtype });

/**
 * A data set from two tensors, `[n, …]` each.
 *
 * @param name - name for reports
 * @param inputs - what goes into the model
 * @param targets - what the loss compares with; the inputs themselves for an autoencoder
 */
export const datasetOf = (name: string, inputs: Tensor, targets: Tensor): E.Either<KfacError, Dataset> => {
  const rows = rowsOf(inputs);
  return dataset(name, rows, targets === inputs ? rows : rowsOf(targets));
};
