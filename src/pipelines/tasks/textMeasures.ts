/**
 * Measures of language models.
 *
 * @module
 */
import { sizeOf, tensor } from '../../core/tensor.ts';
import type { Vocabulary } from '../vocabularies/vocabulary.ts';
import type { Measure } from './measures.ts';
import { perTerm } from './measures.ts';

/**
 * −log₂ of the probability of the token that comes, mean over all that count.
 *
 * @example
 * ```ts
 * import { referenceBackend, tensor } from 'kfac-ts/core';
 * import { bitsPerToken } from 'kfac-ts/pipelines';
 *
 * const { ops } = referenceBackend();
 * bitsPerToken(ops, tensor([0, 0], [1, 1, 2]), tensor([1], [1, 1], 'i32'), null).sum.data[0]; // => 1
 * ```
 */
export const bitsPerToken: Measure = perTerm((ops, outputs, targets) => {
  const last = outputs.shape.length - 1;
  const logP = ops.mul(ops.oneHot(targets, outputs.shape[last]), ops.logSoftmax(outputs));
  return ops.scale(-1 / Math.LN2, ops.sum(logP, [last]));
});

/** Bytes of UTF-8 that begin a character. */
const begins = (byte: number): boolean => (byte & 0xc0) !== 0x80;

/**
 * Bits that a character costs, where each token is one: −log₂ of the probability of the one that comes, mean over all.
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
export const bitsPerCharacter: Measure = bitsPerToken;

/**
 * Bits that a character costs where tokens stand for several, or for parts of one: the bits of all tokens over the
 * characters that begin in them.
 *
 * @param vocabulary - whose tokens
 * @example
 * ```ts
 * import { referenceBackend, tensor } from 'kfac-ts/core';
 * import { bitsPerCharacterOf, characterVocabulary } from 'kfac-ts/pipelines';
 *
 * const { ops } = referenceBackend();
 * const measure = bitsPerCharacterOf(characterVocabulary(['a', 'b']));
 * const { sum, weight } = measure(ops, tensor([0, 0], [1, 1, 2]), tensor([1], [1, 1], 'i32'), null);
 * [sum.data[0], typeof weight === 'number' ? weight : weight.data[0]]; // => [1, 1]
 * ```
 */
export const bitsPerCharacterOf = (vocabulary: Vocabulary): Measure => {
  const characters = Array.from({ length: vocabulary.size }, (_, token) =>
    vocabulary.bytes(token).reduce((count, byte) => count + (begins(byte) ? 1 : 0), 0),
  );
  return (ops, outputs, targets, weights) => {
    const each = ops.gather(ops.constant(tensor(characters, [vocabulary.size, 1], 'f32')), targets);
    return {
      sum: bitsPerToken(ops, outputs, targets, weights).sum,
      weight: ops.sum(ops.reshape(each, [sizeOf(each.shape)]), [0]),
    };
  };
};
