/**
 * Draws from categorical distributions.
 *
 * By a race: a class c arrives after a time E_c / p_c, with E_c exponential, and is the first with probability p_c. Sums
 * of probabilities, compared with one uniform number, would do with a single draw; but a sum near one does not hold a
 * probability of 10⁻¹¹, and gives it none or thousands of times its due. Where classes are many, groups of them race first
 * and then the classes of the winner, so that the draws are few: 64 for 50,000 classes.
 *
 * @module
 */
import type { Ops } from '../../ops/ops.ts';
import { exponential } from '../../random/exponential.ts';
import type { Key } from '../../random/key.ts';
import { split } from '../../random/split.ts';
import type { Shaped } from '../../tensor.ts';
import { firstMarked } from '../firstMarked.ts';

/** How many race at once. */
const STARTERS = 16;

/** A race of the columns of p `[rows, C]`: one-hot rows, zeros where all probabilities are 0. */
const race = <T extends Shaped>(ops: Ops<T>, key: Key, p: T): T => {
  const [rows] = p.shape;
  const speeds = ops.div(p, ops.constant(exponential(key, p.shape, 'f64')));
  const fastest = ops.reshape(ops.max(speeds, [1]), [rows, 1]);
  // Of equally fast ones, which are rare, the first in order counts.
  return firstMarked(ops, ops.mul(ops.equal(speeds, fastest), ops.greater(speeds, ops.full([], 0))));
};

/**
 * One class per row, as a one-hot vector.
 *
 * @param ops - interpreter
 * @param key - randomness
 * @param probabilities - `[rows, C]`, not negative; classes are drawn in proportion to them
 * @returns zeros and a single one per row, `[rows, C]`; zeros only where all probabilities are 0
 */
export const sampleOneHot = <T extends Shaped>(ops: Ops<T>, key: Key, probabilities: T): T => {
  const [rows, classes] = probabilities.shape;
  if (classes <= STARTERS) return race(ops, key, probabilities);
  const groups = Math.ceil(classes / STARTERS);
  const padded = ops.pad(probabilities, [0, 0], [rows, groups * STARTERS]);
  const grouped = ops.reshape(padded, [rows, groups, STARTERS]);
  const [groupKey, classKey] = split(key, 2);
  const group = ops.reshape(sampleOneHot(ops, groupKey, ops.sum(grouped, [2])), [rows, groups, 1]);
  const inside = race(ops, classKey, ops.sum(ops.mul(group, grouped), [1]));
  const chosen = ops.mul(group, ops.reshape(inside, [rows, 1, STARTERS]));
  return ops.slice(ops.reshape(chosen, padded.shape), [0, 0], [rows, classes]);
};
