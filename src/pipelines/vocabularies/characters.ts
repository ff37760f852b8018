/**
 * Vocabularies of characters: each code point is a token.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';

import type { KfacError } from '../../core/errors.ts';
import { shown } from '../../core/shown.ts';
import type { Vocabulary } from './vocabulary.ts';

/** The characters of a text, each once, in the order of their code points. */
export const charactersOf = (letters: Iterable<string>): ReadonlyArray<string> =>
  [...new Set(letters)].sort((a, b) => (a.codePointAt(0) ?? 0) - (b.codePointAt(0) ?? 0));

/**
 * A vocabulary of characters, which are code points.
 *
 * @param characters - by number
 * @example
 * ```ts
 * import { characterVocabulary } from 'kfac-ts/pipelines';
 *
 * const letters = characterVocabulary(['a', 'b', 'c']);
 * const tokens = letters.encode('cab', 'here');
 * tokens._tag === 'Right' ? Array.from(tokens.right) : []; // => [2, 0, 1]
 * letters.encode('dab', 'here')._tag; // => 'Left'
 * ```
 */
export const characterVocabulary = (characters: ReadonlyArray<string>): Vocabulary => {
  const numbers = new Map(characters.map((letter, number) => [letter, number]));
  const spelling = characters.map((letter) => new TextEncoder().encode(letter));
  const none = new Uint8Array(0);
  return {
    size: characters.length,
    encode: (text, source) => {
      const letters = Array.from(text);
      const at = letters.findIndex((letter) => !numbers.has(letter));
      return at < 0
        ? E.right(Int32Array.from(letters, (letter) => numbers.get(letter) ?? 0))
        : E.left({
            _tag: 'BadData',
            source,
            expected: `characters that the vocabulary has, ${characters.length} of them`,
            actual: `${shown(letters[at])}, character ${at + 1}`,
            advice: 'Leave it out, or train on a text that has it.',
          });
    },
    bytes: (token) => spelling[token] ?? none,
    content: `${JSON.stringify({ kind: 'characters', characters: characters.join('') }, null, 2)}\n`,
  };
};

const Characters = t.type({ kind: t.literal('characters'), characters: t.string });

/**
 * A vocabulary of characters from the content of its file.
 *
 * @param content - JSON as a value
 * @param source - name of the file, for errors
 */
export const charactersIn = (content: unknown, source: string): E.Either<KfacError, Vocabulary> => {
  const bad = (actual: string): E.Either<KfacError, never> =>
    E.left({ _tag: 'BadCheckpoint', source, expected: 'a vocabulary of characters', actual });
  if (!Characters.is(content)) return bad(shown(content));
  const letters = Array.from(content.characters);
  return letters.length > 0 && new Set(letters).size === letters.length
    ? E.right(characterVocabulary(letters))
    : bad(letters.length === 0 ? 'none' : 'one that has a character twice');
};
