/**
 * The batches that training draws, one after another: for loops of one's own.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { KfacError } from '../../core/errors.ts';
import type { Batch } from '../../core/pipeline/context.ts';
import { unfold } from '../../core/scan.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { Epoch } from '../data/batches.ts';
import { batchIndices } from '../data/batches.ts';
import type { Dataset } from '../data/dataset.ts';
import { examplesAt } from '../data/examples.ts';
import { keysOf } from './keys.ts';
import type { TrainOptions } from './options.ts';
import { checkOptions } from './options.ts';

/** Which batches: those of a run of that seed and size of batch. */
export interface BatchesOptions extends Pick<TrainOptions, 'batch' | 'seed'> {
  /** Steps that have been taken already, 0 unless given. */
  readonly from?: number;
}

/**
 * Batches without end, each epoch in an order of its own: those that `train` draws for the same seed.
 *
 * @param data - examples
 * @param options - how many at a time, seed, where to begin
 * @returns a batch at a time, or why there is none
 * @example
 * ```ts
 * import * as E from 'fp-ts/lib/Either.js';
 * import { generate } from 'kfac-ts/core';
 * import { batchesOf, datasetOf } from 'kfac-ts/pipelines';
 *
 * const x = generate([4, 1], (i) => i);
 * const data = datasetOf('numbers', x, x);
 * const seen = [];
 * if (E.isRight(data)) {
 *   const [first, second] = batchesOf(data.right, { batch: 2, seed: 1 });
 *   if (E.isRight(first) && E.isRight(second)) seen.push(...first.right.inputs.data, ...second.right.inputs.data);
 * }
 * seen.sort(); // => [0, 1, 2, 3]
 * ```
 */
export const batchesOf = (
  data: Dataset,
  { batch, seed, from = 0 }: BatchesOptions,
): Generator<E.Either<KfacError, Batch<Tensor>>, never, void> => {
  const valid = checkOptions({ duration: { steps: from }, batch, seed }, data.size);
  const plan = { key: keysOf(seed).data, size: data.size, batch, lengths: data.lengths };
  return unfold<{ readonly step: number; readonly epoch?: Epoch }, E.Either<KfacError, Batch<Tensor>>>(
    { step: from },
    ({ step, epoch: known }) => {
      if (E.isLeft(valid)) return [valid, { step }];
      const { indices, epoch } = batchIndices(plan, step, known);
      return [examplesAt(data, indices, 'f64'), { step: step + 1, epoch }];
    },
  );
};
