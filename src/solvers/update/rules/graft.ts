/**
 * Grafting: where to go from one optimizer, how far from another [AAH20].
 *
 * What comes before the rule (a curvature's solver, momentum) gives the direction. Beside it a gradient-only optimizer is
 * run on the same gradients, as rules that start from the gradient: none is SGD, `momentum` SGD with momentum, `adamRule`
 * Adam. The direction takes its length, of each parameter array, of each layer or of all together, so that the learning rate
 * and the schedule of a recipe for that optimizer carry over [AGK20].
 *
 * @module
 */
import type { Ops } from '../../../core/ops/ops.ts';
import type { Params } from '../../../core/params.ts';
import { mapParams, pickParams } from '../../../core/params.ts';
import type { RuleMemory } from '../../../core/pipeline/trainState.ts';
import type { Shaped } from '../../../core/tensor.ts';
import { adamRule } from './adamRule.ts';
import type { Grafting } from './grouped.ts';
import { byGroup } from './grouped.ts';
import { measured, unit } from './measured.ts';
import type { Proposal, UpdateRule } from './rule.ts';
import { distinctNames } from './rule.ts';

/** Settings of {@link graft}. */
export interface GraftOptions {
  /** Rules that make the other optimizer's step of the gradient, Adam's unless given; their names must differ. */
  readonly length?: ReadonlyArray<UpdateRule>;
  /** What takes a length: each parameter array, each layer (weight and bias together), or the whole; `parameter` unless given. */
  readonly by?: Grafting;
}

/** Arrays with the length of others; zeros, which have no direction, stay. */
const withLength = <T extends Shaped>(ops: Ops<T>, direction: Params<T>, other: Params<T>): Params<T> => {
  const { norm, scale } = measured(ops, Object.values(other));
  const length = ops.mul(norm, scale);
  return mapParams(unit(ops, direction), (d) => ops.mul(length, d));
};

/** The memory of one of the rules, and all of them as one: `adam.m` is `m` of the rule `adam`. */
const memoryOf = <T>(name: string, memory: RuleMemory<T> | null): RuleMemory<T> | null => {
  const own = Object.entries(memory ?? {}).filter(([key]) => key.startsWith(`${name}.`));
  return own.length === 0 ? null : Object.fromEntries(own.map(([key, value]) => [key.slice(name.length + 1), value]));
};

interface Run<T> {
  readonly step: Params<T>;
  readonly memory: RuleMemory<T>;
}

/** The other optimizer's step. */
const runBeside = <T extends Shaped>(
  ops: Ops<T>,
  rules: ReadonlyArray<UpdateRule>,
  proposal: Proposal<T>,
  memory: RuleMemory<T> | null,
): Run<T> =>
  rules.reduce(
    (before: Run<T>, { name, revise }): Run<T> => {
      const after = revise(ops, { ...proposal, direction: before.step }, memoryOf(name, memory));
      const kept = Object.entries(after.memory ?? {}).map(([key, value]) => [`${name}.${key}`, value] as const);
      return { step: after.direction, memory: { ...before.memory, ...Object.fromEntries(kept) } };
    },
    { step: proposal.gradient, memory: {} },
  );

/**
 * The direction so far with the length of another optimizer's step: ‖Δ‖ = ‖step‖, for each parameter array, each layer or over all of
 * them. Momentum before it changes where a step goes and not how far; what comes after it (weight decay) is not measured.
 *
 * Two rules of one name are refused where the rule is made.
 *
 * @param options - the other optimizer, and whose length is taken
 * @example
 * ```ts
 * import { graft, momentum, update } from 'kfac-ts/solvers';
 *
 * // As far as Adam would go at this rate, and as far as SGD with momentum would.
 * const likeAdam = update({ learningRate: 1e-3, rules: [momentum(0.9), graft()] });
 * const likeSgd = update({ learningRate: 0.1, rules: [momentum(0.9), graft({ length: [momentum(0.9)], by: 'whole' })] });
 * ```
 */
export const graft = (options: GraftOptions = {}): UpdateRule => {
  const { by = 'parameter' } = options;
  const length = distinctNames('graft.length', options.length ?? [adamRule()]);
  return {
    name: 'graft',
    paths: length.flatMap(({ paths = [] }) => paths),
    revise: <T extends Shaped>(ops: Ops<T>, proposal: Proposal<T>, memory: RuleMemory<T> | null) => {
      const { direction } = proposal;
      const { step, memory: kept } = runBeside(ops, length, proposal, memory);
      return {
        direction: byGroup(by, direction, (group) => withLength(ops, group, pickParams(step, Object.keys(group)))),
        memory: kept,
      };
    },
  };
};
