/**
 * What other people's code throws, as text.
 *
 * Looked at by its fields, not by its class: an error of another realm (a worker, a test runner) is an error too.
 *
 * @module
 */

const field = (thrown: unknown, name: string): string | undefined => {
  if (typeof thrown !== 'object' || thrown === null || !(name in thrown)) return undefined;
  const value: unknown = Reflect.get(thrown, name);
  return typeof value === 'string' ? value : undefined;
};

/** The message of an error, without what follows its first line and without a full stop. */
export const messageOf = (thrown: unknown): string =>
  (field(thrown, 'message') ?? String(thrown)).split('\n')[0].replace(/[.:]$/, '');

/** The code of a system error, for example `ENOENT`. */
export const codeOf = (thrown: unknown): string | undefined => field(thrown, 'code');
