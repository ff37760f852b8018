/**
 * One step of the trainer: a batch goes in, the next state and the step's numbers come out, and everything that is not
 * part of the next state goes back to the backend.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import { attempt } from '../../core/errors.ts';
import type { Batch } from '../../core/pipeline/context.ts';
import type { Env } from '../../core/pipeline/env.ts';
import type { Metrics } from '../../core/pipeline/metrics.ts';
import { readMetrics } from '../../core/pipeline/metrics.ts';
import type { TrainState } from '../../core/pipeline/trainState.ts';
import type { Shaped, Tensor } from '../../core/tensor.ts';
import { arraysIn } from '../../core/pipeline/arraysIn.ts';
import type { TaskStep, Watched } from './learning.ts';
import { metricOf } from './learning.ts';
import { upload } from './scope.ts';

/** What a step leaves behind. */
export interface Stepped<T> {
  readonly state: TrainState<T>;
  readonly metrics: Metrics;
  /** Time from the batch in host memory to the metrics in host memory. */
  readonly seconds: number;
}

const checkLoss = (step: number, name: string, metrics: Metrics): E.Either<KfacError, Metrics> => {
  if (!Object.hasOwn(metrics, name)) {
    const actual = Object.keys(metrics).join(', ');
    return E.left({
      _tag: 'BadConfig',
      path: 'loss.metric',
      expected: `one of a step's metrics, ${actual}`,
      actual: name,
    });
  }
  return Number.isFinite(metrics[name])
    ? E.right(metrics)
    : E.left({
        _tag: 'NonFinite',
        where: `training step ${step}`,
        what: 'the loss',
        advice: 'Lower the learning rate or raise the damping.',
      });
};

/**
 * Runs a step and disposes of the state it started from, which must not be used afterwards.
 *
 * @param env - backend and clock
 * @param step - the task's step with an optimizer
 * @param watched - the loss among the step's metrics
 * @param state - state before; nobody else may hold its arrays
 * @param batch - examples
 * @returns the state after, or the first error; a loss that is not finite is one
 */
export const runStep =
  <T extends Shaped>(
    env: Env<T>,
    step: TaskStep,
    watched: Watched,
    state: TrainState<T>,
    batch: Batch<Tensor>,
  ): TE.TaskEither<KfacError, Stepped<T>> =>
  async () => {
    const start = env.clock();
    const scope = env.backend.scope();
    const outcome = await pipe(
      TE.fromEither(attempt(() => upload(scope.backend.ops, batch))),
      TE.chain((uploaded) => step.run<T>({ state, batch: uploaded })({ ...env, backend: scope.backend })),
      TE.chain(({ next, metrics }) =>
        pipe(
          readMetrics(scope.backend, metrics),
          TE.chainEitherK((read) => checkLoss(next.step, metricOf(watched), read)),
          TE.map((read) => ({ next, metrics: read })),
        ),
      ),
    )();
    const kept = E.isRight(outcome) ? arraysIn(outcome.right.next) : new Set<T>();
    const held = [...arraysIn(state), ...(env.background?.takeOver() ?? [])];
    scope.close(
      [...kept],
      held.filter((x) => !kept.has(x)),
    );
    return pipe(
      outcome,
      E.map(({ next, metrics }) => ({ state: next, metrics, seconds: env.clock() - start })),
    );
  };
