/**
 * Judging parameters on a whole data set, and looking at what they make of a few examples.
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
import { evaluating } from '../../core/nn/layers/circumstances.ts';
import type { Model } from '../../core/nn/model.ts';
import { checkIndices, lookupsOf } from '../../core/nn/lookups.ts';
import { checkParams } from '../../core/nn/model.ts';
import type { Ops } from '../../core/ops/ops.ts';
import type { Params } from '../../core/params.ts';
import { mapParams } from '../../core/params.ts';
import type { Batch } from '../../core/pipeline/context.ts';
import type { Objective } from '../../core/pipeline/objective.ts';
import { judgingOf } from '../../core/pipeline/objective.ts';
import { iterate } from '../../core/iterate.ts';
import type { Metrics } from '../../core/pipeline/metrics.ts';
import { readMetrics } from '../../core/pipeline/metrics.ts';
import type { Shaped, Tensor } from '../../core/tensor.ts';
import { checkTensor } from '../../core/tensor.ts';
import { range } from '../data/batches.ts';
import type { Dataset } from '../data/dataset.ts';
import { examplesAt } from '../data/examples.ts';
import { inScope, upload } from './scope.ts';

/** A number that says how good outputs are, summed over examples: shape `[]`. */
export type Measure = <T extends Shaped>(ops: Ops<T>, outputs: T, targets: T) => T;

/** What is judged, and how. */
export interface Judged {
  readonly objective: Objective;
  /** Measures besides the loss, by name. */
  readonly measures: Readonly<Record<string, Measure>>;
}

/** Means over a data set: the loss and each measure. */
export interface Evaluation {
  readonly loss: number;
  readonly measures: Metrics;
}

/** Running sums over the examples before `start`. */
interface Sums extends Evaluation {
  readonly start: number;
}

/** Sums of the loss and of each measure over one batch. */
const sumsOf = <T extends Shaped>(
  backend: Backend<T>,
  { objective, measures }: Judged,
  params: Params<T>,
  batch: Batch<Tensor>,
): TE.TaskEither<KfacError, Evaluation> =>
  inScope(backend, (scoped) =>
    pipe(
      attempt(() => {
        const { ops } = scoped;
        const arrays = upload(ops, batch);
        const outputs = objective.model.program(ops, params, evaluating(arrays));
        const { targets } = judgingOf(ops, objective, arrays);
        return {
          loss: ops.sum(objective.loss.value(ops, outputs, targets), [0]),
          measures: R.map((measure: Measure) => measure(ops, outputs, targets))(measures),
        };
      }),
      TE.fromEither,
      TE.chain(({ loss, measures: sums }) =>
        pipe(
          TE.Do,
          TE.apS('loss', readMetrics(scoped, { loss })),
          TE.apS('measures', readMetrics(scoped, sums)),
          TE.map((read) => ({ loss: read.loss['loss'], measures: read.measures })),
        ),
      ),
    ),
  );

/**
 * Means of the loss and of each measure over a data set, for parameters that are on the backend already.
 *
 * @param backend - where to compute
 * @param judged - model, loss and measures
 * @param params - parameters
 * @param data - examples
 * @param chunk - how many of them at a time
 */
export const evaluatePlaced = <T extends Shaped>(
  backend: Backend<T>,
  judged: Judged,
  params: Params<T>,
  data: Dataset,
  chunk: number,
): TE.TaskEither<KfacError, Evaluation> => {
  const lookups = lookupsOf(judged.objective.model);
  const next = (sums: Sums): TE.TaskEither<KfacError, E.Either<Sums, Evaluation>> => {
    const { start } = sums;
    const length = Math.min(chunk, data.size - start);
    return length <= 0
      ? TE.right(E.right({ loss: sums.loss / data.size, measures: R.map((x: number) => x / data.size)(sums.measures) }))
      : pipe(
          TE.fromIOEither(() => examplesAt(data, range(start, length), backend.dtype, lookups)),
          TE.chain((batch) => sumsOf(backend, judged, params, batch)),
          TE.map((part) =>
            E.left({
              start: start + length,
              loss: sums.loss + part.loss,
              measures: R.mapWithIndex((name, x: number) => sums.measures[name] + x)(part.measures),
            }),
          ),
        );
  };
  return iterate({ start: 0, loss: 0, measures: R.map(() => 0)(judged.measures) }, next);
};

/** The model's parameters on a backend; what does not fit the model or is no tensor is refused. */
const place = <T extends Shaped>(
  { ops }: Backend<T>,
  model: Model,
  params: Params<Tensor>,
): E.Either<KfacError, Params<T>> =>
  pipe(
    checkParams(model, params),
    E.chain((fitting) =>
      attempt(() => mapParams(fitting, (p, path) => ops.constant(checkTensor(`parameter ${path}`, p)))),
    ),
  );

/** Indices that the model has rows for, if its inputs are indices. */
const checkInputs = (model: Model, inputs: Tensor): E.Either<KfacError, Tensor> => {
  const table = lookupsOf(model).find(({ array }) => array === 'inputs');
  return table === undefined ? E.right(inputs) : checkIndices('inputs', inputs, table);
};

/** Fewer examples at a time than this make evaluation slow. */
export const smallestChunk = 500;

/**
 * Means of the loss and of each measure over a data set.
 *
 * @param backend - where to compute
 * @param judged - model, loss and measures
 * @param params - the model's parameters, in host memory, as training returns them and {@link predict} takes them
 * @param data - examples
 * @param chunk - how many of them at a time, 500 unless given
 * @example
 * ```ts
 * import * as E from 'fp-ts/lib/Either.js';
 * import { dense, model, referenceBackend, squaredError, tensor } from 'kfac-ts/core';
 * import { datasetOf, evaluate } from 'kfac-ts/pipelines';
 *
 * // Half of 0² and half of 2², in the mean.
 * const objective = { model: model('line', [1], dense({ in: 1, out: 1 })), loss: squaredError };
 * const params = { weight: tensor([2], [1, 1]), bias: tensor([1], [1]) };
 * const data = datasetOf('line', tensor([0, 1], [2, 1]), tensor([1, 5], [2, 1]));
 * if (E.isRight(data)) {
 *   const judged = await evaluate(referenceBackend(), { objective, measures: {} }, params, data.right)();
 *   E.isRight(judged) ? judged.right.loss : null; // => 1
 * }
 * ```
 */
export const evaluate = <T extends Shaped>(
  backend: Backend<T>,
  judged: Judged,
  params: Params<Tensor>,
  data: Dataset,
  chunk: number = smallestChunk,
): TE.TaskEither<KfacError, Evaluation> =>
  Number.isSafeInteger(chunk) && chunk >= 1
    ? inScope(backend, (scoped) =>
        pipe(
          TE.fromEither(place(scoped, judged.objective.model, params)),
          TE.chain((placed) => evaluatePlaced(scoped, judged, placed, data, chunk)),
        ),
      )
    : TE.left({ _tag: 'BadConfig', path: 'chunk', expected: 'a whole number of at least 1', actual: String(chunk) });

/** From a model's outputs to what a person looks at. */
export type Decode = <T extends Shaped>(ops: Ops<T>, outputs: T) => T;

/**
 * A model's decoded outputs, in host memory.
 *
 * @param backend - where to compute
 * @param model - model
 * @param params - the model's parameters, in host memory
 * @param inputs - a few examples, `[n, …]`
 * @param decode - applied to the outputs
 * @example
 * ```ts
 * import { dense, model, referenceBackend, tensor } from 'kfac-ts/core';
 * import { predict } from 'kfac-ts/pipelines';
 *
 * const line = model('line', [1], dense({ in: 1, out: 1 }));
 * const params = { weight: tensor([2], [1, 1]), bias: tensor([1], [1]) };
 * const outputs = await predict(referenceBackend(), line, params, tensor([3, 4], [2, 1]))();
 * outputs._tag === 'Right' ? Array.from(outputs.right.data) : []; // => [7, 9]
 * ```
 */
export const predict = <T extends Shaped>(
  backend: Backend<T>,
  model: Model,
  params: Params<Tensor>,
  inputs: Tensor,
  decode: Decode = (_, outputs) => outputs,
): TE.TaskEither<KfacError, Tensor> =>
  inScope(backend, (scoped) =>
    pipe(
      checkInputs(model, inputs),
      E.chain(() => place(scoped, model, params)),
      E.chain((placed) =>
        attempt(() => {
          const { ops } = scoped;
          return decode(ops, model.program(ops, placed, evaluating({ inputs: ops.constant(inputs) })));
        }),
      ),
      TE.fromEither,
      TE.chain(scoped.read),
    ),
  );
