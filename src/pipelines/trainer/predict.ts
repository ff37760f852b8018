/**
 * What a model makes of examples.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import { attempt } from '../../core/errors.ts';
import { evaluating } from '../../core/nn/layers/circumstances.ts';
import { checkIndices, lookupsOf } from '../../core/nn/lookups.ts';
import type { Model } from '../../core/nn/model.ts';
import { checkParams } from '../../core/nn/model.ts';
import type { Ops } from '../../core/ops/ops.ts';
import type { Params } from '../../core/params.ts';
import type { Batch } from '../../core/pipeline/context.ts';
import type { Shaped, Tensor } from '../../core/tensor.ts';
import { inScope, placed } from './scope.ts';

/** From a model's outputs to what a person looks at. */
export type Decode = <T extends Shaped>(ops: Ops<T>, outputs: T) => T;

/** One array of a batch, or a batch: an array has a list of extents, a batch may have an array called `shape`. */
const isTensor = (given: Tensor | Batch<Tensor>): given is Tensor => Array.isArray(given.shape);

/** Indices that the model has rows for, where arrays are indices. */
const checkLookups = (model: Model, arrays: Batch<Tensor>): E.Either<KfacError, unknown> =>
  pipe(
    lookupsOf(model).filter(({ array }) => Object.hasOwn(arrays, array)),
    E.traverseArray((lookup) => checkIndices(lookup.array, arrays[lookup.array], lookup)),
  );

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
 * @param inputs - a few examples, `[n, …]`: the array that the model is applied to, or all arrays that it takes, by name
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
  inputs: Tensor | Batch<Tensor>,
  { decode = (_, outputs) => outputs, running = {} }: PredictOptions = {},
): TE.TaskEither<KfacError, Tensor> => {
  const arrays = isTensor(inputs) ? { [Object.keys(model.inputs)[0]]: inputs } : inputs;
  return inScope(backend, (scoped) =>
    pipe(
      checkLookups(model, arrays),
      E.chain(() => checkParams(model, params)),
      E.chain(() =>
        attempt(() => {
          const { ops } = scoped;
          const at = evaluating(placed(ops, 'array', arrays), placed(ops, 'running state', running));
          return decode(ops, model.program(ops, placed(ops, 'parameter', params), at));
        }),
      ),
      TE.fromEither,
      TE.chain(scoped.read),
    ),
  );
};
