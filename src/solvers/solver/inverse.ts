/**
 * Inverses as values: ways to a linear operator near (curvature + λ I)⁻¹.
 *
 * One value serves everywhere. `preconditioned` makes a solver of it, iterative solvers take it as preconditioner, and
 * other inverses leave parts of the curvature to it. It has two moments: `prepare` is dear and runs when it is due
 * (`refresh`), and what it gives is data, part of the training state, that every step applies.
 *
 * @module
 */
import type * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import type { LinearOperator } from '../../core/operators/linearOperator.ts';
import type { Context, Field } from '../../core/pipeline/context.ts';
import type { Prepared } from '../../core/pipeline/prepared.ts';
import type { Allowance } from '../../core/pipeline/trainState.ts';
import type { TrainState } from '../../core/pipeline/trainState.ts';
import type { Shaped } from '../../core/tensor.ts';
import type { SolveNeeds } from './solver.ts';

/**
 * What an inverse may cost, from what a step knows; `null` for anything. By shapes alone, so that it is the same in every
 * process.
 */
export type Allowing<Needs extends Field> = <T extends Shaped>(
  context: Context<T, SolveNeeds | Needs>,
) => Allowance | null;

/**
 * From a curvature and a damping λ to an operator near (curvature + λ I)⁻¹, with what there is to report. It may start
 * from what was prepared before, `null` the first time, and look at what it may cost, where that has a bound.
 */
export type Prepare = <T extends Shaped>(
  backend: Backend<T>,
  curvature: LinearOperator<T>,
  damping: number,
  previous: LinearOperator<T> | null,
  allowance?: Allowance | null,
) => TE.TaskEither<KfacError, Prepared<T>>;

/** The state of a step with what is prepared for it, and what that reports. */
export interface Refreshed<T> {
  readonly state: TrainState<T>;
  readonly metrics: Prepared<T>['metrics'];
}

/** λ of a block by its name. */
export type DampingOf = (name: string) => number;

/** What a step does to what was prepared. */
export type Follow<Needs extends Field> = <T extends Shaped>(
  backend: Backend<T>,
  context: Context<T, SolveNeeds | Needs>,
  refreshed: Refreshed<T>,
  dampingOf: DampingOf,
) => TE.TaskEither<KfacError, Refreshed<T>>;

/** A way to invert a damped curvature; `Needs` are fields of the step that only `follow` looks at. */
export interface Inverse<Needs extends Field = never> {
  /** For reports and errors. */
  readonly name: string;
  readonly prepare: Prepare;
  /** What it may cost, for an inverse that has a choice; `prepare` is told. */
  readonly allowance?: Allowing<Needs>;
  /** Keeps what was prepared up to date in every step, where an inverse does that. */
  readonly follow?: Follow<Needs>;
  /** How what it prepares acts, by products unless it says so. What acts by triangular solves is no preconditioner. */
  readonly acts?: 'byProducts' | 'bySolves';
}

/** An inverse that can stand inside an iteration, which applies it many times. */
export type Preconditioner<Needs extends Field = never> = Inverse<Needs> & { readonly acts?: 'byProducts' };
