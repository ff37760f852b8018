/**
 * Every array that a training state holds, so that a step's scope can keep those of the next state and hand back those
 * of the last one.
 *
 * @module
 */
import { arraysIn } from '../../core/pipeline/arraysIn.ts';
import type { TrainState } from '../../core/pipeline/trainState.ts';
import type { Shaped } from '../../core/tensor.ts';

/**
 * The arrays of a state, each once.
 *
 * @param state - any state
 */
export const tensorsOf = <T extends Shaped>(state: TrainState<T>): ReadonlySet<T> => arraysIn(state);
