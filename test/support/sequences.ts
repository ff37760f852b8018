/**
 * Small models that have every kind of site, and the truth about their curvature.
 *
 * @module
 */
import { programOf } from './programOf.ts';
import { vjp } from '../../src/core/autodiff/reverse.ts';
import { convTranspose2d } from '../../src/core/nn/layers/transposedConvolution.ts';
import { activation } from '../../src/core/nn/layers/activation.ts';
import { conv2d } from '../../src/core/nn/layers/convolution.ts';
import { dense } from '../../src/core/nn/layers/dense.ts';
import { embedding } from '../../src/core/nn/layers/embedding.ts';
import { layerNorm } from '../../src/core/nn/layers/layerNorm.ts';
import { squareRootColumns } from '../../src/core/nn/losses/columns.ts';
import type { Loss } from '../../src/core/nn/losses/loss.ts';
import { globalAveragePool } from '../../src/core/nn/layers/pooling.ts';
import { meanPool } from '../../src/core/nn/layers/meanPool.ts';
import type { Model } from '../../src/core/nn/model.ts';
import { model } from '../../src/core/nn/model.ts';
import { sequential } from '../../src/core/nn/layers/sequential.ts';
import type { Ops } from '../../src/core/ops/ops.ts';
import type { Params } from '../../src/core/params.ts';
import type { Objective } from '../../src/core/pipeline/objective.ts';
import { backward, forward } from '../../src/core/pipeline/forward.ts';
import { pipeline } from '../../src/core/pipeline/stage.ts';
import { keyOf } from '../../src/core/random/key.ts';
import { uniform } from '../../src/core/random/uniform.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { generate } from '../../src/core/tensor.ts';
import type { Block } from '../../src/core/pipeline/blocks.ts';
import { toBlocks } from '../../src/curvature/blocks.ts';
import type { CaptureOptions } from '../../src/curvature/capture.ts';
import { capture } from '../../src/curvature/capture.ts';
import type { Curvature } from '../../src/curvature/curvature.ts';
import { updateFactors } from '../../src/curvature/curvature.ts';
import type { Estimator } from '../../src/curvature/estimators.ts';
import { exact } from '../../src/curvature/estimators.ts';
import { withObjective } from '../../src/core/pipeline/withObjective.ts';

/** Words in the vocabulary of {@link classifier}. */
export const vocabulary = 5;

/** Embedding → layer norm → dense on the sequence → tanh → mean over positions → dense: every kind of site. */
export const classifier = (length: number): Model =>
  model(
    'classifier',
    [length],
    sequential({
      words: embedding({ vocabulary, out: 3 }),
      norm: layerNorm({ features: 3 }),
      body: dense({ in: 3, out: 4 }),
      tanh: activation('tanh'),
      pool: meanPool(),
      head: dense({ in: 4, out: 3 }),
    }),
  );

/** Convolutions, plain, in groups and transposed, with tanh between them → mean over the image → dense, on images of 4 x 3 x 2. */
export const imageClassifier = (): Model =>
  model(
    'pictures',
    [4, 3, 2],
    sequential({
      filters: conv2d({ in: 2, out: 4, kernel: 2, padding: [1, 0, 0, 0] }),
      tanh: activation('tanh'),
      groups: conv2d({ in: 4, out: 4, kernel: 2, dilation: [2, 1], stride: [2, 1], groups: 2 }),
      squash: activation('tanh'),
      back: convTranspose2d({ in: 4, out: 4, kernel: [3, 2], stride: 2, padding: [1, 0, 0, 0] }),
      curve: activation('tanh'),
      pool: globalAveragePool(),
      head: dense({ in: 4, out: 3 }),
    }),
  );

/** Random indices in [0, below). */
export const indices = (seed: number, shape: ReadonlyArray<number>, below = vocabulary): Tensor => {
  const draws = uniform(keyOf(seed), shape, 'f64').data;
  return generate(shape, (i) => Math.floor(below * draws[i]), 'i32');
};

/** The step up to the operator, with the exact Fisher unless another estimator is given. */
export const curved = (
  objective: Objective,
  curvature: Curvature,
  estimator: Estimator = exact(),
  options: CaptureOptions = {},
) => pipeline(withObjective(objective), forward, backward, capture(estimator, options), updateFactors(curvature));

/** x's rows from `begin` on, `count` of them. */
export const examplesOf = (ops: Ops<Tensor>, x: Tensor, begin: number, count: number): Tensor =>
  ops.slice(
    x,
    x.shape.map((_, axis) => (axis === 0 ? begin : 0)),
    [count, ...x.shape.slice(1)],
  );

/**
 * The Fisher block E[Σ_c vec(V_nc) vec(V_nc)ᵀ] from the gradient of every example alone, one after another: it knows
 * nothing of sites.
 */
export const fisherOf = (
  ops: Ops<Tensor>,
  { model: network, loss }: { readonly model: Model; readonly loss: Loss },
  params: Params<Tensor>,
  inputs: Tensor,
  block: Block,
): Tensor => {
  const n = inputs.shape[0];
  const rows = Array.from({ length: n }, (_, i) => {
    const { outputs, pullback } = vjp(ops, programOf(network), params, [examplesOf(ops, inputs, i, 1)]);
    return squareRootColumns(ops, loss, outputs).map((column) => {
      const v = toBlocks(ops, [block], pullback(column).params)[block.name];
      const stacked = v.shape.length === 2 ? ops.transposed(v) : v;
      return ops.reshape(stacked, [1, stacked.data.length]);
    });
  }).flat();
  return ops.scale(1 / n, ops.gram(ops.concat(rows, 0)));
};
