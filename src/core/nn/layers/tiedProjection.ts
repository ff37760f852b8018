/**
 * The output layer of a language model that uses the table of its words a second time [PW17].
 *
 * @module
 */
import { joinPath } from '../../params.ts';
import { extent } from '../../settings.ts';
import { affineOfLast } from './dense.ts';
import type { Layer } from './layer.ts';
import { leaf, parameterAt } from './layer.ts';

/** Settings of {@link tiedProjection}. */
export interface TiedProjectionOptions {
  /** Path of the embedding in the model, which is `tied`. */
  readonly table: string;
  /** Number of rows of the table. */
  readonly vocabulary: number;
}

/**
 * Logits a Wᵀ of activations a `[n, …, out]`, with the table W `[vocabulary, out]` of an embedding: `[n, …, vocabulary]`. It has
 * no parameters of its own. Both uses are one site, whose curvature is the Kronecker product nearest to the sum of theirs.
 *
 * @param options - which table
 * @example
 * ```ts
 * import { embedding, layerNorm, model, sequential, tiedProjection, transformerBlock } from 'kfac-ts/core';
 *
 * const layers = sequential({
 *   words: embedding({ vocabulary: 100, out: 32, tied: true }),
 *   block: transformerBlock({ features: 32, heads: 4, causal: true, rotary: true }),
 *   norm: layerNorm({ features: 32 }),
 *   head: tiedProjection({ table: 'words', vocabulary: 100 }),
 * });
 * model('gpt', [64], layers).layer.parameters('').filter(({ shape }) => shape.includes(100)).length; // => 1
 * ```
 */
export const tiedProjection = ({ table, vocabulary }: TiedProjectionOptions): Layer => {
  extent('tiedProjection.vocabulary', vocabulary);
  const weight = joinPath(table, 'weight');
  return leaf({
    kind: 'tiedProjection',
    label: `logits of ${vocabulary} from the table at ${table}`,
    parameters: () => [],
    apply: (ops, params, path, x) => {
      const logits = affineOfLast(ops, x, parameterAt(params, weight), null);
      return ops.site({ kind: 'tied', use: 'projection', path, weight, bias: null }, x, logits);
    },
  });
};
