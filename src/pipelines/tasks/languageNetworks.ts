/**
 * Networks that say what comes next at every position of a text: a GPT [V17], and recurrent ones.
 *
 * @module
 */
import { gaussian } from '../../core/nn/initialisers/gaussian.ts';
import { learnedPositions } from '../../core/nn/layers/attention/positions.ts';
import { transformerBlock } from '../../core/nn/layers/attention/transformerBlock.ts';
import { dense } from '../../core/nn/layers/dense.ts';
import { embedding } from '../../core/nn/layers/embedding.ts';
import { layerNorm } from '../../core/nn/layers/layerNorm.ts';
import { gru, lstm } from '../../core/nn/layers/recurrence/recurrent.ts';
import { sequential } from '../../core/nn/layers/sequential.ts';
import type { Model } from '../../core/nn/model.ts';
import { model } from '../../core/nn/model.ts';

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

/** Extents of a recurrent network. */
export interface RecurrentTextOptions extends Omit<GptOptions, 'heads' | 'blocks'> {
  readonly cell: 'lstm' | 'gru';
  /** Layers of cells, each on what comes out of the one before. */
  readonly layers: number;
}

/** Vectors of what is read, of the size that makes their squares add up to about 1 for each feature of the cells. */
const words = gaussian(1);

/**
 * Logits of what comes next, at every position: vectors of characters, recurrent layers, a dense layer.
 *
 * @param name - name of the model
 * @param options - cell and extents
 * @example
 * ```ts
 * import { recurrentText } from 'kfac-ts/pipelines';
 *
 * const net = recurrentText('letters', { cell: 'lstm', vocabulary: 80, context: 64, features: 64, layers: 1 });
 * net.inputs; // => { inputs: [64] }
 * ```
 */
export const recurrentText = (
  name: string,
  { cell, vocabulary, context, features, layers }: RecurrentTextOptions,
): Model => {
  const cells = { lstm, gru }[cell];
  return model(
    name,
    [context],
    sequential({
      words: embedding({ vocabulary, out: features, initialiser: words }),
      cells: cells({ in: features, features, layers }),
      head: dense({ in: features, out: vocabulary }),
    }),
  );
};
