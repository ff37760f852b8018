/**
 * The course of a run: a state that steps and evaluations carry on.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as R from 'fp-ts/lib/Record.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import { attempt } from '../../core/errors.ts';
import type { Lookup } from '../../core/nn/lookups.ts';
import type { Params } from '../../core/params.ts';
import type { Env } from '../../core/pipeline/env.ts';
import { iterate } from '../../core/iterate.ts';
import type { TrainState } from '../../core/pipeline/trainState.ts';
import { initialState } from '../../core/pipeline/trainState.ts';
import type { Key } from '../../core/random/key.ts';
import { keyOf } from '../../core/random/key.ts';
import { split } from '../../core/random/split.ts';
import type { Shaped, Tensor } from '../../core/tensor.ts';
import type { Epoch } from '../data/batches.ts';
import { batchIndices } from '../data/batches.ts';
import type { Dataset } from '../data/dataset.ts';
import { examplesAt } from '../data/examples.ts';
import type { Watch } from './earlyStopping.ts';
import { exhausted, improved, improves, unwatched, waiting } from './earlyStopping.ts';
import type { Evaluation } from './evaluate.ts';
import { evaluatePlaced, smallestChunk } from './evaluate.ts';
import type { EvaluationRecord, StepRecord, TrainEvent } from './events.ts';
import type { TaskStep, TrainTask } from './learning.ts';
import { metricOf } from './learning.ts';
import type { Log } from './log.ts';
import { append } from './log.ts';
import type { TrainOptions } from './options.ts';
import { evaluationPeriod, stepsOf } from './options.ts';
import { placed } from './scope.ts';
import { runStep } from './step.ts';
import { arraysIn } from '../../core/pipeline/arraysIn.ts';

/** What stays the same during a run. */
export interface Setting<T extends Shaped> {
  readonly env: Env<T>;
  readonly task: TrainTask;
  readonly step: TaskStep;
  readonly options: TrainOptions;
  /** The tables whose indices some arrays of a batch are. */
  readonly lookups?: ReadonlyArray<Lookup>;
}

/** Where a run stands between two steps. */
export interface Run<T> {
  readonly state: TrainState<T>;
  readonly seconds: number;
  /** The epoch of the last batch. */
  readonly epoch: Epoch | undefined;
  readonly steps: Log<StepRecord>;
  readonly evaluations: Log<EvaluationRecord>;
  readonly watch: Watch;
}

/** Keys of all that is random in a run. */
interface Keys {
  readonly params: Key;
  readonly data: Key;
  readonly steps: Key;
}

const keysOf = (seed: number): Keys => {
  const [params, data, steps] = split(keyOf(seed), 3);
  return { params, data, steps };
};

const tell = (options: TrainOptions, event: TrainEvent) => (): void =>
  (options.listeners ?? []).forEach((listener) => listener(event)());

/**
 * Parameters copied to host memory.
 *
 * @example
 * ```ts
 * import { referenceBackend, tensor } from 'kfac-ts/core';
 * import { readParams } from 'kfac-ts/pipelines';
 *
 * const env = { backend: referenceBackend(), clock: () => 0 };
 * const params = await readParams(env, { weight: tensor([2], [1, 1]) })();
 * params._tag === 'Right' ? params.right.weight.data[0] : null; // => 2
 * ```
 */
export const readParams = <T extends Shaped>(
  { backend }: Env<T>,
  params: Params<T>,
): TE.TaskEither<KfacError, Params<Tensor>> => pipe(params, R.traverse(TE.ApplicativeSeq)(backend.read));

/**
 * Hands the arrays of a run back; it must not go on afterwards.
 *
 * @param env - where they are
 * @param run - a run
 * @example
 * ```ts no-run
 * import type { Tensor } from 'kfac-ts/core';
 * import { readParams, release, type Run, type Setting } from 'kfac-ts/pipelines';
 *
 * // At the end of a loop of one's own: what is wanted is read first.
 * declare const setting: Setting<Tensor>;
 * declare const run: Run<Tensor>;
 * const params = await readParams(setting.env, run.state.params)();
 * release(setting.env, run)();
 * ```
 */
export const release =
  <T extends Shaped>({ backend }: Env<T>, run: Run<T>) =>
  (): void =>
    backend.scope().close([], [...arraysIn(run.state)]);

/**
 * Judges the parameters of a run.
 *
 * @param setting - task and backend
 * @param run - a run
 * @param data - on which examples
 * @example
 * ```ts no-run
 * import type { Tensor } from 'kfac-ts/core';
 * import { judgeOn, type Run, type Setting } from 'kfac-ts/pipelines';
 *
 * declare const setting: Setting<Tensor>;
 * declare const run: Run<Tensor>;
 * const test = await judgeOn(setting, run, setting.task.data.test)();
 * ```
 */
export const judgeOn = <T extends Shaped>(
  { env, task, options }: Setting<T>,
  run: Run<T>,
  data: Dataset,
): TE.TaskEither<KfacError, Evaluation> =>
  evaluatePlaced(env.backend, task, run.state, data, Math.max(options.batch, smallestChunk));

/**
 * A run before its first step.
 *
 * @param setting - task, backend and seed
 * @example
 * ```ts
 * import * as E from 'fp-ts/lib/Either.js';
 * import { dense, model, referenceBackend, squaredError, tensor } from 'kfac-ts/core';
 * import { begin, datasetOf, supervised } from 'kfac-ts/pipelines';
 * import { adamOptimizer } from 'kfac-ts/solvers';
 *
 * // For loops of one's own: a run is a value, and `proceed` takes it further.
 * const data = datasetOf('line', tensor([0, 1], [2, 1]), tensor([1, 3], [2, 1]));
 * if (E.isRight(data)) {
 *   const line = supervised({ name: 'line', model: model('line', [1], dense({ in: 1, out: 1 })), loss: squaredError });
 *   const run = begin({
 *     env: { backend: referenceBackend(), clock: () => 0 },
 *     task: { ...line, data: { train: data.right, test: data.right } },
 *     step: line.step(adamOptimizer()),
 *     options: { duration: { steps: 10 }, batch: 2, seed: 1 },
 *   });
 *   E.isRight(run) ? run.right.state.step : null; // => 0
 * }
 * ```
 */
export const begin = <T extends Shaped>({ env, task, options }: Setting<T>): E.Either<KfacError, Run<T>> =>
  attempt(() => {
    const keys = keysOf(options.seed);
    const { params, held = {}, running = {} } = task.initial(keys.params, env.backend.dtype);
    const { ops } = env.backend;
    return {
      state: initialState(placed(ops, 'initial value of', params), keys.steps, {
        held: placed(ops, 'initial value of', held),
        running: placed(ops, 'initial state of', running),
      }),
      seconds: 0,
      epoch: undefined,
      steps: null,
      evaluations: null,
      watch: unwatched,
    };
  });

const takeStep = <T extends Shaped>(setting: Setting<T>, run: Run<T>): TE.TaskEither<KfacError, Run<T>> => {
  const { env, task, step, options } = setting;
  const { train } = task.data;
  const plan = { key: keysOf(options.seed).data, size: train.size, batch: options.batch };
  const { indices, epoch } = batchIndices(plan, run.state.step, run.epoch);
  return pipe(
    TE.fromEither(examplesAt(train, indices, env.backend.dtype, setting.lookups)),
    TE.chain((batch) => runStep(env, step, task.loss, run.state, batch)),
    TE.chainIOK(({ state, metrics, seconds }) => () => {
      const record = { step: state.step, seconds: run.seconds + seconds, loss: metrics[metricOf(task.loss)], metrics };
      tell(options, { event: 'step', ...record })();
      return { ...run, state, epoch, seconds: record.seconds, steps: append(run.steps, record) };
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
    TE.apS('params', readParams(env, run.state.params)),
    TE.apS('running', readParams(env, run.state.running)),
    TE.map((kept) => improved({ ...kept, step: run.state.step, loss })),
  );
};

const judge = <T extends Shaped>(setting: Setting<T>, run: Run<T>): TE.TaskEither<KfacError, Run<T>> =>
  pipe(
    judgeOn(setting, run, setting.task.data.test),
    TE.map((evaluation) => ({ ...evaluation, step: run.state.step, seconds: run.seconds })),
    TE.chainFirstIOK((record) => tell(setting.options, { event: 'evaluation', ...record })),
    TE.chain((record) =>
      pipe(
        watchOver(setting, run, record.loss),
        TE.map((watch) => ({ ...run, watch, evaluations: append(run.evaluations, record) })),
      ),
    ),
  );

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
  const isOver = ({ state, watch }: Run<T>): boolean =>
    state.step >= total || (options.earlyStopping !== undefined && exhausted(options.earlyStopping, watch));
  return iterate(start, (run) =>
    isOver(run)
      ? TE.right(E.right(run))
      : pipe(
          takeStep(setting, run),
          TE.chain((stepped) => (isDue(stepped.state.step) ? judge(setting, stepped) : TE.right(stepped))),
          TE.map((next) => E.left(next)),
        ),
  );
};

/**
 * The run with its best parameters in place of the last ones, where early stopping kept some.
 *
 * @param env - where the arrays are
 * @param run - a run that is over
 * @example
 * ```ts no-run
 * import type { Tensor } from 'kfac-ts/core';
 * import { readParams, restoreBest, type Run, type Setting } from 'kfac-ts/pipelines';
 *
 * declare const setting: Setting<Tensor>;
 * declare const run: Run<Tensor>;
 * const best = restoreBest(setting.env, run)();
 * const params = await readParams(setting.env, best.state.params)();
 * ```
 */
export const restoreBest =
  <T extends Shaped>(env: Env<T>, run: Run<T>) =>
  (): Run<T> => {
    const { best } = run.watch;
    if (best === null || best.step === run.state.step) return run;
    const { ops } = env.backend;
    const { held, key } = run.state;
    const others = { held, running: placed(ops, 'running state', best.running) };
    const state = { ...initialState(placed(ops, 'parameter', best.params), key, others), step: best.step };
    env.backend.scope().close(
      [],
      [...arraysIn(run.state)].filter((x) => !Object.values(held).includes(x)),
    );
    return { ...run, state };
  };
