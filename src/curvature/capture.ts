/**
 * The statistics-capture stage: what each site saw, on steps where statistics are due.
 *
 * @module
 */
import type { Cotangents } from '../core/autodiff/reverse.ts';
import type { Loss } from '../core/nn/losses/loss.ts';
import { mapParams, pickParams } from '../core/params.ts';
import type { Ops } from '../core/ops/ops.ts';
import { computation } from '../core/pipeline/compute.ts';
import type { Context } from '../core/pipeline/context.ts';
import type { Stage } from '../core/pipeline/stage.ts';
import { foldIn } from '../core/random/split.ts';
import type { Shaped } from '../core/tensor.ts';
import { blocksOf, parameterBlocks } from './blocks.ts';
import type { Estimator } from './estimators.ts';

/** Settings of {@link capture}. */
export interface CaptureOptions {
  /** Period in steps, 1 unless given. A state without statistics always captures. */
  readonly every?: number;
}

type Needs = 'state' | 'batch' | 'outputs' | 'sites' | 'pullback' | 'sitePullback' | 'gradient' | 'siteCotangents';

/** The backward passes that the estimator asks for; parameters' cotangents only where some parameter has no site. */
const passesOf = <T extends Shaped>(
  ops: Ops<T>,
  context: Context<T, Needs>,
  estimator: Estimator,
  loss: Loss,
  uncovered: ReadonlyArray<string>,
): ReadonlyArray<Cotangents<T>> => {
  const { state, outputs, gradient, siteCotangents } = context;
  const cotangents = estimator.cotangents(ops, loss, foldIn(state.key, state.step), outputs);
  if (cotangents === null) {
    const summed = mapParams(pickParams(gradient, uncovered), (g) => ops.scale(outputs.shape[0], g));
    return [{ params: summed, sites: siteCotangents }];
  }
  return cotangents.map((cotangent) =>
    uncovered.length === 0 ? { params: {}, sites: context.sitePullback(cotangent) } : context.pullback(cotangent),
  );
};

/**
 * Captures site inputs and estimator cotangents.
 *
 * Parameters without a site are captured as cotangents summed over the batch: under sampled targets these have mean
 * zero and are independent between examples, so the square of the sum estimates the sum of squares.
 *
 * @param estimator - which cotangents
 * @param loss - the loss that the model is trained on
 * @param options - period
 */
export const capture = (estimator: Estimator, loss: Loss, options: CaptureOptions = {}): Stage<Needs, 'captured'> =>
  computation('capture', (ops, context) => {
    const { state, batch, outputs, sites } = context;
    const due = state.curvature.updates === 0 || state.step % (options.every ?? 1) === 0;
    if (!due) return { captured: null };
    const uncovered = parameterBlocks(blocksOf(sites, Object.keys(state.params)));
    const passes = passesOf(ops, context, estimator, loss, uncovered);
    return {
      captured: {
        sites: sites.map((site, i) => ({ ...site, cotangents: passes.map((pass) => pass.sites[i]) })),
        uncovered: passes.map(({ params }) => pickParams(params, uncovered)),
        targets: batch.targets,
        examples: outputs.shape[0],
      },
    };
  });
