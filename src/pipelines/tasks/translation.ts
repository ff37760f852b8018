/**
 * Translation: a network with an encoder and a decoder on pairs of texts, the compiler messages of TypeScript unless others
 * are given.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import { attempt, orRaise } from '../../core/errors.ts';
import { meanOverPositions } from '../../core/nn/losses/meanOverPositions.ts';
import { softmaxCrossEntropyWith } from '../../core/nn/losses/softmaxCrossEntropyWith.ts';
import { keyOf } from '../../core/random/key.ts';
import { permutation } from '../../core/random/permutation.ts';
import { belowOne, oneOf, text, wholeBetween } from '../../solvers/settings/range.ts';
import type { Settings } from '../../solvers/settings/setting.ts';
import { setting, settled } from '../../solvers/settings/setting.ts';
import { readMessages } from '../data/compilerMessages.ts';
import type { ParallelText, TextPair } from '../data/parallelText.ts';
import { readPairs } from '../data/parallelText.ts';
import { encodedPairs, pairDataset, tokenCount } from '../data/tokenPairs.ts';
import { bytePairVocabulary } from '../vocabularies/bytePairs.ts';
import { characterVocabulary, charactersOf } from '../vocabularies/characters.ts';
import { vocabularyName, vocabularyOf } from '../vocabularies/saved.ts';
import type { Vocabulary } from '../vocabularies/vocabulary.ts';
import { accuracy } from './measures.ts';
import { supervised } from './supervised.ts';
import type { Loaded, Task, TaskFamily, TaskSettings, TaskSize } from './task.ts';
import { bitsPerToken } from './textMeasures.ts';
import { translationNetwork } from './translationNetworks.ts';
import { translationPreview } from './translationPreview.ts';

const name = 'translation';
const description =
  'transformer, or GRU with attention, on messages of TypeScript, or on any pairs of texts: one language to another';

/** What can be set about a translation. */
interface TranslationSettings {
  readonly from?: string;
  readonly to?: string;
  readonly network?: 'transformer' | 'gru';
  readonly tokens?: 'characters' | 'bytePairs';
  readonly vocabulary?: number;
  readonly longest?: number;
  readonly features?: number;
  readonly blocks?: number;
  readonly heads?: number;
  readonly dropout?: number;
  readonly smoothing?: number;
}

type Chosen = Required<TranslationSettings>;

const shared = { from: 'en', to: 'de', network: 'transformer', tokens: 'bytePairs', smoothing: 0.1 } as const;

const standards: Readonly<Record<TaskSize, Chosen>> = {
  small: { ...shared, vocabulary: 512, longest: 32, features: 32, blocks: 1, heads: 4, dropout: 0 },
  full: { ...shared, vocabulary: 1024, longest: 64, features: 128, blocks: 2, heads: 4, dropout: 0.1 },
};

const settingsOf = (size: TaskSize): Settings<TranslationSettings> => {
  const standard = standards[size];
  return {
    from: setting(text, standard.from, 'language of what is read'),
    to: setting(text, standard.to, 'language of what is written'),
    network: setting(oneOf(['transformer', 'gru']), standard.network, 'kind of network'),
    tokens: setting(oneOf(['characters', 'bytePairs']), standard.tokens, 'what text is cut into, in both languages'),
    vocabulary: setting(wholeBetween(256, 65_536), standard.vocabulary, 'tokens of byte pairs at most'),
    longest: setting(wholeBetween(2, 4096), standard.longest, 'most tokens of a text; longer ones are left out'),
    features: setting(wholeBetween(1, 65_536), standard.features, 'features of each'),
    blocks: setting(wholeBetween(1, 1000), standard.blocks, 'blocks, or layers of cells, on either side'),
    heads: setting(wholeBetween(1, 1000), standard.heads, 'heads of attention, a divisor of the features'),
    dropout: setting(belowOne, standard.dropout, 'rate of dropout'),
    smoothing: setting(belowOne, standard.smoothing, 'part of each label that is spread over all tokens'),
  };
};

const checked = (size: TaskSize, given: TaskSettings): Chosen => orRaise(settled('with', settingsOf(size), given));

/** Pairs without repetitions, and in which part each is: equal texts are on one side, a tenth of them for test. */
const partsOf = (pairs: ReadonlyArray<TextPair>): Readonly<Record<'train' | 'test', ReadonlyArray<TextPair>>> => {
  const distinct = [...new Map(pairs.map((pair) => [`${pair.source}\t${pair.target}`, pair])).values()];
  const sources = [...new Set(distinct.map(({ source }) => source))];
  const { data: order } = permutation(keyOf(0), sources.length);
  const forTest = new Set(Array.from({ length: Math.floor(sources.length / 10) }, (_, i) => sources[order[i]]));
  return {
    train: distinct.filter(({ source }) => !forTest.has(source)),
    test: distinct.filter(({ source }) => forTest.has(source)),
  };
};

/** A vocabulary of both languages, from the part that is learned from; of characters, from all. */
const vocabularyFor = (
  { tokens, vocabulary }: Chosen,
  train: ReadonlyArray<TextPair>,
  all: ReadonlyArray<TextPair>,
): E.Either<KfacError, Vocabulary> => {
  const joined = (pairs: ReadonlyArray<TextPair>): string =>
    pairs.map(({ source, target }) => `${source}\n${target}`).join('\n');
  return tokens === 'characters'
    ? E.right(characterVocabulary(charactersOf(joined(all))))
    : bytePairVocabulary(joined(train), vocabulary);
};

const fewest = 10;

const tooFew = (source: string, actual: string): KfacError => ({
  _tag: 'BadData',
  source,
  expected: `at least ${fewest} pairs of texts, one of them short enough on either side of the split`,
  actual,
  advice: 'Give more pairs, or a larger setting longest.',
});

/** Examples of pairs of texts, and the task for them. */
const loadedOf = (
  size: TaskSize,
  settings: Chosen,
  known: Vocabulary | null,
  { name: source, pairs }: ParallelText,
): E.Either<KfacError, Loaded> => {
  const { longest } = settings;
  const parts = partsOf(pairs);
  const counts = { all: parts.train.length + parts.test.length };
  return pipe(
    counts.all < fewest
      ? E.left(tooFew(source, String(counts.all)))
      : known === null
        ? vocabularyFor(settings, parts.train, pairs)
        : E.right(known),
    E.bindTo('vocabulary'),
    E.bind('train', ({ vocabulary }) => encodedPairs(source, parts.train, vocabulary, longest)),
    E.bind('test', ({ vocabulary }) => encodedPairs(source, parts.test, vocabulary, longest)),
    E.filterOrElse(
      ({ train, test }) => train.length > 0 && test.length > 0,
      ({ train, test }) =>
        tooFew(source, `${train.length + test.length} of ${counts.all} with at most ${longest} tokens on each side`),
    ),
    E.bind('task', ({ vocabulary }) => attempt(() => taskOf(size, settings, vocabulary))),
    E.map(({ vocabulary, train, test, task }) => {
      const missing = counts.all - train.length - test.length;
      return {
        task,
        train: pairDataset(`${source}, train`, train, vocabulary, longest),
        test: pairDataset(`${source}, test`, test, vocabulary, longest),
        warnings:
          missing === 0
            ? []
            : [
                `${missing.toLocaleString('en-US')} of ${counts.all.toLocaleString('en-US')} pairs have more than ${longest} tokens on a side and are left out (--with longest=N).`,
              ],
      };
    }),
  );
};

/** Tokens there will be, until texts are read. */
const foreseen = ({ tokens, vocabulary }: Chosen): number => (tokens === 'characters' ? 100 : vocabulary);

/** The task for a vocabulary, or before there is one. */
const taskOf = (size: TaskSize, settings: Chosen, known: Vocabulary | null): Task => {
  const { network: kind, longest, features, blocks, heads, dropout, smoothing, from, to } = settings;
  const count = tokenCount({ size: known?.size ?? foreseen(settings) });
  const network = translationNetwork(`${name}-${size}`, {
    network: kind,
    vocabulary: count,
    longest,
    features,
    blocks,
    heads,
    dropout,
  });
  const translator = known === null ? null : { ...network, vocabulary: known, longest };
  return supervised({
    name,
    size,
    description,
    model: network.model,
    // Of a token: batches are of texts of about one length, which differs from batch to batch.
    loss: meanOverPositions(softmaxCrossEntropyWith({ smoothing })),
    weights: 'mask',
    measures: { bitsPerToken, accuracy },
    derived: ({ bitsPerToken: bits }) => ({ perplexity: 2 ** bits }),
    label: 'loss per token (nats)',
    demands: [
      {
        array: 'targets',
        weights: 'mask',
        admits: () => ({
          least: 0,
          most: count - 1,
          isWhole: true,
          expected: `tokens from 0 to ${count - 1}`,
          advice: 'Read the pairs with the vocabulary of the task.',
        }),
      },
    ],
    settings: { ...settings },
    load: (files, path) =>
      pipe(
        path === undefined ? readMessages(files, { from, to }) : readPairs(files, path, { from, to }),
        TE.chainEitherK((pairs) => loadedOf(size, settings, known, pairs)),
      ),
    ...(translator === null
      ? {}
      : {
          kept: { [vocabularyName]: translator.vocabulary.content },
          skills: { translator },
          preview: translationPreview(translator),
        }),
    defaults: size === 'full' ? { steps: 1500, batch: 64 } : { steps: 300, batch: 32 },
  });
};

/** Translation. */
export const translation: TaskFamily = {
  name,
  description,
  settings: settingsOf,
  ofSize: (size, given = {}) => taskOf(size, checked(size, given), null),
  recalled: (size, given, kept) =>
    pipe(
      vocabularyOf(kept),
      E.chain((vocabulary) => attempt(() => taskOf(size, checked(size, given), vocabulary))),
    ),
};
