/**
 * Every array that a training state holds, so that a step's scope can keep those of the next state and hand back those
 * of the last one.
 *
 * @module
 */
import type { BlockOperator, LinearOperator } from '../../core/operators/linearOperator.ts';
import { leavesOf } from '../../core/params.ts';
import type { TrainState } from '../../core/pipeline/trainState.ts';

const ofBlock = <T>(block: BlockOperator<T>): ReadonlyArray<T> => {
  switch (block._tag) {
    case 'kronecker':
      return [block.A, block.G];
    case 'diagonal':
      return [block.values];
    case 'dense':
      return [block.matrix];
    case 'damped':
      return ofBlock(block.operator);
  }
};

const ofOperator = <T>(operator: LinearOperator<T>): ReadonlyArray<T> => {
  switch (operator._tag) {
    case 'blockDiagonal':
      return Object.values(operator.blocks).flatMap((block) => ofBlock(block));
    case 'damped':
      return ofOperator(operator.operator);
    case 'matrixFree':
      return []; // holds closures, not arrays, and is never part of a state
  }
};

/**
 * The arrays of a state, each once.
 *
 * @param state - any state
 */
export const tensorsOf = <T>(state: TrainState<T>): ReadonlySet<T> =>
  new Set([
    ...leavesOf(state.params),
    ...Object.values(state.curvature.averages).flatMap(leavesOf),
    ...(state.solver.prepared === null ? [] : ofOperator(state.solver.prepared)),
    ...Object.values(state.solver.slots).flatMap(leavesOf),
    ...Object.values(state.rules).flatMap(leavesOf),
  ]);
