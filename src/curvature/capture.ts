/**
 * The statistics-capture stage: what each site saw, on steps where statistics are due.
 *
 * It looks at the sample, which is the whole batch unless a stage before it has drawn a part.
 *
 * @module
 */
import type { Linearised } from '../core/autodiff/reverse.ts';
import { raise } from '../core/errors.ts';
import { weighed } from '../core/nn/losses/loss.ts';
import { curvatureGradient } from '../core/nn/losses/meanOverPositions.ts';
import type { Params } from '../core/params.ts';
import { mapParams, pickParams } from '../core/params.ts';
import type { Ops } from '../core/ops/ops.ts';
import type { SampleOptions } from './sample.ts';
import { countOf } from './sample.ts';
import { dearnessOfStatistics } from './dearness.ts';
import { computation } from '../core/pipeline/compute.ts';
import type { Period } from '../core/pipeline/period.ts';
import { checkedPeriod, isDue } from '../core/pipeline/period.ts';
import type { Captured, Context, SiteCapture, SiteInput } from '../core/pipeline/context.ts';
import type { Weights } from '../core/pipeline/objective.ts';
import { lossGradient } from '../core/pipeline/objective.ts';
import type { Stage } from '../core/pipeline/stage.ts';
import { stepKey } from '../core/pipeline/stepKey.ts';
import { foldIn } from '../core/random/split.ts';
import type { Shaped } from '../core/tensor.ts';
import { showShape } from '../core/tensor.ts';
import { blocksOf, parameterBlocks } from '../core/pipeline/blocks.ts';
import type { Estimator } from './estimators.ts';
import { inGroups } from './exampleGroups.ts';
import type { Biases } from './sites/biases.ts';
import { knownBiases, seenAs } from './sites/biases.ts';
import type { Run } from './statistics/partition.ts';
import { partitionOf } from './statistics/partition.ts';

/** Settings of {@link capture}. */
export interface CaptureOptions {
  /** Period in steps, 1 unless given. A state without statistics of all blocks always captures. */
  readonly every?: Period;
  /** What the sample stage before it takes of a batch in the steps that are due: all unless given. It counts what that costs. */
  readonly sampled?: Pick<SampleOptions, 'fraction' | 'atLeast'>;
  /**
   * Backward passes whose cotangents are held at once, 16 unless given: the exact estimator has one for every output. More
   * windows cost a forward pass each, and the statistics of the inputs anew.
   */
  readonly passesAtOnce?: number;
  /**
   * For parameters without a site, where an estimator's cotangents are not independent between examples (exact and
   * empirical): groups that the examples are taken in, 8 unless given. Each is a backward pass to these parameters alone, for
   * every pass of the estimator. In a group examples are told apart by random signs, which leaves the diagonal unbiased; as
   * many groups as examples leave nothing to chance.
   */
  readonly exampleGroups?: number;
  /**
   * Whether a bias has a block with its weight, `joint` unless given, or one of its own, `separate`: the weight's block then has
   * no homogeneous coordinate, and the bias has the second moments of its own gradients, positions summed.
   */
  readonly biases?: Biases;
}

type Needs = 'state' | 'objective' | 'outputs' | 'sites' | 'blocks' | 'sample' | 'siteCotangents';

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

/** What one pass of an estimator leaves behind. */
interface Pass<T> {
  readonly sites: ReadonlyArray<T>;
  /** Of parameters without a site: see {@link Captured}. */
  readonly uncovered: ReadonlyArray<Params<T>>;
}

/** Cotangents whose outer products carry the weights: times the roots of them. */
const rooted = <T extends Shaped>(ops: Ops<T>, weights: Weights<T> | null, cotangent: T): T =>
  weights === null ? cotangent : weighed(ops, ops.sqrt(weights.terms), cotangent);

/**
 * The sites' cotangents of the training loss: those that the gradient was made of, where the sample is the batch, all its
 * examples weigh alike and the loss is no mean over positions.
 */
const trainingSites = <T extends Shaped>(
  { objective: { loss }, outputs, sample, siteCotangents }: Context<T, Needs>,
  cotangent: () => T,
): ReadonlyArray<T> =>
  sample.outputs === outputs && sample.weights === null && loss.positions === undefined
    ? siteCotangents
    : sample.sitePullback(cotangent());

/**
 * Weights of what each site sees. Where the batch weighs positions, or a layer skips those that are not there, a position
 * counts if the training loss looks at it: at padding the cotangent is 0, so it adds nothing to the Fisher, and must not count
 * among the inputs either. What has no weight of its own, but is looked at by what has (the words of a question, before those
 * of the answer), counts.
 */
const siteWeights = <T extends Shaped>(
  ops: Ops<T>,
  { objective: { loss }, outputs, sample, siteCotangents }: Context<T, Needs>,
): ReadonlyArray<T> | null => {
  const { weights, sites } = sample;
  const isRagged = sites.some(({ site }) => site.ragged === true);
  const examples = weights?.examples ?? (isRagged ? ops.full([sample.outputs.shape[0]], 1) : null);
  if (examples === null) return null;
  if (!isRagged && weights?.terms.shape.length === 1) return sites.map(() => examples);
  const cotangents =
    sample.outputs === outputs ? siteCotangents : sample.sitePullback(lossGradient(ops, loss, sample.outputs, sample));
  return cotangents.map((g, i) =>
    g.shape.length === 2 && sites[i].site.ragged !== true
      ? examples
      : weighed(ops, examples, ops.greater(ops.max(ops.abs(g), [g.shape.length - 1]), ops.full([], 0))),
  );
};

/** A site whose first axis does not count examples cannot be told apart by example. */
const refuseRows = <T extends Shaped>(passed: SiteInput<T>, examples: number): SiteInput<T> => {
  const { site, input } = passed;
  return input.shape[0] === examples
    ? passed
    : raise({
        _tag: 'ShapeMismatch',
        where: `site ${site.path}`,
        expected: `an input with ${examples} examples along its first axis, positions in axes of their own`,
        actual: showShape(input.shape),
      });
};

/** All passes, in windows of at most so many. The first is made at once, the others when they are asked for. */
const inWindows = <T extends Shaped>(
  ops: Ops<T>,
  context: Context<T, Needs>,
  estimator: Estimator,
  passesAtOnce: number,
  groups: number,
  biases: Biases,
): Captured<T> => {
  const { state, objective, blocks, sample } = context;
  const uncovered = parameterBlocks(blocks);
  const sites = sample.sites.map((site) => refuseRows(site, sample.outputs.shape[0]));
  const weights = sample.weights?.examples ?? null;
  const ofSites = siteWeights(ops, context);
  const windows = partitionOf(Math.max(1, estimator.passes(sample.outputs.shape)), { size: passesAtOnce });
  const key = stepKey(state);
  const examples = sample.outputs.shape[0];
  const ofPositions = stepKey(state, 'positions');
  const saw = (
    cotangentsOf: (i: number) => Pick<SiteCapture<T>, 'cotangents' | 'isotropic'>,
    ofUncovered: ReadonlyArray<Params<T>>,
  ): Captured<T> => ({
    sites: sites.flatMap((use, i) => {
      const met = { weights: ofSites === null ? null : ofSites[i], key: foldIn(ofPositions, i), ...cotangentsOf(i) };
      return seenAs(biases, use).map((seen) => ({ ...seen, ...met }));
    }),
    uncovered: ofUncovered,
    targets: sample.targets,
    weights,
    examples,
    more: [],
  });
  /** What each site would see of a squared error of its own outputs. */
  const drawn = (on: Ops<T>, atSites: NonNullable<Estimator['atSites']>): Captured<T> =>
    saw(
      (i) => {
        const [, ...rest] = context.siteCotangents[i].shape;
        const found = on.constant(atSites(foldIn(key, i), [examples, ...rest]));
        return { cotangents: [ofSites === null ? found : weighed(on, on.sqrt(ofSites[i]), found)], isotropic: true };
      },
      [mapParams(pickParams(state.params, uncovered), ({ shape }) => on.full(shape, Math.sqrt(examples)))],
    );
  const ofWindow = (on: Ops<T>, at: Linearised<T>, { begin, size }: Run): Captured<T> => {
    const toUncovered = uncovered.length === 0 ? null : at.parameterPullback(uncovered);
    const apart = (pass: number, cotangent: () => T): ReadonlyArray<Params<T>> =>
      toUncovered === null
        ? [{}]
        : inGroups(on, foldIn(stepKey(state, 'groups'), pass), cotangent(), groups).map(toUncovered);
    const passBack = (pass: number, cotangent: T): Pass<T> => {
      if (!estimator.independent || uncovered.length === 0) {
        return { sites: at.sitePullback(cotangent), uncovered: apart(pass, () => cotangent) };
      }
      const { params, sites: found } = at.pullback(cotangent);
      return { sites: found, uncovered: [pickParams(params, uncovered)] };
    };
    const training = (): Pass<T> => {
      const cotangent = (): T =>
        rooted(on, sample.weights, curvatureGradient(on, objective.loss, at.outputs, sample.targets));
      return {
        sites: trainingSites(context, cotangent),
        uncovered: apart(0, cotangent),
      };
    };
    if (estimator.atSites !== undefined) return drawn(on, estimator.atSites);
    const cotangents = estimator.cotangents(on, objective.loss, key, at.outputs, begin, begin + size);
    const scaled = (cotangent: T): T =>
      windows.length === 1 ? cotangent : on.scale(Math.sqrt(windows.length), cotangent);
    const weighted = (cotangent: T): T => scaled(rooted(on, sample.weights, cotangent));
    const passes = cotangents === null ? [training()] : cotangents.map((c, i) => passBack(begin + i, weighted(c)));
    return saw(
      (i) => ({ cotangents: passes.map((pass) => pass.sites[i]) }),
      passes.flatMap((pass) => pass.uncovered),
    );
  };
  return {
    ...ofWindow(ops, sample, windows[0]),
    more: windows.slice(1).map((window) => (on: Ops<T>) => ofWindow(on, sample.linearise(on), window)),
  };
};

/**
 * Captures site inputs and estimator cotangents.
 *
 * Parameters without a site are captured as cotangents summed over examples: under sampled targets these have mean zero
 * and are independent between examples, so the square of the sum estimates the sum of squares. Other estimators tell
 * examples apart by signs and groups.
 *
 * @param estimator - which cotangents
 * @param options - period, passes held at once, groups of examples
 * @example
 * ```ts
 * import { backward, forward, pipeline } from 'kfac-ts/core';
 * import { capture, kfac, monteCarlo, updateFactors } from 'kfac-ts/curvature';
 *
 * // Statistics in every fifth step, from one sample for each example.
 * const curved = pipeline(forward, backward, capture(monteCarlo(), { every: 5 }), updateFactors(kfac()));
 * ```
 */
export const capture = (estimator: Estimator, options: CaptureOptions = {}): Stage<Needs, 'blocks' | 'captured'> =>
  computation('capture', <T extends Shaped>(ops: Ops<T>, given: Context<T, Needs>) => {
    const { state } = given;
    const biases = knownBiases(options.biases);
    const blocks =
      biases === 'joint'
        ? given.blocks
        : blocksOf(
            given.sites.flatMap((use) => seenAs(biases, use)),
            Object.keys(state.params),
          );
    const context = { ...given, blocks };
    const every = checkedPeriod('capture.every', options.every ?? 1);
    const passesAtOnce = counted('passesAtOnce', options.passesAtOnce ?? 16);
    const groups = counted('exampleGroups', options.exampleGroups ?? 8);
    const { updates, averages } = state.curvature;
    // A parameter that was held fixed until now has no statistics to go on with.
    const examples = context.outputs.shape[0];
    const part = countOf(options.sampled ?? { fraction: 1 }, examples) / examples;
    const dearness = dearnessOfStatistics(blocks, state.params, part);
    const known = updates > 0 && blocks.every(({ name }) => Object.hasOwn(averages, name));
    if (known && !isDue(every, state.step, dearness)) return { blocks, captured: null };
    return { blocks, captured: inWindows(ops, context, estimator, passesAtOnce, groups, biases) };
  });
