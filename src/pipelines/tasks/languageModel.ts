/**
 * A language model of characters: a GPT [V17] on a novel, or on any text in UTF-8.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import { gaussian } from '../../core/nn/initialisers/gaussian.ts';
import { learnedPositions } from '../../core/nn/layers/attention/positions.ts';
import { transformerBlock } from '../../core/nn/layers/attention/transformerBlock.ts';
import { dense } from '../../core/nn/layers/dense.ts';
import { embedding } from '../../core/nn/layers/embedding.ts';
import { layerNorm } from '../../core/nn/layers/layerNorm.ts';
import { sequential } from '../../core/nn/layers/sequential.ts';
import { softmaxCrossEntropy } from '../../core/nn/losses/softmaxCrossEntropy.ts';
import type { Model } from '../../core/nn/model.ts';
import { model } from '../../core/nn/model.ts';
import { readText, textSplits } from '../data/text.ts';
import type { Measure } from './measures.ts';
import { accuracy, perTerm } from './measures.ts';
import { supervised } from './supervised.ts';
import type { Task, TaskFamily, TaskSize } from './task.ts';
import { textPreview } from './textPreview.ts';

/** Extents of a GPT. */
export interface GptOptions {
  /** Number of characters, or of whatever else it reads. */
  readonly vocabulary: number;
  /** Most positions. */
  readonly context: number;
  /** Features of each. */
  readonly features: number;
  readonly heads: number;
  readonly blocks: number;
}

/**
 * Logits of what comes next, at every position: vectors of characters and positions, causal blocks, a norm, a dense layer.
 *
 * @param name - name of the model
 * @param options - extents
 * @example
 * ```ts
 * import { gpt } from 'kfac-ts/pipelines';
 *
 * gpt('small', { vocabulary: 80, context: 64, features: 64, heads: 4, blocks: 2 }).inputs; // => { inputs: [64] }
 * ```
 */
export const gpt = (name: string, { vocabulary, context, features, heads, blocks }: GptOptions): Model =>
  model(
    name,
    [context],
    sequential({
      words: embedding({ vocabulary, out: features, initialiser: gaussian(0.02) }),
      positions: learnedPositions({ length: context, features }),
      blocks: sequential(Array.from({ length: blocks }, () => transformerBlock({ features, heads, causal: true }))),
      norm: layerNorm({ features }),
      head: dense({ in: features, out: vocabulary }),
    }),
  );

/**
 * Bits that a character costs: −log₂ of the probability of the one that comes, mean over all.
 *
 * @example
 * ```ts
 * import { referenceBackend, tensor } from 'kfac-ts/core';
 * import { bitsPerCharacter } from 'kfac-ts/pipelines';
 *
 * // One of four that are equally likely.
 * const { ops } = referenceBackend();
 * const { sum, weight } = bitsPerCharacter(ops, tensor([0, 0, 0, 0], [1, 1, 4]), tensor([2], [1, 1], 'i32'), null);
 * [Math.round(sum.data[0]), weight]; // => [2, 1]
 * ```
 */
export const bitsPerCharacter: Measure = perTerm((ops, outputs, targets) => {
  const classes = outputs.shape[outputs.shape.length - 1];
  const logP = ops.mul(ops.oneHot(targets, classes), ops.logSoftmax(outputs));
  return ops.scale(-1 / Math.LN2, ops.sum(logP, [outputs.shape.length - 1]));
});

const name = 'language-model';
const description = 'GPT of characters on Moby Dick, or on any text in UTF-8: what comes next';

const extents: Readonly<Record<TaskSize, Omit<GptOptions, 'vocabulary'>>> = {
  small: { context: 32, features: 32, heads: 4, blocks: 2 },
  full: { context: 128, features: 128, heads: 4, blocks: 4 },
};

/** Characters of the novel, until a text is read. */
const ofNovel = 80;

const ofCharacters = (size: TaskSize, characters: ReadonlyArray<string> | number): Task => {
  const vocabulary = typeof characters === 'number' ? characters : characters.length;
  const network = gpt(`${name}-${size}`, { ...extents[size], vocabulary });
  return supervised({
    name,
    size,
    description,
    model: network,
    loss: softmaxCrossEntropy,
    measures: { bitsPerCharacter, accuracy },
    label: 'loss per window (nats)',
    load: (files, path) =>
      pipe(
        readText(files, path),
        TE.chainEitherK((text) => textSplits(text, extents[size].context)),
        TE.map(({ train, test, characters: known }) => ({
          train,
          test,
          task: ofCharacters(size, known),
          warnings: [],
        })),
      ),
    ...(typeof characters === 'number' ? {} : { preview: textPreview({ model: network, characters, length: 200 }) }),
    defaults: size === 'full' ? { steps: 1000, batch: 32 } : { steps: 300, batch: 32 },
  });
};

/** The task for the characters of the novel, until others are read. */
const ofSize = (size: TaskSize): Task => ofCharacters(size, ofNovel);

/** The language model. */
export const languageModel: TaskFamily = { name, description, ofSize };
