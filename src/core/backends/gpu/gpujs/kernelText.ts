/**
 * Phrases that kernel sources share.
 *
 * gpu.js's WebAssembly backend types a local that starts as an integer literal as a float, and converts it at every
 * use as an index, which makes a product two to five times slower. A local that starts as `this.output.x` and is
 * incremented once stays an integer; on every other backend the two statements do nothing.
 *
 * @module
 */

/** Declares integer locals. They hold no useful value until assigned. */
export const integers = (names: ReadonlyArray<string>): string =>
  names.map((name) => `let ${name} = this.output.x; ${name}++;`).join(' ');

/** Rounds that are written out in a loop's body; with more of them V8 runs out of registers. */
const unrolled = 2;

/**
 * A loop of `count` rounds, two of them written out; bounds are literals, which gpu.js never cuts off.
 *
 * @param count - rounds in all
 * @param round - text of round `u` after the last advance
 * @param advance - text that moves pointers ahead by `rounds`
 */
export const unrolledLoop = (
  count: number,
  round: (u: number) => string,
  advance: (rounds: number) => string,
): string => {
  const rounds = (n: number): string => Array.from({ length: n }, (_, u) => round(u)).join('\n');
  const whole = Math.floor(count / unrolled);
  const loop = whole > 0 ? `for (let k = 0; k < ${whole}; k++) {\n${rounds(unrolled)}\n${advance(unrolled)}\n}\n` : '';
  return loop + rounds(count % unrolled);
};

/** `text + distance` as an index. */
export const plus = (text: string, distance: number): string => (distance === 0 ? text : `${text} + ${distance}`);
