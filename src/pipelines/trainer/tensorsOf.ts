/**
 * Every array that a training state holds, so that a step's scope can keep those of the next state and hand back those
 * of the last one.
 *
 * Found by walking the state as the plain data it is, so a new kind of operator or memory needs no change here.
 *
 * @module
 */
import type { TrainState } from '../../core/pipeline/trainState.ts';
import type { Shaped } from '../../core/tensor.ts';

/** Only arrays have a shape, and the arrays of a state are all of one type. */
const isTensor = <T extends Shaped>(value: object): value is T => 'shape' in value && Array.isArray(value.shape);

const walk = <T extends Shaped>(value: unknown): ReadonlyArray<T> => {
  if (typeof value !== 'object' || value === null) return [];
  return isTensor<T>(value) ? [value] : Object.values(value).flatMap((part) => walk<T>(part));
};

/**
 * The arrays of a state, each once.
 *
 * @param state - any state
 */
export const tensorsOf = <T extends Shaped>(state: TrainState<T>): ReadonlySet<T> => new Set(walk<T>(state));
