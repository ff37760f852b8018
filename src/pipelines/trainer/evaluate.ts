/**
 * Judging parameters on a whole data set.
 *
 * A data set goes through in chunks, each in a scope of its own, and only sums leave the device.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as R from 'fp-ts/lib/Record.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import { attempt } from '../../core/errors.ts';
import { checkPaths } from '../../core/nn/model.ts';
import type { Params } from '../../core/params.ts';
import type { Batch } from '../../core/pipeline/context.ts';
import { iterate } from '../../core/iterate.ts';
import type { Metrics } from '../../core/pipeline/metrics.ts';
import { readMetrics } from '../../core/pipeline/metrics.ts';
import { upload } from '../../core/pipeline/transfer.ts';
import { keyOf } from '../../core/random/key.ts';
import type { Shaped, Tensor } from '../../core/tensor.ts';
import { range } from '../data/batches.ts';
import type { Dataset, Examples } from '../data/dataset.ts';
import { checkSize, examplesOf } from '../data/dataset.ts';
import { examplesAt } from '../data/examples.ts';
import type { Learning, Standing } from './learning.ts';
import { demandsOf } from './learning.ts';
import { finiteParams, inScope, placed } from './scope.ts';

/** Means over a data set: the number that is watched, and all others that are judged. */
export interface Evaluation {
  readonly loss: number;
  readonly measures: Metrics;
}

/** Sums over some examples by name, and the sums of the weights that they are over. */
interface Sums {
  readonly sums: Metrics;
  readonly weights: Metrics;
}

/** Sums over the examples before `start`. */
interface Progress extends Sums {
  readonly start: number;
}

/** What is judged on one batch. */
const sumsOf = <T extends Shaped>(
  backend: Backend<T>,
  { judge }: Learning,
  standing: Standing<T>,
  batch: Batch<Tensor>,
): TE.TaskEither<KfacError, Sums> =>
  inScope(backend, (scoped) =>
    pipe(
      TE.fromEither(attempt(() => judge(scoped.ops, standing, upload(scoped, batch)))),
      TE.chain((judged) =>
        pipe(
          TE.Do,
          TE.apS(
            'sums',
            readMetrics(
              scoped,
              pipe(
                judged,
                R.map(({ sum }): T | number => sum),
              ),
            ),
          ),
          TE.apS(
            'weights',
            readMetrics(
              scoped,
              pipe(
                judged,
                R.map(({ weight }) => weight),
              ),
            ),
          ),
        ),
      ),
    ),
  );

const added = (a: Metrics, b: Metrics): Metrics =>
  pipe(
    b,
    R.mapWithIndex((name, x) => (a[name] ?? 0) + x),
  );

const meansOf = (
  { loss: watched, derived = () => ({}) }: Learning,
  data: Dataset,
  { sums, weights }: Sums,
): E.Either<KfacError, Evaluation> => {
  const weightless = Object.keys(weights).find((name) => !(weights[name] > 0));
  if (weightless !== undefined) {
    return E.left({
      _tag: 'BadData',
      source: data.name,
      expected: `examples with weights above 0 in their sum, for ${weightless}`,
      actual: String(weights[weightless]),
      advice: 'Weights and masks say which examples and positions count.',
    });
  }
  const means = pipe(
    sums,
    R.mapWithIndex((name, sum) => sum / weights[name]),
  );
  const { [watched.name]: loss, ...measures } = means;
  return loss === undefined
    ? E.left({
        _tag: 'BadConfig',
        path: 'loss.name',
        expected: `one of what is judged, ${Object.keys(means).join(', ')}`,
        actual: watched.name,
      })
    : E.right({ loss, measures: { ...measures, ...derived(means) } });
};

/**
 * Means over a data set, for parameters that are on the backend already.
 *
 * @param backend - where to compute
 * @param task - what is judged
 * @param standing - parameters and running state
 * @param data - examples
 * @param chunk - how many of them at a time
 * @param size - how many of them, from the first on
 */
export const evaluatePlaced = <T extends Shaped>(
  backend: Backend<T>,
  task: Learning,
  standing: Standing<T>,
  data: Dataset,
  chunk: number,
  size: number = data.size,
): TE.TaskEither<KfacError, Evaluation> => {
  const demands = demandsOf(task);
  const next = ({ start, sums, weights }: Progress): TE.TaskEither<KfacError, E.Either<Progress, Evaluation>> => {
    const length = Math.min(chunk, data.chunk ?? Infinity, size - start);
    return length <= 0
      ? TE.fromEither(pipe(meansOf(task, data, { sums, weights }), E.map(E.right)))
      : pipe(
          TE.fromIOEither(() => examplesAt(data, range(start, length), backend.dtype, demands)),
          TE.chain((batch) => sumsOf(backend, task, standing, batch)),
          TE.map((part) =>
            E.left({
              start: start + length,
              sums: added(sums, part.sums),
              weights: added(weights, part.weights),
            }),
          ),
        );
  };
  return iterate({ start: 0, sums: {}, weights: {} }, next);
};

/**
 * An evaluation whose loss is finite.
 *
 * @param where - when it was made
 * @param data - on which examples
 * @param advice - what to do where it is not
 */
export const finiteLoss =
  (where: string, data: Dataset, advice = 'Lower the learning rate or raise the damping.') =>
  (evaluation: Evaluation): E.Either<KfacError, Evaluation> =>
    Number.isFinite(evaluation.loss)
      ? E.right(evaluation)
      : E.left({
          _tag: 'NonFinite',
          where,
          what: `the loss on ${data.name}`,
          advice,
        });

/** Fewer examples at a time than this make evaluation slow. */
export const smallestChunk = 500;

/** Settings of {@link evaluate}. */
export interface EvaluateOptions {
  /** How many examples at a time, 500 unless given. */
  readonly chunk?: number;
  /** State of layers that is not trained, as training returns it. */
  readonly running?: Params<Tensor>;
}

/**
 * Means of all that a task judges over a data set.
 *
 * @param backend - where to compute
 * @param task - what is judged
 * @param params - all parameters of the task, in host memory, as training returns them
 * @param examples - a data set, or arrays by name
 * @param options - how many at a time, running state
 * @example
 * ```ts
 * import * as E from 'fp-ts/lib/Either.js';
 * import { dense, model, referenceBackend, squaredError, tensor } from 'kfac-ts/core';
 * import { datasetOf, evaluate, supervised } from 'kfac-ts/pipelines';
 *
 * // Half of 0² and half of 2², in the mean.
 * const line = supervised({ name: 'line', model: model('line', [1], dense({ in: 1, out: 1 })), loss: squaredError });
 * const params = { weight: tensor([2], [1, 1]), bias: tensor([1], [1]) };
 * const data = datasetOf('line', tensor([0, 1], [2, 1]), tensor([1, 5], [2, 1]));
 * if (E.isRight(data)) {
 *   const judged = await evaluate(referenceBackend(), line, params, data.right)();
 *   E.isRight(judged) ? judged.right.loss : null; // => 1
 * }
 * ```
 */
export const evaluate = <T extends Shaped>(
  backend: Backend<T>,
  task: Learning,
  params: Params<Tensor>,
  examples: Examples,
  { chunk = smallestChunk, running = {} }: EvaluateOptions = {},
): TE.TaskEither<KfacError, Evaluation> =>
  Number.isSafeInteger(chunk) && chunk >= 1
    ? inScope(backend, (scoped) =>
        pipe(
          attempt(() => task.initial(keyOf(0), backend.dtype)),
          E.chain((initial) => checkPaths(task.name, { ...initial.held, ...initial.params }, params)),
          E.chain(() => finiteParams(backend.dtype, params, 'Evaluate parameters that training has returned.')),
          E.chain(() => examplesOf(examples)),
          E.chain(checkSize),
          E.bindTo('data'),
          E.bind('standing', () =>
            attempt(() => ({
              params: placed(scoped.ops, 'parameter', params),
              held: {},
              running: placed(scoped.ops, 'running state', running),
            })),
          ),
          TE.fromEither,
          TE.chain(({ data, standing }) =>
            pipe(
              evaluatePlaced(scoped, task, standing, data, chunk),
              TE.chainEitherK(
                finiteLoss('evaluation', data, 'Look at the largest of the parameters and of the examples.'),
              ),
            ),
          ),
        ),
      )
    : TE.left({ _tag: 'BadConfig', path: 'chunk', expected: 'a whole number of at least 1', actual: String(chunk) });
