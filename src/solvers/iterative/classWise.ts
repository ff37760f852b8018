/**
 * The solver of class-wise K-FAC: blocks that are sums of Kronecker products are solved by conjugate gradients in every
 * step, preconditioned by {@link classWiseInverse}, which is the solution by itself where nothing has to be iterated on.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as RTE from 'fp-ts/lib/ReaderTaskEither.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import { formed } from '../../core/operators/congruence.ts';
import { shifted } from '../../core/operators/action.ts';
import type { BlockOperator } from '../../core/operators/blockOperator.ts';
import type { LinearOperator } from '../../core/operators/linearOperator.ts';
import { blockDiagonal } from '../../core/operators/linearOperator.ts';
import type { Params } from '../../core/params.ts';
import { calculate } from '../../core/pipeline/compute.ts';
import type { Context } from '../../core/pipeline/context.ts';
import type { Env } from '../../core/pipeline/env.ts';
import type { Shaped } from '../../core/tensor.ts';
import { fromBlocks, toBlocks } from '../../curvature/blocks.ts';
import { classWiseInverse, termsOf } from '../inverses/classWiseInverse.ts';
import { unsupported } from '../solver/unsupported.ts';
import type { CgOutcome } from '../krylov/conjugateGradient.ts';
import { conjugateGradient } from '../krylov/conjugateGradient.ts';
import { preconditioned } from '../solver/preconditioned.ts';
import type { RefreshOptions } from '../solver/refresh.ts';
import { dampingBySite } from '../solver/siteDamping.ts';
import type { Solved, SolveNeeds, Solver } from '../solver/solver.ts';

/** Names of the ways in which sums are solved. */
export const sumMethods = ['auto', 'cg', 'nearest'] as const;

/**
 * How sums are solved. `auto`: two terms by the two-term solve, more by conjugate gradients. `cg`: all by conjugate
 * gradients. `nearest`: all by their nearest Kronecker product alone.
 */
export type SumMethod = (typeof sumMethods)[number];

/** Settings of {@link classWise}. */
export interface ClassWiseOptions extends RefreshOptions {
  /** `auto` unless given. */
  readonly method?: SumMethod;
  /** Conjugate gradients stop at this relative residual, 1e-4 unless given; 0 takes all iterations. */
  readonly tolerance?: number;
  /** Iterations of a block at most, 20 unless given. */
  readonly maxIterations?: number;
}

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
const iterated = <T>(operator: LinearOperator<T>, method: SumMethod): Params<BlockOperator<T>> =>
  operator._tag !== 'blockDiagonal' || method === 'nearest'
    ? {}
    : Object.fromEntries(
        Object.entries(operator.blocks).filter(([, block]) => {
          const terms = termsOf(block);
          return terms !== null && (method === 'cg' || terms.length !== 2);
        }),
      );

/** Replaces the direction of blocks that are solved by iteration. */
const refine =
  <T extends Shaped>(context: Context<T, SolveNeeds>, solved: Context<T, Solved>, options: ClassWiseOptions) =>
  ({ backend }: Env<T>): TE.TaskEither<KfacError, Context<T, Solved>> => {
    const { gradient, damping } = context;
    const dampingOf = dampingBySite(options.siteDamping ?? {}, damping);
    const sums = iterated(formed(backend.ops, context.operator), options.method ?? 'auto');
    const prepared = solved.state.solver.prepared;
    if (Object.keys(sums).length === 0 || prepared?._tag !== 'blockDiagonal') return TE.right(solved);
    const blocks = context.blocks.filter(({ name }) => name in sums);
    return pipe(
      calculate(() => toBlocks(backend.ops, blocks, gradient)),
      TE.chain((b) =>
        pipe(
          blocks,
          TE.traverseSeqArray(({ name }) =>
            iterateBlock(backend, name, sums[name], prepared.blocks[name], b[name], dampingOf(name), options),
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
 *
 * @example
 * ```ts
 * import { classWise } from 'kfac-ts/solvers';
 *
 * const solver = classWise({ method: 'cg', tolerance: 1e-3, every: 10 });
 * ```
 */
export const classWise = (options: ClassWiseOptions = {}): Solver<SolveNeeds> => {
  const { method = 'auto' } = options;
  const direct = preconditioned(classWiseInverse({ method: method === 'auto' ? method : 'nearest' }), options);
  return {
    run: <T extends Shaped>(context: Context<T, SolveNeeds>) =>
      sumMethods.includes(method)
        ? pipe(
            direct.run(context),
            RTE.chain((solved: Context<T, Solved>) => refine(context, solved, options)),
          )
        : RTE.left(unsupported('classWise', 'method', `one of ${sumMethods.join(', ')}`, method)),
  };
};
