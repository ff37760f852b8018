/**
 * The stages every training step begins with: the model's outputs and loss, and the gradient.
 *
 * @module
 */
import type { Linearised } from '../autodiff/reverse.ts';
import { vjp } from '../autodiff/reverse.ts';
import type { Loss } from '../nn/losses/loss.ts';
import type { Model } from '../nn/model.ts';
import type { Ops } from '../ops/ops.ts';
import { mapParams } from '../params.ts';
import type { Shaped } from '../tensor.ts';
import { computation } from './compute.ts';
import type { Context, Given } from './context.ts';
import type { Stage } from './stage.ts';

/** What a network is trained on: outputs of a model, judged by a loss. */
export interface Objective {
  readonly model: Model;
  readonly loss: Loss;
}

/**
 * Runs the model on the batch and keeps its linearisation.
 *
 * @param objective - model and loss
 */
export const forward = (
  objective: Objective,
): Stage<'state' | 'batch' | 'metrics', keyof Linearised<unknown> | 'loss' | 'sample' | 'metrics'> =>
  computation('forward', <T extends Shaped>(ops: Ops<T>, { state, batch, metrics }: Context<T, Given>) => {
    const linearise = (on: Ops<T>): Linearised<T> => vjp(on, objective.model.program, state.params, [batch.inputs]);
    const linearised = linearise(ops);
    const loss = ops.mean(objective.loss.value(ops, linearised.outputs, batch.targets), [0]);
    return {
      ...linearised,
      loss,
      sample: { ...linearised, targets: batch.targets, linearise },
      metrics: { ...metrics, loss },
    };
  });

/**
 * The mean gradient of the batch, with the loss's cotangents at the sites.
 *
 * The cotangent is per example; the mean is taken here, once, on the parameters.
 *
 * @param objective - model and loss
 */
export const backward = (
  objective: Objective,
): Stage<'batch' | 'outputs' | 'pullback', 'gradient' | 'siteCotangents'> =>
  computation('backward', (ops, { batch, outputs, pullback }) => {
    const { params, sites } = pullback(objective.loss.gradient(ops, outputs, batch.targets));
    return { gradient: mapParams(params, (sum) => ops.scale(1 / outputs.shape[0], sum)), siteCotangents: sites };
  });
