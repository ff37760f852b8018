/**
 * All state of a training run as one immutable value.
 *
 * Everything in it is data (arrays, numbers, strings), never a closure, so that saving and loading this value and
 * nothing else resumes a run bit for bit, and so that a scope can see which arrays outlive a step.
 *
 * @module
 */
import type { LinearOperator } from '../operators/linearOperator.ts';
import type { Params } from '../params.ts';
import type { Key } from '../random/key.ts';

/** Averaged statistics of the curvature. */
export interface CurvatureState<T> {
  /** Averages per block and name, for example `averages['encoder.0'].A`. */
  readonly averages: Readonly<Record<string, Params<T>>>;
  /** How many batches have gone into the averages. */
  readonly updates: number;
}

/** What an inverse may cost. */
export interface Allowance {
  /** Floating-point operations in a step, by block: products, and preparations in the mean. */
  readonly operations: Readonly<Record<string, number>>;
  /** Steps that a preparation is for. */
  readonly every: number;
}

/** A preparation that is under way: what it is made from. */
export interface Pending<T> {
  readonly operator: LinearOperator<T>;
  /** λ of the step that began it. */
  readonly damping: number;
  /** Step that began it. */
  readonly since: number;
  /** What it may cost; `null` for anything. */
  readonly allowance: Allowance | null;
}

/** A solver's memory. */
export interface SolverState<T> {
  /** What was factorised, as an operator that maps a gradient to a direction; `null` before the first time. */
  readonly prepared: LinearOperator<T> | null;
  /** Step at which `prepared` was made, or at which moments began. */
  readonly preparedAt: number;
  /** The averages that `prepared` was made from, where their drift is measured; else `null`. */
  readonly preparedFrom: CurvatureState<T>['averages'] | null;
  /** What will replace `prepared` in some steps, where preparations overlap with steps; else `null`. */
  readonly pending: Pending<T> | null;
  /** Parameter-shaped memory by name, for example Adam's moments `m` and `v`. */
  readonly slots: Readonly<Record<string, Params<T>>>;
}

/** What an update rule remembers, by name: parameter-shaped arrays, an array, a number. */
export type RuleMemory<T> = Readonly<Record<string, Params<T> | T | number>>;

/** What an optimizer remembers between two steps. */
export interface Memory<T> {
  readonly curvature: CurvatureState<T>;
  readonly solver: SolverState<T>;
  /** Memory of update rules by name of the rule, for example `rules.momentum.velocity`. */
  readonly rules: Readonly<Record<string, RuleMemory<T>>>;
  /** Numbers that adapt during training by name, for example the damping. */
  readonly scalars: Readonly<Record<string, number>>;
  /** Memories of optimizers that have some of the parameters to themselves, by name of the group. */
  readonly groups: Readonly<Record<string, Memory<T>>>;
}

/** The state between two steps. */
export interface TrainState<T> extends Memory<T> {
  /** Steps done. */
  readonly step: number;
  /** Parameters that are trained. */
  readonly params: Params<T>;
  /** Parameters that are held fixed: no gradient, no curvature, no rule sees them. */
  readonly held: Params<T>;
  /** State of layers that is carried from step to step and not trained, by path. */
  readonly running: Params<T>;
  /** Key of the next step's randomness. */
  readonly key: Key;
}

/** An optimizer's memory before its first step. */
export const emptyMemory = <T>(): Memory<T> => ({
  curvature: { averages: {}, updates: 0 },
  solver: { prepared: null, preparedAt: 0, preparedFrom: null, pending: null, slots: {} },
  rules: {},
  scalars: {},
  groups: {},
});

/**
 * The state before the first step.
 *
 * @param params - initial parameters
 * @param key - randomness of the run
 * @param others - parameters that are held fixed, and running state, where there are any
 * @example
 * ```ts
 * import { dense, initialParams, initialState, keyOf, model, split } from 'kfac-ts/core';
 *
 * const [forParams, forSteps] = split(keyOf(1), 2);
 * const net = model('linear', [784], dense({ in: 784, out: 10 }));
 * const state = initialState(initialParams(net, forParams, 'f32'), forSteps);
 * state.step; // => 0
 * ```
 */
export const initialState = <T>(
  params: Params<T>,
  key: Key,
  others: Partial<Pick<TrainState<T>, 'held' | 'running'>> = {},
): TrainState<T> => ({ step: 0, params, held: {}, running: {}, ...emptyMemory<T>(), ...others, key });
