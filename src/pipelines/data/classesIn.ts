/**
 * The classes of all examples of a data set.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { KfacError } from '../../core/errors.ts';
import { attempt } from '../../core/errors.ts';
import { arrayAt } from '../../core/nn/layers/circumstances.ts';
import { firstFraction, stackRows } from '../../core/rows.ts';
import type { ReadonlyVector } from '../../core/tensor.ts';
import { showShape } from '../../core/tensor.ts';
import { rangesOf } from './batches.ts';
import type { Dataset } from './dataset.ts';

/**
 * A whole number for each example.
 *
 * @param data - a data set
 * @param array - name of the array that has them
 */
export const classesIn = (data: Dataset, array: string): E.Either<KfacError, ReadonlyVector> => {
  const source = `${data.name}, ${array}`;
  const advice = 'Name an array of classes, or split without one.';
  return pipe(
    attempt(() => stackRows(rangesOf(data.size).map((indices) => arrayAt(data.batch(indices), array, data.name)))),
    E.chain(({ shape, data: classes }): E.Either<KfacError, ReadonlyVector> => {
      if (classes.length !== data.size) {
        const expected = 'a class for each example';
        return E.left({ _tag: 'BadData', source, expected, actual: showShape(shape), advice });
      }
      const at = firstFraction(classes, 1);
      if (at < 0) return E.right(classes);
      const actual = `${classes[at]} in example ${at}`;
      return E.left({ _tag: 'BadData', source, expected: 'whole numbers', actual, advice });
    }),
  );
};
