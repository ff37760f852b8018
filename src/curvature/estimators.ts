/**
 * Estimators of the Fisher: which output cotangents feed the statistics.
 *
 * A Fisher block is E[g gᵀ] over targets drawn from the model's own predictive distribution; training targets give the
 * empirical Fisher, which is biased (Kunstner et al. 2019) but needs no extra backward pass.
 *
 * @module
 */
import type { Loss } from '../core/nn/losses/loss.ts';
import type { Ops } from '../core/ops/ops.ts';
import type { Key } from '../core/random/key.ts';
import { split } from '../core/random/split.ts';
import type { Shaped } from '../core/tensor.ts';

/** A way to choose cotangents. */
export interface Estimator {
  readonly name: string;
  /**
   * Arrays shaped like the outputs, per example, one for each backward pass. The sum over passes of their expected outer
   * products is H_ℓ, the Hessian of the loss in the outputs. `null` stands for the training cotangents.
   */
  readonly cotangents: <T extends Shaped>(ops: Ops<T>, loss: Loss, key: Key, outputs: T) => ReadonlyArray<T> | null;
}

/** Settings of {@link monteCarlo}. */
export interface MonteCarloOptions {
  /** Samples k per example, at least 1. */
  readonly samples?: number;
}

/**
 * Targets sampled from the predictive distribution: the unbiased Fisher [MG15 §5]. Each of k samples counts 1/k.
 *
 * @param options - number of samples per example, 1 unless given
 */
export const monteCarlo = (options: MonteCarloOptions = {}): Estimator => {
  const samples = options.samples ?? 1;
  return {
    name: 'monteCarlo',
    cotangents: (ops, loss, key, outputs) =>
      split(key, samples).map((sampleKey) => {
        const cotangent = loss.gradient(ops, outputs, loss.sample(ops, sampleKey, outputs));
        return samples === 1 ? cotangent : ops.scale(1 / Math.sqrt(samples), cotangent);
      }),
  };
};

/** Every column of a square root of H_ℓ: no sampling error, as many backward passes as there are columns. */
export const exact = (): Estimator => ({
  name: 'exact',
  cotangents: (ops, loss, _, outputs) => loss.squareRootColumns(ops, outputs),
});

/** The training targets: no extra backward pass, biased. */
export const empirical = (): Estimator => ({ name: 'empirical', cotangents: () => null });
