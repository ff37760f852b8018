/**
 * Attention itself, without parameters: softmax(Q Kᵀ / √d) V [V17 §3.2.1].
 *
 * @module
 */
import type { Ops } from '../../../ops/ops.ts';
import type { Shaped } from '../../../tensor.ts';
import { fromHeads, headsOf } from './heads.ts';
import type { Masking } from './masks.ts';
import { maskedScores } from './masks.ts';
import { rotated } from './rotary.ts';

/** How {@link attend} attends. */
export interface Attending<T> extends Masking<T> {
  readonly heads: number;
  /** Base of rotary positions, `null` for none. */
  readonly rotary: number | null;
  /** What is done to the shares `[n, heads, t, s]` before they weigh the values, for example dropout. */
  readonly onShares: (shares: T) => T;
  /** The layer, for errors. */
  readonly where: string;
}

/** Queries, keys and values. */
export interface Projected<T> {
  /** `[n, t, features]`. */
  readonly query: T;
  /** `[n, s, features]`. */
  readonly key: T;
  /** `[n, s, features]`. */
  readonly value: T;
}

/**
 * softmax(Q Kᵀ / √d) V for each head. A query that may look at no key gets zeros, and nothing has a gradient through it.
 *
 * @param ops - interpreter
 * @param projected - Q, K and V
 * @param how - heads, masks, positions
 * @returns `[n, t, features]`
 */
export const attend = <T extends Shaped>(ops: Ops<T>, { query, key, value }: Projected<T>, how: Attending<T>): T => {
  const { heads, rotary, onShares, where } = how;
  const [n, t, features] = query.shape;
  const [, s] = key.shape;
  const [Q, K, V] = [query, key, value].map((x) => headsOf(ops, x, heads));
  const [turnedQ, turnedK] = rotary === null ? [Q, K] : [Q, K].map((x) => rotated(ops, x, rotary));
  // The queries are scaled, which are smaller than the scores.
  const scaled = ops.scale(1 / Math.sqrt(features / heads), turnedQ);
  const products = ops.reshape(ops.matmul(scaled, turnedK, { transposeB: true }), [n, heads, t, s]);
  const shares = onShares(ops.softmax(maskedScores(ops, where, how, products)));
  return fromHeads(ops, ops.matmul(ops.reshape(shares, [n * heads, t, s]), V), heads);
};
