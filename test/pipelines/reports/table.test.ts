import { showNumber, textTable } from '../../../src/pipelines/reports/table.ts';

describe('textTable', () => {
  it('worked example: words to the left, numbers to the right', () => {
    expect(
      textTable(
        [{ title: 'name', align: 'left' }, { title: 'loss' }],
        [
          ['kfac', 61.02345],
          ['sgd', 12345.6],
        ],
      ),
    ).toEqual(['name    loss', '────  ──────', 'kfac   61.02', 'sgd   12,346']);
  });
});

describe('showNumber', () => {
  it.each([
    [0, '0'],
    [60_000, '60,000'],
    [0.091234, '0.09123'],
    [61.02345, '61.02'],
    [1e-5, '1.00e-5'],
    [2.5e7 + 0.5, '2.50e+7'],
    [NaN, 'NaN'],
  ])('%p is %s', (value, text) => {
    expect(showNumber(value)).toBe(text);
  });
});
