/**
 * The end of a run: what came of it, judged and copied to host memory.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import { attempt } from '../../core/errors.ts';
import type { Params } from '../../core/params.ts';
import { inversesIn } from '../../core/pipeline/arraysIn.ts';
import { readState } from '../../core/pipeline/transfer.ts';
import type { TrainState } from '../../core/pipeline/trainState.ts';
import { largestMagnitude } from '../../core/rows.ts';
import type { Shaped, Tensor } from '../../core/tensor.ts';
import type { Evaluation } from './evaluate.ts';
import { evaluatePlaced, finiteLoss } from './evaluate.ts';
import type { EvaluationRecord, StepRecord } from './events.ts';
import type { Standing } from './learning.ts';
import { judgedOf } from './learning.ts';
import { entries } from './log.ts';
import type { Run, Setting } from './run.ts';
import { chunkOf, readParams, release } from './run.ts';
import { inScope, placed } from './scope.ts';
import type { Origin } from './snapshot.ts';
import { standingOf } from './standing.ts';

/** The loss on the same training examples before the first step and after the last. */
export interface Change extends Origin {
  readonly after: number;
}

/** What came of a run. */
export interface TrainResult {
  /** Name of the optimizer. */
  readonly optimizer: string;
  /** Steps done, those of a state that training went on from included. */
  readonly steps: number;
  /** Training time: without data loading and evaluation. */
  readonly seconds: number;
  readonly history: ReadonlyArray<StepRecord>;
  readonly evaluations: ReadonlyArray<EvaluationRecord>;
  /** Final parameters, those that are held fixed among them, in host memory; the best ones after early stopping, their averages
   * where the optimizer keeps some. The state has the parameters that training goes on from. */
  readonly params: Params<Tensor>;
  /** State of layers that is not trained, as of the parameters. */
  readonly running: Params<Tensor>;
  /** Steps after which the parameters were as they are. */
  readonly paramsFrom: number;
  /** Judged on the whole training set, or on as many of its examples as the task says are enough. */
  readonly train: Evaluation;
  /** Judged on the whole test set. */
  readonly test: Evaluation;
  /** Whether it came to anything. */
  readonly change: Change;
  /** Bytes of inverses that this process kept, where arrays are shared out over several. */
  readonly inverseBytes?: number;
  /** The state after the last step, in host memory: the option `from` goes on from it as if training had not ended. */
  readonly state: TrainState<Tensor>;
}

/** A loss may be finite where a parameter is not: an infinite weight of a unit that is off, for example. */
const finiteParams = (params: Params<Tensor>): E.Either<KfacError, null> => {
  const path = Object.keys(params).find((name) => !(largestMagnitude(params[name].data) < Infinity));
  return path === undefined
    ? E.right(null)
    : E.left({
        _tag: 'NonFinite',
        where: 'parameters after training',
        what: path,
        advice: 'Lower the learning rate or raise the damping.',
      });
};

/** What is judged and returned: the last parameters, or the best ones where early stopping kept some. */
interface Final {
  readonly params: Params<Tensor>;
  readonly running: Params<Tensor>;
  readonly paramsFrom: number;
}

const finalOf = <T extends Shaped>(
  { env }: Setting<T>,
  { state, watch: { best } }: Run<T>,
): TE.TaskEither<KfacError, Final> =>
  pipe(
    TE.Do,
    TE.apS('held', readParams(env, state.held)),
    TE.apS('params', best === null ? readParams(env, standingOf(state).params) : TE.right(best.params)),
    TE.apS('running', best === null ? readParams(env, state.running) : TE.right(best.running)),
    TE.map(({ held, params, running }) => ({
      params: { ...held, ...params },
      running,
      paramsFrom: best === null ? state.step : best.step,
    })),
  );

/** Both sets, and the examples that were looked at before the first step. */
const judged = <T extends Shaped>(
  setting: Setting<T>,
  standing: Standing<T>,
  { examples, before }: Origin,
): TE.TaskEither<KfacError, Pick<TrainResult, 'train' | 'test' | 'change'>> => {
  const { env, task } = setting;
  const { train, test } = task.data;
  const on = (data: typeof train, size: number): TE.TaskEither<KfacError, Evaluation> =>
    pipe(
      evaluatePlaced(env.backend, task, standing, data, chunkOf(setting), size),
      TE.chainEitherK(finiteLoss('evaluation after training', data)),
    );
  return pipe(
    TE.Do,
    TE.bind('train', () => on(train, judgedOf(task, train))),
    TE.bind('test', () => on(test, test.size)),
    TE.bind('change', (all) =>
      pipe(
        examples === judgedOf(task, train) ? TE.right(all.train) : on(train, examples),
        TE.map(({ loss }): Change => ({ examples, before, after: loss })),
      ),
    ),
  );
};

/**
 * Judges what came of a run and copies it to host memory; the run's arrays go back.
 *
 * @param setting - task and backend
 * @param optimizer - name of the optimizer
 * @param run - a run that is over
 * @param start - what was found before the first step
 */
export const conclude = <T extends Shaped>(
  setting: Setting<T>,
  optimizer: string,
  run: Run<T>,
  start: Origin,
): TE.TaskEither<KfacError, TrainResult> =>
  TE.bracket(
    TE.right(run),
    ({ state }) =>
      pipe(
        TE.Do,
        TE.let('kept', () => setting.env.backend.bytesHeld?.(inversesIn(state))),
        TE.bind('final', () => finalOf(setting, run)),
        TE.chainFirstEitherK(({ final }) => finiteParams({ ...final.params, ...final.running })),
        TE.bind('all', ({ final }) =>
          final.paramsFrom === state.step
            ? judged(setting, standingOf(state), start)
            : inScope(setting.env.backend, ({ ops }) =>
                pipe(
                  TE.fromEither(
                    attempt(() => ({
                      params: placed(ops, 'parameter', final.params),
                      held: {},
                      running: placed(ops, 'running state', final.running),
                    })),
                  ),
                  TE.chain((standing) => judged(setting, standing, start)),
                ),
              ),
        ),
        TE.bind('copy', () => readState(setting.env.backend, state)),
        TE.map(({ kept, final, all, copy }) => ({
          ...final,
          ...all,
          optimizer,
          steps: state.step,
          seconds: run.seconds,
          history: entries(run.steps),
          evaluations: entries(run.evaluations),
          ...(kept === undefined ? {} : { inverseBytes: kept }),
          state: copy,
        })),
      ),
    (ended) => TE.fromTask(release(setting.env, ended)),
  );
