/**
 * A mark by which the data of a run are known again when it goes on.
 *
 * @module
 */
import { createHash } from 'node:crypto';

import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { Dataset, Splits } from '../data/dataset.ts';

/** How many examples are looked at, spread over all: a look at each would take as long as an epoch for large sets. */
const most = 256;

const spread = (size: number): Float64Array => {
  const count = Math.min(size, most);
  return Float64Array.from({ length: count }, (_, i) => Math.floor((i * size) / count));
};

const markOf = ({ size, batch }: Dataset): string => {
  const hash = createHash('sha256').update(`${size}`);
  const examples = batch(spread(size));
  Object.keys(examples)
    .sort()
    .forEach((name) => {
      const { shape, data } = examples[name];
      hash.update(`${name} ${shape.join(' ')}`).update(Float64Array.from(data));
    });
  return hash.digest('hex').slice(0, 16);
};

/**
 * The mark of data sets: of how many examples they have, and of some of these, spread over all.
 *
 * @param data - what is trained on, and what is judged on
 */
export const dataMark = ({ train, test }: Splits): string =>
  pipe(
    E.tryCatch(() => `${markOf(train)} ${markOf(test)}`, String),
    E.getOrElse(() => 'not readable'), // training says what is wrong with them
  );
