/**
 * What training steps cost, counted by running them on the shape interpreter.
 *
 * Steps differ (a refresh of inverses comes only now and then), so the count of a run is that of its steps one after
 * another, the state of each being what the one before left.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import { shapeInterpreter } from '../autodiff/shape.ts';
import type { Backend, LinearAlgebra } from '../backends/backend.ts';
import { factorisationOperations as operationsOf } from '../backends/factorisationOperations.ts';
import type { KfacError } from '../errors.ts';
import type { Shaped, Tensor } from '../tensor.ts';
import { generate } from '../tensor.ts';
import type { Context, Field } from './context.ts';
import { iterate } from '../iterate.ts';
import { byStage, isSeconds } from './metrics.ts';
import type { Stage } from './stage.ts';
import type { TrainState } from './trainState.ts';

/** What a step cost, and the shapes that it leaves. */
export interface StepCount {
  /** Floating-point operations, a multiply-add counted as two. */
  readonly flops: number;
  /** The same by stage, those of one name together. */
  readonly stages: Readonly<Record<string, number>>;
  /** Names of the numbers that the step reports. */
  readonly reports: ReadonlyArray<string>;
  /** Examples that statistics were taken from; 0 in a step without. */
  readonly statistics: number;
  readonly next: TrainState<Shaped>;
}

/** What a step ends with: a pipeline gives all that it knows. */
type Ended = Context<Shaped, 'next' | 'metrics'> & Partial<Context<Shaped, 'captured'>>;

/** A backend of shapes, and the operations that it has counted so far. */
export interface CountingBackend {
  readonly backend: Backend<Shaped>;
  readonly operations: () => number;
}

/**
 * A backend that computes shapes. Factorisations count n³ for an inverse, n³/3 for a Cholesky factor, 2 n²k for its use, 2n³/3
 * for a general solve, 9 n³ for an eigendecomposition. What is read are ones.
 */
export const countingBackend = (): CountingBackend => {
  const { ops, tally } = shapeInterpreter();
  let factorisations = 0;
  const counted = <A>(flops: number, result: A): TE.TaskEither<never, A> => {
    factorisations += flops;
    return TE.right(result);
  };
  const linearAlgebra: LinearAlgebra<Shaped> = {
    cholesky: (m) => counted(operationsOf.cholesky(m.shape[0]), m),
    choleskySolve: (l, b) => counted(operationsOf.choleskySolve(l.shape[0], b.shape[1]), b),
    inverse: (m) => counted(operationsOf.inverse(m.shape[0]), m),
    solve: (m, b) => counted(operationsOf.solve(m.shape[0]), b),
    eigh: (m) => counted(operationsOf.eigh(m.shape[0]), { values: { shape: [m.shape[0]] }, vectors: m }),
  };
  const backend: Backend<Shaped> = {
    name: 'shape',
    dtype: 'f32',
    ops,
    linearAlgebra,
    read: ({ shape }) => TE.right<never, Tensor>(generate(shape, () => 1)),
    scope: () => ({ backend, close: () => undefined }),
    report: () => ({ backend: 'shape', library: '', threads: 1, factorisations: 'counted', warnings: [] }),
    dispose: TE.right(undefined),
  };
  return { backend, operations: () => tally().flops + factorisations };
};

/**
 * Runs one step on shapes. A step that decides by the numbers it reads sees ones.
 *
 * @param step - any step
 * @param given - state and batch of shapes, and what is learned
 * @example
 * ```ts no-run
 * import type { Objective, Shaped, TrainState } from 'kfac-ts/core';
 * import { countStep, dense, initialState, keyOf, model, squaredError } from 'kfac-ts/core';
 * import { kfacOptimizer } from 'kfac-ts/solvers';
 *
 * // On shapes only: nothing is computed.
 * const objective: Objective = { model: model('linear', [20], dense({ in: 20, out: 5 })), loss: squaredError };
 * const state: TrainState<Shaped> = initialState({ weight: { shape: [5, 20] }, bias: { shape: [5] } }, keyOf(1));
 * const batch = { inputs: { shape: [100, 20] }, targets: { shape: [100, 5] } };
 * const count = await countStep(kfacOptimizer().step, { state, batch, objective })();
 * ```
 */
export const countStep = <Needs extends Field>(
  step: Stage<Needs, 'next' | 'metrics'>,
  given: Context<Shaped, Needs>,
): TE.TaskEither<KfacError, StepCount> => {
  // With operations for a clock, the seconds of a stage are its operations.
  const { backend, operations: clock } = countingBackend();
  return pipe(
    step.run(given)({ backend, clock }),
    TE.map(({ next, metrics, captured }: Ended) => ({
      flops: clock(),
      stages: byStage(metrics),
      reports: Object.keys(metrics).filter((name) => !isSeconds(name)),
      statistics: captured?.examples ?? 0,
      next,
    })),
  );
};

/**
 * The first steps of a run, one after another.
 *
 * @param step - any step
 * @param given - state of shapes before the first one, batch of shapes, the same for all, and what is learned
 * @param steps - how many steps
 * @example
 * ```ts no-run
 * import type { Objective, Shaped, TrainState } from 'kfac-ts/core';
 * import { countSteps, dense, initialState, keyOf, model, squaredError, stageCosts } from 'kfac-ts/core';
 * import { kfacOptimizer } from 'kfac-ts/solvers';
 *
 * // What each stage costs in the mean, and every how many steps more than usual.
 * const objective: Objective = { model: model('linear', [20], dense({ in: 20, out: 5 })), loss: squaredError };
 * const state: TrainState<Shaped> = initialState({ weight: { shape: [5, 20] }, bias: { shape: [5] } }, keyOf(1));
 * const batch = { inputs: { shape: [100, 20] }, targets: { shape: [100, 5] } };
 * const counts = await countSteps(kfacOptimizer().step, { state, batch, objective }, 10)();
 * const costs = counts._tag === 'Right' ? stageCosts(counts.right) : [];
 * ```
 */
export const countSteps = <Needs extends 'state' | 'batch' | 'objective'>(
  step: Stage<Needs, 'next' | 'metrics'>,
  given: Context<Shaped, Needs | 'state'>,
  steps: number,
): TE.TaskEither<KfacError, ReadonlyArray<StepCount>> =>
  iterate<KfacError, ReadonlyArray<StepCount>, ReadonlyArray<StepCount>>([], (counts) =>
    counts.length >= steps
      ? TE.right(E.right(counts))
      : pipe(
          countStep(step, { ...given, state: counts.at(-1)?.next ?? given.state }),
          TE.map((count) => E.left([...counts, count])),
        ),
  );

/**
 * Mean floating-point operations of the first steps of a run.
 *
 * @param step - any step
 * @param given - state of shapes before the first one, batch of shapes, the same for all, and what is learned
 * @param steps - how many steps, at least 1
 * @example
 * ```ts no-run
 * import type { Objective, Shaped, TrainState } from 'kfac-ts/core';
 * import { dense, initialState, keyOf, meanFlops, model, squaredError } from 'kfac-ts/core';
 * import { kfacOptimizer } from 'kfac-ts/solvers';
 *
 * // Over ten steps, so that inverses which are made every so often count as such.
 * const objective: Objective = { model: model('linear', [20], dense({ in: 20, out: 5 })), loss: squaredError };
 * const state: TrainState<Shaped> = initialState({ weight: { shape: [5, 20] }, bias: { shape: [5] } }, keyOf(1));
 * const batch = { inputs: { shape: [100, 20] }, targets: { shape: [100, 5] } };
 * const flops = await meanFlops(kfacOptimizer().step, { state, batch, objective }, 10)();
 * ```
 */
export const meanFlops = <Needs extends 'state' | 'batch' | 'objective'>(
  step: Stage<Needs, 'next' | 'metrics'>,
  given: Context<Shaped, Needs | 'state'>,
  steps: number,
): TE.TaskEither<KfacError, number> =>
  pipe(
    countSteps(step, given, steps),
    TE.map((counts) => counts.reduce((sum, { flops }) => sum + flops, 0) / steps),
  );
