/**
 * Examples told apart where no site does it.
 *
 * A backward pass gives the gradient of a parameter summed over examples, while curvature is the mean of squares. With a sign
 * of its own for each example, independent of all others, the square of the sum is in expectation the sum of the squares. In
 * groups, each with a pass of its own, fewer products of different examples have to cancel, and one example to a group
 * leaves nothing to chance.
 *
 * @module
 */
import type { Ops } from '../core/ops/ops.ts';
import type { Key } from '../core/random/key.ts';
import { signs } from '../core/random/signs.ts';
import type { Shaped } from '../core/tensor.ts';
import { generate } from '../core/tensor.ts';
import { partitionOf } from './statistics/partition.ts';

/**
 * A cotangent in parts, whose sum over examples is taken apart: the examples of one group with random signs, the others zero.
 *
 * @param ops - interpreter
 * @param key - randomness
 * @param cotangent - per example, `[n, …]`
 * @param groups - number of groups, at least 1; more than examples count as one for each
 * @returns one array for each group, in the shape of the cotangent
 */
export const inGroups = <T extends Shaped>(ops: Ops<T>, key: Key, cotangent: T, groups: number): ReadonlyArray<T> => {
  const [n, ...rest] = cotangent.shape;
  if (n === 1) return [cotangent];
  const drawn = signs(key, [n], 'f32').data;
  return partitionOf(n, { count: groups }).map(({ begin, size }) => {
    const mask = generate([n, ...rest.map(() => 1)], (i) => (i >= begin && i < begin + size ? drawn[i] : 0));
    return ops.mul(cotangent, ops.constant(mask));
  });
};
