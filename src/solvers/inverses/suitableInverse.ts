/**
 * An inverse for any curvature, each part by the solver that suits it: so that every curvature has a preconditioner, and
 * curvatures that differ by site have a solver.
 *
 * Kronecker, dense and diagonal blocks are inverted by their factors, blocks in an eigenbasis there, sums of Kronecker
 * products by two terms or by the nearest product, chains by the block-tridiagonal solve. Any other block is formed.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import type { BlockOperator } from '../../core/operators/blockOperator.ts';
import type { LinearOperator } from '../../core/operators/linearOperator.ts';
import { productIn } from '../../core/operators/blockOperator.ts';
import { scaled, sumOf } from '../../core/operators/composite.ts';
import { blockDiagonal } from '../../core/operators/linearOperator.ts';
import type { Shaped } from '../../core/tensor.ts';
import { unsupported } from './factors/blockwise.ts';
import { invertClassWise } from './classWiseInverse.ts';
import { invertDensely } from './denseInverse.ts';
import { invertInEigenbasis } from './eigen.ts';
import { invertFactors } from './kroneckerInverse.ts';
import type { RefreshOptions } from '../solver/refresh.ts';
import type { Prepare, SolveNeeds, Solver } from '../solver/solver.ts';
import { refreshing } from '../solver/solver.ts';
import { invertTridiagonal } from './tridiagonalInverse.ts';

const solver = 'suitableInverse';

const inEigenbasis: Prepare = (backend, operator, lambda) =>
  pipe(
    invertInEigenbasis(backend, operator, lambda),
    TE.map((prepared) => prepared.operator),
  );

const isSumOfProducts = <T>(block: BlockOperator<T>): boolean =>
  block._tag === 'sum' && block.operators.every((term) => productIn(term) !== null);

/** Who inverts a block of a kind. */
const preparerOf = <T>(block: BlockOperator<T>): Prepare => {
  switch (block._tag) {
    case 'kronecker':
    case 'dense':
    case 'diagonal':
      return invertFactors;
    case 'eigenKronecker':
      return inEigenbasis;
    default:
      return isSumOfProducts(block) ? invertClassWise : invertDensely;
  }
};

const invertBlocks = <T extends Shaped>(
  backend: Backend<T>,
  blocks: Readonly<Record<string, BlockOperator<T>>>,
  lambda: number,
): TE.TaskEither<KfacError, LinearOperator<T>> => {
  const entries = Object.entries(blocks);
  const preparers = [...new Set(entries.map(([, block]) => preparerOf(block)))];
  return pipe(
    preparers,
    TE.traverseArray((prepare) => {
      const own = entries.filter(([, block]) => preparerOf(block) === prepare);
      return prepare(backend, blockDiagonal(Object.fromEntries(own)), lambda);
    }),
    TE.map((parts) => {
      const inverted = parts.flatMap((part) => (part._tag === 'blockDiagonal' ? Object.entries(part.blocks) : []));
      const byName = Object.fromEntries(inverted);
      return blockDiagonal(Object.fromEntries(entries.map(([name]) => [name, byName[name]])));
    }),
  );
};

/** Names of the blocks of an operator that is made of blocks; `null` of any other. */
const namesOf = <T>(operator: LinearOperator<T>): ReadonlyArray<string> | null => {
  switch (operator._tag) {
    case 'blockDiagonal':
    case 'blockTridiagonal':
      return Object.keys(operator.blocks);
    case 'damped':
    case 'scaled':
      return namesOf(operator.operator);
    default:
      return null;
  }
};

/** Whether terms act on blocks of their own, so that the inverse of the sum is the sum of the inverses. */
const areApart = <T>(terms: ReadonlyArray<LinearOperator<T>>): boolean => {
  const names = terms.map((term) => namesOf(term));
  const all = names.flatMap((own) => own ?? []);
  return names.every((own) => own !== null) && new Set(all).size === all.length;
};

/**
 * (curvature + λ I)⁻¹, nearly, as an operator.
 *
 * @param backend - where to factorise
 * @param operator - made of blocks: block-diagonal, block-tridiagonal, multiples and damped ones, sums over different blocks
 * @param lambda - damping λ, greater than 0
 */
export const invertSuitably = <T extends Shaped>(
  backend: Backend<T>,
  operator: LinearOperator<T>,
  lambda: number,
): TE.TaskEither<KfacError, LinearOperator<T>> => {
  switch (operator._tag) {
    case 'blockDiagonal':
      return invertBlocks(backend, operator.blocks, lambda);
    case 'blockTridiagonal':
      return invertTridiagonal(backend, operator, lambda);
    case 'damped':
      return invertSuitably(backend, operator.operator, lambda + operator.lambda);
    case 'scaled':
      return pipe(
        invertSuitably(backend, operator.operator, lambda / operator.factor),
        TE.map((inverse) => scaled(1 / operator.factor, inverse)),
      );
    case 'sum':
      if (areApart(operator.operators)) {
        return pipe(
          operator.operators,
          TE.traverseArray((term) => invertSuitably(backend, term, lambda)),
          TE.map((inverses): LinearOperator<T> => sumOf(inverses)),
        );
      }
      return TE.left(unsupported(solver, 'operator', 'a sum over different blocks', 'a sum over the same blocks'));
    default:
      return TE.left(
        unsupported(solver, 'operator', 'an operator made of blocks, as every curvature is', operator._tag),
      );
  }
};

/**
 * K-FAC by whichever inverse suits each part of the curvature.
 *
 * @param options - refresh period
 */
export const suitableInverse = (options: RefreshOptions = {}): Solver<SolveNeeds> =>
  refreshing(solver, invertSuitably, options);
