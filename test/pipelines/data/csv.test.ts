import fc from 'fast-check';

import { describeError } from '../../../src/core/errors.ts';
import { parseCsv, readCsv } from '../../../src/pipelines/data/csv.ts';
import { orThrow } from '../../support/training.ts';
import { errorOf, memoryFiles } from '../support.ts';

/** A value as RFC 4180 writes it. */
const quoted = (value: string): string => `"${value.replaceAll('"', '""')}"`;

describe('parseCsv', () => {
  it('law: what is written with quotes is read as it was', () => {
    const table = fc
      .integer({ min: 1, max: 4 })
      .chain((width) =>
        fc.array(fc.array(fc.string({ unit: 'binary' }), { minLength: width, maxLength: width }), {
          minLength: 1,
          maxLength: 6,
        }),
      )
      .filter((rows) => rows.every((row) => row.length > 1 || row[0] !== ''));
    fc.assert(
      fc.property(table, fc.constantFrom(',', ';', '\t'), fc.constantFrom('\n', '\r\n'), (rows, delimiter, newline) => {
        const columns = rows[0].map((_, i) => `c${i}`);
        const text = [columns, ...rows.map((row) => row.map(quoted))].map((row) => row.join(delimiter)).join(newline);
        const read = orThrow(parseCsv(text, 'f.csv', { delimiter }));
        expect(read.columns).toEqual(columns);
        expect(read.rows.map(({ cells }) => cells)).toEqual(rows);
      }),
    );
  });

  it.each([
    ['commas', 'a,b\n1,2\n'],
    ['semicolons', 'a;b\n1;2\n'],
    ['tabs and a mark of the byte order', '\ufeffa\tb\r\n1\t2\r\n'],
    ['spaces around names', ' a , b \n1,2'],
  ])('worked example: %s', (_, text) => {
    expect(orThrow(parseCsv(text, 'f.csv'))).toEqual({
      name: 'f.csv',
      columns: ['a', 'b'],
      rows: [{ number: 2, cells: ['1', '2'] }],
    });
  });

  it('rows are counted as a spreadsheet does, blank ones left out, and columns may be named', () => {
    expect(orThrow(parseCsv('a\n\n1\n\n2\n', 'f.csv')).rows.map(({ number }) => number)).toEqual([3, 5]);
    const named = orThrow(parseCsv('1,2\n3,4', 'f.csv', { columns: ['x', 'y'] }));
    expect(named.columns).toEqual(['x', 'y']);
    expect(named.rows[0]).toEqual({ number: 1, cells: ['1', '2'] });
  });

  it.each([
    ['an empty file', '', {}, 'rows', undefined],
    ['a file of blank lines', '\n\n', {}, 'rows', undefined],
    ['names without rows', 'a,b\n', {}, 'rows below the names', undefined],
    ['a row that is too short', 'a,b\n1,2\n3\n', {}, '2 values', 3],
    ['a row that is too long', 'a,b\n1,2,3\n', {}, '2 values', 2],
    ['too few names', '1,2,3\n', { columns: ['a'] }, '1 values', 1],
    ['a column without a name', 'a,,c\n1,2,3\n', {}, 'a name for each column', undefined],
    ['two columns of one name', 'a,b,a\n1,2,3\n', {}, 'columns of different names', undefined],
    ['a quote that does not end', 'a,b\n1,"2\n3,4\n', {}, 'quotes around whole values, doubled inside of them', 2],
    ['a quote inside a value', 'a,b\n1,"2"3\n', {}, 'quotes around whole values, doubled inside of them', 2],
  ] as const)('refuses %s', (_, text, options, expected, row) => {
    const error = errorOf(parseCsv(text, 'f.csv', options));
    expect(error).toMatchObject({ _tag: 'BadData', expected, ...(row === undefined ? {} : { row }) });
    expect(describeError(error)).toMatch(row === undefined ? /^f\.csv: / : new RegExp(`^f\\.csv, row ${row}: `));
  });

  it('reads files, and says which one is not there', async () => {
    const files = memoryFiles({ 'a.csv': 'x\n1\n' });
    expect(orThrow(await readCsv(files, 'a.csv')()).columns).toEqual(['x']);
    expect(errorOf(await readCsv(files, 'b.csv')())).toMatchObject({ _tag: 'FileFailed', path: 'b.csv' });
  });
});
