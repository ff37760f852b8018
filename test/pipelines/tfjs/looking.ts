/**
 * A look at what a step knows once TensorFlow.js has computed its part.
 *
 * @module
 */
import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';

import { computation } from '../../../src/core/pipeline/compute.ts';
import type { Context } from '../../../src/core/pipeline/context.ts';
import type { FromGradient } from '../../../src/core/pipeline/descent.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { KFACOptimizer } from '../../../src/pipelines/tfjs/optimizer.ts';
import { gradientOptimizer } from '../../../src/solvers/presets/optimizer.ts';
import { settle } from './support.ts';

/** How a network is judged. */
interface Judging {
  /** `meanSquaredError` unless given. */
  readonly loss?: unknown;
  readonly classWeight?: Readonly<Record<number, number>>;
}

/** What a step on some examples, of a network with settled weights, knows once it has the gradient. */
export const lookedAt = async <A>(
  net: LayersModel,
  inputs: TfTensor | Array<TfTensor>,
  targets: TfTensor,
  look: (context: Context<Tensor, FromGradient>) => A,
  { loss = 'meanSquaredError', classWeight }: Judging = {},
): Promise<A> => {
  settle(net);
  const seen: Array<A> = [];
  const looking = computation<FromGradient, 'next' | 'metrics'>('look', ((
    _ops: unknown,
    context: Context<Tensor, FromGradient>,
  ) => {
    seen.push(look(context));
    return { next: context.state, metrics: {} };
  }) as never);
  const optimizer = new KFACOptimizer(net, {
    optimizer: gradientOptimizer({ name: 'look', hyperparameters: {}, descent: looking }),
    backend: 'reference',
  });
  net.compile({ optimizer, loss: loss as string });
  const whole = targets.shape[0];
  await net.fit(inputs, targets, { batchSize: whole, shuffle: false, ...(classWeight && { classWeight }) });
  optimizer.dispose();
  return seen[0];
};
