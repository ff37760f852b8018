/**
 * Words and signs of a text as the machine translation evaluation of NIST counts them: the tokenisation "13a" of sacreBLEU
 * [P18].
 *
 * @module
 */

/** Code points that are space in Python, whose idea of it is not that of JavaScript: from which to which. */
const spaces = [
  [0x09, 0x0d],
  [0x1c, 0x20],
  [0x85, 0x85],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
] as const;

const space = `[${spaces.map(([first, last]) => `${String.fromCodePoint(first)}-${String.fromCodePoint(last)}`).join('')}]`;
const gap = new RegExp(`${space}+`);
const atEnd = new RegExp(`${space}+$`);

/** Entities that mark-up leaves in texts, in this order. */
const entities = [
  ['&quot;', '"'],
  ['&amp;', '&'],
  ['&lt;', '<'],
  ['&gt;', '>'],
] as const;

/** Signs are words of their own, but for points and commas within numbers, and dashes that do not follow a digit. */
const rules: ReadonlyArray<readonly [RegExp, string]> = [
  [/([{-~[-` -&(-+:-@/])/g, ' $1 '],
  [/([^0-9])([.,])/gu, '$1 $2 '],
  [/([.,])([^0-9])/gu, ' $1 $2'],
  [/([0-9])(-)/g, '$1 $2 '],
];

/**
 * The words of a text.
 *
 * @param text - a sentence
 * @example
 * ```ts
 * import { tokens13a } from 'kfac-ts/pipelines';
 *
 * tokens13a("It's 1,000.5 km, or so."); // => ["It's", '1,000.5', 'km', ',', 'or', 'so', '.']
 * ```
 */
export const tokens13a = (text: string): ReadonlyArray<string> => {
  const plain = text.replace(atEnd, '').replaceAll('<skipped>', '').replaceAll('-\n', '').replaceAll('\n', ' ');
  const decoded = plain.includes('&')
    ? entities.reduce((before, [entity, sign]) => before.replaceAll(entity, sign), plain)
    : plain;
  const spaced = rules.reduce((before, [sign, apart]) => before.replace(sign, apart), ` ${decoded} `);
  return spaced.split(gap).filter((word) => word !== '');
};
