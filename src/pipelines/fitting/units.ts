/**
 * In which units a network learns, and in which it is spoken to: it learns in standard deviations where that is asked for, and
 * whoever uses it sees the numbers that they gave.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { KfacError } from '../../core/errors.ts';
import { attempt } from '../../core/errors.ts';
import { arrayAt } from '../../core/nn/layers/circumstances.ts';
import type { Model } from '../../core/nn/model.ts';
import type { Params } from '../../core/params.ts';
import type { Tensor } from '../../core/tensor.ts';
import { showShape } from '../../core/tensor.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Standardisation, Standardisations } from '../data/standardisation.ts';
import { standardisationsOf } from '../data/standardisation.ts';
import type { Measure } from '../tasks/measures.ts';
import { outputsOf } from '../tasks/supervised.ts';

/** Arrays that are standardised by the training examples, or what they are measured by. */
export type Standardise = ReadonlyArray<'inputs' | 'targets'> | Standardisations;

const isNames = (asked: Standardise): asked is ReadonlyArray<'inputs' | 'targets'> => Array.isArray(asked);

const bad = (expected: string, actual: string): E.Either<KfacError, never> =>
  E.left({ _tag: 'BadConfig', path: 'standardise', expected, actual });

/** Numbers that are computed with, not classes or indices. */
const checkNumbers = (data: Dataset, names: ReadonlyArray<string>): E.Either<KfacError, unknown> =>
  pipe(
    attempt(() => {
      const first = data.batch(Int32Array.of(0));
      return names.find((name) => arrayAt(first, name, data.name).dtype === 'i32');
    }),
    E.chain((whole) =>
      whole === undefined
        ? E.right(null)
        : bad('arrays of numbers that are computed with', `${whole}, which are classes or indices`),
    ),
  );

/** Outputs that are of as many columns as the targets, so that what was done to these can be undone of those. */
const checkOutputs = (model: Model, { targets }: Standardisations): E.Either<KfacError, unknown> => {
  const outputs = outputsOf(model, 1);
  if (targets === undefined || outputs === null || outputs.at(-1) === targets.mean.data.length) return E.right(null);
  return bad(
    `targets of as many numbers as the outputs ${showShape(outputs.slice(1))}, or inputs alone`,
    `targets of ${targets.mean.data.length}`,
  );
};

/**
 * What arrays of the training examples are measured by.
 *
 * @param data - the training examples
 * @param model - what learns from them
 * @param asked - arrays, or what they are measured by
 */
export const unitsOf = (data: Dataset, model: Model, asked: Standardise): E.Either<KfacError, Standardisations> => {
  const names = isNames(asked) ? asked : Object.keys(asked);
  const unknown = names.find((name) => name !== 'inputs' && name !== 'targets');
  if (unknown !== undefined) return bad('inputs, targets, or both', unknown);
  return pipe(
    checkNumbers(data, names),
    E.chain(() => (isNames(asked) ? standardisationsOf(data, asked) : E.right(asked))),
    E.chainFirst((units) => checkOutputs(model, units)),
  );
};

/**
 * A measure that sees outputs and targets in the units that the targets were given in.
 *
 * @param units - what targets are measured by
 */
export const inUnits =
  ({ mean, deviation }: Standardisation) =>
  (measure: Measure): Measure =>
  (ops, outputs, targets, weights) => {
    const [scale, shift] = [ops.constant(deviation), ops.constant(mean)];
    const given = (x: typeof outputs): typeof outputs => ops.add(ops.mul(x, scale), shift);
    return measure(ops, given(outputs), given(targets), weights);
  };

/** Names of units in a file: `standardisation/inputs/mean`. */
const prefix = 'standardisation/';

/**
 * Units as arrays of a file.
 *
 * @param units - what arrays are measured by
 */
export const encodeUnits = (units: Standardisations): Params<Tensor> =>
  Object.fromEntries(
    Object.entries(units).flatMap(([name, { mean, deviation }]) => [
      [`${prefix}${name}/mean`, mean],
      [`${prefix}${name}/deviation`, deviation],
    ]),
  );

/** Whether an array of a file belongs to units. */
export const isOfUnits = (name: string): boolean => name.startsWith(prefix);

/**
 * Units from the arrays of a file.
 *
 * @param source - the file, for errors
 * @param arrays - of the file
 */
export const decodeUnits = (source: string, arrays: Params<Tensor>): E.Either<KfacError, Standardisations> => {
  const both = ['mean', 'deviation'];
  const names = [...new Set(Object.keys(arrays).map((path) => path.slice(prefix.length).replace(/\/[^/]*$/, '')))];
  const missing = names
    .flatMap((name) => both.map((part) => `${prefix}${name}/${part}`))
    .find((path) => !Object.hasOwn(arrays, path));
  if (missing !== undefined) {
    return E.left({ _tag: 'BadCheckpoint', source, expected: `an array ${missing}`, actual: 'none' });
  }
  return E.right(
    Object.fromEntries(
      names.map((name) => {
        const [mean, deviation] = both.map((part) => arrays[`${prefix}${name}/${part}`]);
        return [name, { mean, deviation }];
      }),
    ),
  );
};
