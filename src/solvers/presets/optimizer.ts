/**
 * Optimizers: ready-made training steps.
 *
 * A preset is a short composition of public parts; copy one and change it to get an optimizer of your own.
 *
 * @module
 */
import type { Descent } from '../../core/pipeline/descent.ts';
import { backward, forward } from '../../core/pipeline/forward.ts';
import type { Step } from '../../core/pipeline/stage.ts';
import { pipeline } from '../../core/pipeline/stage.ts';

/** A training step for any objective, with its settings for the record. */
export interface Optimizer {
  readonly name: string;
  /** Settings as numbers and words, for reports; schedules are described. */
  readonly hyperparameters: Readonly<Record<string, number | string | boolean>>;
  /** What it is composed of, as plain data, where it is; a configuration can have it again. */
  readonly parts?: unknown;
  readonly step: Step;
}

/** An optimizer that goes on from the gradient of one objective, so that it can be that of a group of parameters. */
export interface GradientOptimizer extends Optimizer {
  /** What its step does after `forward` and `backward`. */
  readonly descent: Descent;
}

/**
 * An optimizer from what it does once it has the gradient.
 *
 * @param described - name, settings, and the stages after `forward` and `backward`
 * @example
 * ```ts
 * import { descent } from 'kfac-ts/core';
 * import { gradientOptimizer, identity, solve, update } from 'kfac-ts/solvers';
 *
 * const plain = gradientOptimizer({
 *   name: 'plain',
 *   hyperparameters: { learningRate: 0.1 },
 *   descent: descent(solve(identity), update({ learningRate: 0.1 })),
 * });
 * ```
 */
export const gradientOptimizer = (described: Omit<GradientOptimizer, 'step'>): GradientOptimizer => ({
  ...described,
  step: pipeline(forward, backward, described.descent),
});
