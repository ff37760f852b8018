/**
 * Parts of a data set: examples to train on, others to judge by.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { KfacError } from '../../core/errors.ts';
import { keyOf } from '../../core/random/key.ts';
import { permutation } from '../../core/random/permutation.ts';
import type { ReadonlyVector } from '../../core/tensor.ts';
import { generate } from '../../core/tensor.ts';
import type { Dataset, Splits } from './dataset.ts';

/** How a data set is split. */
export interface SplitOptions {
  /** Part of the examples that are for the test, above 0 and below 1; a fifth unless given. */
  readonly test?: number;
  /** Decides which ones, 1 unless given. */
  readonly seed?: number;
}

/** The examples at some positions of a data set, with all that is known of them. */
const at = (data: Dataset, name: string, positions: ReadonlyVector): Dataset => {
  const { largest, ranges } = data.batch;
  const { lengths, chunk } = data;
  return {
    name: `${data.name}, ${name}`,
    size: positions.length,
    ...(chunk === undefined ? {} : { chunk }),
    ...(lengths === undefined
      ? {}
      : { lengths: generate([positions.length], (i) => lengths[positions[i]], 'i32').data }),
    batch: Object.assign(
      (indices: ReadonlyVector) =>
        data.batch(generate([indices.length], (i) => positions[indices[i]] ?? -1, 'i32').data),
      {
        ...(largest === undefined ? {} : { largest }),
        ...(ranges === undefined ? {} : { ranges }),
      },
    ),
  };
};

/**
 * Splits a data set at random.
 *
 * @param data - at least two examples
 * @param options - how many are for the test, and the seed
 * @example
 * ```ts
 * import { generate } from 'kfac-ts/core';
 * import { datasetOf, splitOf } from 'kfac-ts/pipelines';
 *
 * const x = generate([10, 1], (i) => i);
 * const data = datasetOf('numbers', x, x);
 * const splits = data._tag === 'Right' ? splitOf(data.right, { test: 0.3 }) : data;
 * splits._tag === 'Right' ? splits.right.test.size : 0; // => 3
 * ```
 */
export const splitOf = (data: Dataset, { test = 0.2, seed = 1 }: SplitOptions = {}): E.Either<KfacError, Splits> => {
  const held = Math.round(test * data.size);
  if (!(held >= 1 && held < data.size)) {
    return E.left({
      _tag: 'BadConfig',
      path: 'test',
      expected: `a part above 0 and below 1 that leaves some of the ${data.size} examples on both sides`,
      actual: String(test),
    });
  }
  const { data: order } = permutation(keyOf(seed), data.size);
  return E.right({
    train: at(data, 'train', generate([data.size - held], (i) => order[held + i], 'i32').data),
    test: at(data, 'test', generate([held], (i) => order[i], 'i32').data),
  });
};
