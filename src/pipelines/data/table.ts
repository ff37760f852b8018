/**
 * Tables of numbers and text, from files or from records, and the tensors that their columns make.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { KfacError } from '../../core/errors.ts';
import { standardisedColumns } from '../../core/moments.ts';
import { shown } from '../../core/shown.ts';
import type { Tensor } from '../../core/tensor.ts';
import { generate } from '../../core/tensor.ts';
import { standardisationOf } from './standardisation.ts';

/** What stands in a table. */
export type Cell = string | number;

/** A row. */
export interface TableRow {
  /** Its number, as whoever looks at the file or the list counts. */
  readonly number: number;
  /** A cell for each column. */
  readonly cells: ReadonlyArray<Cell>;
}

/** Rows with named columns. */
export interface Table {
  /** For errors and reports. */
  readonly name: string;
  readonly columns: ReadonlyArray<string>;
  readonly rows: ReadonlyArray<TableRow>;
}

const bad = (
  { name }: Pick<Table, 'name'>,
  row: number,
  column: string,
  expected: string,
  actual: string,
): E.Either<KfacError, never> =>
  E.left({
    _tag: 'BadData',
    source: `${name}, row ${row}, column ${column}`,
    expected,
    actual,
    advice: 'Repair or remove the row, or leave the column out.',
    row,
    column,
  });

/**
 * A table of records, counted from 0 as the list is. Its columns are those of the first record, and every record has them.
 *
 * @param name - name for errors
 * @param records - at least one
 * @example
 * ```ts
 * import { tableOf } from 'kfac-ts/pipelines';
 *
 * const table = tableOf('flowers', [
 *   { petal: 1.4, kind: 'setosa' },
 *   { petal: 4.7, kind: 'versicolor' },
 * ]);
 * table._tag === 'Right' ? table.right.columns : []; // => ['petal', 'kind']
 * ```
 */
export const tableOf = (
  name: string,
  records: ReadonlyArray<Readonly<Record<string, Cell>>>,
): E.Either<KfacError, Table> => {
  if (records.length === 0) {
    const advice = 'Its columns are those of the first.';
    return E.left({ _tag: 'BadData', source: name, expected: 'at least one record', actual: 'none', advice });
  }
  const columns = Object.keys(records[0]);
  return pipe(
    records,
    E.traverseArrayWithIndex((number, record): E.Either<KfacError, TableRow> => {
      const missing = columns.find((column) => !Object.hasOwn(record, column));
      return missing === undefined
        ? E.right({ number, cells: columns.map((column) => record[column]) })
        : bad({ name }, number, missing, 'a value', 'none');
    }),
    E.map((rows) => ({ name, columns, rows })),
  );
};

/** Where a column is. */
const positionOf = ({ name, columns }: Table, column: string): E.Either<KfacError, number> => {
  const at = columns.indexOf(column);
  return at >= 0
    ? E.right(at)
    : E.left({
        _tag: 'BadData',
        source: name,
        expected: `one of the columns ${columns.join(', ')}`,
        actual: shown(column),
        advice: 'Columns are known by the names in the first line.',
        column,
      });
};

const numeral = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

const numberIn = (cell: Cell): number =>
  typeof cell === 'number' ? cell : numeral.test(cell.trim()) ? Number(cell) : NaN;

/**
 * Columns of numbers.
 *
 * @param table - a table
 * @param columns - which ones
 * @returns `[n, columns]` in double precision, or the first cell that is no finite number
 * @example
 * ```ts
 * import { numbersOf, parseCsv } from 'kfac-ts/pipelines';
 *
 * const table = parseCsv('width,height\n1,2\n3,4\n', 'sizes.csv');
 * const sizes = table._tag === 'Right' ? numbersOf(table.right, ['height', 'width']) : table;
 * sizes._tag === 'Right' ? Array.from(sizes.right.data) : []; // => [2, 1, 4, 3]
 * ```
 */
export const numbersOf = (table: Table, columns: ReadonlyArray<string>): E.Either<KfacError, Tensor> => {
  const { rows } = table;
  return pipe(
    columns,
    E.traverseArray((column) => positionOf(table, column)),
    E.chain((positions) => {
      const numbers = rows.map(({ cells }) => positions.map((at) => numberIn(cells[at])));
      const row = numbers.findIndex((line) => !line.every(Number.isFinite));
      if (row >= 0) {
        const i = numbers[row].findIndex((x) => !Number.isFinite(x));
        const cell = rows[row].cells[positions[i]];
        const actual = cell === '' ? 'nothing' : shown(cell);
        return bad(table, rows[row].number, columns[i], 'a finite number', actual);
      }
      const width = columns.length;
      return E.right(generate([rows.length, width], (i) => numbers[Math.floor(i / width)][i % width]));
    }),
  );
};

/** Classes of examples, with their names. */
export interface Classes {
  /** Numbers of the classes `[n]`, from 0. */
  readonly classes: Tensor;
  /** Names of the classes in the order of their numbers. */
  readonly names: ReadonlyArray<string>;
}

/**
 * A column of names as classes.
 *
 * @param table - a table
 * @param column - which one
 * @param names - the classes in order, for example those of the training set; those of the column in the order of the
 *   alphabet unless given
 * @returns a class for each row, or the first row whose name is none of them
 * @example
 * ```ts
 * import { classesOf, parseCsv } from 'kfac-ts/pipelines';
 *
 * const table = parseCsv('kind\nviolet\nrose\nviolet\n', 'flowers.csv');
 * const kinds = table._tag === 'Right' ? classesOf(table.right, 'kind') : table;
 * kinds._tag === 'Right' ? Array.from(kinds.right.classes.data) : []; // => [1, 0, 1]
 * ```
 */
export const classesOf = (table: Table, column: string, names?: ReadonlyArray<string>): E.Either<KfacError, Classes> =>
  pipe(
    positionOf(table, column),
    E.chain((at): E.Either<KfacError, Classes> => {
      const found = table.rows.map(({ cells }) => String(cells[at]).trim());
      const known = names ?? [...new Set(found)].toSorted();
      const numbers = new Map(known.map((name, number) => [name, number]));
      const row = found.findIndex((name) => name === '' || !numbers.has(name));
      return row < 0
        ? E.right({ classes: generate([found.length], (i) => numbers.get(found[i]) ?? 0, 'i32'), names: known })
        : bad(
            table,
            table.rows[row].number,
            column,
            names === undefined ? 'the name of a class' : `one of ${known.join(', ')}`,
            found[row] === '' ? 'nothing' : shown(found[row]),
          );
    }),
  );

/**
 * Columns shifted and scaled to a mean of 0 and a standard deviation of 1; one that does not vary is only shifted.
 *
 * @param x - numbers `[n, columns]`
 * @param by - the numbers whose mean and deviation are taken: the training set's for test examples; x itself unless given
 * @example
 * ```ts
 * import { tensor } from 'kfac-ts/core';
 * import { standardised } from 'kfac-ts/pipelines';
 *
 * standardised(tensor([1, 7, 3, 7], [2, 2])).data; // => [-1, 0, 1, 0]
 * ```
 */
export const standardised = (x: Tensor, by: Tensor = x): Tensor => {
  const { mean, deviation } = standardisationOf(by);
  return standardisedColumns(x, mean.data, deviation.data);
};
