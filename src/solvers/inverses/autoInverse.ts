/**
 * An inverse for any curvature, each part by the inverse that suits it: so that every curvature has a preconditioner, and
 * curvatures that differ by site have a solver.
 *
 * Kronecker, dense and diagonal blocks are inverted by their factors, blocks in an eigenbasis there, sums of Kronecker
 * products by two terms or by the nearest product, chains by the block-tridiagonal solve. Any other block is formed.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import type { BlockOperator } from '../../core/operators/blockOperator.ts';
import { productIn } from '../../core/operators/blockOperator.ts';
import { scaled, sumOf } from '../../core/operators/composite.ts';
import type { LinearOperator } from '../../core/operators/linearOperator.ts';
import { blockDiagonal } from '../../core/operators/linearOperator.ts';
import type { Params } from '../../core/params.ts';
import { pickParams } from '../../core/params.ts';
import type { Prepared } from '../../core/pipeline/prepared.ts';
import type { Shaped } from '../../core/tensor.ts';
import type { Preconditioner } from '../solver/inverse.ts';
import { classWiseInverse } from './classWiseInverse.ts';
import { denseInverse } from './denseInverse.ts';
import { eigen } from './eigen.ts';
import { unsupported } from '../solver/unsupported.ts';
import { kroneckerInverse } from './kroneckerInverse.ts';
import { tridiagonalInverse } from './tridiagonalInverse.ts';

const name = 'autoInverse';

const [ofSums, ofAny] = [classWiseInverse(), denseInverse()];

const isSumOfProducts = <T>(block: BlockOperator<T>): boolean =>
  block._tag === 'sum' && block.operators.every((term) => productIn(term) !== null);

/** The inverse that suits a block. */
const inverseOf = <T>(block: BlockOperator<T>): Preconditioner => {
  switch (block._tag) {
    case 'kronecker':
    case 'dense':
    case 'diagonal':
      return kroneckerInverse;
    case 'eigenKronecker':
      return eigen;
    default:
      return isSumOfProducts(block) ? ofSums : ofAny;
  }
};

/** A part of a curvature, on blocks of its own, with the inverse that suits it. */
interface Part<T> {
  readonly curvature: LinearOperator<T>;
  readonly inverse: Preconditioner;
  /** Names of the blocks. */
  readonly names: ReadonlyArray<string>;
  /** λ of the part from that of the whole. */
  readonly dampingFrom: (lambda: number) => number;
  /** What the part's inverse is to be multiplied by. */
  readonly factor: number;
}

const partsOfBlocks = <T>(blocks: Params<BlockOperator<T>>): ReadonlyArray<Part<T>> => {
  const entries = Object.entries(blocks);
  return [...new Set(entries.map(([, block]) => inverseOf(block)))].map((inverse) => {
    const own = Object.fromEntries(entries.filter(([, block]) => inverseOf(block) === inverse));
    return {
      inverse,
      curvature: blockDiagonal(own),
      names: Object.keys(own),
      dampingFrom: (lambda) => lambda,
      factor: 1,
    };
  });
};

/** The parts of a curvature that is made of blocks. */
const partsIn = <T>(curvature: LinearOperator<T>): E.Either<KfacError, ReadonlyArray<Part<T>>> => {
  switch (curvature._tag) {
    case 'blockDiagonal':
      return E.right(partsOfBlocks(curvature.blocks));
    case 'blockTridiagonal': {
      const names = Object.keys(curvature.blocks);
      return E.right([{ curvature, inverse: tridiagonalInverse, names, dampingFrom: (lambda) => lambda, factor: 1 }]);
    }
    case 'damped':
      return pipe(
        partsIn(curvature.operator),
        E.map((parts) =>
          parts.map((part) => ({ ...part, dampingFrom: (lambda) => part.dampingFrom(lambda + curvature.lambda) })),
        ),
      );
    case 'scaled': {
      const { factor, operator } = curvature;
      return pipe(
        partsIn(operator),
        E.map((parts) =>
          parts.map((part) => ({
            ...part,
            dampingFrom: (lambda) => part.dampingFrom(lambda / factor),
            factor: part.factor / factor,
          })),
        ),
      );
    }
    case 'sum':
      return pipe(
        curvature.operators,
        E.traverseArray((term) => partsIn(term)),
        E.map((terms) => terms.flat()),
        E.filterOrElse(
          (parts) => new Set(parts.flatMap(({ names }) => names)).size === parts.flatMap(({ names }) => names).length,
          () => unsupported(name, 'operator', 'a sum over different blocks', 'a sum over the same blocks'),
        ),
      );
    default:
      return E.left(unsupported(name, 'operator', 'an operator made of blocks, as every curvature is', curvature._tag));
  }
};

/** Names of the blocks, in their order. */
const namesOf = <T>(curvature: LinearOperator<T>): ReadonlyArray<string> => {
  switch (curvature._tag) {
    case 'damped':
    case 'congruent':
    case 'scaled':
    case 'symmetricPart':
    case 'skewPart':
      return namesOf(curvature.operator);
    case 'sum':
      return curvature.operators.flatMap((term) => namesOf(term));
    default:
      return Object.keys(curvature.blocks);
  }
};

/** Inverses of parts on different blocks as one operator; block-diagonal, in the order of the blocks, where all are. */
const joined = <T>(
  curvature: LinearOperator<T>,
  parts: ReadonlyArray<readonly [Part<T>, Prepared<T>]>,
): LinearOperator<T> => {
  const blocks = parts.flatMap(([{ factor }, { operator }]) =>
    factor === 1 && operator._tag === 'blockDiagonal' ? [operator.blocks] : [],
  );
  return blocks.length === parts.length
    ? blockDiagonal(pickParams(Object.fromEntries(blocks.flatMap((own) => Object.entries(own))), namesOf(curvature)))
    : sumOf(parts.map(([{ factor }, { operator }]) => (factor === 1 ? operator : scaled(factor, operator))));
};

/**
 * Which inverse {@link autoInverse} takes for each block of a curvature, by the names of blocks and inverses.
 *
 * @param curvature - made of blocks
 *
 * @example
 * ```ts
 * import { blockDiagonal, denseOperator, diagonal, kronecker, sumOf, tensor } from 'kfac-ts/core';
 * import { autoChoices } from 'kfac-ts/solvers';
 *
 * const one = denseOperator(tensor([2], [1, 1]));
 * const product = kronecker(one, one);
 * const curvature = blockDiagonal({ gain: diagonal(tensor([1], [1])), head: sumOf([product, product, product]) });
 * const choices = autoChoices(curvature);
 * choices._tag === 'Right' ? choices.right : {}; // => { gain: 'kroneckerInverse', head: 'classWiseInverse' }
 * ```
 */
export const autoChoices = <T>(curvature: LinearOperator<T>): E.Either<KfacError, Readonly<Record<string, string>>> =>
  pipe(
    partsIn(curvature),
    E.map((parts) =>
      Object.fromEntries(parts.flatMap(({ names, inverse }) => names.map((at) => [at, inverse.name] as const))),
    ),
  );

/**
 * (curvature + λ I)⁻¹, nearly, of a curvature made of blocks: block-diagonal, block-tridiagonal, multiples and damped ones,
 * sums over different blocks. {@link autoChoices} says which inverse each block gets.
 */
export const autoInverse: Preconditioner = {
  name,
  prepare: <T extends Shaped>(
    backend: Backend<T>,
    curvature: LinearOperator<T>,
    lambda: number,
  ): TE.TaskEither<KfacError, Prepared<T>> =>
    pipe(
      TE.fromEither(partsIn(curvature)),
      TE.chain(
        TE.traverseArray((part) =>
          pipe(
            part.inverse.prepare(backend, part.curvature, part.dampingFrom(lambda), null),
            TE.map((prepared) => [part, prepared] as const),
          ),
        ),
      ),
      TE.map((parts) => ({
        operator: joined(curvature, parts),
        metrics: parts.reduce((all: Prepared<T>['metrics'], [, { metrics }]) => ({ ...all, ...metrics }), {}),
      })),
    ),
};
