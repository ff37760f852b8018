/**
 * The update stage: from a direction to the next state.
 *
 * @module
 */
import { innerProduct } from '../../core/ops/innerProduct.ts';
import type { Ops } from '../../core/ops/ops.ts';
import type { Params } from '../../core/params.ts';
import { mapParams, zipParams } from '../../core/params.ts';
import { computation } from '../../core/pipeline/compute.ts';
import { tidied } from '../../core/pipeline/tidied.ts';
import type { Context } from '../../core/pipeline/context.ts';
import type { Stage } from '../../core/pipeline/stage.ts';
import type { RuleMemory } from '../../core/pipeline/trainState.ts';
import type { Shaped } from '../../core/tensor.ts';
import { checkSelection } from '../../core/selection.ts';
import type { UpdateRule } from './rules/rule.ts';
import { distinctNames } from './rules/rule.ts';
import { demanded, foreseeing, ofLearningRate } from '../demand.ts';
import type { Schedule } from '../schedules.ts';
import { scheduleOf } from '../schedules.ts';

/** Settings of {@link update}. */
export interface UpdateOptions {
  /** η, in units of directions. */
  readonly learningRate: number | Schedule;
  /** Applied to the direction in order; their names must differ. */
  readonly rules?: ReadonlyArray<UpdateRule>;
}

/** A direction after rules. */
export interface Revised<T> {
  readonly direction: Params<T>;
  readonly memories: Readonly<Record<string, RuleMemory<T>>>;
  readonly metrics: Readonly<Record<string, T | number>>;
}

/**
 * A direction after rules, in order, with what they will remember.
 *
 * @param ops - interpreter
 * @param rules - with names that differ
 * @param learningRate - η of this step
 * @param context - state, gradient and direction
 */
export const reviseAll = <T extends Shaped>(
  ops: Ops<T>,
  rules: ReadonlyArray<UpdateRule>,
  learningRate: number,
  context: Context<T, 'state' | 'gradient' | 'direction'>,
): Revised<T> => {
  const { state, gradient, direction } = context;
  for (const { name, paths = [] } of rules) {
    checkSelection(`rules.${name}`, paths, [...Object.keys(state.params), ...Object.keys(state.held)]);
  }
  return rules.reduce(
    (before: Revised<T>, rule) => {
      const proposal = { direction: before.direction, gradient, params: state.params, learningRate };
      const after = rule.revise(ops, proposal, Object.hasOwn(state.rules, rule.name) ? state.rules[rule.name] : null);
      return {
        direction: after.direction,
        memories: after.memory === undefined ? before.memories : { ...before.memories, [rule.name]: after.memory },
        metrics: { ...before.metrics, ...after.metrics },
      };
    },
    { direction, memories: {}, metrics: {} },
  );
};

/** From this rate on, a direction that a clip has made to fit it may be too short to be squared in f32. */
const largeRate = 1e6;

/** What an update reports the lengths of. */
interface Sized<T> {
  readonly gradient: Params<T>;
  readonly direction: Params<T>;
  /** What parameters move by, `eta` times. */
  readonly step: Params<T>;
  readonly eta: number;
}

/**
 * ‖∇‖, ‖d‖ and ‖η s‖ over all leaves, as metrics. Their squares are looked at together, and that of a step along the direction is known.
 *
 * @param ops - interpreter
 * @param sized - the three, η at least 0
 */
export const normsOf = <T extends Shaped>(
  ops: Ops<T>,
  { gradient, direction, step, eta }: Sized<T>,
): Readonly<Record<'gradientNorm' | 'directionNorm' | 'updateNorm', T>> => {
  const isUsual = eta < largeRate;
  const update = isUsual ? step : mapParams(step, (s) => ops.scale(eta, s));
  const ofGradient = innerProduct(ops, gradient, gradient);
  const ofDirection = innerProduct(ops, direction, direction);
  const ofUpdate = update === direction ? ofDirection : innerProduct(ops, update, update);
  ops.whole([ofGradient, ofDirection, ofUpdate]);
  const updateNorm = ops.sqrt(ofUpdate);
  return {
    gradientNorm: ops.sqrt(ofGradient),
    directionNorm: ops.sqrt(ofDirection),
    updateNorm: isUsual ? ops.scale(eta, updateNorm) : updateNorm,
  };
};

/**
 * θ ← θ − η d, with d the direction after the rules. Two rules of one name are refused where the stage is made.
 *
 * @param options - learning rate and rules
 * @example
 * ```ts
 * import { klClip, momentum, update, warmUp } from 'kfac-ts/solvers';
 *
 * const move = update({ learningRate: warmUp(100), rules: [klClip(1), momentum(0.9)] });
 * ```
 */
export const update = (options: UpdateOptions): Stage<'state' | 'gradient' | 'direction', 'next' | 'metrics'> => {
  const schedule = scheduleOf(options.learningRate);
  const rules = distinctNames('update.rules', options.rules ?? []);
  const moving = computation<'state' | 'gradient' | 'direction', 'next' | 'metrics'>('update', (ops, context) => {
    const { state, gradient, direction } = context;
    const learningRate = demanded(ofLearningRate, schedule(state.step), state.step);
    const revised = reviseAll(ops, rules, learningRate, context);
    return {
      next: {
        ...state,
        step: state.step + 1,
        params: zipParams(state.params, revised.direction, (p, d) => ops.linearCombination(1, p, -learningRate, d)),
        rules: revised.memories,
      },
      metrics: {
        ...revised.metrics,
        learningRate,
        ...normsOf(ops, { gradient, direction, step: revised.direction, eta: learningRate }),
      },
    };
  });
  return { ...tidied(moving), foresee: foreseeing(schedule, ofLearningRate) };
};
