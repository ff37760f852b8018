/**
 * The solver of class-wise K-FAC, whose blocks are sums of Kronecker products.
 *
 * Two terms are inverted as they are. More are not invertible by their factors, so each such block is solved by
 * conjugate gradients in every step, preconditioned by the damped inverse of the nearest Kronecker product; that inverse
 * alone, without iterations, is the cheap variant.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as RTE from 'fp-ts/lib/ReaderTaskEither.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import type { BlockOperator, Product } from '../../core/operators/blockOperator.ts';
import { kroneckerOf, productIn } from '../../core/operators/blockOperator.ts';
import type { LinearOperator } from '../../core/operators/linearOperator.ts';
import { blockDiagonal } from '../../core/operators/linearOperator.ts';
import { nearestKronecker } from '../../core/operators/nearestKronecker.ts';
import type { Params } from '../../core/params.ts';
import type { Context } from '../../core/pipeline/context.ts';
import type { Env } from '../../core/pipeline/env.ts';
import type { Shaped } from '../../core/tensor.ts';
import { fromBlocks, toBlocks } from '../../curvature/blocks.ts';
import { byFactors, calculate, eachBlock, unsupported } from './factors/blockwise.ts';
import type { MeanEigenvalues } from './factors/dampedFactors.ts';
import { dampedBy, meanEigenvalues } from './factors/dampedFactors.ts';
import { escalating } from './factors/escalation.ts';
import { invertFactors } from './kroneckerInverse.ts';
import { shifted } from '../../core/operators/action.ts';
import type { CgOutcome } from '../krylov/conjugateGradient.ts';
import { conjugateGradient } from '../krylov/conjugateGradient.ts';
import type { RefreshOptions } from '../solver/refresh.ts';
import type { Solved, SolveNeeds, Solver } from '../solver/solver.ts';
import { refreshing } from '../solver/solver.ts';
import { twoTermInverse } from './factors/twoTerm.ts';

const solver = 'classWiseInverse';

const methods = ['auto', 'cg', 'nearest'] as const;

/**
 * How sums are solved. `auto`: two terms by the two-term solve, more by conjugate gradients. `cg`: all by conjugate
 * gradients. `nearest`: all by their nearest Kronecker product alone.
 */
export type ClassWiseMethod = (typeof methods)[number];

/** Settings of {@link classWiseInverse}. */
export interface ClassWiseOptions extends RefreshOptions {
  /** `auto` unless given. */
  readonly method?: ClassWiseMethod;
  /** Conjugate gradients stop at this relative residual, 1e-4 unless given; 0 takes all iterations. */
  readonly tolerance?: number;
  /** Iterations of a block at most, 20 unless given. */
  readonly maxIterations?: number;
}

/** The terms of a sum of Kronecker products of matrices; `null` for any other operator. */
const termsOf = <T>(block: BlockOperator<T>): ReadonlyArray<Product<T>> | null => {
  if (block._tag !== 'sum') return null;
  const terms = block.operators.flatMap((term) => productIn(term) ?? []);
  return terms.length === block.operators.length ? terms : null;
};

const byTwoTerms = (terms: ReadonlyArray<unknown> | null, method: ClassWiseMethod): boolean =>
  terms?.length === 2 && method === 'auto';

const size = ({ ofA, ofG }: MeanEigenvalues): number => Math.max(ofA * ofG, 0);

/**
 * ((A₁ + π₁√λ₁ I) ⊗ (G₁ + π₁⁻¹√λ₁ I) + the same of the second)⁻¹. λ is shared in proportion to the mean eigenvalues of
 * the terms: where the two are multiples of one product this is K-FAC's factored damping of that product. The larger
 * term comes first, which is the one that must be positive definite by itself.
 */
const invertTwo = <T extends Shaped>(
  backend: Backend<T>,
  name: string,
  terms: ReadonlyArray<Product<T>>,
  lambda: number,
): TE.TaskEither<KfacError, BlockOperator<T>> =>
  pipe(
    meanEigenvalues(
      backend,
      terms.map(({ A, G }) => kroneckerOf(A, G)),
    ),
    TE.chain((means) =>
      calculate(() => {
        const sizes = means.map(size);
        const total = sizes[0] + sizes[1];
        const shares = total > 0 ? sizes.map((each) => each / total) : [0.5, 0.5];
        const damped = terms.map((term, i) => dampedBy(backend.ops, term, means[i], lambda * shares[i]));
        return sizes[0] >= sizes[1] ? damped : [damped[1], damped[0]];
      }),
    ),
    TE.chain(([first, second]) => twoTermInverse(backend, first, second, 1, name)),
  );

/**
 * Inverses of all blocks as an operator: two-term solves, and damped inverses of Kronecker products, the nearest where a
 * block is a sum.
 *
 * @param backend - where to factorise
 * @param operator - block-diagonal, with blocks that are sums of Kronecker products, such products, dense or diagonal
 * @param lambda - damping λ, greater than 0
 * @param method - how sums are solved
 */
export const invertClassWise = <T extends Shaped>(
  backend: Backend<T>,
  operator: LinearOperator<T>,
  lambda: number,
  method: ClassWiseMethod = 'auto',
): TE.TaskEither<KfacError, LinearOperator<T>> => {
  const two = (name: string, block: BlockOperator<T>): TE.TaskEither<KfacError, BlockOperator<T>> => {
    const terms = termsOf(block);
    if (terms !== null && byTwoTerms(terms, method)) {
      return escalating(lambda, (raised) => invertTwo(backend, name, terms, raised));
    }
    if (terms !== null) {
      return calculate(() => {
        const { A, G } = nearestKronecker(backend.ops, terms);
        return kroneckerOf(A, G);
      });
    }
    switch (block._tag) {
      case 'kronecker':
      case 'dense':
      case 'diagonal':
        return TE.right(block);
      default:
        return TE.left(unsupported(solver, name, `sums of Kronecker products, or ${byFactors}`, block._tag));
    }
  };
  const splitBy = (
    blocks: Readonly<Record<string, BlockOperator<T>>>,
    done: boolean,
  ): Readonly<Record<string, BlockOperator<T>>> =>
    Object.fromEntries(Object.entries(blocks).filter(([, { _tag }]) => (_tag === 'twoTerm') === done));
  return pipe(
    eachBlock(solver, operator, two),
    TE.chain((blocks) =>
      pipe(
        invertFactors(backend, blockDiagonal(splitBy(blocks, false)), lambda),
        TE.map((rest) =>
          blockDiagonal({ ...splitBy(blocks, true), ...(rest._tag === 'blockDiagonal' ? rest.blocks : {}) }),
        ),
      ),
    ),
  );
};

/** Conjugate gradients on one block. */
const iterateBlock = <T extends Shaped>(
  backend: Backend<T>,
  name: string,
  block: BlockOperator<T>,
  preconditioner: BlockOperator<T>,
  b: T,
  lambda: number,
  options: ClassWiseOptions,
): TE.TaskEither<KfacError, CgOutcome<T>> =>
  conjugateGradient(
    backend,
    shifted(blockDiagonal({ [name]: block }), lambda),
    { [name]: b },
    {
      preconditioner: blockDiagonal({ [name]: preconditioner }),
      tolerance: options.tolerance ?? 1e-4,
      maxIterations: options.maxIterations ?? 20,
    },
  );

/** Blocks that are sums of more than two terms, or of two where all are to be iterated on. */
const iterated = <T>(operator: LinearOperator<T>, method: ClassWiseMethod): Params<BlockOperator<T>> =>
  operator._tag !== 'blockDiagonal' || method === 'nearest'
    ? {}
    : Object.fromEntries(
        Object.entries(operator.blocks).filter(([, block]) => {
          const terms = termsOf(block);
          return terms !== null && !byTwoTerms(terms, method);
        }),
      );

/** Replaces the direction of blocks that are solved by iteration. */
const refine =
  <T extends Shaped>(context: Context<T, SolveNeeds>, solved: Context<T, Solved>, options: ClassWiseOptions) =>
  ({ backend }: Env<T>): TE.TaskEither<KfacError, Context<T, Solved>> => {
    const { operator, gradient, damping: lambda } = context;
    const sums = iterated(operator, options.method ?? 'auto');
    const prepared = solved.state.solver.prepared;
    if (Object.keys(sums).length === 0 || prepared?._tag !== 'blockDiagonal') return TE.right(solved);
    const blocks = context.blocks.filter(({ name }) => name in sums);
    return pipe(
      calculate(() => toBlocks(backend.ops, blocks, gradient)),
      TE.chain((b) =>
        pipe(
          blocks,
          TE.traverseSeqArray(({ name }) =>
            iterateBlock(backend, name, sums[name], prepared.blocks[name], b[name], lambda, options),
          ),
        ),
      ),
      TE.chain((outcomes) =>
        calculate(() => {
          const x = Object.fromEntries(outcomes.flatMap((outcome) => Object.entries(outcome.x)));
          return {
            ...solved,
            direction: { ...solved.direction, ...fromBlocks(backend.ops, blocks, x) },
            metrics: {
              ...solved.metrics,
              cgIterations: Math.max(...outcomes.map(({ iterations }) => iterations)),
              cgResidual: Math.max(...outcomes.map(({ residual }) => residual)),
            },
          };
        }),
      ),
    );
  };

/**
 * Class-wise K-FAC. Where it iterates it reports `cgIterations` and `cgResidual`, the largest over the blocks.
 *
 * @param options - refresh period, method and stopping rules
 */
export const classWiseInverse = (options: ClassWiseOptions = {}): Solver<SolveNeeds> => {
  const { method = 'auto' } = options;
  const refreshed = refreshing(
    solver,
    (backend, operator, lambda) =>
      methods.includes(method)
        ? invertClassWise(backend, operator, lambda, method)
        : TE.left(unsupported(solver, 'method', `one of ${methods.join(', ')}`, method)),
    options,
  );
  return {
    name: solver,
    run: <T extends Shaped>(context: Context<T, SolveNeeds>) =>
      pipe(
        refreshed.run(context),
        RTE.chain((solved: Context<T, Solved>) => refine(context, solved, options)),
      ),
  };
};
