import fc from 'fast-check';

import { tensor } from '../../../src/core/tensor.ts';
import { parseCsv } from '../../../src/pipelines/data/csv.ts';
import { classesOf, numbersOf, standardised, tableOf } from '../../../src/pipelines/data/table.ts';
import { gaussian, orThrow } from '../../support/training.ts';
import { errorOf } from '../support.ts';

const flowers = orThrow(
  parseCsv('length,width,kind\n5.1,3.5,setosa\n7.0,3.2,versicolor\n6.3,-.3e1,virginica\n4.9,3,setosa\n', 'iris.csv'),
);

describe('columns of a table', () => {
  it('worked example: numbers in the order that is asked for, and classes in that of the alphabet', () => {
    expect(orThrow(numbersOf(flowers, ['width', 'length']))).toEqual(
      tensor([3.5, 5.1, 3.2, 7, -3, 6.3, 3, 4.9], [4, 2]),
    );
    expect(orThrow(classesOf(flowers, 'kind'))).toEqual({
      classes: tensor([0, 1, 2, 0], [4], 'i32'),
      names: ['setosa', 'versicolor', 'virginica'],
    });
  });

  it('law: numbers as text are the numbers', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 }), (xs) => {
        const table = orThrow(parseCsv(`x\n${xs.join('\n')}\n`, 'f.csv'));
        expect(Array.from(orThrow(numbersOf(table, ['x'])).data)).toEqual(xs.map((x) => (Object.is(x, -0) ? 0 : x)));
      }),
    );
  });

  it('law: classes of a test set are numbered as those of the training set', () => {
    const names = ['virginica', 'setosa', 'versicolor'];
    expect(Array.from(orThrow(classesOf(flowers, 'kind', names)).classes.data)).toEqual([1, 2, 0, 1]);
  });

  it.each(['five', '', ' ', '5,1', '0x10', 'NaN', 'Infinity', '1e999', '--1'])('refuses %p as a number', (cell) => {
    const table = { ...flowers, rows: [{ number: 7, cells: [cell, '1', 'setosa'] }] };
    expect(errorOf(numbersOf(table, ['width', 'length']))).toMatchObject({
      _tag: 'BadData',
      source: 'iris.csv, row 7, column length',
      expected: 'a finite number',
      row: 7,
      column: 'length',
    });
  });

  it('refuses a column that is not there, and a class that is none', () => {
    expect(errorOf(numbersOf(flowers, ['height']))).toMatchObject({
      expected: 'one of the columns length, width, kind',
      column: 'height',
    });
    expect(errorOf(classesOf(flowers, 'kind', ['setosa', 'versicolor']))).toMatchObject({
      source: 'iris.csv, row 4, column kind',
      expected: 'one of setosa, versicolor',
      actual: '"virginica"',
      row: 4,
      column: 'kind',
    });
    const nameless = { ...flowers, rows: [{ number: 3, cells: ['1', '1', ' '] }] };
    expect(errorOf(classesOf(nameless, 'kind'))).toMatchObject({ actual: 'nothing', row: 3 });
  });
});

describe('tables of records', () => {
  it('have numbers as they are', () => {
    const table = orThrow(
      tableOf('points', [
        { x: 1, kind: 'a' },
        { kind: 'b', x: 2.5 },
      ]),
    );
    expect(orThrow(numbersOf(table, ['x']))).toEqual(tensor([1, 2.5], [2, 1]));
    expect(orThrow(classesOf(table, 'kind')).names).toEqual(['a', 'b']);
  });

  it('refuse records without a column, and none at all', () => {
    const lacking: ReadonlyArray<Record<string, number>> = [{ x: 1, y: 2 }, { x: 1 }];
    expect(errorOf(tableOf('points', lacking))).toMatchObject({ row: 1, column: 'y' });
    expect(errorOf(tableOf('points', []))).toMatchObject({ _tag: 'BadData', actual: 'none' });
    expect(errorOf(numbersOf(orThrow(tableOf('points', [{ x: NaN }])), ['x']))).toMatchObject({
      row: 0,
      actual: 'NaN',
    });
  });
});

describe('standardised', () => {
  it('law: columns have mean 0 and deviation 1, and others are shifted and scaled as they were', () => {
    const x = gaussian(1, [50, 3]);
    const z = standardised(x);
    for (const column of [0, 1, 2]) {
      const values = Array.from({ length: 50 }, (_, i) => z.data[3 * i + column]);
      expect(values.reduce((sum, v) => sum + v, 0) / 50).toBeCloseTo(0, 12);
      expect(values.reduce((sum, v) => sum + v * v, 0) / 50).toBeCloseTo(1, 12);
    }
    expect(standardised(x, x)).toEqual(z);
    const head = tensor(Array.from(x.data).slice(0, 6), [2, 3]);
    expect(Array.from(standardised(head, x).data)).toEqual(Array.from(z.data).slice(0, 6));
  });
});
