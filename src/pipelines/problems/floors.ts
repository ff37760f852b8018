/**
 * Losses that nothing gets below, where they can be had in closed form or by Newton's method.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import { referenceBackend } from '../../core/backends/reference/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import { iterate } from '../../core/iterate.ts';
import { sigmoidCrossEntropy } from '../../core/nn/losses/sigmoidCrossEntropy.ts';
import { squaredError } from '../../core/nn/losses/squaredError.ts';
import type { Batch } from '../../core/pipeline/context.ts';
import type { Tensor } from '../../core/tensor.ts';
import { generate } from '../../core/tensor.ts';

/** A floor of the loss on examples. */
export type Floor = (train: Batch<Tensor>) => TE.TaskEither<KfacError, number>;

const { ops, linearAlgebra } = referenceBackend();

const meanOf = (x: Tensor): number => ops.mean(x, [0]).data[0];

const xlogx = (x: number): number => (x > 0 ? x * Math.log(x) : 0);

/** −y log y − (1 − y) log(1 − y), summed over features, mean over examples: sigmoid cross-entropy at outputs that say y. */
export const binaryEntropy: Floor = ({ targets }) =>
  TE.right(Array.from(targets.data).reduce((sum, y) => sum - xlogx(y) - xlogx(1 - y), 0) / targets.shape[0]);

/** −Σ y log y of probabilities, mean over examples: softmax cross-entropy at outputs that say y. */
export const entropy: Floor = ({ targets }) =>
  TE.right(Array.from(targets.data).reduce((sum, y) => sum - xlogx(y), 0) / targets.shape[0]);

/** The squared error of the best linear map with a bias, by the normal equations. */
export const leastSquares: Floor = ({ inputs, targets }) => {
  const x = ops.withOnes(inputs);
  return pipe(
    linearAlgebra.cholesky(ops.matmul(x, x, { transposeA: true })),
    TE.chain((factor) => linearAlgebra.choleskySolve(factor, ops.matmul(x, targets, { transposeA: true }))),
    TE.map((weights) => meanOf(squaredError.value(ops, ops.matmul(x, weights), targets))),
  );
};

/** Where Newton's method stands: weights `[d + 1, 1]`. */
interface Newton {
  readonly weights: Tensor;
  readonly left: number;
}

/** The least sigmoid cross-entropy of a linear map with a bias to one output, by Newton's method. */
export const logistic: Floor = ({ inputs, targets }) => {
  const x = ops.withOnes(inputs);
  const start: Newton = { weights: generate([x.shape[1], 1], () => 0), left: 15 };
  return pipe(
    iterate(start, ({ weights, left }) => {
      const logits = ops.matmul(x, weights);
      if (left === 0) return TE.right(E.right(meanOf(sigmoidCrossEntropy.value(ops, logits, targets))));
      const p = ops.sigmoid(logits);
      const gradient = ops.matmul(x, ops.sub(p, targets), { transposeA: true });
      const hessian = ops.matmul(x, ops.mul(x, ops.mul(p, ops.sigmoid(ops.neg(logits)))), { transposeA: true });
      return pipe(
        linearAlgebra.solve(hessian, gradient),
        TE.map((step) => E.left<Newton, number>({ weights: ops.sub(weights, step), left: left - 1 })),
      );
    }),
  );
};

/** The squared error of the best reconstruction of rank k: half the eigenvalues of the covariance beyond the k largest. */
export const principalComponents =
  (k: number): Floor =>
  ({ inputs }) => {
    const centred = ops.sub(inputs, ops.mean(inputs, [0]));
    return pipe(
      linearAlgebra.eigh(ops.matmul(centred, centred, { transposeA: true })),
      TE.map(({ values }) => {
        const fromSmallest = Array.from(values.data).sort((a, b) => a - b);
        const left = fromSmallest.slice(0, fromSmallest.length - k).reduce((sum, value) => sum + value, 0);
        return left / (2 * inputs.shape[0]);
      }),
    );
  };
