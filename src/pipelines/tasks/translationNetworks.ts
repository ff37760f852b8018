/**
 * Networks that translate: an encoder–decoder transformer [V17], and gated recurrent units with attention [BCB15].
 *
 * Both read the arrays `source` with its mask (or lengths), and `inputs`: what is written so far.
 *
 * @module
 */
import { gaussian } from '../../core/nn/initialisers/gaussian.ts';
import { encoderDecoder } from '../../core/nn/layers/attention/encoderDecoder.ts';
import { multiHeadAttention } from '../../core/nn/layers/attention/multiHeadAttention.ts';
import { learnedPositions } from '../../core/nn/layers/attention/positions.ts';
import { transformerBlock } from '../../core/nn/layers/attention/transformerBlock.ts';
import { dense } from '../../core/nn/layers/dense.ts';
import { dropout } from '../../core/nn/layers/dropout.ts';
import { embedding } from '../../core/nn/layers/embedding.ts';
import type { Layer } from '../../core/nn/layers/layer.ts';
import { layerNorm } from '../../core/nn/layers/layerNorm.ts';
import { gru } from '../../core/nn/layers/recurrence/recurrent.ts';
import { residual } from '../../core/nn/layers/residual.ts';
import { sequential } from '../../core/nn/layers/sequential.ts';
import type { Model } from '../../core/nn/model.ts';
import { model } from '../../core/nn/model.ts';

/** Extents of a network that translates. */
export interface TranslationNetworkOptions {
  readonly network: 'transformer' | 'gru';
  /** Number of tokens that it writes. */
  readonly vocabulary: number;
  /** Number of tokens that it reads, as many unless given. */
  readonly sourceVocabulary?: number;
  /** Most positions of either text. */
  readonly longest: number;
  /** Features of each. */
  readonly features: number;
  readonly heads: number;
  /** Blocks of the encoder, and of the decoder; or layers of cells. */
  readonly blocks: number;
  /** Rate of dropout. */
  readonly dropout: number;
}

/** A network with its parts: the encoder need not read a text again for every word that is written. */
export interface TranslationNetwork {
  /** Logits `[n, t, vocabulary]`. */
  readonly model: Model;
  /** Of the source, `[n, s]` to `[n, s, features]`; below the path `encoder`. */
  readonly encoder: Layer;
  /** Of the inputs, with the array `memory` of what the encoder made; below the path `decoder`. */
  readonly decoder: Layer;
}

const words = (vocabulary: number, features: number): Layer =>
  embedding({ vocabulary, out: features, initialiser: gaussian(0.02) });

const transformer = (options: TranslationNetworkOptions): readonly [encoder: Layer, decoder: Layer] => {
  const { vocabulary, sourceVocabulary = vocabulary, longest, features, heads, blocks, dropout: rate } = options;
  const shared = { features, heads, dropout: rate };
  const repeated = (block: () => Layer): Layer => sequential(Array.from({ length: blocks }, block));
  return [
    sequential({
      words: words(sourceVocabulary, features),
      positions: learnedPositions({ length: longest, features }),
      blocks: repeated(() => transformerBlock({ ...shared, mask: 'sourceMask' })),
      norm: layerNorm({ features }),
    }),
    sequential({
      words: words(vocabulary, features),
      positions: learnedPositions({ length: longest, features }),
      blocks: repeated(() => transformerBlock({ ...shared, causal: true, memory: 'memory', memoryMask: 'sourceMask' })),
      norm: layerNorm({ features }),
      head: dense({ in: features, out: vocabulary }),
    }),
  ];
};

const recurrent = (options: TranslationNetworkOptions): readonly [encoder: Layer, decoder: Layer] => {
  const { vocabulary, sourceVocabulary = vocabulary, features, heads, blocks: layers, dropout: rate } = options;
  const table = (tokens: number): Layer => embedding({ vocabulary: tokens, out: features, initialiser: gaussian(1) });
  const cells = { in: features, features, layers, dropout: rate };
  return [
    sequential({
      words: table(sourceVocabulary),
      cells: gru({ ...cells, bidirectional: true, lengths: 'sourceLengths' }),
      joined: dense({ in: 2 * features, out: features, ragged: true }),
    }),
    sequential({
      words: table(vocabulary),
      cells: gru(cells),
      looks: residual(multiHeadAttention({ features, heads, memory: 'memory', mask: 'sourceMask' })),
      norm: layerNorm({ features }),
      ...(rate === 0 ? {} : { dropout: dropout(rate) }),
      head: dense({ in: features, out: vocabulary }),
    }),
  ];
};

/**
 * A network that writes a text in one language while it looks at the text in another.
 *
 * @param name - name of the model
 * @param options - kind and extents
 * @example
 * ```ts
 * import { translationNetwork } from 'kfac-ts/pipelines';
 *
 * const extents = { vocabulary: 500, longest: 32, features: 32, heads: 4, blocks: 1, dropout: 0 };
 * const { model } = translationNetwork('small', { network: 'transformer', ...extents });
 * Object.keys(model.inputs); // => ['inputs', 'source', 'sourceMask']
 * ```
 */
export const translationNetwork = (name: string, options: TranslationNetworkOptions): TranslationNetwork => {
  const { network, longest } = options;
  const [encoder, decoder] = network === 'transformer' ? transformer(options) : recurrent(options);
  const inputs = { inputs: [longest], source: [longest], sourceMask: [longest] };
  return {
    model: model(
      name,
      network === 'transformer' ? inputs : { ...inputs, sourceLengths: [] },
      encoderDecoder({ encoder, decoder }),
    ),
    encoder,
    decoder,
  };
};
