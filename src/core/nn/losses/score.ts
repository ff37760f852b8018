/**
 * Gradients that are drawn: what a sampled Fisher is made of.
 *
 * @module
 */
import type { Ops } from '../../ops/ops.ts';
import type { Key } from '../../random/key.ts';
import type { Shaped } from '../../tensor.ts';
import type { Loss } from './loss.ts';
import { curvatureGradient } from './meanOverPositions.ts';

/**
 * A gradient drawn for each example: E[g] = 0 and E[g gᵀ] = H.
 *
 * @param ops - interpreter
 * @param loss - ℓ
 * @param key - randomness
 * @param outputs - `[n, …]`
 */
export const scoreOf = <T extends Shaped>(ops: Ops<T>, loss: Loss, key: Key, outputs: T): T =>
  loss.score === undefined
    ? curvatureGradient(ops, loss, outputs, loss.sample(ops, key, outputs))
    : loss.score(ops, key, outputs);
