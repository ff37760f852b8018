/**
 * The numbers of a run's steps as arrays: a record that reports thirty numbers is a row of an array, and thousands of them are
 * written in no time.
 *
 * Records that report the same numbers in the same order have one layout. All values stand in one array of eight-byte floats,
 * record after record, and another array says which layout each record has.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as RA from 'fp-ts/lib/ReadonlyArray.js';
import * as t from 'io-ts';

import type { Params } from '../../core/params.ts';
import type { Tensor } from '../../core/tensor.ts';
import { generate } from '../../core/tensor.ts';
import { decoder } from '../config/codecs/codecs.ts';
import { arrayIn } from './codecs.ts';

/** Numbers by name. */
type Numbers = Readonly<Record<string, number>>;

/** Records as arrays. */
export interface Columns {
  /** Names of the numbers of each layout. */
  readonly layouts: ReadonlyArray<ReadonlyArray<string>>;
  /** Which layout each record has, `[records]`. */
  readonly layout: Tensor;
  /** Their values, one record after another. */
  readonly values: Tensor;
}

/**
 * Records as arrays.
 *
 * @param records - numbers by name
 */
export const columnsOf = (records: ReadonlyArray<Numbers>): Columns => {
  const named = records.map((record) => Object.keys(record));
  const ids = named.map((names) => JSON.stringify(names));
  const layouts = [...new Map(ids.map((id, i) => [id, named[i]]))];
  const numbers = new Map(layouts.map(([id], number) => [id, number]));
  const values = records.flatMap((record) => Object.values(record));
  return {
    layouts: layouts.map(([, names]) => names),
    layout: generate([ids.length], (i) => numbers.get(ids[i]) ?? 0, 'i32'),
    values: generate([values.length], (i) => values[i], 'f64'),
  };
};

/** Ends of the records among the values, or `null` where they do not fit. */
const endsOf = ({ layouts, layout, values }: Columns): ReadonlyArray<number> | null => {
  const numbers = Array.from(layout.data);
  if (layout.shape.length !== 1 || values.shape.length !== 1) return null;
  if (!numbers.every((number) => Number.isInteger(number) && number >= 0 && number < layouts.length)) return null;
  const ends = RA.scanLeft(0, (end, number: number) => end + layouts[number].length)(numbers);
  return ends[numbers.length] === values.data.length ? ends.slice(1) : null;
};

const recordsIn = (columns: Columns, ends: ReadonlyArray<number>): ReadonlyArray<Numbers> =>
  ends.map((end, i) => {
    const names = columns.layouts[columns.layout.data[i]];
    return Object.fromEntries(names.map((name, j) => [name, columns.values.data[end - names.length + j]]));
  });

/**
 * A codec of records from arrays.
 *
 * @param arrays - arrays of the file, by name
 */
export const recordsFrom = (arrays: Params<Tensor>): t.Type<ReadonlyArray<Numbers>> => {
  const array = arrayIn(arrays);
  const columns = t.strict({
    layouts: t.readonlyArray(t.readonlyArray(t.string)),
    layout: array,
    values: array,
  });
  return decoder<ReadonlyArray<Numbers>>('numbers of steps whose arrays fit together', (value, context) =>
    pipe(
      columns.validate(value, context),
      E.chain((found) => {
        const ends = endsOf(found);
        return ends === null ? t.failure(value, context) : t.success(recordsIn(found, ends));
      }),
    ),
  );
};
