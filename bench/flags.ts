/**
 * What the command line of a benchmark gives as `name=value`.
 *
 * @module
 */

/**
 * The text behind a name.
 *
 * @param flags - words of the command line
 * @param name - what stands before `=`
 * @returns `undefined` where it is not given
 */
export const textAfter = (flags: ReadonlyArray<string>, name: string): string | undefined =>
  flags.find((flag) => flag.startsWith(`${name}=`))?.slice(name.length + 1);

/**
 * The number behind a name.
 *
 * @param flags - words of the command line
 * @param name - what stands before `=`
 * @param otherwise - the number where it is not given
 */
export const numberAfter = (flags: ReadonlyArray<string>, name: string, otherwise: number): number =>
  Number(textAfter(flags, name) ?? otherwise);
