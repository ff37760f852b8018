/**
 * A block of a transformer, with normalisation before each part [X20].
 *
 * @module
 */
import { belowOne, extent } from '../../../settings.ts';
import { activation } from '../activation.ts';
import { dense } from '../dense.ts';
import { dropout } from '../dropout.ts';
import type { Layer } from '../layer.ts';
import { layerNorm } from '../layerNorm.ts';
import { residual } from '../residual.ts';
import { sequential } from '../sequential.ts';
import type { AttentionOptions } from './multiHeadAttention.ts';
import { multiHeadAttention } from './multiHeadAttention.ts';

/** Settings of {@link transformerBlock}: those of its attention to itself, and more. */
export interface TransformerBlockOptions extends AttentionOptions {
  /** Features between the two dense layers of the last part; 4 times the features unless given. */
  readonly hidden?: number;
  /** Name of the batch's array that is 1 where the memory has something to look at, `[n, s]` or `[n, t, s]`. */
  readonly memoryMask?: string;
  /** Rate of dropout of shares and of what each part adds; 0 unless given. */
  readonly dropout?: number;
}

/**
 * x + attention(norm(x)), then, with a memory, x + attention to it(norm(x)), then x + MLP(norm(x)) with a gelu. Paths:
 * `self.norm`, `self.attention`, `cross.norm`, `cross.attention`, `feedForward.norm`, `feedForward.up`,
 * `feedForward.down`. Where there is a memory, causality, mask and rotary positions are those of the attention to itself.
 *
 * @param options - features, heads, masks, memory
 * @example
 * ```ts
 * import { dense, embedding, layerNorm, learnedPositions, model, sequential, transformerBlock } from 'kfac-ts/core';
 *
 * // A GPT of two blocks on 64 positions, for 100 words.
 * const features = 32;
 * const block = transformerBlock({ features, heads: 4, causal: true });
 * const gpt = sequential({
 *   words: embedding({ vocabulary: 100, out: features }),
 *   positions: learnedPositions({ length: 64, features }),
 *   first: block,
 *   second: block,
 *   norm: layerNorm({ features }),
 *   head: dense({ in: features, out: 100 }),
 * });
 * model('gpt', [64], gpt).inputs; // => { inputs: [64] }
 * ```
 */
export const transformerBlock = (options: TransformerBlockOptions): Layer => {
  const { features, heads, memory, memoryMask, memoryFeatures, causal, mask, rotary, ...rest } = options;
  const hidden = extent('transformerBlock.hidden', options.hidden ?? 4 * features);
  const rate = belowOne('transformerBlock.dropout', options.dropout ?? 0);
  const given = (more: Partial<AttentionOptions>): AttentionOptions => ({ features, heads, ...rest, ...more });
  const optional = <K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> | object =>
    value === undefined ? {} : { [key]: value };
  const own = { ...optional('causal', causal), ...optional('mask', mask), ...optional('rotary', rotary) };
  const plain = { ...optional('bias', options.bias), ...optional('initialiser', options.initialiser) };
  const part = (layers: Readonly<Record<string, Layer>>): Layer =>
    residual(
      sequential({ norm: layerNorm({ features }), ...layers, ...(rate === 0 ? {} : { dropout: dropout(rate) }) }),
    );
  return sequential({
    self: part({ attention: multiHeadAttention(given(own)) }),
    ...(memory === undefined
      ? {}
      : {
          cross: part({
            attention: multiHeadAttention(
              given({ memory, ...optional('mask', memoryMask), ...optional('memoryFeatures', memoryFeatures) }),
            ),
          }),
        }),
    feedForward: part({
      up: dense({ in: features, out: hidden, ...plain }),
      gelu: activation('gelu'),
      down: dense({ in: hidden, out: features, ...plain }),
    }),
  });
};
