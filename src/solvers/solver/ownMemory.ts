/**
 * What a solver without preparations remembers in a state's slots, and which of its steps this is.
 *
 * @module
 */
import type { TrainState } from '../../core/pipeline/trainState.ts';
import { unitsIn } from '../../curvature/equilibrate.ts';

/** A solver's memory before a step. */
export interface OwnMemory<T> {
  /** Its memory by slot, empty where it begins. */
  readonly slots: TrainState<T>['solver']['slots'];
  /** The state's step at which it began. */
  readonly begun: number;
  /** Which of its steps this is, from 1 on. */
  readonly t: number;
}

/**
 * The memory of a solver that goes on, or of one that begins: where another optimizer has taken the steps before, those are
 * not in its memory.
 *
 * @param state - before the step
 * @param slot - one of its slots, which no other solver has
 */
export const ownMemory = <T>({ step, solver }: TrainState<T>, slot: string): OwnMemory<T> => {
  const { slots, prepared, preparedAt } = solver;
  const goesOn = slot in slots && prepared === null;
  const begun = goesOn ? preparedAt : step;
  return { slots: goesOn ? slots : {}, begun, t: step - begun + 1 };
};

/**
 * A state that remembers the step; what others prepared is forgotten, units of the curvature are nobody's.
 *
 * @param state - before the step
 * @param begun - the step at which the solver began
 * @param slots - its memory by slot
 */
export const remembering = <T>(state: TrainState<T>, begun: number, slots: OwnMemory<T>['slots']): TrainState<T> => ({
  ...state,
  solver: {
    ...state.solver,
    prepared: null,
    preparedAt: begun,
    slots: { ...unitsIn(state.solver.slots), ...slots },
  },
});
