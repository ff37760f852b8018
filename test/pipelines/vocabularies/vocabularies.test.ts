/** Text as numbers and back. */
import fc from 'fast-check';

import type { KfacError } from '../../../src/core/errors.ts';
import { mergePairs } from '../../../src/core/mergePairs.ts';
import { bytePairVocabulary } from '../../../src/pipelines/vocabularies/bytePairs.ts';
import { characterVocabulary, charactersOf } from '../../../src/pipelines/vocabularies/characters.ts';
import { vocabularyIn, vocabularyOf } from '../../../src/pipelines/vocabularies/saved.ts';
import type { Vocabulary } from '../../../src/pipelines/vocabularies/vocabulary.ts';
import { spelled } from '../../../src/pipelines/vocabularies/vocabulary.ts';
import { orThrow } from '../../support/training.ts';
import { errorOf } from '../support.ts';

const verse = 'the cat and the hat, the bat and the rat; déjà vu, naïve 😀😀😀 12 123 1234\n\n  that’s   it\t'.repeat(
  3,
);
const anyText = fc.string({ unit: 'binary', maxLength: 60 });

const encoded = (vocabulary: Vocabulary, text: string): ReadonlyArray<number> =>
  Array.from(orThrow(vocabulary.encode(text, 'here')));

/** Byte pairs by the definition: the most frequent pair of all, over and over, on the words as they are. */
const pairsByDefinition = (words: ReadonlyArray<ReadonlyArray<number>>, symbols: number, merges: number) => {
  let now = words.map((word) => [...word]);
  const pairs: Array<readonly [number, number]> = [];
  while (pairs.length < merges) {
    const counts = new Map<string, number>();
    for (const word of now) {
      word.slice(1).forEach((right, i) => {
        const key = `${word[i]} ${right}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
      });
    }
    const [best] = [...counts]
      .filter(([, count]) => count > 1)
      .map(([key, count]) => ({ pair: key.split(' ').map(Number), count }))
      .sort((a, b) => b.count - a.count || a.pair[0] - b.pair[0] || a.pair[1] - b.pair[1]);
    if (best === undefined) break;
    const [left, right] = best.pair;
    const symbol = symbols + pairs.length;
    now = now.map((word) =>
      word.reduce<Array<number>>((out, next) => {
        const isPair = out.at(-1) === left && next === right;
        return isPair ? [...out.slice(0, -1), symbol] : [...out, next];
      }, []),
    );
    pairs.push([left, right]);
  }
  return pairs;
};

describe('merges', () => {
  it('by hand: aab aab ab', () => {
    const words = [
      { symbols: [0, 0, 1], count: 2 },
      { symbols: [0, 1], count: 1 },
    ];
    expect(mergePairs(words, 2, 5)).toEqual([
      [0, 1],
      [0, 2],
    ]);
  });

  it('law: a word with its count is so many words; the pairs are those of the definition', () => {
    const wordOf = fc.array(fc.nat(3), { minLength: 1, maxLength: 7 });
    fc.assert(
      fc.property(
        fc.array(fc.record({ symbols: wordOf, count: fc.integer({ min: 1, max: 4 }) })),
        fc.nat(8),
        (words, merges) => {
          const apart = words.flatMap(({ symbols, count }) => Array.from({ length: count }, () => symbols));
          expect(mergePairs(words, 4, merges)).toEqual(pairsByDefinition(apart, 4, merges));
        },
      ),
    );
  });
});

const pairs = orThrow(bytePairVocabulary(verse, 300));
const kinds: ReadonlyArray<readonly [string, (text: string) => Vocabulary]> = [
  ['characters', (text) => characterVocabulary(charactersOf(text))],
  ['byte pairs', () => pairs],
  ['bytes', () => orThrow(bytePairVocabulary('', 256))],
];

describe.each(kinds)('%s', (_, vocabularyFor) => {
  it('law: decode ∘ encode is the identity on every text, and tokens are below the size', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, fc.constant(verse), fc.string({ unit: 'grapheme' })), (text) => {
        const vocabulary = vocabularyFor(text);
        const tokens = encoded(vocabulary, text);
        expect(spelled(vocabulary, tokens)).toBe(text);
        expect(tokens.every((token) => Number.isInteger(token) && token >= 0 && token < vocabulary.size)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('law: a vocabulary from its file is the same', () => {
    fc.assert(
      fc.property(
        anyText.filter((text) => text !== ''),
        (text) => {
          const vocabulary = vocabularyFor(text);
          const read = orThrow(vocabularyIn(vocabulary.content, 'vocabulary.json'));
          expect(read.content).toBe(vocabulary.content);
          expect(read.size).toBe(vocabulary.size);
          expect(encoded(read, text)).toEqual(encoded(vocabulary, text));
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('byte pairs', () => {
  it('make frequent words one token, and never reach from one word into the next', () => {
    expect(encoded(pairs, ' the')).toHaveLength(1);
    expect(encoded(pairs, ' the cat')).toEqual([...encoded(pairs, ' the'), ...encoded(pairs, ' cat')]);
    expect(encoded(pairs, verse).length).toBeLessThan(0.5 * new TextEncoder().encode(verse).length);
    expect(pairs.size).toBe(300);
  });

  it('become U+FFFD where they are no character, and go together where they are one', () => {
    const [first, second] = new TextEncoder().encode('é');
    expect(spelled(pairs, [first])).toBe('�');
    expect(spelled(pairs, [first, second])).toBe('é');
  });

  it('are a tokenizer.json', () => {
    expect(JSON.parse(pairs.content)).toMatchObject({
      model: { type: 'BPE', vocab: { a: 97, Ġ: 32 } },
      pre_tokenizer: { type: 'ByteLevel' },
      decoder: { type: 'ByteLevel' },
    });
  });
});

describe('what is no vocabulary', () => {
  const bad = (text: string): KfacError => errorOf(vocabularyIn(text, 'vocabulary.json'));
  const { content } = pairs;

  it.each([
    ['nothing', ''],
    ['cut off', content.slice(0, 500)],
    ['another thing', '[1, 2]'],
    ['no characters', '{"kind": "characters", "characters": ""}'],
    ['a character twice', '{"kind": "characters", "characters": "aba"}'],
    ['another model', content.replace('"BPE"', '"Unigram"')],
    ['a merge of what is not there', content.replace(/"merges": \[\s*\[[^\]]*\]/, '"merges": [["xyz", "q"]')],
    ['a merge that is missing', content.replace(/"merges": \[\s*\[[^\]]*\],/, '"merges": [')],
    ['tokens in another order', content.replace('"a": 97', '"a": 98')],
  ])('%s: an error that names the file', (_, text) => {
    expect(bad(text)).toMatchObject({ _tag: 'BadCheckpoint', source: 'vocabulary.json' });
  });

  it('is missing, or of too few tokens', () => {
    expect(errorOf(vocabularyOf({}))).toMatchObject({ actual: 'no such file' });
    expect(errorOf(bytePairVocabulary('a', 255))).toMatchObject({ _tag: 'BadConfig', actual: '255' });
  });
});
