/**
 * The arrays that an operator holds: what a scope must keep and a checkpoint must save.
 *
 * @module
 */
import { arraysOfFactor } from './factor.ts';
import type { BlockOperator, LinearOperator } from './linearOperator.ts';

/**
 * The arrays of an operator on one array.
 *
 * @param block - any operator
 */
export const arraysOfBlock = <T>(block: BlockOperator<T>): ReadonlyArray<T> => {
  switch (block._tag) {
    case 'kronecker':
      return [block.A, block.G];
    case 'factoredKronecker':
      return [...arraysOfFactor(block.A), ...arraysOfFactor(block.G)];
    case 'eigenKronecker':
      return [block.UA, block.UG, block.S];
    case 'diagonal':
      return [block.values];
    case 'dense':
      return [block.matrix];
    case 'lowRankPlusDiagonal':
      return arraysOfFactor(block.factor);
    case 'damped':
    case 'scaled':
    case 'symmetricPart':
    case 'skewPart':
      return arraysOfBlock(block.operator);
    case 'sum':
      return block.operators.flatMap((operator) => arraysOfBlock(operator));
  }
};

/**
 * The arrays of an operator on block vectors. A matrix-free operator holds closures, not arrays, and has none.
 *
 * @param operator - any operator
 */
export const arraysOf = <T>(operator: LinearOperator<T>): ReadonlyArray<T> => {
  switch (operator._tag) {
    case 'blockDiagonal':
      return Object.values(operator.blocks).flatMap((block) => arraysOfBlock(block));
    case 'matrixFree':
      return [];
    case 'damped':
    case 'scaled':
    case 'symmetricPart':
    case 'skewPart':
      return arraysOf(operator.operator);
    case 'sum':
      return operator.operators.flatMap((term) => arraysOf(term));
  }
};
