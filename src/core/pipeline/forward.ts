/**
 * The stages every training step begins with: the model's outputs and loss, and the gradient.
 *
 * @module
 */
import type { Linearised } from '../autodiff/reverse.ts';
import type { Circumstances } from '../nn/layers/circumstances.ts';
import type { Ops } from '../ops/ops.ts';
import { tidyWithin } from '../ops/tidy.ts';
import { mapParams, zipParams } from '../params.ts';
import type { Shaped } from '../tensor.ts';
import { blocksOf } from './blocks.ts';
import { computation } from './compute.ts';
import type { Context, Given } from './context.ts';
import { linearise } from './linearise.ts';
import type { Judging } from './objective.ts';
import { judgingOf, lossGradient, meanLoss } from './objective.ts';
import { linearisedPenalty } from './penalty.ts';
import type { Stage } from './stage.ts';
import { stepKey } from './stepKey.ts';

/** What {@link forward} adds to a step. */
export type Forwarded =
  | keyof Linearised<Shaped>
  | keyof Judging<unknown>
  | 'state'
  | 'circumstances'
  | 'blocks'
  | 'loss'
  | 'sample'
  | 'metrics';

/**
 * Where the model is applied in a step.
 *
 * @param context - state and batch
 */
export const circumstancesOf = <T extends Shaped>({
  state,
  batch,
}: Context<T, 'state' | 'batch'>): Circumstances<T> => ({
  arrays: batch,
  key: stepKey(state, 'layers'),
  running: state.running,
});

/** Runs the model on the batch and keeps its linearisation. Running state goes on in the state. */
export const forward: Stage<Given, Forwarded> = computation(
  'forward',
  <T extends Shaped>(ops: Ops<T>, context: Context<T, Given>) => {
    const { state, batch, objective } = context;
    const { params, held } = state;
    const circumstances = circumstancesOf(context);
    const lineariseOn = (on: Ops<T>): Linearised<T> =>
      linearise(on, { model: objective.model, params, held, at: circumstances });
    const linearised = lineariseOn(ops);
    const judging = judgingOf(ops, objective, batch);
    const loss = meanLoss(ops, objective.loss, linearised.outputs, judging);
    return {
      ...linearised,
      state: { ...state, running: { ...state.running, ...linearised.kept } },
      circumstances,
      ...judging,
      blocks: blocksOf(linearised.sites, Object.keys(params)),
      loss,
      sample: { ...linearised, ...judging, at: circumstances, linearise: lineariseOn },
      metrics: { loss },
    };
  },
);

/**
 * The mean gradient of the batch, with the loss's cotangents at the sites; where the objective has a penalty, that is added to
 * the loss and to the gradient.
 *
 * The cotangent is per example; the mean is taken here, once, on the parameters.
 */
export const backward: Stage<
  'state' | 'circumstances' | 'objective' | 'outputs' | 'pullback' | 'loss' | keyof Judging<unknown>,
  'gradient' | 'siteCotangents' | 'loss' | 'metrics'
> = computation('backward', (ops, context) => {
  const { state, circumstances, objective, outputs, pullback, loss, targets, weights } = context;
  const cotangent = lossGradient(ops, objective.loss, outputs, { targets, weights });
  const { params, sites } = pullback(cotangent, ops, (on, sum) => void on.addingUp([sum]));
  const sums = Object.values(params);
  const gradient = tidyWithin(ops, sums, (on) => {
    const means = mapParams(params, (sum) => on.scale(1 / outputs.shape[0], sum));
    return [means, [...Object.values(means), ...sites], sums];
  });
  ops.addedUp([...Object.values(gradient), loss]);
  const found = { gradient, siteCotangents: sites, loss, metrics: {} };
  if (objective.penalty === undefined) return found;
  const added = linearisedPenalty(ops, objective.penalty, { ...state, at: circumstances });
  const whole = ops.add(loss, added.value);
  return {
    ...found,
    gradient: zipParams(gradient, added.gradient, (g, more) => ops.add(g, more)),
    loss: whole,
    metrics: { loss: whole, penalty: added.value },
  };
});
