/**
 * What data were measured by, as a text file in a run's folder: whoever uses the run later measures other data by the same.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as t from 'io-ts';

import type { KfacError } from '../../core/errors.ts';
import { mapParams } from '../../core/params.ts';
import { tensor } from '../../core/tensor.ts';
import type { Standardisations } from './standardisation.ts';

const file = 'standardisation.json';

const Finite = t.refinement(t.number, Number.isFinite, 'a number');
const Above = t.refinement(t.number, (x) => Number.isFinite(x) && x > 0, 'a number above 0');

const Kept = t.record(
  t.string,
  t.strict({ mean: t.readonlyArray(Finite), deviation: t.readonlyArray(Above) }),
  'mean and deviation of each array',
);

/**
 * The file that keeps what arrays are measured by, for a task's `kept`.
 *
 * @param units - what arrays are measured by, by their names
 * @returns its text by its name
 * @example
 * ```ts
 * import { tensor } from 'kfac-ts/core';
 * import { keptStandardisation, standardisationOf } from 'kfac-ts/pipelines';
 *
 * keptStandardisation({ inputs: standardisationOf(tensor([1, 7, 3, 7], [2, 2])) });
 * // => { 'standardisation.json': '{"inputs":{"mean":[2,7],"deviation":[1,1]}}' }
 * ```
 */
export const keptStandardisation = (units: Standardisations): Readonly<Record<string, string>> => ({
  [file]: JSON.stringify(
    mapParams(units, ({ mean, deviation }) => ({ mean: Array.from(mean.data), deviation: Array.from(deviation.data) })),
  ),
});

/**
 * What arrays are measured by, from the files that a run has kept; for a family's `recalled`.
 *
 * @param kept - texts by the names of their files, as {@link keptStandardisation} has made one of them
 * @returns each number as it was, or `BadCheckpoint` where there is no such file
 * @example
 * ```ts
 * import { orRaise, tensor } from 'kfac-ts/core';
 * import { keptStandardisation, standardisationIn, standardisationOf } from 'kfac-ts/pipelines';
 *
 * const kept = keptStandardisation({ inputs: standardisationOf(tensor([1, 7, 3, 7], [2, 2])) });
 * orRaise(standardisationIn(kept)).inputs.mean.data; // => [2, 7]
 * ```
 */
export const standardisationIn = (kept: Readonly<Record<string, string>>): E.Either<KfacError, Standardisations> => {
  const bad = (actual: string): KfacError => ({ _tag: 'BadCheckpoint', source: file, expected: Kept.name, actual });
  return pipe(
    Object.hasOwn(kept, file) ? E.right(kept[file]) : E.left(bad('no such file')),
    E.chain((text) =>
      E.tryCatch(
        (): unknown => JSON.parse(text),
        () => bad('text that is no JSON'),
      ),
    ),
    E.chain((value) =>
      pipe(
        Kept.decode(value),
        E.mapLeft(() => bad('something else')),
      ),
    ),
    E.chain((found) =>
      Object.values(found).every(({ mean, deviation }) => mean.length === deviation.length && mean.length > 0)
        ? E.right(
            mapParams(found, ({ mean, deviation }) => ({
              mean: tensor(mean, [mean.length], 'f64'),
              deviation: tensor(deviation, [deviation.length], 'f64'),
            })),
          )
        : E.left(bad('means and deviations of different numbers of columns')),
    ),
  );
};
