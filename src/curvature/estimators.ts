/**
 * Estimators of the Fisher: which output cotangents feed the statistics.
 *
 * A Fisher block is E[g gᵀ] over targets drawn from the model's own predictive distribution; training targets give the
 * empirical Fisher, which is biased [KBH19] but needs no extra backward pass.
 *
 * @module
 */
import { raise } from '../core/errors.ts';
import { columnCount, squareRootColumns } from '../core/nn/losses/columns.ts';
import type { Loss } from '../core/nn/losses/loss.ts';
import { scoreOf } from '../core/nn/losses/score.ts';
import type { Ops } from '../core/ops/ops.ts';
import type { Key } from '../core/random/key.ts';
import { signs } from '../core/random/signs.ts';
import { split } from '../core/random/split.ts';
import { shown } from '../core/shown.ts';
import type { Shape, Shaped, Tensor } from '../core/tensor.ts';
import { generate } from '../core/tensor.ts';

/** A way to choose cotangents. */
export interface Estimator {
  readonly name: string;
  /** Number of backward passes for outputs of a shape `[n, …]`; 0 where the training cotangents serve. */
  readonly passes: (outputs: Shape) => number;
  /** Whether cotangents of different examples are independent with mean zero: drawn by example, not chosen for all. */
  readonly independent: boolean;
  /**
   * Arrays shaped like the outputs, per example, one for each backward pass from `begin` to `end`, all unless given. The
   * sum over all passes of their expected outer products is H_ℓ, the Hessian of the loss in the outputs. `null` stands for
   * the training cotangents.
   */
  readonly cotangents: <T extends Shaped>(
    ops: Ops<T>,
    loss: Loss,
    key: Key,
    outputs: T,
    begin?: number,
    end?: number,
  ) => ReadonlyArray<T> | null;
  /**
   * Where the cotangents at sites are not what the loss sends back, but drawn: of mean 0 and covariance I, for outputs of a site in
   * a shape `[n, …, out]`.
   */
  readonly atSites?: (key: Key, shape: Shape) => Tensor;
}

/** Settings of {@link monteCarlo}. */
export interface MonteCarloOptions {
  /** Samples k per example, from 1 to `mostSamples`. */
  readonly samples?: number;
}

/** Most samples per example: each is a backward pass. */
export const mostSamples = 1000;

/** A number of samples, once it is one; a wrong one is a `BadConfig` of the step that captures. */
const counted = (samples: number): number =>
  Number.isInteger(samples) && samples >= 1 && samples <= mostSamples
    ? samples
    : raise({
        _tag: 'BadConfig',
        path: 'estimator.samples',
        expected: `a whole number from 1 to ${mostSamples}`,
        actual: shown(samples),
      });

/**
 * Targets sampled from the predictive distribution: the unbiased Fisher [MG15 §5]. Each of k samples counts 1/k.
 *
 * @param options - number of samples per example, 1 unless given
 * @example
 * ```ts
 * import { capture, monteCarlo } from 'kfac-ts/curvature';
 *
 * const captured = capture(monteCarlo({ samples: 2 }));
 * ```
 */
export const monteCarlo = (options: MonteCarloOptions = {}): Estimator => {
  const samples = options.samples ?? 1;
  return {
    name: 'monteCarlo',
    passes: () => counted(samples),
    independent: true,
    cotangents: (ops, loss, key, outputs, begin, end) =>
      split(key, samples)
        .slice(begin, end)
        .map((sampleKey) => {
          const cotangent = scoreOf(ops, loss, sampleKey, outputs);
          return samples === 1 ? cotangent : ops.scale(1 / Math.sqrt(samples), cotangent);
        }),
  };
};

/**
 * Every column of a square root of H_ℓ: no sampling error, as many backward passes as there are columns.
 *
 * @example
 * ```ts
 * import { capture, exact } from 'kfac-ts/curvature';
 *
 * const captured = capture(exact(), { passesAtOnce: 4 });
 * ```
 */
export const exact = (): Estimator => ({
  name: 'exact',
  passes: columnCount,
  independent: false,
  cotangents: (ops, loss, _, outputs, begin, end) => squareRootColumns(ops, loss, outputs, begin, end),
});

/** Settings of {@link curvaturePropagation}. */
export interface CurvaturePropagationOptions {
  /** Combinations k per example, from 1 to `mostSamples`. */
  readonly samples?: number;
}

/** A sign for each example and column, drawn column by column. */
const signsPerColumn = (key: Key, outputs: Shape): Tensor => {
  const columns = columnCount(outputs);
  const draws = split(key, columns).map((columnKey) => signs(columnKey, [outputs[0]], 'f32').data);
  return generate(outputs, (i) => draws[i % columns][Math.floor(i / columns)]);
};

/**
 * Random combinations Σ_c ±B_c of the columns of a square root of H_ℓ [MSS12]: unbiased like
 * sampled targets and as cheap, with bounded draws. Each of k combinations counts 1/k.
 *
 * @param options - number of combinations per example, 1 unless given
 * @example
 * ```ts
 * import { capture, curvaturePropagation } from 'kfac-ts/curvature';
 *
 * const captured = capture(curvaturePropagation({ samples: 2 }));
 * ```
 */
export const curvaturePropagation = (options: CurvaturePropagationOptions = {}): Estimator => {
  const samples = options.samples ?? 1;
  return {
    name: 'curvaturePropagation',
    passes: () => counted(samples),
    independent: true,
    cotangents: (ops, loss, key, outputs, begin, end) => {
      const root = loss.squareRoot(ops, outputs);
      return split(key, samples)
        .slice(begin, end)
        .map((sampleKey) => {
          const combined = root(ops.constant(signsPerColumn(sampleKey, outputs.shape)));
          return samples === 1 ? combined : ops.scale(1 / Math.sqrt(samples), combined);
        });
    },
  };
};

/**
 * The training targets: no extra backward pass, biased.
 *
 * @example
 * ```ts
 * import { capture, empirical } from 'kfac-ts/curvature';
 *
 * // The gradients of the training targets: no pass of its own, and biased.
 * const captured = capture(empirical());
 * ```
 */
export const empirical = (): Estimator => ({
  name: 'empirical',
  passes: () => 0,
  independent: false,
  cotangents: () => null,
});

/**
 * The inputs alone, G = I [B22]: the Hessian of the loss with respect to what a layer gives is taken for the identity, at every
 * position. A site's block is the Gauss–Newton matrix of a squared error of its own outputs, A ⊗ I; no backward pass is made
 * for it, and no property of the loss is in it. What A ⊗ I does not say (moments of gradients in a basis, sums over positions)
 * is made of random signs in the place of cotangents. A parameter without a site has the identity.
 *
 * @example
 * ```ts
 * import { capture, forwardOnly } from 'kfac-ts/curvature';
 *
 * const captured = capture(forwardOnly());
 * ```
 */
export const forwardOnly = (): Estimator => ({
  name: 'forwardOnly',
  passes: () => 0,
  independent: true,
  cotangents: () => null,
  atSites: (key, shape) => signs(key, shape, 'f32'),
});

/** Estimators by name, with their default settings. */
const named = { monteCarlo, exact, empirical, curvaturePropagation, forwardOnly } as const;

/** Name of an estimator. */
export type EstimatorName = keyof typeof named;

const isEstimatorName = (name: string): name is EstimatorName => Object.hasOwn(named, name);

/** Names of the estimators. */
export const estimatorNames: ReadonlyArray<EstimatorName> = Object.keys(named).filter(isEstimatorName);

/**
 * An estimator by its name. One that does not exist fails with `BadConfig` when it is asked for cotangents, since that is
 * where the name first meets a computation that can fail.
 *
 * @param name - one of {@link estimatorNames}
 * @example
 * ```ts
 * import { estimatorOf } from 'kfac-ts/curvature';
 *
 * estimatorOf('exact').passes([100, 10]); // => 10
 * ```
 */
export const estimatorOf = (name: string): Estimator => {
  const refuse = (): never =>
    raise({ _tag: 'BadConfig', path: 'estimator', expected: `one of ${estimatorNames.join(', ')}`, actual: name });
  return isEstimatorName(name) ? named[name]() : { name, passes: refuse, independent: true, cotangents: refuse };
};
