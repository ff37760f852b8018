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
import type { Params } from '../../core/params.ts';
import { mapParams, zipParams } from '../../core/params.ts';
import { calculate } from '../../core/pipeline/compute.ts';
import type { Context } from '../../core/pipeline/context.ts';
import type { Env } from '../../core/pipeline/env.ts';
import { outputsAt } from '../../core/pipeline/linearise.ts';
import { wholeLoss } from '../../core/pipeline/penalty.ts';
import type { Period } from '../../core/pipeline/period.ts';
import { checkedPeriod, isDue } from '../../core/pipeline/period.ts';
import { readScalars } from '../../core/pipeline/read.ts';
import type { Stage } from '../../core/pipeline/stage.ts';
import { stage } from '../../core/pipeline/stage.ts';
import { tidied } from '../../core/pipeline/tidied.ts';
import type { TrainState } from '../../core/pipeline/trainState.ts';
import { atMost, belowOne, notNegative, positive } from '../../core/settings.ts';
import { chained, mapped } from '../../core/tasks.ts';
import type { Shaped } from '../../core/tensor.ts';
import type { MemoryOf } from '../update/rules/memory.ts';
import { memoryAt } from '../update/rules/memory.ts';
import { mostDamping } from './levenbergMarquardt.ts';
import type { Along } from './stepLength.ts';
import { fromEnd, gainOverSlope, lengthAfter, lengthOf, overAll } from './stepLength.ts';

/** What answers to noise. */
export const noises = ['damping', 'length'] as const;

/** What answers to noise. */
export type Noise = (typeof noises)[number];

/** Settings of {@link crossBatchDamping}. */
export interface CrossBatchOptions {
  /**
   * Steps between two judgements, 1 unless given: what the steps between have gained is judged as a whole, and taken back as
   * a whole.
   */
  readonly every?: Period;
  /**
   * What answers to noise: λ, unless given, which then moves by what steps gain of their promises; or the steps' length, which
   * moves by what they gain of their slope over all examples, while λ moves by whether the model holds on their own.
   */
  readonly noise?: Noise;
  /** Factor per step by which λ adapts, and length, in (0, 1]; 0.95 unless given. */
  readonly decay?: number;
  /** λ does not fall below this, 1e-3 unless given. */
  readonly minimum?: number;
  /** λ does not rise above this for what steps are worth, 30 unless given; steps that are not taken may raise it further. */
  readonly maximum?: number;
  /** Below this ratio of what steps gain to what they promise λ rises, or steps get shorter, 0.2 unless given; … */
  readonly low?: number;
  /** … and above this it falls, or they get longer, 0.5 unless given. */
  readonly high?: number;
  /** What is kept per judgement of the sums of gains and promises, in [0, 1); 0.9 unless given. */
  readonly memory?: number;
  /** λ rises by this part of itself when a step is not taken, 1 unless given; with 0 it does not. */
  readonly raise?: number;
  /** A step that raises the loss of the next examples by more than this times its promise is taken back; 2 unless given. */
  readonly tolerance?: number;
}

/** Steps that promise less of the loss than this cannot be told from none. */
const leastTrust = 1e-6;

const kinds = {
  before: 'params',
  promise: 'number',
  steps: 'number',
  gained: 'number',
  promised: 'number',
} as const;

/**
 * The parameters at the last judgement, what the model promised of the steps since (below 0), how many they are, and sums over
 * judgements: of gains, and of promises, or of slopes where the steps' length answers to noise.
 */
export const lastStep = memoryAt('lastStep', kinds);

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

/** What came of a step. */
type Verdict = 'taken' | 'rejected' | 'takenBack';

interface Judged {
  readonly verdict: Verdict;
  /** Sums of changes of the loss, and of those that were promised; both below 0 where all is well. */
  readonly gained: number;
  readonly promised: number;
}

/** What is known of a step before it is judged. */
interface Given {
  readonly predictedChange: number;
  /** Of the batch's examples among all that are trained on; 0 where each is seen once. */
  readonly share: number;
}

/** The loss of the sample at the last judgement (where that is known), now, and after this step. */
interface Losses {
  readonly before: number | null;
  readonly now: number;
  readonly after: number;
  /** Slopes of the batch's loss: along the steps since the last judgement, at their end, and along this step. */
  readonly slopes: { readonly since: number; readonly own: number } | null;
}

/**
 * What steps since the last judgement have gained, and what they should have: as promised by the model of their own batches, or
 * by slopes of all examples.
 *
 * @param losses - with slopes where those are asked for
 * @param before - the loss of the sample at the last judgement
 * @param promise - of the steps since
 * @param given - what this step promises, and the share of its examples in all
 */
const worthOf = (
  { now, after, slopes }: Losses,
  before: number,
  promise: number,
  { predictedChange, share }: Given,
): Along => {
  const others = now - before;
  if (slopes === null) return { gain: others, slope: promise };
  const fresh = fromEnd(others, slopes.since);
  // What holds of this step on its own examples is taken to have held of those before it.
  const times = predictedChange < 0 ? promise / predictedChange : null;
  if (times === null) return fresh;
  return overAll({ gain: times * (after - now), slope: times * slopes.own }, fresh, share);
};

const judge = (
  losses: Losses,
  last: Omit<MemoryOf<typeof kinds, never>, 'before'>,
  given: Given,
  { memory, tolerance }: Required<CrossBatchOptions>,
): Judged => {
  const { before, now, after } = losses;
  const worth = before === null ? null : worthOf(losses, before, last.promise, given);
  const sums =
    worth === null
      ? { gained: last.gained, promised: last.promised }
      : { gained: memory * last.gained + worth.gain, promised: memory * last.promised + worth.slope };
  // Not `>`: a loss that is not a number is no gain.
  if (before !== null && !(now - before <= -tolerance * last.promise)) {
    return { verdict: 'takenBack', gained: 0, promised: 0 };
  }
  return after <= now ? { verdict: 'taken', ...sums } : { verdict: 'rejected', gained: 0, promised: 0 };
};

/**
 * The part of their bound that steps may promise, in (0, 1]: 1 until one is not taken.
 *
 * @param scalars - of a training state
 */
export const trusted = (scalars: TrainState<unknown>['scalars']): number => scalars['trust'] ?? 1;

/** It halves where a step is not taken, and comes back at the rate of λ. */
const trustAfter = (trust: number, verdict: Verdict, rate: number): number =>
  verdict === 'taken' ? Math.min(1, trust / rate) : Math.max(leastTrust, trust / 2);

/** The next λ, and the bound that kept it from moving on: 1 the greatest, −1 the least, 0 none. */
interface Adapted {
  readonly damping: number;
  readonly dampingLimit: -1 | 0 | 1;
}

/** Where λ goes: 1 up, −1 down. */
type Move = -1 | 0 | 1;

/** By what steps gain of what they promise. */
const byGain = ({ gained, promised }: Judged, { low, high }: Required<CrossBatchOptions>): Move => {
  const rho = promised < 0 ? gained / promised : NaN;
  if (rho > high) return -1;
  return rho < low ? 1 : 0;
};

/** By whether the model holds on a step's own examples [MG15 §6.5], where steps do not go too far on all. */
const byModel = (rho: number, ratio: number | null, { high }: Required<CrossBatchOptions>): Move => {
  if (rho > 0.75) return ratio === null || ratio > high ? -1 : 0;
  return rho < 0.25 ? 1 : 0;
};

/** The next λ by what came of so many steps. */
const adapted = (
  lambda: number,
  verdict: Verdict,
  move: Move,
  steps: number,
  { decay, minimum, maximum, raise }: Required<CrossBatchOptions>,
): Adapted => {
  const raisedTo = (damping: number): number => Math.max(minimum, lambda, damping);
  if (verdict !== 'taken') return { damping: raisedTo(Math.min(mostDamping, lambda * (1 + raise))), dampingLimit: 0 };
  if (move === -1) {
    const lowered = lambda * decay ** steps;
    return { damping: Math.max(minimum, lowered), dampingLimit: lowered < minimum ? -1 : 0 };
  }
  if (move === 0) return { damping: Math.max(minimum, lambda), dampingLimit: 0 };
  const higher = lambda / decay ** steps;
  return { damping: raisedTo(Math.min(maximum, higher)), dampingLimit: higher > maximum ? 1 : 0 };
};

/** A ratio that is a number. */
const ratioOf = (reductionRatio: number): { readonly reductionRatio?: number } =>
  Number.isFinite(reductionRatio) ? { reductionRatio } : {};

/** The share of a batch's examples in all that are trained on. */
const shareOf = <T extends Shaped>({ examples }: Env<T>, { outputs }: Context<T, 'outputs'>): number =>
  examples === undefined ? 0 : Math.min(1, outputs.shape[0] / examples);

const nothingYet = { promise: 0, steps: 0, gained: 0, promised: 0 };

const standard: Required<CrossBatchOptions> = {
  every: 1,
  noise: 'damping',
  decay: 0.95,
  minimum: 1e-3,
  maximum: 30,
  low: 0.2,
  high: 0.5,
  memory: 0.9,
  raise: 1,
  tolerance: 2,
};

type Needs = 'state' | 'objective' | 'outputs' | 'sample' | 'gradient' | 'damping' | 'next' | 'predictedChange';

/** What a step leaves that is judged with those after it. */
const unjudged = <T extends Shaped>(
  { next, damping }: Context<T, Needs>,
  last: MemoryOf<typeof kinds, T>,
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
            const lossAt = (params: Params<T>): T => {
              const outputs = outputsAt(ops, { model: objective.model, params, held: state.held, at: sample.at });
              return wholeLoss(ops, objective, outputs, sample, { params, held: state.held, at: sample.at });
            };
            const now = wholeLoss(ops, objective, sample.outputs, sample, { ...state, at: sample.at });
            const slopeFrom = (from: Params<T>, to: Params<T>): T =>
              innerProduct(
                ops,
                gradient,
                zipParams(to, from, (b, a) => ops.sub(b, a)),
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
            const trust = trustAfter(trusted(state.scalars), verdict, rate);
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
