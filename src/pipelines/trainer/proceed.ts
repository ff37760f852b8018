/**
 * Steps and evaluations that carry a run on.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import { iterate } from '../../core/iterate.ts';
import { takeStep } from '../../core/pipeline/takeStep.ts';
import { chained, mapped } from '../../core/tasks.ts';
import type { Shaped } from '../../core/tensor.ts';
import { batchIndices } from '../data/batches.ts';
import { examplesAt } from '../data/examples.ts';
import type { Watch } from './earlyStopping.ts';
import { exhausted, improved, improves, waiting } from './earlyStopping.ts';
import { finiteLoss } from './evaluate.ts';
import type { EvaluationRecord, TrainEvent } from './events.ts';
import { answered, called, tell } from './events.ts';
import { keysOf } from './keys.ts';
import { metricOf } from './learning.ts';
import { append, entries } from './log.ts';
import { evaluationPeriod, stepsOf } from './options.ts';
import type { Run, Setting } from './run.ts';
import { judgeOn, orRelease, readParams } from './run.ts';
import { eventsBefore, savedWhenDue } from './saving.ts';
import { standingOf } from './standing.ts';
import type { Course } from './steer.ts';

/** Tells listeners of an event, and asks whoever steers how to go on. */
const announced = <T extends Shaped>(
  { env, task, options }: Setting<T>,
  run: Run<T>,
  event: TrainEvent,
): TE.TaskEither<KfacError, Run<T>> => {
  const { listeners = [], steer } = options;
  const asked = `steer, told of the ${event.event} at step ${event.step},`;
  return pipe(
    tell(listeners, event),
    TE.chain((): TE.TaskEither<KfacError, Course> =>
      steer === undefined ? TE.right({}) : called(asked, () => steer(event, entries(run.evaluations))),
    ),
    TE.chainEitherK(({ optimizer, stop = false }) =>
      answered(asked, () => ({
        ...run,
        steered: optimizer === undefined ? run.steered : task.step(optimizer),
        isStopped: run.isStopped || stop,
      })),
    ),
    orRelease(env, run),
  );
};

/**
 * Asks whoever steers of all that was before a run went on, so that the run is on the course that it would have been on. What
 * has stopped the run does not count: it goes on.
 *
 * @param setting - with who steers, if anyone does
 * @param run - a run that goes on
 */
export const onCourse = <T extends Shaped>(setting: Setting<T>, run: Run<T>): TE.TaskEither<KfacError, Run<T>> => {
  const { options, task, env } = setting;
  const { steer } = options;
  if (steer === undefined || run.steps === null) return TE.right(run);
  const evaluations = entries(run.evaluations);
  const events = eventsBefore({ history: entries(run.steps), evaluations });
  const asked = 'steer, told of what was before the run went on,';
  const until = (event: TrainEvent): ReadonlyArray<EvaluationRecord> =>
    evaluations.filter(({ step }) => step < event.step || (step === event.step && event.event === 'evaluation'));
  return pipe(
    events,
    TE.traverseSeqArray((event) => called(asked, () => steer(event, until(event)))),
    TE.map((courses) => courses.findLast(({ optimizer }) => optimizer !== undefined)?.optimizer),
    TE.chainEitherK((optimizer) =>
      answered(asked, () => ({ ...run, steered: optimizer === undefined ? null : task.step(optimizer) })),
    ),
    orRelease(env, run),
  );
};

const stepOn = <T extends Shaped>(setting: Setting<T>, run: Run<T>): TE.TaskEither<KfacError, Run<T>> => {
  const { env, task, step, options, demands, mostLoss = Infinity } = setting;
  const { train } = task.data;
  const plan = { key: keysOf(options.seed).data, size: train.size, batch: options.batch, lengths: train.lengths };
  const { indices, epoch } = batchIndices(plan, run.state.step, run.epoch);
  const metric = metricOf(task.loss);
  return pipe(
    TE.fromEither(examplesAt(train, indices, env.backend.dtype, demands)),
    orRelease(env, run),
    chained((batch) => takeStep(env, run.steered ?? step, run.state, batch, { metric, most: mostLoss })),
    chained(({ state, metrics, seconds }) => {
      const record = { step: state.step, seconds: run.seconds + seconds, loss: metrics[metric], metrics };
      const stepped = { ...run, state, epoch, seconds: record.seconds, steps: append(run.steps, record) };
      return announced(setting, stepped, { event: 'step', ...record });
    }),
  );
};

/** Takes an evaluation into account for early stopping; copies the parameters when they are the best so far. */
const watchOver = <T extends Shaped>(
  { env, options }: Setting<T>,
  run: Run<T>,
  loss: number,
): TE.TaskEither<KfacError, Watch> => {
  if (options.earlyStopping === undefined) return TE.right(run.watch);
  if (!improves(options.earlyStopping, run.watch, loss)) return TE.right(waiting(run.watch));
  return pipe(
    TE.Do,
    TE.apS('params', readParams(env, standingOf(run.state).params)),
    TE.apS('running', readParams(env, run.state.running)),
    TE.map((kept) => improved({ ...kept, step: run.state.step, loss })),
  );
};

/** Shows where a run stands to whoever wants to look. */
const shown = <T extends Shaped>({ env, options }: Setting<T>, run: Run<T>): TE.TaskEither<KfacError, unknown> => {
  const { glimpse } = options;
  if (glimpse === undefined) return TE.right(null);
  const { params, held, running } = standingOf(run.state);
  return pipe(
    TE.Do,
    TE.apS('params', readParams(env, params)),
    TE.apS('held', readParams(env, held)),
    TE.apS('running', readParams(env, running)),
    TE.chain((standing) => glimpse(standing, run.state.step)),
    orRelease(env, run),
  );
};

const judge = <T extends Shaped>(setting: Setting<T>, run: Run<T>): TE.TaskEither<KfacError, Run<T>> => {
  const { test } = setting.task.data;
  return pipe(
    judgeOn(setting, run, test),
    TE.chainEitherK(finiteLoss(`evaluation after step ${run.state.step}`, test)),
    TE.map((evaluation) => ({ ...evaluation, step: run.state.step, seconds: run.seconds })),
    TE.bindTo('record'),
    TE.bind('watch', ({ record }) => watchOver(setting, run, record.loss)),
    orRelease(setting.env, run),
    TE.chainFirst(() => shown(setting, run)),
    TE.chain(({ record, watch }) =>
      announced(
        setting,
        { ...run, watch, evaluations: append(run.evaluations, record) },
        { event: 'evaluation', ...record },
      ),
    ),
  );
};

/**
 * Takes steps until there are enough, or early stopping says so.
 *
 * @param setting - task, step and options
 * @param start - a run before its first step; it is used up
 * @example
 * ```ts no-run
 * import { pipe } from 'fp-ts/lib/function.js';
 * import * as TE from 'fp-ts/lib/TaskEither.js';
 * import type { Tensor } from 'kfac-ts/core';
 * import { begin, judgeOn, proceed, type Setting } from 'kfac-ts/pipelines';
 *
 * // Ten steps, a look at the test set, and ten more at a tenth of the step.
 * declare const setting: Setting<Tensor>;
 * declare const smaller: Setting<Tensor>;
 * const run = pipe(
 *   TE.fromEither(begin(setting)),
 *   TE.chain((start) => proceed(setting, start)),
 *   TE.chainFirst((after) => judgeOn(setting, after, setting.task.data.test)),
 *   TE.chain((after) => proceed(smaller, after)),
 * );
 * ```
 */
export const proceed = <T extends Shaped>(setting: Setting<T>, start: Run<T>): TE.TaskEither<KfacError, Run<T>> => {
  const { task, options } = setting;
  const total = stepsOf(options, task.data.train.size);
  const period = evaluationPeriod(options, task.data.train.size);
  const isDue = (step: number): boolean => period !== null && (step % period === 0 || step === total);
  const isOver = ({ state, watch, isStopped }: Run<T>): boolean =>
    isStopped ||
    state.step >= total ||
    (options.earlyStopping !== undefined && exhausted(options.earlyStopping, watch));
  return iterate(start, (run) =>
    isOver(run)
      ? pipe(savedWhenDue(setting, run, true), TE.map(E.right))
      : pipe(
          stepOn(setting, run),
          chained((stepped) => (isDue(stepped.state.step) ? judge(setting, stepped) : TE.right(stepped))),
          chained((next) => (isOver(next) ? TE.right(next) : savedWhenDue(setting, next, false))),
          mapped((next) => E.left(next)),
        ),
  );
};
