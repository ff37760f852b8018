/**
 * What a run is judged by: its parameters, or their averages where its optimizer keeps some.
 *
 * @module
 */
import type { TrainState } from '../../core/pipeline/trainState.ts';
import type { Shaped } from '../../core/tensor.ts';
import { averagedParams } from '../../solvers/update/iterateAveraging.ts';
import type { Standing } from './learning.ts';

/**
 * Where training stands: training goes on from the parameters, evaluation uses the average of each that has one.
 *
 * @param state - between two steps
 */
export const standingOf = <T extends Shaped>(state: TrainState<T>): Standing<T> => ({
  params: averagedParams(state),
  held: state.held,
  running: state.running,
});
