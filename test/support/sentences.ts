/**
 * Small transformers and recurrent networks on sentences of different lengths, with as much room as is asked for.
 *
 * @module
 */
import { learnedPositions } from '../../src/core/nn/layers/attention/positions.ts';
import type { TransformerBlockOptions } from '../../src/core/nn/layers/attention/transformerBlock.ts';
import { transformerBlock } from '../../src/core/nn/layers/attention/transformerBlock.ts';
import { dense } from '../../src/core/nn/layers/dense.ts';
import { embedding } from '../../src/core/nn/layers/embedding.ts';
import { layerNorm } from '../../src/core/nn/layers/layerNorm.ts';
import { meanPool } from '../../src/core/nn/layers/meanPool.ts';
import { gru, lstm } from '../../src/core/nn/layers/recurrence/recurrent.ts';
import { sequential } from '../../src/core/nn/layers/sequential.ts';
import { softmaxCrossEntropy } from '../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { model } from '../../src/core/nn/model.ts';
import type { Batch } from '../../src/core/pipeline/context.ts';
import type { Objective } from '../../src/core/pipeline/objective.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { generate, tensor } from '../../src/core/tensor.ts';
import { indices } from './sequences.ts';

/** Words in the vocabulary. */
export const words = 5;

const features = 4;
const mostPositions = 8;

const block = (more: Partial<TransformerBlockOptions>) => transformerBlock({ features, heads: 2, hidden: 6, ...more });

/** Logits of the next word at every position. */
export const gpt = (room: number, blocks = 1): Objective => ({
  model: model(
    'gpt',
    [room],
    sequential({
      words: embedding({ vocabulary: words, out: features }),
      positions: learnedPositions({ length: mostPositions, features }),
      ...Object.fromEntries(Array.from({ length: blocks }, (_, i) => [`block${i}`, block({ causal: true })])),
      norm: layerNorm({ features }),
      head: dense({ in: features, out: words }),
    }),
  ),
  loss: softmaxCrossEntropy,
});

/** Logits of a sentence's class, one of three; positions outside the mask are not looked at. */
export const reader = (room: number): Objective => ({
  model: model(
    'reader',
    { words: [room], mask: [room] },
    sequential({
      words: embedding({ vocabulary: words, out: features }),
      block: block({ mask: 'mask', rotary: true }),
      pool: meanPool(1, { mask: 'mask' }),
      head: dense({ in: features, out: 3 }),
    }),
  ),
  loss: softmaxCrossEntropy,
});

/** Logits of a sentence's class from where both directions of two layers ended. */
export const listener = (room: number): Objective => ({
  model: model(
    'listener',
    { words: [room], lengths: [] },
    sequential({
      words: embedding({ vocabulary: words, out: features }),
      hearing: lstm({
        ...{ in: features, features: 3, layers: 2, bidirectional: true, lengths: 'lengths', returns: 'last' },
      }),
      head: dense({ in: 6, out: 3 }),
    }),
  ),
  loss: softmaxCrossEntropy,
});

/** Logits of each word's class, one of five. */
export const tagger = (room: number): Objective => ({
  model: model(
    'tagger',
    { words: [room], lengths: [] },
    sequential({
      words: embedding({ vocabulary: words, out: features }),
      hearing: gru({ in: features, features: 3, bidirectional: true, lengths: 'lengths' }),
      head: dense({ in: 6, out: words }),
    }),
  ),
  loss: softmaxCrossEntropy,
});

/** Lengths of the sentences. */
export const lengths: ReadonlyArray<number> = [3, 1, 2, 3, 2, 3];

const n = lengths.length;

/** Something in the room of a sentence, and something else where it is over. */
const filled = (room: number, seed: number): Tensor => {
  const said = indices(seed, [n, 3], words);
  const noise = indices(seed + room, [n, room], words);
  const at = (i: number): number => {
    const [row, position] = [Math.floor(i / room), i % room];
    return position < lengths[row] ? said.data[3 * row + position] : noise.data[i];
  };
  return generate([n, room], at, 'i32');
};

/** 1 where a sentence is, 0 where it is over. */
const maskOf = (room: number): Tensor => generate([n, room], (i) => (i % room < lengths[Math.floor(i / room)] ? 1 : 0));

/** Sentences for {@link gpt}, whose padding weighs nothing. */
export const gptBatch = (room: number): Batch<Tensor> => ({
  inputs: filled(room, 1),
  targets: filled(room, 2),
  weights: maskOf(room),
});

/** Sentences for {@link reader}. */
export const readerBatch = (room: number): Batch<Tensor> => ({
  words: filled(room, 1),
  mask: maskOf(room),
  targets: indices(3, [n], 3),
});

const counts = tensor(lengths, [n], 'i32');

/** Sentences for {@link listener}. */
export const listenerBatch = (room: number): Batch<Tensor> => ({
  words: filled(room, 1),
  lengths: counts,
  targets: indices(3, [n], 3),
});

/** Sentences for {@link tagger}, whose padding weighs nothing. */
export const taggerBatch = (room: number): Batch<Tensor> => ({
  words: filled(room, 1),
  lengths: counts,
  targets: filled(room, 2),
  weights: maskOf(room),
});
