/**
 * The statistics-capture stage: what each site saw, on steps where statistics are due.
 *
 * @module
 */
import type { Cotangents } from '../core/autodiff/reverse.ts';
import { raise } from '../core/errors.ts';
import type { Loss } from '../core/nn/losses/loss.ts';
import { mapParams, pickParams } from '../core/params.ts';
import type { Ops } from '../core/ops/ops.ts';
import { computation } from '../core/pipeline/compute.ts';
import type { Captured, Context } from '../core/pipeline/context.ts';
import type { Stage } from '../core/pipeline/stage.ts';
import type { Key } from '../core/random/key.ts';
import { permutation } from '../core/random/permutation.ts';
import { foldIn } from '../core/random/split.ts';
import type { Shaped } from '../core/tensor.ts';
import { blocksOf, parameterBlocks } from './blocks.ts';
import type { Estimator } from './estimators.ts';

/** Settings of {@link capture}. */
export interface CaptureOptions {
  /** Period in steps, 1 unless given. A state without statistics always captures. */
  readonly every?: number;
  /**
   * Fraction of the batch's examples that statistics are taken from, in (0, 1], 1 unless given. Which ones is drawn anew in
   * each step; at least one is taken.
   */
  readonly fraction?: number;
}

type Needs = 'state' | 'batch' | 'outputs' | 'sites' | 'pullback' | 'sitePullback' | 'gradient' | 'siteCotangents';

const refuse = (path: string, expected: string, actual: number): never =>
  raise({ _tag: 'BadConfig', path: `capture.${path}`, expected, actual: String(actual) });

/** The settings with defaults, once they make sense. */
const checked = ({ every = 1, fraction = 1 }: CaptureOptions): Required<CaptureOptions> => {
  if (!(Number.isInteger(every) && every >= 1)) return refuse('every', 'a whole number of at least 1', every);
  if (!(fraction > 0 && fraction <= 1)) return refuse('fraction', 'a number above 0 and up to 1', fraction);
  return { every, fraction };
};

/**
 * A random part of the examples. Sums over the whole batch, which uncovered parameters have, are scaled so that their
 * squares match the number of examples in the part.
 */
const sampled = <T extends Shaped>(ops: Ops<T>, key: Key, fraction: number, captured: Captured<T>): Captured<T> => {
  const { examples } = captured;
  const count = Math.max(1, Math.round(fraction * examples));
  if (count === examples) return captured;
  const rows = ops.slice(ops.constant(permutation(key, examples)), [0], [count]);
  const pick = (x: T): T => ops.gather(x, rows);
  return {
    ...captured,
    sites: captured.sites.map((seen) => ({ ...seen, input: pick(seen.input), cotangents: seen.cotangents.map(pick) })),
    uncovered: captured.uncovered.map((pass) => mapParams(pass, (sum) => ops.scale(Math.sqrt(count / examples), sum))),
    targets: pick(captured.targets),
    examples: count,
  };
};

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
 * @param options - period, fraction of the examples
 */
export const capture = (estimator: Estimator, loss: Loss, options: CaptureOptions = {}): Stage<Needs, 'captured'> =>
  computation('capture', (ops, context) => {
    const { state, batch, outputs, sites } = context;
    const { every, fraction } = checked(options);
    const due = state.curvature.updates === 0 || state.step % every === 0;
    if (!due) return { captured: null };
    const uncovered = parameterBlocks(blocksOf(sites, Object.keys(state.params)));
    const passes = passesOf(ops, context, estimator, loss, uncovered);
    const captured = {
      sites: sites.map((site, i) => ({ ...site, cotangents: passes.map((pass) => pass.sites[i]) })),
      uncovered: passes.map(({ params }) => pickParams(params, uncovered)),
      targets: batch.targets,
      examples: outputs.shape[0],
    };
    return { captured: sampled(ops, foldIn(foldIn(state.key, state.step), 0), fraction, captured) };
  });
