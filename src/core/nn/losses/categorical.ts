/**
 * Draws from categorical distributions.
 *
 * By inversion: one uniform number per row, and the class is the number of partial sums of the probabilities that do not
 * exceed it. The last sum is left out of the count, so rounding in the sums can never give a class that does not exist.
 * Partial sums take log₂ C shifted additions, which every interpreter has.
 *
 * @module
 */
import type { Ops } from '../../ops/ops.ts';
import type { Key } from '../../random/key.ts';
import { uniform } from '../../random/uniform.ts';
import type { Shaped } from '../../tensor.ts';
import { generate } from '../../tensor.ts';

/** x₀ + … + x_c at column c, along the rows of x `[rows, C]`. */
const partialSums = <T extends Shaped>(ops: Ops<T>, x: T): T => {
  const [rows, classes] = x.shape;
  let sums = x;
  for (let shift = 1; shift < classes; shift *= 2) {
    const shifted = ops.pad(ops.slice(sums, [0, 0], [rows, classes - shift]), [0, shift], x.shape);
    sums = ops.add(sums, shifted);
  }
  return sums;
};

/**
 * One class per row, as a one-hot vector.
 *
 * @param ops - interpreter
 * @param key - randomness
 * @param probabilities - `[rows, C]`, rows sum to one
 * @returns zeros and a single one per row, `[rows, C]`
 */
export const sampleOneHot = <T extends Shaped>(ops: Ops<T>, key: Key, probabilities: T): T => {
  const [rows, classes] = probabilities.shape;
  const draws = ops.constant(uniform(key, [rows, 1], 'f32'));
  const sums = ops.slice(partialSums(ops, probabilities), [0, 0], [rows, classes - 1]);
  const above = ops.sum(ops.greater(sums, draws), [1]);
  // Classes counted from the last: C − 1 sums above the draw is class 0, none is class C − 1.
  const fromLast = ops.constant(generate([classes], (c) => classes - 1 - c));
  return ops.equal(ops.reshape(above, [rows, 1]), fromLast);
};
