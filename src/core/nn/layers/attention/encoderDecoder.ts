/**
 * Two networks, of which one looks at what the other has made of a second array of the batch.
 *
 * @module
 */
import { joinPath } from '../../../params.ts';
import { arrayAt } from '../circumstances.ts';
import type { Layer } from '../layer.ts';

/** Settings of {@link encoderDecoder}. */
export interface EncoderDecoderOptions {
  /** Applied to the source. */
  readonly encoder: Layer;
  /** Applied to the input; its layers find the encoder's output as an array of the batch. */
  readonly decoder: Layer;
  /** Name of the batch's array that is encoded; `source` unless given. */
  readonly source?: string;
  /** Name under which the decoder finds the encoding; `memory` unless given. */
  readonly memory?: string;
}

/**
 * decoder(x) with encoder(source) at hand as the array `memory`. Path segments `encoder` and `decoder`.
 *
 * @param options - both networks, names of the arrays
 * @example
 * ```ts
 * import { dense, encoderDecoder, model, transformerBlock } from 'kfac-ts/core';
 *
 * // Sentences of 7 positions to sentences of 5.
 * const layers = encoderDecoder({
 *   encoder: transformerBlock({ features: 8, heads: 2 }),
 *   decoder: transformerBlock({ features: 8, heads: 2, causal: true, memory: 'memory' }),
 * });
 * model('translator', { inputs: [5, 8], source: [7, 8] }, layers).name; // => 'translator'
 * ```
 */
export const encoderDecoder = (options: EncoderDecoderOptions): Layer => {
  const { encoder, decoder, source = 'source', memory = 'memory' } = options;
  return {
    kind: 'encoderDecoder',
    label: `encoder of ${source}, decoder`,
    parameters: (path) => [
      ...encoder.parameters(joinPath(path, 'encoder')),
      ...decoder.parameters(joinPath(path, 'decoder')),
    ],
    apply: (ops, params, path, x, at) => {
      const given = arrayAt(at.arrays, source, `encoderDecoder${path === '' ? '' : ` at ${path}`}`);
      const encoded = encoder.apply(ops, params, joinPath(path, 'encoder'), given, at);
      const arrays = { ...at.arrays, [memory]: encoded };
      return decoder.apply(ops, params, joinPath(path, 'decoder'), x, { ...at, arrays });
    },
    children: [
      ['encoder', encoder],
      ['decoder', decoder],
    ],
    withChildren: ([first, second]) => encoderDecoder({ ...options, encoder: first, decoder: second }),
  };
};
