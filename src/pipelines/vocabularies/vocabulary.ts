/**
 * Vocabularies: text as numbers, and numbers as text again.
 *
 * A token stands for some bytes of UTF-8, which need not be whole characters; whoever reads token by token decodes the
 * bytes as they come.
 *
 * @module
 */
import type * as E from 'fp-ts/lib/Either.js';

import type { KfacError } from '../../core/errors.ts';
import type { ReadonlyVector } from '../../core/tensor.ts';

/** Text as numbers from 0 to size − 1. */
export interface Vocabulary {
  readonly size: number;
  /** A text as tokens; `BadData` of the source where it has something that no token stands for. */
  readonly encode: (text: string, source: string) => E.Either<KfacError, ReadonlyVector>;
  /** What a token stands for, in UTF-8; nothing for numbers that are no token. */
  readonly bytes: (token: number) => Uint8Array;
  /** The vocabulary as the text of a JSON file, from which `vocabularyIn` makes it again. */
  readonly content: string;
}

/**
 * The text of some tokens. Bytes that are no character in UTF-8, of which a model may write some, become U+FFFD.
 *
 * @param vocabulary - whose tokens
 * @param tokens - from 0 to size − 1
 * @example
 * ```ts
 * import { characterVocabulary, spelled } from 'kfac-ts/pipelines';
 *
 * spelled(characterVocabulary(['a', 'b']), [1, 0, 1]); // => 'bab'
 * ```
 */
export const spelled = (vocabulary: Vocabulary, tokens: Iterable<number>): string => {
  const decoder = new TextDecoder();
  const parts = Array.from(tokens, (token) => decoder.decode(vocabulary.bytes(token), { stream: true }));
  return [...parts, decoder.decode()].join('');
};
