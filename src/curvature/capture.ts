/**
 * The statistics-capture stage: what each site saw, on steps where statistics are due.
 *
 * It looks at the sample, which is the whole batch unless a stage before it has drawn a part.
 *
 * @module
 */
import type { Cotangents, Linearised } from '../core/autodiff/reverse.ts';
import { raise } from '../core/errors.ts';
import { mapParams, pickParams } from '../core/params.ts';
import type { Ops } from '../core/ops/ops.ts';
import { computation } from '../core/pipeline/compute.ts';
import type { Captured, Context, SiteInput } from '../core/pipeline/context.ts';
import type { Stage } from '../core/pipeline/stage.ts';
import { foldIn } from '../core/random/split.ts';
import type { Shaped } from '../core/tensor.ts';
import { showShape } from '../core/tensor.ts';
import { parameterBlocks } from '../core/pipeline/blocks.ts';
import type { Estimator } from './estimators.ts';
import type { Run } from './statistics/partition.ts';
import { partitionOf } from './statistics/partition.ts';

/** Settings of {@link capture}. */
export interface CaptureOptions {
  /** Period in steps, 1 unless given. A state without statistics always captures. */
  readonly every?: number;
  /**
   * Backward passes whose cotangents are held at once, 16 unless given: the exact estimator has one for every output. More
   * windows cost a forward pass each, and the statistics of the inputs anew.
   */
  readonly passesAtOnce?: number;
}

type Needs = 'state' | 'objective' | 'outputs' | 'blocks' | 'sample' | 'gradient' | 'siteCotangents';

/** A whole number of at least 1, once it is one. */
const counted = (path: string, value: number): number =>
  Number.isInteger(value) && value >= 1
    ? value
    : raise({
        _tag: 'BadConfig',
        path: `capture.${path}`,
        expected: 'a whole number of at least 1',
        actual: String(value),
      });

/** The training cotangents of the sample: those that the gradient was made of, where the sample is the batch. */
const trainingPass = <T extends Shaped>(
  ops: Ops<T>,
  { objective, outputs, sample, gradient, siteCotangents }: Context<T, Needs>,
  uncovered: ReadonlyArray<string>,
): Cotangents<T> => {
  if (sample.outputs !== outputs) return sample.pullback(objective.loss.gradient(ops, sample.outputs, sample.targets));
  const summed = mapParams(pickParams(gradient, uncovered), (g) => ops.scale(outputs.shape[0], g));
  return { params: summed, sites: siteCotangents };
};

/** A backward pass; parameters' cotangents only where some parameter has no site. */
const passBack = <T extends Shaped>(
  { pullback, sitePullback }: Linearised<T>,
  cotangent: T,
  uncovered: ReadonlyArray<string>,
): Cotangents<T> => (uncovered.length === 0 ? { params: {}, sites: sitePullback(cotangent) } : pullback(cotangent));

/** A site whose first axis does not count examples cannot be told apart by example. */
const refuseRows = <T extends Shaped>({ site, input }: SiteInput<T>, examples: number): SiteInput<T> =>
  input.shape[0] === examples
    ? { site, input }
    : raise({
        _tag: 'ShapeMismatch',
        where: `site ${site.path}`,
        expected: `an input with ${examples} examples along its first axis, positions in axes of their own`,
        actual: showShape(input.shape),
      });

/** All passes, in windows of at most so many. The first is made at once, the others when they are asked for. */
const inWindows = <T extends Shaped>(
  ops: Ops<T>,
  context: Context<T, Needs>,
  estimator: Estimator,
  passesAtOnce: number,
): Captured<T> => {
  const { state, objective, blocks, sample } = context;
  const uncovered = parameterBlocks(blocks);
  const sites = sample.sites.map((site) => refuseRows(site, sample.outputs.shape[0]));
  const windows = partitionOf(Math.max(1, estimator.passes(sample.outputs.shape)), { size: passesAtOnce });
  const ofWindow = (on: Ops<T>, at: Linearised<T>, { begin, size }: Run): Captured<T> => {
    const key = foldIn(state.key, state.step);
    const cotangents = estimator.cotangents(on, objective.loss, key, at.outputs, begin, begin + size);
    const scaled = (cotangent: T): T =>
      windows.length === 1 ? cotangent : on.scale(Math.sqrt(windows.length), cotangent);
    const passes =
      cotangents === null
        ? [trainingPass(on, context, uncovered)]
        : cotangents.map((cotangent) => passBack(at, scaled(cotangent), uncovered));
    return {
      sites: sites.map((site, i) => ({ ...site, cotangents: passes.map((pass) => pass.sites[i]) })),
      uncovered: passes.map(({ params }) => pickParams(params, uncovered)),
      targets: sample.targets,
      examples: sample.outputs.shape[0],
      more: [],
    };
  };
  return {
    ...ofWindow(ops, sample, windows[0]),
    more: windows.slice(1).map((window) => (on: Ops<T>) => ofWindow(on, sample.linearise(on), window)),
  };
};

/**
 * Captures site inputs and estimator cotangents.
 *
 * Parameters without a site are captured as cotangents summed over the sample: under sampled targets these have mean
 * zero and are independent between examples, so the square of the sum estimates the sum of squares.
 *
 * @param estimator - which cotangents
 * @param options - period, passes held at once
 */
export const capture = (estimator: Estimator, options: CaptureOptions = {}): Stage<Needs, 'captured'> =>
  computation('capture', (ops, context) => {
    const { state } = context;
    const every = counted('every', options.every ?? 1);
    const passesAtOnce = counted('passesAtOnce', options.passesAtOnce ?? 16);
    if (state.curvature.updates > 0 && state.step % every !== 0) return { captured: null };
    return { captured: inWindows(ops, context, estimator, passesAtOnce) };
  });
