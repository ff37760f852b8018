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

/** A loop of `count` rounds over a body, unrolled twice; bounds are literals, which gpu.js never cuts off. */
export const unrolledLoop = (count: number, body: string): string => {
  const pairs = Math.floor(count / 2);
  const loop = pairs > 0 ? `for (let k = 0; k < ${pairs}; k++) { ${body} ${body} }` : '';
  return count % 2 === 1 ? `${loop} ${body}` : loop;
};
