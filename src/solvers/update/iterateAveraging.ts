/**
 * Exponential averaging of the parameters [MG15 §9]: training goes on from θ, evaluation uses the average
 * θ̄ ← ρ_k θ̄ + (1 − ρ_k) θ with ρ_k = min(1 − 1/k, ρ), a plain mean until ρ binds.
 *
 * @module
 */
import type { Params } from '../../core/params.ts';
import { pickParams, zipParams } from '../../core/params.ts';
import { computation } from '../../core/pipeline/compute.ts';
import type { Stage } from '../../core/pipeline/stage.ts';
import type { Memory, TrainState } from '../../core/pipeline/trainState.ts';
import type { Selection } from '../../core/selection.ts';
import { selectedPaths } from '../../core/selection.ts';
import type { Shaped } from '../../core/tensor.ts';
import { memoryAt } from './rules/memory.ts';

/** Settings of {@link averageIterates}. */
export interface IterateAveragingOptions {
  /** ρ in [0, 1), 0.99 unless given. */
  readonly decay?: number;
  /** Steps before the average begins, 0 unless given. */
  readonly start?: number;
  /** Whose average is kept, `all` unless given. */
  readonly parameters?: Selection;
}

/** The memory that holds θ̄. */
const memory = memoryAt('averagedParams', { average: 'params' });

/**
 * Averages the parameters of the next state into its memory. It comes after every stage that changes them.
 *
 * @param options - decay and start
 * @example
 * ```ts
 * import { backward, forward, pipeline } from 'kfac-ts/core';
 * import { averageIterates, identity, solve, update } from 'kfac-ts/solvers';
 *
 * const step = pipeline(
 *   forward,
 *   backward,
 *   solve(identity),
 *   update({ learningRate: 0.1 }),
 *   averageIterates({ decay: 0.99, start: 100 }),
 * );
 * ```
 */
export const averageIterates = (options: IterateAveragingOptions = {}): Stage<'state' | 'next', 'next'> => {
  const { decay = 0.99, start = 0, parameters = 'all' } = options;
  return computation('averageIterates', (ops, { state, next }) => {
    const k = next.step - start;
    if (k < 1) return { next };
    const rho = Math.min(1 - 1 / k, decay);
    const before = memory.in(state.rules);
    const params = pickParams(next.params, selectedPaths(parameters, next.params));
    const average =
      before === null || rho === 0
        ? params
        : zipParams(params, before.average, (p, x) => ops.linearCombination(rho, x, 1 - rho, p));
    return { next: { ...next, rules: { ...next.rules, [memory.name]: { average } } } };
  });
};

/** The averages in an optimizer's memory, and in those of its groups. */
const averagesIn = <T extends Shaped>({ rules, groups }: Memory<T>): Params<T> => ({
  ...Object.values(groups).reduce((all: Params<T>, group) => ({ ...all, ...averagesIn(group) }), {}),
  ...memory.in(rules)?.average,
});

/**
 * The parameters to evaluate with: the average of each that has one, else the parameter.
 *
 * @param state - any state
 * @example
 * ```ts
 * import { initialState, keyOf, tensor } from 'kfac-ts/core';
 * import { averagedParams } from 'kfac-ts/solvers';
 *
 * // Before there is an average, the parameters themselves.
 * const state = initialState({ weight: tensor([1], [1, 1]) }, keyOf(1));
 * averagedParams(state).weight.data; // => [1]
 * ```
 */
export const averagedParams = <T extends Shaped>(state: TrainState<T>): Params<T> => {
  const averages = averagesIn(state);
  return Object.keys(averages).length === 0 ? state.params : zipParams(state.params, averages, (_, average) => average);
};
