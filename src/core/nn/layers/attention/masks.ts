/**
 * Which keys a query may look at: scores of the others become −∞, so that they have no share and no gradient.
 *
 * @module
 */
import { raise } from '../../../errors.ts';
import type { Ops } from '../../../ops/ops.ts';
import type { Shape, Shaped } from '../../../tensor.ts';
import { generate, sameShape, showShape } from '../../../tensor.ts';

/**
 * 0 where a query may look at a key, up to its own position, and −∞ elsewhere. A sum costs less than a choice, and its
 * derivative nothing.
 *
 * @param ops - interpreter
 * @param t - number of queries and of keys
 * @returns `[t, t]`
 */
const causalPenalty = <T extends Shaped>(ops: Ops<T>, t: number): T =>
  ops.constant(generate([t, t], (i) => (i % t <= Math.floor(i / t) ? 0 : -Infinity), 'f32'));

/**
 * A mask of the batch, in a shape that broadcasts to the scores.
 *
 * @param ops - interpreter
 * @param where - the layer, for errors
 * @param mask - `[n, s]`, the keys that are there, or `[n, t, s]`, those that each query may look at
 * @param scores - `[n, heads, t, s]`
 */
const batchMask = <T extends Shaped>(ops: Ops<T>, where: string, mask: T, [n, , t, s]: Shape): T => {
  const { shape } = mask;
  if (sameShape(shape, [n, s])) return ops.reshape(mask, [n, 1, 1, s]);
  if (sameShape(shape, [n, t, s])) return ops.reshape(mask, [n, 1, t, s]);
  return raise({
    _tag: 'ShapeMismatch',
    where,
    expected: `a mask ${showShape([n, s])} of the keys, or ${showShape([n, t, s])} of queries and keys`,
    actual: showShape(shape),
  });
};

/** What a layer knows of masks. */
export interface Masking<T> {
  readonly causal: boolean;
  /** Of the batch, `null` for none. */
  readonly mask: T | null;
}

/**
 * Scores with −∞ where a query may not look.
 *
 * @param ops - interpreter
 * @param where - the layer, for errors
 * @param masking - causal or not, and the batch's mask
 * @param scores - `[n, heads, t, s]`
 */
export const maskedScores = <T extends Shaped>(
  ops: Ops<T>,
  where: string,
  { causal, mask }: Masking<T>,
  scores: T,
): T => {
  const [, , t, s] = scores.shape;
  if (causal && t !== s) {
    return raise({
      _tag: 'ShapeMismatch',
      where,
      expected: `as many keys as queries, ${t}, for a causal mask`,
      actual: String(s),
    });
  }
  // By choice: what is in the padding may be anything.
  const there =
    mask === null ? scores : ops.select(batchMask(ops, where, mask, scores.shape), scores, ops.full([], -Infinity));
  return causal ? ops.add(there, causalPenalty(ops, t)) : there;
};
