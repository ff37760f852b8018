/**
 * Files of values with commas, semicolons or tabs between (RFC 4180), read by papaparse.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import Papa from 'papaparse';

import type { KfacError } from '../../core/errors.ts';
import type { FileSystem } from '../files/fileSystem.ts';
import type { Table, TableRow } from './table.ts';

/** How a file is written. */
export interface CsvOptions {
  /** What stands between values; unless given, the one of comma, semicolon and tab that the first line has most of. */
  readonly delimiter?: string;
  /** Names of the columns, for files whose first line has none. */
  readonly columns?: ReadonlyArray<string>;
}

const bad = (source: string, expected: string, actual: string, row?: number): E.Either<KfacError, never> =>
  E.left({
    _tag: 'BadData',
    source: row === undefined ? source : `${source}, row ${row}`,
    expected,
    actual,
    advice: 'Check quotes and separators of the file.',
    ...(row === undefined ? {} : { row }),
  });

/** Names that tell columns apart. */
const checkColumns = (name: string, columns: ReadonlyArray<string>): E.Either<KfacError, ReadonlyArray<string>> => {
  const nameless = columns.indexOf('');
  if (nameless >= 0) return bad(name, 'a name for each column', `none for column ${nameless + 1}`);
  const twice = columns.find((column, i) => columns.indexOf(column) !== i);
  return twice === undefined ? E.right(columns) : bad(name, 'columns of different names', `${twice} twice`);
};

/** What makes most values of the first line. */
const delimiterOf = (text: string): string => {
  const countOf = (delimiter: string): number =>
    Papa.parse<ReadonlyArray<string>>(text, { delimiter, preview: 1 }).data[0]?.length ?? 0;
  return [';', '\t'].reduce((best, delimiter) => (countOf(delimiter) > countOf(best) ? delimiter : best), ',');
};

const isBlank = ({ cells }: TableRow): boolean => cells.length === 1 && cells[0] === '';

/**
 * A table from the text of a file. The first line names the columns unless they are given; rows are counted from 1 as in a
 * spreadsheet, so that the first one below the names is row 2. Blank lines are left out.
 *
 * @param text - the whole file
 * @param name - name of the file, for errors
 * @param options - separator, names of the columns
 * @returns the table, or the first row that is not as the others
 * @example
 * ```ts
 * import { parseCsv } from 'kfac-ts/pipelines';
 *
 * const table = parseCsv('width,height,kind\n1,2,"a, b"\n3,4,c\n', 'sizes.csv');
 * table._tag === 'Right' ? table.right.rows[0].cells : []; // => ['1', '2', 'a, b']
 * ```
 */
export const parseCsv = (text: string, name: string, options: CsvOptions = {}): E.Either<KfacError, Table> => {
  const { delimiter = delimiterOf(text) } = options;
  const { data, errors } = Papa.parse<ReadonlyArray<string>>(text, { delimiter });
  const broken = errors.find(({ type }) => type === 'Quotes');
  if (broken !== undefined) {
    return bad(name, 'quotes around whole values, doubled inside of them', broken.message, (broken.row ?? 0) + 1);
  }
  const lines = data.map((cells, i): TableRow => ({ number: i + 1, cells })).filter((row) => !isBlank(row));
  if (lines.length === 0) return bad(name, 'rows', 'an empty file');
  const [first] = lines;
  const named = options.columns ?? first.cells.map((cell) => String(cell).trim());
  const rows = options.columns === undefined ? lines.slice(1) : lines;
  return pipe(
    checkColumns(name, named),
    E.chain((columns) => {
      const uneven = rows.find(({ cells }) => cells.length !== columns.length);
      if (uneven !== undefined) {
        return bad(name, `${columns.length} values`, `${uneven.cells.length}`, uneven.number);
      }
      return rows.length === 0 ? bad(name, 'rows below the names', 'none') : E.right({ name, columns, rows });
    }),
  );
};

/**
 * Reads a file of values with separators.
 *
 * @param files - where to read
 * @param path - the file
 * @param options - separator, names of the columns
 * @example
 * ```ts no-run
 * import { nodeFileSystem, readCsv } from 'kfac-ts/pipelines';
 *
 * const table = await readCsv(nodeFileSystem, 'flowers.csv')();
 * ```
 */
export const readCsv = (files: FileSystem, path: string, options: CsvOptions = {}): TE.TaskEither<KfacError, Table> =>
  pipe(
    files.read(path),
    TE.chainEitherK((bytes) => parseCsv(new TextDecoder().decode(bytes), path, options)),
  );
