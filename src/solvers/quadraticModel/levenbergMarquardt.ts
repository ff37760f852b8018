/**
 * Levenberg–Marquardt adaptation of the damping [MG15 §6.5].
 *
 * Every T₁ steps ρ = (h(θ + δ) − h(θ)) / (M(δ) − M(0)) is measured on the batch of the step. ρ above ¾: the model can be
 * trusted, λ ← ω λ. ρ below ¼: λ ← λ / ω. ω = (19/20)^T₁.
 *
 * @module
 */
import { outputsAt } from '../../core/pipeline/linearise.ts';
import type { Judging } from '../../core/pipeline/objective.ts';
import { wholeLoss } from '../../core/pipeline/penalty.ts';
import { pipe } from 'fp-ts/lib/function.js';
import * as RTE from 'fp-ts/lib/ReaderTaskEither.js';

import type { Ops } from '../../core/ops/ops.ts';
import { compute } from '../../core/pipeline/compute.ts';
import type { Context } from '../../core/pipeline/context.ts';
import type { Env } from '../../core/pipeline/env.ts';
import { readScalars } from '../../core/pipeline/read.ts';
import type { Stage } from '../../core/pipeline/stage.ts';
import { stage } from '../../core/pipeline/stage.ts';
import { tidied } from '../../core/pipeline/tidied.ts';
import type { TrainState } from '../../core/pipeline/trainState.ts';
import { atMost, extent, positive } from '../../core/settings.ts';
import type { Shaped } from '../../core/tensor.ts';

/** Settings of {@link levenbergMarquardt}. */
export interface LevenbergMarquardtOptions {
  /** T₁, steps between two adaptations; 5 unless given. */
  readonly every?: number;
  /** ω^(1/T₁), in (0, 1); 19/20 unless given. */
  readonly decay?: number;
  /** λ does not fall below this; 1e-8 unless given. */
  readonly minimum?: number;
  /** λ does not rise above this; 1e8 unless given. */
  readonly maximum?: number;
  /** Whether a step that raises the loss of its batch is taken back, as `takenBack` says; no unless given. */
  readonly rejectSteps?: boolean;
}

/** λ does not rise above this unless told. */
export const mostDamping = 1e8;

/**
 * The next λ for a reduction ratio. A ratio that is not a number counts as the worst.
 *
 * @param lambda - damping so far
 * @param rho - ρ, measured over predicted change
 * @param omega - ω in (0, 1)
 */
export const adaptedDamping = (lambda: number, rho: number, omega: number): number => {
  if (rho > 0.75) return lambda * omega;
  return rho >= 0.25 ? lambda : lambda / omega;
};

/**
 * ρ from losses and the model. A predicted change that is not a decrease says nothing good, so it gives −∞.
 *
 * @param before - h(θ)
 * @param after - h(θ + δ)
 * @param predicted - M(δ) − M(0)
 */
export const reductionRatio = (before: number, after: number, predicted: number): number =>
  predicted < 0 && Number.isFinite(after) ? (after - before) / predicted : -Infinity;

/**
 * The state after a rejected step: parameters and the memory of update rules (momentum, the last update) are those before
 * it. Statistics, prepared inverses and the step count, from which the key of the next step is made, go on, since the
 * batch was seen; and so does the adaptation of λ.
 *
 * @param state - before the step
 * @param next - after it
 */
export const takenBack = <T>(state: TrainState<T>, next: TrainState<T>): TrainState<T> => ({
  ...next,
  params: state.params,
  rules: state.rules,
});

const checkOptions = ({
  every,
  decay,
  minimum,
  maximum,
}: Required<Omit<LevenbergMarquardtOptions, 'rejectSteps'>>): void => {
  const path = 'levenbergMarquardt';
  extent(`${path}.every`, every);
  atMost(`${path}.decay`, 1, positive(`${path}.decay`, decay));
  positive(`${path}.minimum`, minimum);
  atMost(`${path}.minimum`, positive(`${path}.maximum`, maximum), minimum);
};

type Needs =
  'state' | 'objective' | 'circumstances' | keyof Judging<unknown> | 'loss' | 'damping' | 'next' | 'predictedChange';

/**
 * Adapts λ in the next state and reports `reductionRatio` (ρ), `nextDamping` and `dampingLimit` (1 where only its greatest
 * value keeps λ from rising, −1 where only its least keeps it from falling), on steps where that is due; takes bad steps back
 * in all, when asked to, and reports `rejected`.
 *
 * @param options - period, rate, bounds
 * @example
 * ```ts
 * import { backward, forward, pipeline } from 'kfac-ts/core';
 * import { capture, kfac, monteCarlo, sample, updateFactors } from 'kfac-ts/curvature';
 * import { damp, kroneckerInverse, levenbergMarquardt, preconditioned, quadraticUpdate, solve } from 'kfac-ts/solvers';
 *
 * // λ follows how well the model foretold the change of the loss.
 * const curved = pipeline(forward, backward, capture(monteCarlo()), updateFactors(kfac()));
 * const step = pipeline(
 *   curved,
 *   damp(10),
 *   solve(preconditioned(kroneckerInverse)),
 *   sample({ fraction: 0.25 }),
 *   quadraticUpdate,
 *   levenbergMarquardt({ every: 5, rejectSteps: true }),
 * );
 * ```
 */
export const levenbergMarquardt = (options: LevenbergMarquardtOptions = {}): Stage<Needs, 'next' | 'metrics'> => {
  const { every = 5, decay = 19 / 20, minimum = 1e-8, maximum = mostDamping, rejectSteps = false } = options;
  checkOptions({ every, decay, minimum, maximum });
  const judging = stage<Needs, 'next' | 'metrics'>(
    'adaptDamping',
    <T extends Shaped>(context: Context<T, Needs>) =>
      (env: Env<T>) => {
        const {
          state,
          objective,
          circumstances,
          targets,
          weights,
          loss,
          damping: lambda,
          next,
          predictedChange,
        } = context;
        const due = (state.step + 1) % every === 0;
        if (!due && !rejectSteps) return RTE.right({ next, metrics: {} })(env);
        return pipe(
          compute((ops: Ops<T>) => {
            const { params, held } = next;
            const outputs = outputsAt(ops, { model: objective.model, params, held, at: circumstances });
            return [
              loss,
              wholeLoss(ops, objective, outputs, { targets, weights }, { params, held, at: circumstances }),
            ];
          }),
          RTE.chain((losses) => RTE.fromTaskEither(readScalars(env.backend, losses))),
          RTE.map(([before, after]) => {
            // Not `after > before`: a loss that is not a number rejects too.
            const rejected = rejectSteps && !(after <= before);
            const kept = rejected ? takenBack(state, next) : next;
            const judged = rejectSteps ? { rejected: rejected ? 1 : 0 } : {};
            if (!due) return { next: kept, metrics: judged };
            const rho = reductionRatio(before, after, predictedChange);
            const adapted = adaptedDamping(lambda, rho, decay ** every);
            const damping = Math.min(maximum, Math.max(minimum, adapted));
            return {
              next: { ...kept, scalars: { ...kept.scalars, damping } },
              // A ratio to a model that foretold nothing is no number to report.
              metrics: {
                ...judged,
                ...(Number.isFinite(rho) ? { reductionRatio: rho } : {}),
                nextDamping: damping,
                dampingLimit: Math.sign(adapted - damping),
              },
            };
          }),
        )(env);
      },
  );
  return tidied(judging);
};
