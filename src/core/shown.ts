/**
 * Whatever was given, in a few characters, for errors.
 *
 * @module
 */

/** Longer text than this is cut. */
const most = 40;

const textOf = (value: unknown): string => {
  switch (typeof value) {
    case 'number':
    case 'bigint':
    case 'boolean':
    case 'undefined':
      return String(value);
    case 'function':
    case 'symbol':
      return `a ${typeof value}`;
    case 'string':
      return JSON.stringify(value);
    default:
      return value === null || Array.isArray(value) ? JSON.stringify(value) : 'a record';
  }
};

/** The value as one line of at most about forty characters. */
export const shown = (value: unknown): string => {
  const text = textOf(value);
  return text.length > most ? `${text.slice(0, most)}…` : text;
};
