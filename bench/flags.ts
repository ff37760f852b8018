/**
 * Numbers that the command line of a benchmark gives as `name=N`.
 *
 * @module
 */

/**
 * The number behind a name.
 *
 * @param flags - words of the command line
 * @param name - what stands before `=`
 * @param otherwise - the number where it is not given
 */
export const numberAfter = (flags: ReadonlyArray<string>, name: string, otherwise: number): number => {
  const found = flags.find((flag) => flag.startsWith(`${name}=`));
  return found === undefined ? otherwise : Number(found.slice(name.length + 1));
};
