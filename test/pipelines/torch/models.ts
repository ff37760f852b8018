/**
 * Our counterparts of the fixture's modules, and arrays turned to where channels are last.
 *
 * @module
 */
import { activation } from '../../../src/core/nn/layers/activation.ts';
import { multiHeadAttention } from '../../../src/core/nn/layers/attention/multiHeadAttention.ts';
import { batchNorm } from '../../../src/core/nn/layers/batchNorm.ts';
import { conv1d, conv2d } from '../../../src/core/nn/layers/convolution.ts';
import { dense } from '../../../src/core/nn/layers/dense.ts';
import { embedding } from '../../../src/core/nn/layers/embedding.ts';
import { groupNorm } from '../../../src/core/nn/layers/groupNorm.ts';
import { layerNorm } from '../../../src/core/nn/layers/layerNorm.ts';
import { gru, lstm, rnn } from '../../../src/core/nn/layers/recurrence/recurrent.ts';
import { flatten } from '../../../src/core/nn/layers/reshape.ts';
import { sequential } from '../../../src/core/nn/layers/sequential.ts';
import { convTranspose2d } from '../../../src/core/nn/layers/transposedConvolution.ts';
import type { Model } from '../../../src/core/nn/model.ts';
import { model } from '../../../src/core/nn/model.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { permuted } from '../../../src/pipelines/torch/permute.ts';
import fixture from '../../fixtures/torch/models.json' with { type: 'json' };

/** An array of the fixture. */
export interface StoredArray {
  readonly shape: ReadonlyArray<number>;
  readonly data: ReadonlyArray<number>;
}

/** A module of the fixture. */
export interface Stored {
  readonly state: Readonly<Record<string, StoredArray>>;
  readonly input: StoredArray;
  readonly output: StoredArray;
}

/** The fixture by name. */
export const stored: Readonly<Record<string, Stored>> = fixture;

/** Our counterparts by name. */
export const ours: Readonly<Record<string, Model>> = {
  images: model(
    'images',
    [5, 5, 4],
    sequential([
      conv2d({ in: 4, out: 6, kernel: [3, 2], padding: 1, groups: 2 }),
      batchNorm({ features: 6 }),
      activation('relu'),
      flatten(),
      dense({ in: 6 * 5 * 6, out: 3 }),
    ]),
  ),
  transposed: model(
    'transposed',
    [3, 4, 4],
    sequential([
      convTranspose2d({ in: 4, out: 6, kernel: [3, 2], stride: 2, groups: 2 }),
      groupNorm({ features: 6, groups: 2 }),
    ]),
  ),
  'sequence of vectors': model(
    'vectors',
    [7, 4],
    sequential([conv1d({ in: 4, out: 6, kernel: 3 }), activation('relu')]),
  ),
  perceptron: model(
    'perceptron',
    [5],
    sequential([
      dense({ in: 5, out: 4 }),
      activation('tanh'),
      layerNorm({ features: 4 }),
      dense({ in: 4, out: 2, bias: false }),
    ]),
  ),
  lstm: model('lstm', [5, 3], lstm({ in: 3, features: 4, layers: 2, bidirectional: true })),
  gru: model('gru', [5, 3], gru({ in: 3, features: 4, layers: 2 })),
  rnn: model('rnn', [5, 3], rnn({ in: 3, features: 4 })),
  attention: model('attention', [3, 4], sequential({ attention: multiHeadAttention({ features: 4, heads: 2 }) })),
  words: model(
    'words',
    [4],
    sequential([embedding({ vocabulary: 7, out: 4 }), layerNorm({ features: 4 }), dense({ in: 4, out: 2 })]),
  ),
};

/** A stored array as a tensor. */
export const tensorOf = ({ data, shape }: StoredArray): Tensor => tensor([...data], [...shape], 'f64');

const hasChannels = (name: string): boolean => ['images', 'transposed', 'sequence of vectors'].includes(name);

/** Channels last where they are first. */
export const channelsLast = (name: string, x: Tensor): Tensor => {
  const axes = x.shape.map((_, i) => i);
  return hasChannels(name) && axes.length > 2 ? permuted(x, x.shape, [0, ...axes.slice(2), 1]) : x;
};

/** Channels first where they are last. */
export const channelsFirst = (name: string, x: Tensor): Tensor => {
  const axes = x.shape.map((_, i) => i);
  return hasChannels(name) && axes.length > 2 ? permuted(x, x.shape, [0, axes.length - 1, ...axes.slice(1, -1)]) : x;
};
