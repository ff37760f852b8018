/**
 * A native computation as a value: planned once, run at once or on a worker thread.
 *
 * A job is a function because running it consumes its buffers: every run plans anew, on a fresh copy of its input, so
 * a job may be run any number of times and its input may be overwritten as soon as it has started. koffi keeps the
 * address of a buffer but not the buffer, so the plan must stay reachable until the last call is back; the
 * continuation holds it.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import type { Task } from 'fp-ts/lib/Task.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';

import type { NonFinite, NotPositiveDefinite } from '../../errors.ts';

import type { ForeignArgument, ForeignFunction } from './koffi.ts';

/** What a factorisation can report. */
export type FactorisationError = NotPositiveDefinite | NonFinite;

/** One call into the library. */
export interface NativeCall {
  readonly routine: ForeignFunction;
  readonly args: ReadonlyArray<ForeignArgument>;
  /** Looks at what the call left behind; absent where a call cannot fail. */
  readonly failure?: () => FactorisationError | undefined;
}

/** Calls to be made one after the other, and what they leave. */
export interface Plan<A> {
  readonly calls: ReadonlyArray<NativeCall>;
  readonly result: () => A;
}

/** A native computation that has not started; it checks and copies its input when it does. */
export type Job<A> = () => E.Either<FactorisationError, Plan<A>>;

/**
 * Runs a job on this thread.
 *
 * @param job - the computation
 */
export const runNow = <A>(job: Job<A>): E.Either<FactorisationError, A> => {
  const planned = job();
  if (E.isLeft(planned)) return planned;
  const { calls, result } = planned.right;
  for (const call of calls) {
    call.routine(...call.args);
    const failure = call.failure?.();
    if (failure !== undefined) return E.left(failure);
  }
  return E.right(result());
};

/** Makes one call on a worker thread. koffi reports no error but a wrong argument, which is a defect here. */
const callInBackground = ({ routine, args }: NativeCall): Promise<void> =>
  new Promise((resolve, reject) => {
    routine.async(...args, (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });

/** Something to be done around a task, for example a setting that holds while it runs. */
export type Around = <A>(task: Task<A>) => Task<A>;

/**
 * Runs a job on a worker thread. Its input is checked and copied when the task starts, on this thread, as is what
 * little work is left between and after the calls.
 *
 * @param around - applied to the calls, after the input was checked
 * @param job - the computation
 */
export const runInBackground = <A>(around: Around, job: Job<A>): TaskEither<FactorisationError, A> => {
  const callAll = async (plan: Plan<A>): Promise<E.Either<FactorisationError, A>> => {
    for (const call of plan.calls) {
      await callInBackground(call);
      const failure = call.failure?.();
      if (failure !== undefined) return E.left(failure);
    }
    return E.right(plan.result());
  };
  return () => {
    const planned = job();
    return E.isLeft(planned) ? Promise.resolve(planned) : around(() => callAll(planned.right))();
  };
};
