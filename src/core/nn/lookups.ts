/**
 * Models whose inputs are indices: which ones a model knows, and the error of one that it does not know.
 *
 * On a device an index outside a table gives NaN, which shows up later as a loss or a factor that is not finite. In host
 * memory the values can be looked at, so this is where the cause is named.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import { shapeInterpreter } from '../autodiff/shape.ts';
import type { KfacError } from '../errors.ts';
import { attempt } from '../errors.ts';
import type { AnySite } from '../ops/site.ts';
import { mapParams } from '../params.ts';
import type { Shaped, Tensor } from '../tensor.ts';
import type { Admissible } from './admissible.ts';
import { checkAdmissible } from './admissible.ts';
import { evaluating } from './layers/circumstances.ts';
import type { Model } from './model.ts';

/** A table whose rows are looked up. */
export interface Lookup {
  /** Name of the batch's array that is looked up. */
  readonly array: string;
  /** Path of its site. */
  readonly path: string;
  /** Number of its rows. */
  readonly vocabulary: number;
}

/** Every table that a model looks all elements of an array of the batch up in. */
const everyLookup = (described: Model): ReadonlyArray<Lookup> => {
  const { ops } = shapeInterpreter();
  const arrays = mapParams(described.inputs, (shape): Shaped => ({ shape: [1, ...shape] }));
  const nameOf = new Map(Object.entries(arrays).map(([name, x]) => [x, name]));
  const tables: Array<Lookup> = [];
  const following = (from: Shaped, to: Shaped): Shaped => {
    const name = nameOf.get(from);
    if (name !== undefined) nameOf.set(to, name);
    return to;
  };
  const shapes = Object.fromEntries(described.layer.parameters('').map(({ path, shape }) => [path, shape]));
  described.program(
    {
      ...ops,
      reshape: (x, shape) => following(x, ops.reshape(x, shape)),
      transpose: (x, permutation) => following(x, ops.transpose(x, permutation)),
      site: ({ path, vocabulary }: AnySite, input, output) => {
        const array = nameOf.get(input);
        if (vocabulary !== undefined && array !== undefined) tables.push({ array, path, vocabulary });
        return output;
      },
    },
    mapParams(shapes, (shape) => ({ shape })),
    evaluating(arrays),
  );
  return tables;
};

/**
 * The arrays of a batch whose elements a model looks up, all of them, as they are or in another shape; each with the
 * smallest table that it is looked up in.
 *
 * @param described - the model
 * @returns one for each such array: none where inputs are numbers, where only a part of an array is looked up, or where the
 *   model's own shapes do not fit together
 */
export const lookupsOf = (described: Model): ReadonlyArray<Lookup> =>
  pipe(
    attempt(() => everyLookup(described)),
    E.getOrElse((): ReadonlyArray<Lookup> => []),
    (tables) =>
      tables.filter(
        ({ array, vocabulary }, i) =>
          !tables.some(
            (other, j) =>
              other.array === array && (other.vocabulary < vocabulary || (other.vocabulary === vocabulary && j < i)),
          ),
      ),
  );

/**
 * The indices that a table has.
 *
 * @param table - path and number of rows
 */
export const rowsOfTable = ({ path, vocabulary }: Omit<Lookup, 'array'>): Admissible => ({
  least: 0,
  most: vocabulary - 1,
  isWhole: true,
  expected: `indices from 0 to ${vocabulary - 1}, the rows of the table at ${path === '' ? 'the model' : path}`,
  advice: 'Give the embedding a larger vocabulary, or repair the example.',
});

/**
 * Indices that a table has.
 *
 * @param source - where they come from
 * @param indices - `[n, …]`
 * @param table - where they are looked up
 * @param exampleAt - what the example at a place along the first axis is called
 * @returns the indices, or the first that the table does not have
 */
export const checkIndices = (
  source: string,
  indices: Tensor,
  table: Omit<Lookup, 'array'>,
  exampleAt: (row: number) => number = (row) => row,
): E.Either<KfacError, Tensor> => checkAdmissible(source, indices, rowsOfTable(table), { exampleAt });
