/**
 * The statistics-capture stage: what each site saw, on steps where statistics are due.
 *
 * It looks at the sample, which is the whole batch unless a stage before it has drawn a part.
 *
 * @module
 */
import type { Cotangents } from '../core/autodiff/reverse.ts';
import { raise } from '../core/errors.ts';
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

type Needs = 'state' | 'outputs' | 'sample' | 'gradient' | 'siteCotangents';

/** The period, once it makes sense. */
const periodOf = ({ every = 1 }: CaptureOptions): number =>
  Number.isInteger(every) && every >= 1
    ? every
    : raise({
        _tag: 'BadConfig',
        path: 'capture.every',
        expected: 'a whole number of at least 1',
        actual: String(every),
      });

/** The training cotangents of the sample: those that the gradient was made of, where the sample is the batch. */
const trainingPass = <T extends Shaped>(
  ops: Ops<T>,
  { outputs, sample, gradient, siteCotangents }: Context<T, Needs>,
  loss: Loss,
  uncovered: ReadonlyArray<string>,
): Cotangents<T> => {
  if (sample.outputs !== outputs) return sample.pullback(loss.gradient(ops, sample.outputs, sample.targets));
  const summed = mapParams(pickParams(gradient, uncovered), (g) => ops.scale(outputs.shape[0], g));
  return { params: summed, sites: siteCotangents };
};

/** The backward passes that the estimator asks for; parameters' cotangents only where some parameter has no site. */
const passesOf = <T extends Shaped>(
  ops: Ops<T>,
  context: Context<T, Needs>,
  estimator: Estimator,
  loss: Loss,
  uncovered: ReadonlyArray<string>,
): ReadonlyArray<Cotangents<T>> => {
  const { state, sample } = context;
  const cotangents = estimator.cotangents(ops, loss, foldIn(state.key, state.step), sample.outputs);
  if (cotangents === null) return [trainingPass(ops, context, loss, uncovered)];
  return cotangents.map((cotangent) =>
    uncovered.length === 0 ? { params: {}, sites: sample.sitePullback(cotangent) } : sample.pullback(cotangent),
  );
};

/**
 * Captures site inputs and estimator cotangents.
 *
 * Parameters without a site are captured as cotangents summed over the sample: under sampled targets these have mean
 * zero and are independent between examples, so the square of the sum estimates the sum of squares.
 *
 * @param estimator - which cotangents
 * @param loss - the loss that the model is trained on
 * @param options - period
 */
export const capture = (estimator: Estimator, loss: Loss, options: CaptureOptions = {}): Stage<Needs, 'captured'> =>
  computation('capture', (ops, context) => {
    const { state, sample } = context;
    const every = periodOf(options);
    if (state.curvature.updates > 0 && state.step % every !== 0) return { captured: null };
    const uncovered = parameterBlocks(blocksOf(sample.sites, Object.keys(state.params)));
    const passes = passesOf(ops, context, estimator, loss, uncovered);
    return {
      captured: {
        sites: sample.sites.map((site, i) => ({ ...site, cotangents: passes.map((pass) => pass.sites[i]) })),
        uncovered: passes.map(({ params }) => pickParams(params, uncovered)),
        targets: sample.targets,
        examples: sample.outputs.shape[0],
      },
    };
  });
