/**
 * What a model makes of examples.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type * as IOE from 'fp-ts/lib/IOEither.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import { attempt, raise } from '../../core/errors.ts';
import { evaluating } from '../../core/nn/layers/circumstances.ts';
import { demandsOfModel } from '../../core/nn/demands.ts';
import type { Model } from '../../core/nn/model.ts';
import { checkParams } from '../../core/nn/model.ts';
import type { Ops } from '../../core/ops/ops.ts';
import type { Params } from '../../core/params.ts';
import type { Batch } from '../../core/pipeline/context.ts';
import type { FloatType } from '../../core/random/uniform.ts';
import { stackRows } from '../../core/rows.ts';
import type { Shaped, Tensor } from '../../core/tensor.ts';
import { rangesOf } from '../data/batches.ts';
import type { Examples } from '../data/dataset.ts';
import { checkSize, isDataset } from '../data/dataset.ts';
import { examplesAt, examplesIn } from '../data/examples.ts';
import { answered } from './events.ts';
import { finiteParams, inScope, placed } from './scope.ts';

/** From a model's outputs to what a person looks at. */
export type Decode = <T extends Shaped>(ops: Ops<T>, outputs: T) => T;

/** One array of a batch, or all of them: an array has a list of extents, a batch may have an array called `shape`. */
const isTensor = (given: Tensor | Examples): given is Tensor => 'shape' in given && Array.isArray(given.shape);

/**
 * A data set in chunks; arrays all at once. All are examples that the model can take: finite numbers, indices that its
 * tables have, lengths of sequences.
 */
const batchesIn = (
  described: Model,
  given: Tensor | Examples,
  dtype: FloatType,
): E.Either<KfacError, ReadonlyArray<IOE.IOEither<KfacError, Batch<Tensor>>>> => {
  const demands = demandsOfModel(described);
  if (isTensor(given) || !isDataset(given)) {
    const arrays = isTensor(given) ? { [Object.keys(described.inputs)[0]]: given } : given;
    return E.right([() => examplesIn(`model ${described.name}`, arrays, dtype, demands)]);
  }
  return pipe(
    checkSize(given),
    E.map((data) => rangesOf(data.size).map((indices) => () => examplesAt(data, indices, dtype, demands))),
  );
};

/** Settings of {@link predict}. */
export interface PredictOptions {
  /** Applied to the outputs, on the backend. */
  readonly decode?: Decode;
  /** State of layers that is not trained, as training returns it. */
  readonly running?: Params<Tensor>;
}

/**
 * A model's outputs in evaluation, in host memory.
 *
 * @param backend - where to compute
 * @param model - model
 * @param params - the model's parameters, in host memory
 * @param inputs - a few examples, `[n, …]`: the array that the model is applied to, or all arrays that it takes, by name; or a
 *   data set, which goes through in chunks
 * @param options - what is done with the outputs, running state
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
  inputs: Tensor | Examples,
  { decode = (_, outputs) => outputs, running = {} }: PredictOptions = {},
): TE.TaskEither<KfacError, Tensor> =>
  inScope(backend, (around) =>
    pipe(
      checkParams(model, params),
      E.chain(() => finiteParams(backend.dtype, params, 'Predict with parameters that training has returned.')),
      E.chain(() =>
        attempt(() => ({
          weights: placed(around.ops, 'parameter', params),
          kept: placed(around.ops, 'running state', running),
        })),
      ),
      E.bind('batches', () => batchesIn(model, inputs, backend.dtype)),
      TE.fromEither,
      TE.chain(({ weights, kept, batches }) =>
        pipe(
          batches,
          TE.traverseSeqArray((drawn) =>
            inScope(around, (scoped) =>
              pipe(
                TE.fromIOEither(drawn),
                TE.chainEitherK((arrays) =>
                  attempt(() => {
                    const at = evaluating(placed(scoped.ops, 'array', arrays), kept);
                    const outputs = model.program(scoped.ops, weights, at);
                    return pipe(
                      answered('decode', () => decode(scoped.ops, outputs)),
                      E.getOrElseW(raise),
                    );
                  }),
                ),
                TE.chain(scoped.read),
              ),
            ),
          ),
        ),
      ),
      TE.chainEitherK((parts) => (parts.length === 1 ? E.right(parts[0]) : attempt(() => stackRows(parts)))),
    ),
  );
