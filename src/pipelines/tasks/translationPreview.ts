/**
 * A preview of networks that translate: the test texts, translated greedily, with their BLEU and some of them to read.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Params } from '../../core/params.ts';
import { mapParams } from '../../core/params.ts';
import type { ReadonlyVector, Tensor } from '../../core/tensor.ts';
import { generate } from '../../core/tensor.ts';
import { corpusBleu } from '../bleu/bleu.ts';
import { range } from '../data/batches.ts';
import type { Dataset } from '../data/dataset.ts';
import { translate } from '../translating/search.ts';
import type { Translator } from '../translating/translator.ts';
import { readingVocabulary } from '../translating/translator.ts';
import { spelled } from '../vocabularies/vocabulary.ts';
import type { Preview } from './task.ts';

/** Test texts that are translated at most: an even choice of them. */
const most = 500;

/** Texts of a report. */
const toRead = 20;

/** Rows of tokens of several lengths as one array; what is no token is −1. */
const rowsOf = (rows: ReadonlyArray<ArrayLike<number>>): Tensor => {
  const extent = Math.max(1, ...rows.map(({ length }) => length));
  return generate([rows.length, extent], (i) => rows[Math.floor(i / extent)][i % extent] ?? -1, 'i32');
};

/** The tokens of each row again. */
const rowsIn = ({ data, shape: [n, extent] }: Tensor): ReadonlyArray<ReadonlyArray<number>> =>
  Array.from({ length: n }, (_, row) =>
    Array.from({ length: extent }, (__, i) => data[row * extent + i]).filter((token) => token >= 0),
  );

/** Evenly chosen positions. */
const chosen = ({ size }: Dataset): ReadonlyVector =>
  size <= most ? range(0, size) : generate([most], (i) => Math.floor((i * size) / most), 'i32').data;

/** Tokens of each row, as many as a mask says, from some position on. */
const masked = (tokens: Tensor, mask: Tensor, fewer = 0): ReadonlyArray<ReadonlyArray<number>> => {
  const [n, extent] = mask.shape;
  return Array.from({ length: n }, (_, row) => {
    const length = Array.from({ length: extent }, (__, i) => mask.data[row * extent + i]).filter((x) => x > 0).length;
    return Array.from({ length: Math.max(0, length - fewer) }, (__, i) => tokens.data[row * extent + i]);
  });
};

/** Texts of what a look found. */
const textsOf = (translator: Translator, arrays: Params<Tensor>): Readonly<Record<string, ReadonlyArray<string>>> =>
  mapParams(arrays, (rows, name) =>
    rowsIn(rows).map((tokens) =>
      spelled(name === 'sources' ? readingVocabulary(translator) : translator.vocabulary, tokens),
    ),
  );

/** Even positions among so many, at most as many as are read. */
const readable = (count: number): ReadonlyArray<number> =>
  Array.from({ length: Math.min(toRead, count) }, (_, i) => Math.floor((i * count) / Math.min(toRead, count)));

/**
 * Translates the test texts: a file with some of them, and BLEU of all.
 *
 * @param translator - network and vocabulary
 */
export const translationPreview = (translator: Translator): Preview => ({
  look: (backend, { params, held }, { test }) => {
    const batch = test.batch(chosen(test));
    const sources = masked(batch['source'], batch['sourceMask']);
    const references = masked(batch['targets'], batch['mask'], 1);
    return pipe(
      translate(
        backend,
        translator,
        { ...held, ...params },
        sources.map((tokens) => Int32Array.from(tokens)),
      ),
      TE.map((translations) => ({
        sources: rowsOf(sources),
        references: rowsOf(references),
        translations: rowsOf(translations.map(({ tokens }) => tokens)),
      })),
    );
  },
  numbers: (arrays) => {
    const { translations, references } = textsOf(translator, arrays);
    const right = translations.filter((text, i) => text === references[i]).length;
    return { bleu: corpusBleu(translations, references).score, exact: right / translations.length };
  },
  show: (looks) =>
    looks.length === 0
      ? []
      : [
          {
            kind: 'file',
            name: 'translations.txt',
            content: looks
              .map(({ name, arrays }) => {
                const { sources, references, translations } = textsOf(translator, arrays);
                const { score, brevityPenalty } = corpusBleu(translations, references);
                const head = `${name}: BLEU ${score.toFixed(2)} (brevity penalty ${brevityPenalty.toFixed(3)}) on ${sources.length} test texts, greedy`;
                const texts = readable(sources.length).map((i) =>
                  [
                    `source       ${sources[i]}`,
                    `reference    ${references[i]}`,
                    `translation  ${translations[i]}`,
                  ].join('\n'),
                );
                return [head, ...texts].join('\n\n');
              })
              .join('\n\n\n')
              .concat('\n'),
          },
        ],
});
