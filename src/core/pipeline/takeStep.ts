/**
 * One step of training that owns its scope: a batch goes in, the next state and the step's numbers come out, and everything
 * that is not part of the next state goes back to the backend. The trainer and loops of one's own are made of it.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../backends/backend.ts';
import type { KfacError } from '../errors.ts';
import { attempt } from '../errors.ts';
import { chained, mapped } from '../tasks.ts';
import type { Shaped, Tensor } from '../tensor.ts';
import { arraysIn } from './arraysIn.ts';
import type { Batch, Context } from './context.ts';
import { examine, isOfNumbers } from './diagnosis.ts';
import type { Env } from './env.ts';
import type { Metrics } from './metrics.ts';
import { readMetrics } from './metrics.ts';
import type { Stage } from './stage.ts';
import type { Seen } from './suspects.ts';
import { upload } from './transfer.ts';
import type { TrainState } from './trainState.ts';

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
    isOfNumbers(error) ? { ...error, where: `training step ${step}, ${error.where}` } : error;

/** Steps after which processes that train together look whether their parameters are still the same. */
const agreeing = 100;

/** Any finite loss will do. */
const anyFinite: LossBound = { metric: 'loss', most: Infinity };

/**
 * Takes a step and, unless told otherwise, uses up the state that it starts from: whatever the outcome, none of that state's
 * arrays may be used afterwards, and all that the next state does not have have gone back to the backend.
 *
 * @param env - backend and clock; a background where inverses are to be made beside the steps
 * @param step - a step that knows what it learns, as `learn` makes them
 * @param state - state before, on the backend; nobody else may hold its arrays, unless they are kept
 * @param batch - examples in host memory
 * @param bound - what the loss must be; finite unless given
 * @param before - what becomes of the state before: `spent`, or `kept`, for steps from it once more; on a backend whose arrays the
 *   collector finds, that costs memory until it does, on others until the backend is disposed of
 * @returns the state after, and the step's numbers, or the first error; a loss or a norm that is not finite is one
 * @example
 * ```ts
 * import { dense, initialState, keyOf, learn, model, placeState, readState } from 'kfac-ts/core';
 * import { referenceBackend, squaredError, takeStep, tensor } from 'kfac-ts/core';
 * import { sgdOptimizer } from 'kfac-ts/solvers';
 *
 * const backend = referenceBackend();
 * const env = { backend, clock: () => performance.now() / 1000 };
 * const line = { model: model('line', [1], dense({ in: 1, out: 1 })), loss: squaredError };
 * const params = { weight: tensor([0], [1, 1]), bias: tensor([0], [1]) };
 * const start = placeState(backend.ops, initialState(params, keyOf(1)));
 * const batch = { inputs: tensor([1], [1, 1]), targets: tensor([4], [1, 1]) };
 * const step = learn(line, sgdOptimizer({ learningRate: 0.5, momentum: 0 }).step);
 * const stepped = await takeStep(env, step, start, batch)();
 * if (stepped._tag === 'Right') {
 *   const { state, metrics } = stepped.right;
 *   metrics['loss']; // => 8
 *   const read = await readState(backend, state)();
 *   read._tag === 'Right' ? read.right.params.bias.data : []; // => [2]
 * }
 * ```
 */
export const takeStep =
  <T extends Shaped>(
    env: Env<T>,
    step: Stage<'state' | 'batch', 'next' | 'metrics'>,
    state: TrainState<T>,
    batch: Batch<Tensor>,
    bound: LossBound = anyFinite,
    before: 'spent' | 'kept' = 'spent',
  ): TE.TaskEither<KfacError, Stepped<T>> =>
  async () => {
    const start = env.clock();
    const scope = env.backend.scope();
    const outcome = await pipe(
      TE.fromEither(attempt(() => upload(scope.backend, batch))),
      chained((uploaded) => step.run<T>({ state, batch: uploaded })({ ...env, backend: scope.backend })),
      // A pipeline gives all that it knows.
      chained((ended: Context<T, 'next' | 'metrics'> & Seen<T>) =>
        pipe(
          readMetrics(scope.backend, ended.metrics),
          chained((read) => checkMetrics(scope.backend, bound, read, { ...ended, state })),
          mapped((metrics) => ({ next: ended.next, metrics })),
          chained((kept) =>
            kept.next.step % agreeing === 0 && scope.backend.agree !== undefined
              ? pipe(
                  // Those that the step began with: of the next ones a process may have a part so far.
                  scope.backend.agree(Object.values(state.params)),
                  mapped(() => kept),
                )
              : TE.right(kept),
          ),
        ),
      ),
      TE.mapLeft(inStep(state.step + 1)),
    )();
    if (E.isLeft(outcome)) await env.background?.settle(); // it works with arrays that go back now
    const kept = E.isRight(outcome) ? arraysIn(outcome.right.next) : new Set<T>();
    const held = [...(before === 'spent' ? arraysIn(state) : []), ...(env.background?.takeOver() ?? [])];
    scope.close(
      [...kept],
      held.filter((x) => !kept.has(x)),
    );
    return pipe(
      outcome,
      E.map(({ next, metrics }) => ({ state: next, metrics, seconds: env.clock() - start })),
    );
  };
