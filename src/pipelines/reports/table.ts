/**
 * Tables of text: a header, a rule, rows; numbers to the right.
 *
 * @module
 */

/** A cell. */
export type Cell = string | number;

/** A column's title, and whether its cells stand to the right. */
export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/**
 * A number with about four digits, and thousands apart: `0.09123`, `61.02`, `60,000`, `1.20e+8`.
 *
 * @param value - any number
 */
export const showNumber = (value: number): string => {
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value)) return value.toLocaleString('en-US');
  if (size >= 1e6 || size < 1e-3) return value.toExponential(2);
  return size >= 1000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(4)));
};

/**
 * A table as lines of text.
 *
 * @param columns - titles from left to right
 * @param rows - cells, as many per row as there are columns
 */
export const textTable = (
  columns: ReadonlyArray<Column>,
  rows: ReadonlyArray<ReadonlyArray<Cell>>,
): ReadonlyArray<string> => {
  const texts = rows.map((row) => row.map((cell) => (typeof cell === 'number' ? showNumber(cell) : cell)));
  const widths = columns.map(({ title }, i) => Math.max(title.length, ...texts.map((row) => row[i].length)));
  const line = (cells: ReadonlyArray<string>): string =>
    cells
      .map((cell, i) => (columns[i].align === 'left' ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join('  ')
      .trimEnd();
  return [
    line(columns.map(({ title }) => title)),
    widths.map((width) => '─'.repeat(width)).join('  '),
    ...texts.map(line),
  ];
};
