/**
 * The stages every training step begins with: the model's outputs and loss, and the gradient.
 *
 * @module
 */
import type { Linearised } from '../autodiff/reverse.ts';
import { vjp } from '../autodiff/reverse.ts';
import type { Ops } from '../ops/ops.ts';
import { mapParams } from '../params.ts';
import type { Shaped } from '../tensor.ts';
import { blocksOf } from './blocks.ts';
import { computation } from './compute.ts';
import type { Context, Given } from './context.ts';
import type { Stage } from './stage.ts';

/** What {@link forward} adds to a step. */
export type Forwarded = keyof Linearised<unknown> | 'blocks' | 'loss' | 'sample' | 'metrics';

/** Runs the model on the batch and keeps its linearisation. */
export const forward: Stage<Given, Forwarded> = computation(
  'forward',
  <T extends Shaped>(ops: Ops<T>, { state, batch, objective }: Context<T, Given>) => {
    const linearise = (on: Ops<T>): Linearised<T> => vjp(on, objective.model.program, state.params, [batch.inputs]);
    const linearised = linearise(ops);
    const loss = ops.mean(objective.loss.value(ops, linearised.outputs, batch.targets), [0]);
    return {
      ...linearised,
      blocks: blocksOf(linearised.sites, Object.keys(state.params)),
      loss,
      sample: { ...linearised, targets: batch.targets, linearise },
      metrics: { loss },
    };
  },
);

/**
 * The mean gradient of the batch, with the loss's cotangents at the sites.
 *
 * The cotangent is per example; the mean is taken here, once, on the parameters.
 */
export const backward: Stage<'batch' | 'objective' | 'outputs' | 'pullback', 'gradient' | 'siteCotangents'> =
  computation('backward', (ops, { batch, objective, outputs, pullback }) => {
    const { params, sites } = pullback(objective.loss.gradient(ops, outputs, batch.targets));
    return { gradient: mapParams(params, (sum) => ops.scale(1 / outputs.shape[0], sum)), siteCotangents: sites };
  });
