/**
 * Losses as means over positions: nats per word, not per sentence.
 *
 * @module
 */
import type { Ops } from '../../ops/ops.ts';
import type { Shape, Shaped } from '../../tensor.ts';
import { sizeOf } from '../../tensor.ts';
import type { Loss } from './loss.ts';

/** T of outputs `[n, …, C]`. */
const positionsIn = (outputs: Shape): number => sizeOf(outputs.slice(1, -1));

/**
 * Gradients as curvature has them: what E[g gᵀ] = H holds of. They are √T times those of a mean over T positions.
 *
 * @param ops - interpreter
 * @param loss - ℓ
 * @param outputs - `[n, …]`
 * @param targets - `[n, …]`
 */
export const curvatureGradient = <T extends Shaped>(ops: Ops<T>, loss: Loss, outputs: T, targets: T): T => {
  const g = loss.gradient(ops, outputs, targets);
  return loss.positions === undefined ? g : ops.scale(Math.sqrt(loss.positions(outputs.shape)), g);
};

/** Drawn gradients of a covariance of H / T. */
const scaledScore = ({ score }: Loss): Pick<Loss, 'score'> =>
  score === undefined
    ? {}
    : { score: (ops, key, outputs) => ops.scale(1 / Math.sqrt(positionsIn(outputs.shape)), score(ops, key, outputs)) };

/**
 * ℓ / T of outputs `[n, …, C]` with T positions, so that g and H are those of ℓ over T. Where a batch weighs positions (a mask),
 * the mean loss of a batch is that over all positions that count: longer padding changes nothing, and a long example weighs more
 * than a short one, as it has more positions.
 *
 * @param loss - ℓ, a sum over positions
 * @example
 * ```ts
 * import { meanOverPositions, referenceBackend, squaredError, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const [outputs, targets] = [tensor([2, 4], [1, 2, 1]), tensor([0, 0], [1, 2, 1])];
 * meanOverPositions(squaredError).value(ops, outputs, targets).data; // => [5]
 * ```
 */
export const meanOverPositions = (loss: Loss): Loss => ({
  ...loss,
  ...scaledScore(loss),
  positions: positionsIn,
  value: (ops, outputs, targets, weights) =>
    ops.scale(1 / positionsIn(outputs.shape), loss.value(ops, outputs, targets, weights)),
  gradient: (ops, outputs, targets) => ops.scale(1 / positionsIn(outputs.shape), loss.gradient(ops, outputs, targets)),
  hessianProduct: (ops, outputs, v) => ops.scale(1 / positionsIn(outputs.shape), loss.hessianProduct(ops, outputs, v)),
  squareRoot: (ops, outputs) => {
    const root = loss.squareRoot(ops, outputs);
    return (z) => ops.scale(1 / Math.sqrt(positionsIn(outputs.shape)), root(z));
  },
});
