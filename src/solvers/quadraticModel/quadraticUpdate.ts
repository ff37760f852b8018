/**
 * Update stages whose length the quadratic model chooses [MG15 §6.4, §7].
 *
 * A look at the model costs a J-product over the sample for each of its vectors, about two forward passes each. What it
 * says of a direction changes slowly, so it need not be looked at in every step: between two looks the same learning rate
 * and momentum are taken again, and the gradient alone says what the step will gain.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';

import type { Ops } from '../../core/ops/ops.ts';
import { innerProduct } from '../../core/ops/innerProduct.ts';
import { tidyWithin } from '../../core/ops/tidy.ts';
import type { Params } from '../../core/params.ts';
import { mapParams, zipParams } from '../../core/params.ts';
import { arraysWithin } from '../../core/pipeline/arraysIn.ts';
import { calculate } from '../../core/pipeline/compute.ts';
import type { Context } from '../../core/pipeline/context.ts';
import type { Env } from '../../core/pipeline/env.ts';
import { wholeLoss } from '../../core/pipeline/penalty.ts';
import type { Period } from '../../core/pipeline/period.ts';
import { checkedPeriod, isDue } from '../../core/pipeline/period.ts';
import { readScalars } from '../../core/pipeline/read.ts';
import type { Stage } from '../../core/pipeline/stage.ts';
import { stage } from '../../core/pipeline/stage.ts';
import { tidied } from '../../core/pipeline/tidied.ts';
import type { TrainState } from '../../core/pipeline/trainState.ts';
import { atMost, positive } from '../../core/settings.ts';
import { chained, mapped } from '../../core/tasks.ts';
import type { Shaped } from '../../core/tensor.ts';
import { demanded, foreseeing, ofLearningRate } from '../demand.ts';
import type { Schedule } from '../schedules.ts';
import { scheduleOf } from '../schedules.ts';
import type { MemoryOf } from '../update/rules/memory.ts';
import { memoryAt } from '../update/rules/memory.ts';
import type { UpdateRule } from '../update/rules/rule.ts';
import { distinctNames } from '../update/rules/rule.ts';
import type { Revised } from '../update/update.ts';
import { normsOf, reviseAll } from '../update/update.ts';
import { trusted } from './judgement.ts';
import { lengthOf } from './stepLength.ts';
import { lastUpdate, lastUpdateIn, modelCoefficients, modelSlopes } from './coefficients.ts';
import type { ModelMinimum, QuadraticModel } from './quadraticModel.ts';
import { minimiseModel, modelChange, quadraticModelOf, slopeAt, withinSlope } from './quadraticModel.ts';

type Needs = 'state' | 'loss' | 'objective' | 'sample' | 'blocks' | 'gradient' | 'direction' | 'damping';

/** From a direction to the next state, with what the model says of it. */
export type ModelUpdate = Stage<Needs, 'next' | 'predictedChange' | 'metrics'>;

/** Settings of an update by the model. */
export interface ModelUpdateOptions {
  /** η, in units of the model's own learning rate: 1, the default, goes to the model's minimum along the direction. */
  readonly learningRate?: number | Schedule;
  /** Applied to the direction in order, before its length is chosen; their names must differ. */
  readonly rules?: ReadonlyArray<UpdateRule>;
  /** κ: the gradient promises at most this part of the loss; any unless given. */
  readonly lossBound?: number;
  /** Steps between two looks at the model, 1 unless given. */
  readonly every?: Period;
}

/** An update with all that it needs to know. */
interface Manner extends Required<ModelUpdateOptions> {
  /** The part of its bound that a first step may promise. */
  readonly trust: number;
  /** Whether the last update is the model's second vector. */
  readonly joint: boolean;
}

/**
 * The memory of the model's minimum for the steps until it is looked at again, and of the part of the way to it that its bound
 * let a step go: a minimum where there was no curvature is far away, and a batch whose gradient is 0 has no bound to set.
 */
const kinds = { alpha: 'number', mu: 'number', part: 'number' } as const;
const minimum = memoryAt('modelMinimum', kinds);

/** What is known of a step before it is taken. */
interface Known<T> {
  /** η. */
  readonly eta: number;
  readonly model: QuadraticModel;
  /** The model's minimum, now or when it was last looked at. */
  readonly best: ModelMinimum;
  /** The part of the way to it that steps may go, as it was found when the model was looked at; 1 when it is. */
  readonly part: number;
  /** Whether the model's curvature is known, or was taken over. */
  readonly seen: boolean;
  /** The direction after the rules. */
  readonly revised: Revised<T>;
  readonly last: Params<T> | null;
  /** What the gradient may promise. */
  readonly most: number;
}

/** α d + μ δ₀. */
const deltaOf = <T extends Shaped>(
  ops: Ops<T>,
  { alpha, mu }: ModelMinimum,
  direction: Params<T>,
  last: Params<T> | null,
): Params<T> =>
  last === null
    ? mapParams(direction, (d) => ops.scale(-alpha, d))
    : zipParams(direction, last, (d, before) => ops.linearCombination(-alpha, d, mu, before));

const takeStep = <T extends Shaped>(
  ops: Ops<T>,
  { state, gradient }: Context<T, 'state' | 'gradient'>,
  { eta, model, best, part, seen, revised: { direction, memories, metrics }, last, most }: Known<T>,
  joint: boolean,
): Context<T, 'next' | 'predictedChange' | 'metrics'> => {
  const way = lengthOf(state.scalars) * part;
  const { at, scale } = withinSlope(model, { alpha: way * eta * best.alpha, mu: way * best.mu }, most);
  const { alpha, mu } = at;
  // Kept where it is the model's second vector later on.
  const delta = joint ? deltaOf(ops, at, direction, last) : null;
  // Along a line whose minimum is at 1, a step of s changes the model by s (1 − s / 2) times the slope.
  const predictedChange = seen ? modelChange(model, 0, at) : (1 - (way * scale * eta) / 2) * slopeAt(model, at);
  return {
    next: {
      ...state,
      step: state.step + 1,
      params:
        delta === null
          ? zipParams(state.params, direction, (p, d) => ops.linearCombination(1, p, -alpha, d))
          : zipParams(state.params, delta, (p, change) => ops.add(p, change)),
      rules: {
        ...state.rules,
        ...memories,
        ...(delta === null ? {} : { [lastUpdate.name]: { update: delta } }),
        [minimum.name]: { ...best, part: seen ? scale : part },
      },
    },
    predictedChange,
    metrics: {
      ...metrics,
      ...(most < Infinity ? { slopeScale: part * scale } : {}),
      learningRate: alpha,
      ...(joint ? { momentum: mu } : {}),
      predictedChange,
      ...normsOf(ops, {
        gradient,
        direction,
        ...(delta === null ? { step: direction, eta: Math.abs(alpha) } : { step: delta, eta: 1 }),
      }),
    },
  };
};

/** A state that knows the part of their bound that steps may promise, where that is not all of it. */
const begunWith = <T>(state: TrainState<T>, trust: number): TrainState<T> =>
  trust === trusted(state.scalars) ? state : { ...state, scalars: { ...state.scalars, trust } };

/** Above 0 in single precision, too. */
const tiny = 1e-30;

/**
 * The direction, made shorter where the gradient promises more of it than κ times the loss: what momentum remembers of a step at
 * which there was no curvature is then of the length of others.
 */
const promisingAtMost = <T extends Shaped>(
  ops: Ops<T>,
  kappa: number,
  { loss, gradient, direction }: Context<T, 'loss' | 'gradient' | 'direction'>,
): Params<T> => {
  const most = ops.scale(kappa, ops.abs(loss));
  // A loss of 0 has a slope of 0.
  const promised = ops.maximum(ops.abs(innerProduct(ops, gradient, direction)), ops.full([], tiny));
  const scale = ops.div(most, ops.maximum(most, promised));
  return mapParams(direction, (d) => ops.mul(scale, d));
};

/**
 * A minimum that lies ahead. Behind, it says that what momentum remembers climbs on these examples, which is nothing to go by in
 * the steps until the next look: the one before stands.
 */
const ahead = (found: ModelMinimum, before: MemoryOf<typeof kinds, never> | null): ModelMinimum =>
  found.alpha < 0 && before !== null ? { alpha: before.part * before.alpha, mu: found.mu } : found;

/** No curvature is known between two looks, and no square is asked for. */
const unseen = [0, 0, 0, 0, 0, 0] as const;

const updateBy = (manner: Manner): ModelUpdate => {
  const { rules, lossBound, every, joint } = manner;
  const schedule = scheduleOf(manner.learningRate);
  const updating = stage<Needs, 'next' | 'predictedChange' | 'metrics'>(
    'update',
    <T extends Shaped>(context: Context<T, Needs>) =>
      (env: Env<T>) => {
        const { state, objective, sample, damping, loss } = context;
        const { ops } = env.backend;
        const before = minimum.in<T>(state.rules);
        const held = isDue(every, state.step) ? null : before;
        const bounded = lossBound < Infinity;
        const trust = trusted(state.scalars, manner.trust);
        const kappa = lossBound * trust;
        return pipe(
          calculate(() => {
            const last = joint ? lastUpdateIn(ops, context) : null;
            const eta = demanded(ofLearningRate, schedule(state.step), state.step);
            const changed = tidyWithin(ops, Object.values(context.direction), (on) => {
              const within = bounded ? promisingAtMost(on, kappa, context) : context.direction;
              const found = reviseAll(on, rules, eta, { ...context, direction: within });
              return [found, [...arraysWithin<T>(found)]];
            });
            const givens = { ...context, direction: changed.direction, last };
            const scalars =
              held === null
                ? [
                    ...modelCoefficients(ops, objective.loss, givens),
                    ...(bounded
                      ? [wholeLoss(ops, objective, sample.outputs, sample, { ...state, at: sample.at })]
                      : []),
                  ]
                : [...modelSlopes(ops, givens), loss];
            return { eta, last, changed, scalars };
          }),
          chained((found) =>
            pipe(
              readScalars(env.backend, found.scalars),
              mapped((values) => ({ ...found, values })),
            ),
          ),
          chained(({ eta, last, changed, values }) => {
            const model = quadraticModelOf(held === null ? values : [...unseen, ...values]);
            const found = held ?? minimiseModel(model, damping, env.backend.dtype);
            const best = joint || held !== null ? found : ahead(found, before);
            const most = bounded ? kappa * Math.abs(values[values.length - 1]) : Infinity;
            const part = held?.part ?? 1;
            const known = { eta, model, best, part, seen: held === null, revised: changed, last, most };
            return calculate(() => takeStep(ops, { ...context, state: begunWith(state, trust) }, known, joint));
          }),
        );
      },
  );
  return { ...tidied(updating), foresee: foreseeing(schedule, ofLearningRate) };
};

/** Manners of an update that chooses the momentum, too. */
const jointly = { learningRate: 1, rules: [], every: 1, lossBound: Infinity, trust: 1, joint: true };

/**
 * θ ← θ + α d + μ δ₀ with d the negative direction, δ₀ the last update and (α, μ) the minimum of the damped model, whose
 * products with F are taken over the sample and whose slopes are those of the whole batch. The predicted change is that
 * of the undamped model, which the Levenberg–Marquardt rule compares with the real one.
 *
 * Use it with large batches: on small ones the model of the batch is too good and the steps are too long.
 */
export const quadraticUpdate: ModelUpdate = updateBy(jointly);

/**
 * {@link quadraticUpdate} with a bound on what the gradient alone says that a step gains: |∇ᵀδ| ≤ κ |h(θ)|. A loss that is
 * never negative cannot fall by more than it is, whatever a curvature that has vanished (a saturated softmax, dead units)
 * makes of the model; a step that claims more is made shorter.
 *
 * @param kappa - κ, above 0; 1 is what the loss can fall by, `null` sets no bound
 * @param every - steps between two looks at the model, 1 unless given
 * @param trust - the part of κ that a first step may promise, in (0, 1], 1 unless given; what comes of steps moves it where they
 *   are judged (`crossBatchDamping`)
 * @example
 * ```ts
 * import { quadraticUpdateWithin } from 'kfac-ts/solvers';
 *
 * quadraticUpdateWithin(1).name; // => 'update'
 * ```
 */
export const quadraticUpdateWithin = (kappa: number | null, every: Period = 1, trust = 1): ModelUpdate =>
  updateBy({
    ...jointly,
    trust: atMost('quadraticUpdate.trust', 1, positive('quadraticUpdate.trust', trust)),
    lossBound: kappa === null ? Infinity : positive('quadraticUpdate.bound', kappa),
    every: checkedPeriod('quadraticUpdate.every', every),
  });

/**
 * θ ← θ − η α d with d the direction after the rules and α where the damped model is least along it: momentum and whatever
 * else rules do are given, and η has no unit. Below 1 it trusts the batch less than the batch trusts itself, which pays
 * where momentum adds up steps: a direction that keeps its way goes on by 1 / (1 − μ) times its length.
 *
 * @param options - learning rate, rules, bound, period
 * @example
 * ```ts
 * import { momentum, updateByModel } from 'kfac-ts/solvers';
 *
 * updateByModel({ learningRate: 0.5, rules: [momentum(0.8)], lossBound: 1, every: 5 }).name; // => 'update'
 * ```
 */
export const updateByModel = (options: ModelUpdateOptions = {}): ModelUpdate => {
  const { learningRate = 1, rules = [], lossBound = Infinity, every = 1 } = options;
  return updateBy({
    learningRate,
    rules: distinctNames('updateByModel.rules', rules),
    lossBound: lossBound === Infinity ? lossBound : positive('updateByModel.lossBound', lossBound),
    every: checkedPeriod('updateByModel.every', every),
    trust: 1,
    joint: false,
  });
};
