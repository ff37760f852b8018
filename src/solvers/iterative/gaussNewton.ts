/**
 * The Gauss–Newton operator of an objective on a batch, matrix-free: vjp ∘ H_ℓ ∘ jvp, the mean over examples.
 *
 * The linearisation is that of the step's forward pass, which serves all products; what a product allocates goes back with the scope
 * that it is computed in.
 *
 * @module
 */
import { lossHessianProduct } from '../../core/pipeline/objective.ts';
import type { Ops } from '../../core/ops/ops.ts';
import type { Params } from '../../core/params.ts';
import { mapParams } from '../../core/params.ts';
import type { Context } from '../../core/pipeline/context.ts';
import type { Shaped } from '../../core/tensor.ts';
import { fromBlocks, toBlocks } from '../../curvature/blocks.ts';
import type { Action } from '../../core/operators/action.ts';

/**
 * v ↦ E[Jᵀ H_ℓ J] v on block vectors.
 *
 * @param context - what is learned, and its linearisation
 * @example
 * ```ts
 * import type { Context, Shaped } from 'kfac-ts/core';
 * import { gaussNewtonAction } from 'kfac-ts/solvers';
 *
 * // For a solver of one's own: products with the batch's own Gauss–Newton matrix.
 * type Known = 'objective' | 'weights' | 'outputs' | 'pushforward' | 'pullback' | 'blocks';
 * const curvatureOf = <T extends Shaped>(context: Context<T, Known>) => gaussNewtonAction(context);
 * ```
 */
export const gaussNewtonAction = <T extends Shaped>(
  context: Context<T, 'objective' | 'weights' | 'outputs' | 'pushforward' | 'pullback' | 'blocks'>,
): Action<T> => {
  const { objective, weights, outputs, pushforward, pullback, blocks } = context;
  return (ops: Ops<T>, v: Params<T>) => {
    const image = pushforward(fromBlocks(ops, blocks, v), ops);
    const { params } = pullback(lossHessianProduct(ops, objective.loss, outputs, weights, image), ops);
    return toBlocks(
      ops,
      blocks,
      mapParams(params, (sum) => ops.scale(1 / outputs.shape[0], sum)),
    );
  };
};
