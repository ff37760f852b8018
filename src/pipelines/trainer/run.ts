/**
 * Runs: what stays the same during one, where it stands, its beginning and its end.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as R from 'fp-ts/lib/Record.js';
import type { Task } from 'fp-ts/lib/Task.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import type { Params } from '../../core/params.ts';
import { arraysIn } from '../../core/pipeline/arraysIn.ts';
import type { Env } from '../../core/pipeline/env.ts';
import type { TrainState } from '../../core/pipeline/trainState.ts';
import type { Shaped, Tensor } from '../../core/tensor.ts';
import type { Epoch } from '../data/batches.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Demand } from '../data/examples.ts';
import { beginning } from './beginning.ts';
import type { Watch } from './earlyStopping.ts';
import { unwatched } from './earlyStopping.ts';
import type { Evaluation } from './evaluate.ts';
import { evaluatePlaced, smallestChunk } from './evaluate.ts';
import type { EvaluationRecord, StepRecord } from './events.ts';
import { keysOf } from './keys.ts';
import type { TaskStep, TrainTask } from './learning.ts';
import type { Log } from './log.ts';
import { logOf } from './log.ts';
import type { TrainOptions } from './options.ts';
import type { Origin, RunIdentity } from './snapshot.ts';
import { standingOf } from './standing.ts';

/** What stays the same during a run. */
export interface Setting<T extends Shaped> {
  readonly env: Env<T>;
  readonly task: TrainTask;
  readonly step: TaskStep;
  readonly options: TrainOptions;
  /** What arrays of a batch may hold, besides finite numbers. */
  readonly demands?: ReadonlyArray<Demand>;
  /** What losses of steps must stay below in size; anything finite unless given. */
  readonly mostLoss?: number;
  /** What the run is of, for whoever saves it. */
  readonly identity?: RunIdentity;
  /** What was found before the first step. */
  readonly origin?: Origin;
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
  /** The step that someone who steers has put in the place of the setting's; `null` for none. */
  readonly steered: TaskStep | null;
  /** Whether someone who steers has ended it. */
  readonly isStopped: boolean;
}

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
 * Hands the arrays of a run back, once no work beside the steps needs them; it must not go on afterwards.
 *
 * @param env - where they are
 * @param run - a run
 * @example
 * ```ts no-run
 * import type { Tensor } from 'kfac-ts/core';
 * import { readParams, release, type Run, type Setting } from 'kfac-ts/pipelines';
 *
 * // What is wanted is read first.
 * declare const setting: Setting<Tensor>;
 * declare const run: Run<Tensor>;
 * const params = await readParams(setting.env, run.state.params)();
 * await release(setting.env, run)();
 * ```
 */
export const release =
  <T extends Shaped>({ backend, background }: Env<T>, { state }: Pick<Run<T>, 'state'>): Task<void> =>
  async () => {
    await background?.settle();
    backend.scope().close([], [...arraysIn(state)]);
  };

/** An effect on a run that has its arrays; where it fails they go back. */
export const orRelease =
  <T extends Shaped>(env: Env<T>, run: Pick<Run<T>, 'state'>) =>
  <A>(effect: TE.TaskEither<KfacError, A>): TE.TaskEither<KfacError, A> =>
    pipe(
      effect,
      TE.orElseFirstTaskK(() => release(env, run)),
    );

/** How many examples are judged at a time. */
export const chunkOf = ({ options }: { readonly options: TrainOptions }): number =>
  Math.max(options.batch, smallestChunk);

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
  setting: Setting<T>,
  run: Run<T>,
  data: Dataset,
): TE.TaskEither<KfacError, Evaluation> =>
  evaluatePlaced(setting.env.backend, setting.task, standingOf(run.state), data, chunkOf(setting));

/**
 * A run before its first step, or where the one that it goes on from stood.
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
  pipe(
    beginning(env.backend.ops, env.backend.dtype, task, keysOf(options.seed), {
      ...options,
      ...(options.resume === undefined ? {} : { from: options.resume.state }),
    }),
    E.map((state) => ({
      state,
      seconds: options.resume?.seconds ?? 0,
      epoch: undefined,
      steps: logOf(options.resume?.history ?? []),
      evaluations: logOf(options.resume?.evaluations ?? []),
      watch: options.resume?.watch ?? unwatched,
      steered: null,
      isStopped: false,
    })),
  );
