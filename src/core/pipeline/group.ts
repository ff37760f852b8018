/**
 * A part of the parameters on its own: state and knowledge of a step as if the others were held fixed.
 *
 * @module
 */
import { narrowSite } from '../ops/site.ts';
import type { Params } from '../params.ts';
import { pickParams, zipParams } from '../params.ts';
import type { Shaped } from '../tensor.ts';
import { blocksOf } from './blocks.ts';
import type { GradientContext } from './descent.ts';
import type { Memory, TrainState } from './trainState.ts';
import { emptyMemory } from './trainState.ts';

/** A group of parameters that an optimizer has to itself. */
export interface Group {
  /** Names its memory in the state. */
  readonly name: string;
  /** Paths of its parameters among those that are trained. */
  readonly paths: ReadonlyArray<string>;
}

const without = <T>(params: Params<T>, paths: ReadonlyArray<string>): Params<T> => {
  const gone = new Set(paths);
  return pickParams(
    params,
    Object.keys(params).filter((path) => !gone.has(path)),
  );
};

/**
 * The state with some of its parameters held fixed as well.
 *
 * @param state - any state
 * @param paths - paths of parameters that are trained
 */
export const holding = <T>(state: TrainState<T>, paths: ReadonlyArray<string>): TrainState<T> => ({
  ...state,
  params: without(state.params, paths),
  held: { ...state.held, ...pickParams(state.params, paths) },
});

/**
 * The state with the parameters that came of a part of them; the others, and what was held, as they were.
 *
 * @param state - before
 * @param next - after, of a state that was held in part
 */
export const released = <T>(state: TrainState<T>, next: TrainState<T>): TrainState<T> => ({
  ...next,
  params: zipParams(state.params, next.params, (_, after) => after),
  held: state.held,
});

/**
 * Running state of which some has moved on in a part of a step.
 *
 * @param running - as it is by now
 * @param before - what the part began with
 * @param after - what it left
 */
export const movedOn = <T>(running: Params<T>, before: Params<T>, after: Params<T>): Params<T> => ({
  ...running,
  ...Object.fromEntries(Object.entries(after).filter(([path, value]) => before[path] !== value)),
});

const memoryOf = <T>({ curvature, solver, rules, scalars, groups }: Memory<T>): Memory<T> => ({
  curvature,
  solver,
  rules,
  scalars,
  groups,
});

/**
 * The state as a group's optimizer sees it: with its own memory, the other groups' parameters held fixed.
 *
 * @param state - the whole state
 * @param group - the group
 */
export const stateOfGroup = <T>(state: TrainState<T>, { name, paths }: Group): TrainState<T> => {
  const own = new Set(paths);
  const others = Object.keys(state.params).filter((path) => !own.has(path));
  const memory = Object.hasOwn(state.groups, name) ? state.groups[name] : emptyMemory<T>();
  return { ...holding(state, others), ...memory };
};

/**
 * The whole state with a group's parameters and memory as its optimizer left them. The count of steps is the whole's.
 *
 * @param state - the whole state
 * @param group - the group
 * @param next - the group's state after its step
 */
export const withGroup = <T>(state: TrainState<T>, { name }: Group, next: TrainState<T>): TrainState<T> => ({
  ...state,
  params: zipParams(state.params, next.params, (_, after) => after),
  groups: { ...state.groups, [name]: memoryOf(next) },
});

/**
 * What a step knows, restricted to a group: gradient, sites, blocks, Jacobian and sample in its parameters alone. Nothing is
 * computed anew.
 *
 * @param context - the step once the gradient is known
 * @param group - the group
 */
export const contextOfGroup = <T extends Shaped>(context: GradientContext<T>, group: Group): GradientContext<T> => {
  const own = new Set(group.paths);
  const has = (path: string): boolean => own.has(path);
  const { sample, siteCotangents } = context;
  const narrowed = context.narrow(has);
  return {
    ...context,
    ...narrowed,
    state: stateOfGroup(context.state, group),
    blocks: blocksOf(narrowed.sites, group.paths),
    gradient: pickParams(context.gradient, group.paths),
    siteCotangents: siteCotangents.filter((_, i) => narrowSite(context.sites[i].site, has) !== null),
    sample: { ...sample, ...sample.narrow(has), linearise: (ops) => sample.linearise(ops).narrow(has) },
    metrics: {},
  };
};
