/**
 * Iterative solvers of a step: (curvature + λ I) d = ∇ for a curvature that has no cheap inverse, with one that has as
 * preconditioner.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as RTE from 'fp-ts/lib/ReaderTaskEither.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import type { Ops } from '../../core/ops/ops.ts';
import type { Params } from '../../core/params.ts';
import { compute } from '../../core/pipeline/compute.ts';
import type { Context, Field } from '../../core/pipeline/context.ts';
import type { Env } from '../../core/pipeline/env.ts';
import type { SolverState } from '../../core/pipeline/trainState.ts';
import type { Shaped } from '../../core/tensor.ts';
import { changeToBlocks, fromBlocks, toBlocks } from '../../curvature/blocks.ts';
import type { Applicable } from '../../core/operators/action.ts';
import { shifted } from '../../core/operators/action.ts';
import { bicgstab } from '../krylov/bicgstab.ts';
import { conjugateGradient } from '../krylov/conjugateGradient.ts';
import { gmres } from '../krylov/gmres.ts';
import { minres } from '../krylov/minres.ts';
import type { Ending, Outcome } from '../krylov/outcome.ts';
import type { KrylovOptions } from '../krylov/problem.ts';
import { times } from '../krylov/vectors.ts';
import type { DampingOf, Preconditioner, Refreshed } from '../solver/inverse.ts';
import type { RefreshOptions } from '../solver/refresh.ts';
import { refresh } from '../solver/refresh.ts';
import { dampingBySite, siteDampingError } from '../solver/siteDamping.ts';
import type { SolveNeeds, Solved, Solver } from '../solver/solver.ts';

/** Settings of iterative solvers. Period and overlap are those of the preconditioner, factors on λ those of the system too. */
export interface IterativeOptions<Needs extends Field = never> extends RefreshOptions {
  /** Stands for the inverse of the system; none unless given. */
  readonly preconditioner?: Preconditioner<Needs> | null;
  /** Iterations per step at most, 100 unless given. */
  readonly maxIterations?: number;
  /** Stop at this relative residual, 1e-6 unless given. */
  readonly tolerance?: number;
  /** ζ: the last direction times this is where the iteration starts, 0.95 unless given; 0 starts from nothing. */
  readonly warmStart?: number;
}

/** What is left to say: how to solve for d, on block vectors, given the options of the iteration and λ of each block. */
export type Attack<T extends Shaped> = (
  backend: Backend<T>,
  gradient: Params<T>,
  options: KrylovOptions<T>,
  dampingOf: DampingOf,
) => TE.TaskEither<KfacError, Outcome<T, string>>;

/** Name of the memory that holds the last direction. */
const lastDirection = 'lastDirection';

/** Endings that are no rule's: Martens' rule ends an iteration as well as a tolerance does. */
const unfinished: ReadonlySet<string> = new Set<Exclude<Ending, 'Converged'>>([
  'IterationLimit',
  'Stagnation',
  'Breakdown',
]);

/** The preconditioner, prepared anew when it is due. */
const withPreconditioner =
  <T extends Shaped, Needs extends Field>(options: IterativeOptions<Needs>, context: Context<T, SolveNeeds | Needs>) =>
  (env: Env<T>): TE.TaskEither<KfacError, Refreshed<T>> => {
    const { preconditioner = null, siteDamping = {} } = options;
    if (preconditioner !== null) return refresh(preconditioner, options, context)(env);
    const names = context.blocks.map(({ name }) => name);
    const error = siteDampingError(siteDamping, names);
    return error === null ? TE.right({ state: context.state, metrics: {} }) : TE.left(error);
  };

/**
 * Runs an iterative solver: refreshes the preconditioner, starts from ζ times the last direction, remembers the new one,
 * reports `solveIterations`, `solveResidual` and `solveConverged` (0 where no rule of the iteration's own ended it).
 *
 * @param options - preconditioner, stopping rules, warm start
 * @param context - the step so far
 * @param attack - the iteration
 */
export const solveIteratively = <T extends Shaped, Needs extends Field>(
  options: IterativeOptions<Needs>,
  context: Context<T, SolveNeeds | Needs>,
  attack: Attack<T>,
): RTE.ReaderTaskEither<Env<T>, KfacError, Context<T, Solved>> => {
  const { maxIterations = 100, tolerance = 1e-6, warmStart = 0.95 } = options;
  const { blocks, gradient } = context;
  const dampingOf = dampingBySite(options.siteDamping ?? {}, context.damping);

  const begin = ({ prepared, slots }: SolverState<T>) =>
    compute((ops: Ops<T>) => {
      const last = Object.hasOwn(slots, lastDirection) ? slots[lastDirection] : null;
      // Of parameters that were held fixed then it says nothing.
      const warm = last !== null && warmStart !== 0 && Object.keys(gradient).every((path) => Object.hasOwn(last, path));
      const krylov: KrylovOptions<T> = {
        ...(warm ? { initial: times(ops, warmStart, changeToBlocks(ops, blocks, last)) } : {}),
        ...(prepared === null ? {} : { preconditioner: prepared }),
        tolerance,
        maxIterations,
      };
      return { b: toBlocks(ops, blocks, gradient), krylov };
    });

  const finish = (
    { state, metrics: reported }: Refreshed<T>,
    { _tag: ending, x, iterations, residual }: Outcome<T, string>,
  ) =>
    compute((ops: Ops<T>): Context<T, Solved> => {
      const direction = fromBlocks(ops, blocks, x);
      const { solver } = state;
      const age = solver.prepared === null ? {} : { inverseAge: state.step - solver.preparedAt };
      return {
        direction,
        state: { ...state, solver: { ...solver, slots: { ...solver.slots, [lastDirection]: direction } } },
        metrics: {
          ...reported,
          ...age,
          solveIterations: iterations,
          solveResidual: residual,
          solveConverged: unfinished.has(ending) ? 0 : 1,
        },
      };
    });

  return pipe(
    withPreconditioner(options, context),
    RTE.bindTo('found'),
    RTE.bind('start', ({ found }) => begin(found.state.solver)),
    RTE.bind(
      'outcome',
      ({ start }) =>
        ({ backend }: Env<T>) =>
          attack(backend, start.b, start.krylov, dampingOf),
    ),
    RTE.chain(({ found, outcome }) => finish(found, outcome)),
  );
};

/** An iterative method. `cg` and `minres` are for symmetric operators, `cg` for positive definite ones. */
export type KrylovMethod = 'cg' | 'minres' | 'gmres' | 'bicgstab';

type Method = <T extends Shaped>(
  backend: Backend<T>,
  operator: Applicable<T>,
  b: Params<T>,
  options: KrylovOptions<T>,
) => TE.TaskEither<KfacError, Outcome<T, string>>;

const methods: Readonly<Record<KrylovMethod, Method>> = { cg: conjugateGradient, minres, gmres, bicgstab };

/**
 * (curvature + λ I) d = ∇ for the curvature of the step, whatever its operator: sums of Kronecker products, anything.
 *
 * @param method - iteration
 * @param options - preconditioner, stopping rules, warm start
 *
 * @example
 * ```ts
 * import { autoInverse, iterative } from 'kfac-ts/solvers';
 *
 * const solver = iterative('minres', { preconditioner: autoInverse, every: 10, tolerance: 1e-4 });
 * ```
 */
export const iterative = <Needs extends Field = never>(
  method: KrylovMethod,
  options: IterativeOptions<Needs> = {},
): Solver<SolveNeeds | Needs> => ({
  run: <T extends Shaped>(context: Context<T, SolveNeeds | Needs>) =>
    solveIteratively(options, context, (backend, b, krylov, dampingOf) =>
      methods[method](backend, shifted(context.operator, dampingOf), b, krylov),
    ),
});
