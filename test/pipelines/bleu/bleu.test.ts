/** BLEU as sacreBLEU has it: the numbers are its own, from `test/fixtures/bleu/bleu.py`. */
import { readFileSync } from 'node:fs';

import fc from 'fast-check';

import { attempt } from '../../../src/core/errors.ts';
import { corpusBleu } from '../../../src/pipelines/bleu/bleu.ts';
import { tokens13a } from '../../../src/pipelines/bleu/tokens13a.ts';

interface Fixture {
  readonly tokens: ReadonlyArray<{ readonly text: string; readonly tokens: ReadonlyArray<string> }>;
  readonly corpora: ReadonlyArray<{
    readonly translations: ReadonlyArray<string>;
    readonly references: ReadonlyArray<string>;
    readonly score: number;
    readonly precisions: ReadonlyArray<number>;
    readonly brevityPenalty: number;
    readonly lengths: ReadonlyArray<number>;
  }>;
}

const { tokens, corpora } = JSON.parse(readFileSync('test/fixtures/bleu/bleu.json', 'utf8')) as Fixture;

describe('tokens 13a', () => {
  it.each(tokens)('$text', ({ text, tokens: expected }) => {
    // Python's split() cuts at spaces that stand within tokens as well, as the tokenisation does.
    expect(tokens13a(text)).toEqual(expected);
  });
});

describe('BLEU', () => {
  it.each(corpora.map((corpus, i) => ({ ...corpus, name: `${i}: ${corpus.translations.length} texts` })))(
    'corpus $name, to twelve digits',
    ({ translations, references, score, precisions, brevityPenalty, lengths }) => {
      const found = corpusBleu(translations, references);
      expect(found.score).toBeCloseTo(score, 11);
      expect(found.brevityPenalty).toBeCloseTo(brevityPenalty, 14);
      expect(found.lengths).toEqual(lengths);
      found.precisions.forEach((precision, i) => expect(precision).toBeCloseTo(precisions[i], 11));
    },
  );

  it('law: a corpus beside itself has 100, where it has four words in a row; the order of its texts changes nothing', () => {
    const textOf = fc
      .array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 4, maxLength: 9 })
      .map((x) => x.join(' '));
    fc.assert(
      fc.property(fc.array(fc.tuple(textOf, textOf), { minLength: 1, maxLength: 6 }), (pairs) => {
        const [left, right] = [0, 1].map((side) => pairs.map((pair) => pair[side]));
        expect(corpusBleu(left, left).score).toBeCloseTo(100, 10);
        expect(corpusBleu(left.toReversed(), right.toReversed()).score).toBeCloseTo(corpusBleu(left, right).score, 10);
      }),
    );
  });

  it('wants a reference for each', () => {
    expect(attempt(() => corpusBleu(['a'], []))).toMatchObject({ left: { _tag: 'BadData', source: 'BLEU' } });
  });
});
