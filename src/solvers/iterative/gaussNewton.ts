/**
 * The Gauss–Newton operator of an objective on a batch, matrix-free: vjp ∘ H_ℓ ∘ jvp, the mean over examples.
 *
 * Each product linearises the model anew. A recorded way back would save a forward pass, a fifth of the product, but
 * would hold its temporaries until the step ends; with a hundred products in a step that is too much memory.
 *
 * @module
 */
import { trainedProgram } from '../../core/pipeline/linearise.ts';
import { lossHessianProduct } from '../../core/pipeline/objective.ts';
import { gaussNewtonProduct } from '../../core/autodiff/products.ts';
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
 * @param context - what is learned, and where to linearise: parameters, circumstances, and the outputs there
 * @example
 * ```ts
 * import type { Context, Shaped } from 'kfac-ts/core';
 * import { gaussNewtonAction } from 'kfac-ts/solvers';
 *
 * // For a solver of one's own: products with the batch's own Gauss–Newton matrix.
 * type Known = 'state' | 'objective' | 'circumstances' | 'weights' | 'outputs' | 'blocks';
 * const curvatureOf = <T extends Shaped>(context: Context<T, Known>) => gaussNewtonAction(context);
 * ```
 */
export const gaussNewtonAction = <T extends Shaped>(
  context: Context<T, 'state' | 'objective' | 'circumstances' | 'weights' | 'outputs' | 'blocks'>,
): Action<T> => {
  const { state, objective, circumstances, weights, outputs, blocks } = context;
  const { model, loss } = objective;
  const { params, held } = state;
  const { program, inputs } = trainedProgram({ model, params, held, at: circumstances });
  return (ops: Ops<T>, v: Params<T>) => {
    const product = gaussNewtonProduct(
      ops,
      program,
      (at: T, u: T) => lossHessianProduct(ops, loss, at, weights, u),
      state.params,
      fromBlocks(ops, blocks, v),
      inputs,
    );
    return toBlocks(
      ops,
      blocks,
      mapParams(product, (sum) => ops.scale(1 / outputs.shape[0], sum)),
    );
  };
};
