/**
 * Which keys a query may look at.
 *
 * A mask is 1 where it may and 0 where it may not, in a shape that broadcasts to scores `[n, heads, t, s]`.
 *
 * @module
 */
import { raise } from '../../../errors.ts';
import type { Ops } from '../../../ops/ops.ts';
import type { Shape, Shaped } from '../../../tensor.ts';
import { generate, sameShape, showShape } from '../../../tensor.ts';

/**
 * A query may look at keys up to its own position.
 *
 * @param ops - interpreter
 * @param t - number of queries and of keys
 * @returns `[t, t]`
 */
const causalMask = <T extends Shaped>(ops: Ops<T>, t: number): T =>
  ops.constant(generate([t, t], (i) => (i % t <= Math.floor(i / t) ? 1 : 0), 'f32'));

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
 * Both masks as one, `null` where there is none.
 *
 * @param ops - interpreter
 * @param where - the layer, for errors
 * @param masking - causal or not, and the batch's mask
 * @param scores - shape `[n, heads, t, s]` of what is masked
 */
export const maskFor = <T extends Shaped>(
  ops: Ops<T>,
  where: string,
  { causal, mask }: Masking<T>,
  scores: Shape,
): T | null => {
  const [, , t, s] = scores;
  if (causal && t !== s) {
    return raise({
      _tag: 'ShapeMismatch',
      where,
      expected: `as many keys as queries, ${t}, for a causal mask`,
      actual: String(s),
    });
  }
  const given = mask === null ? null : batchMask(ops, where, mask, scores);
  if (!causal) return given;
  const past = causalMask(ops, t);
  return given === null ? past : ops.mul(given, past);
};
