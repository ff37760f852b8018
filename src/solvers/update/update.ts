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

/** ‖x‖ over all leaves. */
export const norm = <T extends Shaped>(ops: Ops<T>, x: Params<T>): T => ops.sqrt(innerProduct(ops, x, x));

/** From this rate on, a direction that a clip has made to fit it may be too short to be squared in f32. */
const largeRate = 1e6;

/** ‖η d‖. */
export const normOfUpdate = <T extends Shaped>(ops: Ops<T>, eta: number, direction: Params<T>): T =>
  Math.abs(eta) < largeRate
    ? ops.scale(eta, norm(ops, direction))
    : norm(
        ops,
        mapParams(direction, (d) => ops.scale(eta, d)),
      );

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
        gradientNorm: norm(ops, gradient),
        directionNorm: norm(ops, direction),
        updateNorm: normOfUpdate(ops, learningRate, revised.direction),
      },
    };
  });
  return { ...tidied(moving), foresee: foreseeing(schedule, ofLearningRate) };
};
