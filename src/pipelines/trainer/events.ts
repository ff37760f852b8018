/**
 * What a training run tells those who listen: plain numbers, never arrays of the backend.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import type * as IO from 'fp-ts/lib/IO.js';
import { pipe } from 'fp-ts/lib/function.js';
import type * as T from 'fp-ts/lib/Task.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import { attempt } from '../../core/errors.ts';
import type { Metrics } from '../../core/pipeline/metrics.ts';
import { messageOf } from '../files/thrown.ts';
import type { Evaluation } from './evaluate.ts';

/** One step. */
export interface StepRecord {
  /** Steps done, this one included. */
  readonly step: number;
  /** Training time so far: without data loading and evaluation. */
  readonly seconds: number;
  /** Mean loss over the batch, at the parameters that the step began with. */
  readonly loss: number;
  /** Everything that the step reports, the loss included. */
  readonly metrics: Metrics;
}

/** One evaluation on the test examples. */
export interface EvaluationRecord extends Evaluation {
  /** Steps done before. */
  readonly step: number;
  /** Training time so far. */
  readonly seconds: number;
}

/** What happened. */
export type TrainEvent =
  ({ readonly event: 'step' } & StepRecord) | ({ readonly event: 'evaluation' } & EvaluationRecord);

/** Someone who is told, at once or in a while: training waits until it is done. */
export type Listener = (event: TrainEvent) => IO.IO<void> | T.Task<void>;

/**
 * Runs a function that the library was given; what it throws, or what its promise rejects with, becomes a `Left`.
 *
 * @param what - which function, and when it is called
 * @param run - calls it
 */
export const called = <A>(what: string, run: () => A | Promise<A>): TE.TaskEither<KfacError, A> =>
  TE.tryCatch(
    async () => run(),
    (thrown) => ({ _tag: 'CallbackFailed', what, reason: messageOf(thrown) }),
  );

/**
 * The same of a function that answers at once. What it raises of this library's own stays what it is.
 *
 * @param what - which function
 * @param run - calls it
 */
export const answered = <A>(what: string, run: () => A): E.Either<KfacError, A> =>
  pipe(
    E.tryCatch(
      () => attempt(run),
      (thrown): KfacError => ({ _tag: 'CallbackFailed', what, reason: messageOf(thrown) }),
    ),
    E.flatten,
  );

const isEffect = (given: unknown): given is () => unknown => typeof given === 'function';

/** Runs what a listener gives, if it can be run. From JavaScript it may be a promise, which must not be left alone. */
const hasRun = async (given: unknown): Promise<boolean> => {
  await (isEffect(given) ? given() : given);
  return isEffect(given);
};

/**
 * Tells all listeners, one after another.
 *
 * @param listeners - who is told
 * @param event - of what
 */
export const tell = (listeners: ReadonlyArray<Listener>, event: TrainEvent): TE.TaskEither<KfacError, unknown> =>
  pipe(
    listeners,
    TE.traverseSeqArrayWithIndex((i, listener) => {
      const name = listener.name === '' ? '' : ` (${listener.name})`;
      const what = `listener ${i + 1}${name}, told of the ${event.event} at step ${event.step},`;
      return pipe(
        called(what, () => hasRun(listener(event))),
        TE.filterOrElse(
          (isRun) => isRun,
          (): KfacError => ({ _tag: 'CallbackFailed', what, reason: 'it gave back no function to run, () => …' }),
        ),
      );
    }),
  );
