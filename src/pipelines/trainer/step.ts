/**
 * One step of the trainer: a batch goes in, the next state and the step's numbers come out, and everything that is not
 * part of the next state goes back to the backend.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import { attempt } from '../../core/errors.ts';
import { arraysIn } from '../../core/pipeline/arraysIn.ts';
import type { Batch, Context } from '../../core/pipeline/context.ts';
import type { Seen } from '../../core/pipeline/diagnosis.ts';
import { examine } from '../../core/pipeline/diagnosis.ts';
import type { Env } from '../../core/pipeline/env.ts';
import type { Metrics } from '../../core/pipeline/metrics.ts';
import { readMetrics } from '../../core/pipeline/metrics.ts';
import type { TrainState } from '../../core/pipeline/trainState.ts';
import type { Shaped, Tensor } from '../../core/tensor.ts';
import type { TaskStep } from './learning.ts';
import { upload } from './scope.ts';

/** What a step leaves behind. */
export interface Stepped<T> {
  readonly state: TrainState<T>;
  readonly metrics: Metrics;
  /** Time from the batch in host memory to the metrics in host memory. */
  readonly seconds: number;
}

/** What a step is judged by. */
export interface LossBound {
  /** Name of the loss among the step's metrics. */
  readonly metric: string;
  /** What it must stay below in size: `Infinity` for anything finite. */
  readonly most: number;
}

const advice = 'Lower the learning rate or raise the damping.';

/** Norms that a step reports, of a group of parameters or of a player under its name. */
const norm = /(^|\.)(gradientNorm|directionNorm|updateNorm)$/;

/** What of the metrics is wrong, if anything is: the loss, or a norm that the precision does not hold. */
const metricsError = ({ metric, most }: LossBound, metrics: Metrics): KfacError | null => {
  const loss = metrics[metric];
  if (!(Math.abs(loss) < most)) {
    return {
      _tag: 'NonFinite',
      where: 'forward',
      what: 'the loss',
      ...(Number.isFinite(loss) ? { actual: `${loss.toPrecision(3)}, which makes no sense` } : {}),
      advice,
    };
  }
  const beyond = Object.keys(metrics).find((name) => norm.test(name) && !Number.isFinite(metrics[name]));
  return beyond === undefined ? null : { _tag: 'NonFinite', where: 'update', what: beyond, advice };
};

/** The metrics, if the loss is among them and within bounds, and norms are numbers. */
const checkMetrics = <T extends Shaped>(
  backend: Backend<T>,
  bound: LossBound,
  metrics: Metrics,
  seen: Seen<T>,
): TE.TaskEither<KfacError, Metrics> => {
  if (metrics[bound.metric] === undefined) {
    const expected = `one of a step's metrics, ${Object.keys(metrics).join(', ')}`;
    return TE.left({ _tag: 'BadConfig', path: 'loss.metric', expected, actual: bound.metric });
  }
  const error = metricsError(bound, metrics);
  if (error === null) return TE.right(metrics);
  return pipe(
    examine(backend, seen),
    TE.chain((): TE.TaskEither<KfacError, never> => TE.left(error)),
  );
};

/** The error of a step, with the step. */
const inStep =
  (step: number) =>
  (error: KfacError): KfacError =>
    error._tag === 'NonFinite' || error._tag === 'NotPositiveDefinite'
      ? { ...error, where: `training step ${step}, ${error.where}` }
      : error;

/**
 * Runs a step and disposes of the state it started from, which must not be used afterwards.
 *
 * @param env - backend and clock
 * @param step - the task's step with an optimizer
 * @param bound - what the loss must be
 * @param state - state before; nobody else may hold its arrays
 * @param batch - examples
 * @returns the state after, or the first error; a loss or a norm that is not finite is one
 */
export const runStep =
  <T extends Shaped>(
    env: Env<T>,
    step: TaskStep,
    bound: LossBound,
    state: TrainState<T>,
    batch: Batch<Tensor>,
  ): TE.TaskEither<KfacError, Stepped<T>> =>
  async () => {
    const start = env.clock();
    const scope = env.backend.scope();
    const outcome = await pipe(
      TE.fromEither(attempt(() => upload(scope.backend.ops, batch))),
      TE.chain((uploaded) => step.run<T>({ state, batch: uploaded })({ ...env, backend: scope.backend })),
      // A pipeline gives all that it knows, and the sites are among it.
      TE.chain((ended: Context<T, 'next' | 'metrics'> & Partial<Context<T, 'sites'>>) =>
        pipe(
          readMetrics(scope.backend, ended.metrics),
          TE.chain((read) => checkMetrics(scope.backend, bound, read, { state, sites: ended.sites ?? [] })),
          TE.map((metrics) => ({ next: ended.next, metrics })),
        ),
      ),
      TE.mapLeft(inStep(state.step + 1)),
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
