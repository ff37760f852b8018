/**
 * Data sets of a data set: some of its examples, all of them in another order, or changed on their way.
 *
 * Each is a function of the positions that it is asked for, so nothing is copied, and what is known of the numbers of the whole
 * stays known of its parts. A function of one's own in between vouches for nothing: its batches are looked at.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { KfacError } from '../../core/errors.ts';
import type { Batch } from '../../core/pipeline/context.ts';
import { keyOf } from '../../core/random/key.ts';
import { permutation } from '../../core/random/permutation.ts';
import { firstFraction, firstOutside } from '../../core/rows.ts';
import type { ReadonlyVector, Tensor } from '../../core/tensor.ts';
import { generate } from '../../core/tensor.ts';
import type { Dataset, Draw } from './dataset.ts';

/** What is known of the numbers that a function gives. */
export type Known = Pick<Draw, 'largest' | 'ranges'>;

/** The numbers of some positions among others. */
const at = (positions: ReadonlyVector, indices: ReadonlyVector): ReadonlyVector =>
  generate([indices.length], (i) => positions[indices[i]] ?? -1, 'i32').data;

/** A function with what is known of the numbers that it gives. */
export const knowing = (draw: (indices: ReadonlyVector) => Batch<Tensor>, { largest, ranges }: Known): Draw =>
  Object.assign((indices: ReadonlyVector) => draw(indices), {
    ...(largest === undefined ? {} : { largest }),
    ...(ranges === undefined ? {} : { ranges }),
  });

/**
 * The examples at positions that there are.
 *
 * @param data - a data set
 * @param positions - whole numbers from 0 to size − 1
 * @param name - name for reports
 */
export const picked = (data: Dataset, positions: ReadonlyVector, name: string): Dataset => {
  const { lengths } = data;
  return {
    ...data,
    name,
    size: positions.length,
    batch: knowing((indices) => data.batch(at(positions, indices)), data.batch),
    ...(lengths === undefined ? {} : { lengths: at(lengths, positions) }),
  };
};

/**
 * Some examples of a data set, in any order; one may come more than once.
 *
 * @param data - a data set
 * @param positions - at least one, from 0 to size − 1
 * @param name - name for reports, that of the data set unless given
 * @example
 * ```ts
 * import { generate, orRaise } from 'kfac-ts/core';
 * import { datasetOf, subset } from 'kfac-ts/pipelines';
 *
 * const numbers = orRaise(datasetOf('numbers', { inputs: generate([10, 1], (i) => i * i) }));
 * const some = orRaise(subset(numbers, [3, 1]));
 * some.batch(Int32Array.of(0, 1)).inputs.data; // => [9, 1]
 * ```
 */
export const subset = (
  data: Dataset,
  positions: ArrayLike<number>,
  name: string = data.name,
): E.Either<KfacError, Dataset> => {
  const wanted = Float64Array.from(positions);
  const odd = Math.max(firstOutside(wanted, 0, data.size - 1), firstFraction(wanted, 1));
  return odd < 0 && wanted.length > 0
    ? E.right(picked(data, wanted, name))
    : E.left({
        _tag: 'BadData',
        source: `positions in ${data.name}`,
        expected: `at least one whole number from 0 to ${data.size - 1}`,
        actual: odd < 0 ? 'none' : `${wanted[odd]} at position ${odd}`,
        advice: 'A data set of n examples has positions from 0 to n − 1.',
      });
};

/**
 * The same examples in an order drawn at random, for data that are looked at from the first on. Training draws an order of its
 * own for each epoch and needs none.
 *
 * @param data - a data set
 * @param seed - decides the order
 * @example
 * ```ts
 * import { generate, orRaise } from 'kfac-ts/core';
 * import { datasetOf, range, shuffled } from 'kfac-ts/pipelines';
 *
 * const numbers = orRaise(datasetOf('numbers', { inputs: generate([4], (i) => i) }));
 * [...shuffled(numbers, 1).batch(range(0, 4)).inputs.data].sort(); // => [0, 1, 2, 3]
 * ```
 */
export const shuffled = (data: Dataset, seed: number): Dataset =>
  picked(data, permutation(keyOf(seed), data.size).data, data.name);

/**
 * Examples that a function changes on their way: noise, crops, another unit. It is called anew for each batch.
 *
 * @param data - a data set
 * @param change - from the arrays of some examples, and their positions, to others with as many rows
 * @example
 * ```ts
 * import { generate, orRaise, tensor } from 'kfac-ts/core';
 * import { datasetOf, mapped } from 'kfac-ts/pipelines';
 *
 * const metres = orRaise(datasetOf('lengths', { inputs: tensor([1, 2], [2, 1]) }));
 * const centimetres = mapped(metres, ({ inputs }) => ({ inputs: generate(inputs.shape, (i) => 100 * inputs.data[i]) }));
 * centimetres.batch(Int32Array.of(1)).inputs.data; // => [200]
 * ```
 */
export const mapped = (
  data: Dataset,
  change: (batch: Batch<Tensor>, indices: ReadonlyVector) => Batch<Tensor>,
): Dataset => ({ ...data, batch: (indices) => change(data.batch(indices), indices) });
