/**
 * λ by what steps are worth on examples that they have not seen.
 *
 * Levenberg and Marquardt's rule asks of the batch that a step was made from whether the model foretold what came of it. On
 * small batches that says how well a step fits its own examples, noise included: the ratio is near 1 however wrong the step
 * is for all others. Here the next batch is asked. The loss of its examples before and after the last step is an unbiased
 * measure of what the step gained, and the ratio of the sums of gains and of promises, both decaying, moves λ. Where noise
 * rules, steps get shorter until they hold what they promise; with all examples in a batch nothing is left of the
 * difference, and the rule is the usual one.
 *
 * Where batches are small, though, what they promise is noise for the most part, and little of it is had however large λ is: λ
 * then rises to its bound, and with it goes the curvature that was worth knowing. With `noise: 'length'` the two are kept apart.
 * λ is for the model: it falls where the model holds on a step's own examples while steps do not go too far on all, and rises where it does
 * not hold. Steps that go too far over all examples, noise included, get shorter (`stepLength.ts`).
 *
 * A step that raises the loss of its own examples, or makes it no number, is not taken, and one that raises the loss of the
 * next examples by more than a multiple of what it promised to gain is taken back. The part of their bound
 * that steps may promise (`trusted`) then halves, and comes back with the steps that are taken: a model that does not hold
 * so far may hold nearer by, and how much curvature to trust is for what steps are worth to say. An update without a bound
 * has nothing to halve, so λ may rise as well (`raise`).
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import { innerProduct } from '../../core/ops/innerProduct.ts';
import type { Ops } from '../../core/ops/ops.ts';
import { tidyWithin } from '../../core/ops/tidy.ts';
import type { Params } from '../../core/params.ts';
import { mapParams, zipParams } from '../../core/params.ts';
import { calculate } from '../../core/pipeline/compute.ts';
import type { Context } from '../../core/pipeline/context.ts';
import type { Env } from '../../core/pipeline/env.ts';
import { outputsAt } from '../../core/pipeline/linearise.ts';
import { wholeLoss } from '../../core/pipeline/penalty.ts';
import { checkedPeriod, isDue } from '../../core/pipeline/period.ts';
import { readScalars } from '../../core/pipeline/read.ts';
import type { Stage } from '../../core/pipeline/stage.ts';
import { stage } from '../../core/pipeline/stage.ts';
import { tidied } from '../../core/pipeline/tidied.ts';
import type { TrainState } from '../../core/pipeline/trainState.ts';
import { atMost, belowOne, notNegative, positive } from '../../core/settings.ts';
import { chained, mapped } from '../../core/tasks.ts';
import type { Shaped } from '../../core/tensor.ts';
import type { CrossBatchOptions, LastStep } from './judgement.ts';
import { adapted, byGain, byModel, judge, lastStep, nothingYet, standard, trustAfter, trusted } from './judgement.ts';
import { gainOverSlope, lengthAfter, lengthOf } from './stepLength.ts';

/** Where the last step began, at the parameters that there are now; those that were not trained then are as they are. */
const beginningOf = <T extends Shaped>(params: Params<T>, before: Params<T>): Params<T> =>
  mapParams(params, (now, path) => (Object.hasOwn(before, path) ? before[path] : now));

/**
 * A state at other parameters, without memories of updates: as if the steps since had not been, but for averages and the
 * count of steps.
 *
 * @param next - the state after the step
 * @param params - to go on from
 */
const takenBackTo = <T>(next: TrainState<T>, params: Params<T>): TrainState<T> => ({ ...next, params, rules: {} });

/** A ratio that is a number. */
const ratioOf = (reductionRatio: number): { readonly reductionRatio?: number } =>
  Number.isFinite(reductionRatio) ? { reductionRatio } : {};

/** The share of a batch's examples in all that are trained on. */
const shareOf = <T extends Shaped>({ examples }: Env<T>, { outputs }: Context<T, 'outputs'>): number =>
  examples === undefined ? 0 : Math.min(1, outputs.shape[0] / examples);

type Needs = 'state' | 'objective' | 'outputs' | 'sample' | 'gradient' | 'damping' | 'next' | 'predictedChange';

/** What a step leaves that is judged with those after it. */
const unjudged = <T extends Shaped>(
  { next, damping }: Context<T, Needs>,
  last: LastStep<T>,
  promise: number,
): Context<T, 'next' | 'metrics'> => {
  const memory = { ...last, promise: last.promise + promise, steps: last.steps + 1 };
  return {
    next: { ...next, scalars: { ...next.scalars, damping }, rules: { ...next.rules, [lastStep.name]: memory } },
    metrics: { rejected: 0, takenBack: 0, nextDamping: damping, dampingLimit: 0 },
  };
};

/**
 * Judges steps on the examples of the step's sample and moves λ, which the state keeps. It reports `rejected` (1 for a step
 * that is not taken or taken back), `takenBack` (1 where the step before it is, too), `reductionRatio`, `nextDamping`, and
 * `dampingLimit` (1 where only its greatest value keeps λ from rising, −1 where only its least keeps it from falling).
 *
 * @param options - period, rate, bounds
 * @example
 * ```ts
 * import { crossBatchDamping } from 'kfac-ts/solvers';
 *
 * crossBatchDamping({ minimum: 1e-4 }).name; // => 'crossBatchDamping'
 * ```
 */
export const crossBatchDamping = (options: CrossBatchOptions = {}): Stage<Needs, 'next' | 'metrics'> => {
  const all = { ...standard, ...options };
  const path = 'crossBatchDamping';
  checkedPeriod(`${path}.every`, all.every);
  atMost(`${path}.decay`, 1, positive(`${path}.decay`, all.decay));
  positive(`${path}.minimum`, all.minimum);
  atMost(`${path}.minimum`, positive(`${path}.maximum`, all.maximum), all.minimum);
  belowOne(`${path}.low`, all.low);
  atMost(`${path}.low`, positive(`${path}.high`, all.high), all.low);
  belowOne(`${path}.memory`, all.memory);
  notNegative(`${path}.raise`, all.raise);
  notNegative(`${path}.tolerance`, all.tolerance);
  const byLength = all.noise === 'length';
  const judging = stage<Needs, 'next' | 'metrics'>(
    'crossBatchDamping',
    <T extends Shaped>(context: Context<T, Needs>) =>
      (env: Env<T>) => {
        const { state, objective, sample, gradient, damping: lambda, next, predictedChange } = context;
        const last = lastStep.in<T>(state.rules);
        const beginning = last !== null && last.promise < 0 ? beginningOf(state.params, last.before) : null;
        const promise = Math.min(0, predictedChange);
        if (!isDue(all.every, state.step)) {
          return TE.right(unjudged(context, last ?? { ...nothingYet, before: state.params }, promise));
        }
        return pipe(
          calculate(() => {
            const { ops } = env.backend;
            const only = (number: (on: Ops<T>) => T): T =>
              tidyWithin(ops, Object.values(gradient), (on) => {
                const found = number(on);
                return [found, [found]];
              });
            const lossAt = (params: Params<T>): T =>
              only((on) => {
                const outputs = outputsAt(on, { model: objective.model, params, held: state.held, at: sample.at });
                return wholeLoss(on, objective, outputs, sample, { params, held: state.held, at: sample.at });
              });
            const now = wholeLoss(ops, objective, sample.outputs, sample, { ...state, at: sample.at });
            const slopeFrom = (from: Params<T>, to: Params<T>): T =>
              only((on) =>
                innerProduct(
                  on,
                  gradient,
                  zipParams(to, from, (b, a) => on.sub(b, a)),
                ),
              );
            return [
              now,
              lossAt(next.params),
              ...(beginning === null ? [] : [lossAt(beginning)]),
              ...(beginning === null || !byLength
                ? []
                : [slopeFrom(beginning, state.params), slopeFrom(state.params, next.params)]),
            ];
          }),
          chained((losses) => readScalars(env.backend, losses)),
          mapped((read): Context<T, 'next' | 'metrics'> => {
            const losses = {
              now: read[0],
              after: read[1],
              before: beginning === null ? null : read[2],
              slopes: read.length < 5 ? null : { since: read[3], own: read[4] },
            };
            const judged = judge(losses, last ?? nothingYet, { predictedChange, share: shareOf(env, context) }, all);
            const { verdict, gained, promised } = judged;
            const steps = last?.steps ?? 1;
            const rate = all.decay ** steps;
            const worth = gainOverSlope({ gain: gained, slope: promised });
            const held = predictedChange < 0 ? (losses.after - losses.now) / predictedChange : NaN;
            const move = byLength ? byModel(held, worth, all) : byGain(judged, all);
            const { damping, dampingLimit } = adapted(lambda, verdict, move, steps, all);
            const trust = trustAfter(trusted(next.scalars), verdict, rate);
            const length = lengthOf(state.scalars);
            const stepLength = verdict === 'taken' ? lengthAfter(length, worth, rate, all) : length;
            const scalars = { ...next.scalars, damping, trust, ...(byLength ? { stepLength } : {}) };
            const metrics = {
              rejected: verdict === 'taken' ? 0 : 1,
              takenBack: verdict === 'takenBack' ? 1 : 0,
              nextDamping: damping,
              dampingLimit,
              ...(byLength ? { stepLength } : {}),
              ...ratioOf(byLength ? held : promised < 0 ? gained / promised : NaN),
            };
            switch (verdict) {
              case 'takenBack':
                return { next: { ...takenBackTo(next, beginning ?? state.params), scalars }, metrics };
              case 'rejected':
                return { next: { ...takenBackTo(next, state.params), scalars }, metrics };
              case 'taken': {
                const memory = { before: state.params, promise, steps: 1, gained, promised };
                return { next: { ...next, scalars, rules: { ...next.rules, [lastStep.name]: memory } }, metrics };
              }
            }
          }),
        );
      },
  );
  return tidied(judging);
};
