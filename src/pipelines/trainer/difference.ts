/**
 * The first place where two plain values differ.
 *
 * @module
 */

/** A place, and what stands there on either side, as JSON. */
export interface Difference {
  /** Fields from the outermost to the innermost, with dots between. */
  readonly path: string;
  readonly ours: string;
  readonly theirs: string;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const words = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value));

const differenceAt = (ours: unknown, theirs: unknown, path: string): Difference | null => {
  if (!isObject(ours) || !isObject(theirs)) {
    return Object.is(ours, theirs) ? null : { path, ours: words(ours), theirs: words(theirs) };
  }
  const fields = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])];
  return fields.reduce(
    (found: Difference | null, field) =>
      found ?? differenceAt(ours[field], theirs[field], path === '' ? field : `${path}.${field}`),
    null,
  );
};

/**
 * The first place where two plain values differ; what is undefined is not there.
 *
 * @param ours - records, lists, numbers, texts
 * @param theirs - likewise
 * @returns `null` where they do not differ
 */
export const firstDifference = (ours: unknown, theirs: unknown): Difference | null => differenceAt(ours, theirs, '');
