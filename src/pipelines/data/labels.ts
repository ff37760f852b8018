/**
 * Labels of an IDX file as classes.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { KfacError } from '../../core/errors.ts';
import type { Rows } from '../../core/rows.ts';
import { firstFraction, firstOutside, largestMagnitude } from '../../core/rows.ts';
import { showShape } from '../../core/tensor.ts';
import type { IdxArray } from './idx.ts';

/** Classes of examples. */
export interface Labels {
  /** Whole numbers from 0: rows of shape `[]`. */
  readonly rows: Rows;
  /** One more than the largest. */
  readonly classes: number;
}

const bad = (source: string, expected: string, actual: string): E.Either<KfacError, never> =>
  E.left({ _tag: 'BadData', source, expected, actual, advice: 'Check that the file has labels.' });

/** Small data sets may have labels of classes without an example. */
const fewExamples = 256;

/**
 * The labels of an array `[n]`: whole numbers from 0, and not more classes than examples.
 *
 * @param array - what a file holds
 * @param source - name of the file, for errors
 */
export const labelsOf = ({ shape, data }: IdxArray, source: string): E.Either<KfacError, Labels> => {
  if (shape.length !== 1) return bad(source, 'labels [n]', showShape(shape));
  const fraction = firstFraction(data, 1);
  if (fraction >= 0) return bad(source, 'whole numbers', `${data[fraction]} at position ${fraction}`);
  const most = Math.max(data.length, fewExamples) - 1;
  const at = firstOutside(data, 0, most);
  return at < 0
    ? E.right({ rows: { shape: [], data, scale: 1, dtype: 'i32' }, classes: 1 + largestMagnitude(data) })
    : bad(source, `labels from 0 to ${most}`, `${data[at]} at position ${at}`);
};
