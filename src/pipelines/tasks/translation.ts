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
import { belowOne, oneOf, text, truth, wholeBetween } from '../../solvers/settings/range.ts';
import type { Settings } from '../../solvers/settings/setting.ts';
import { setting, settled } from '../../solvers/settings/setting.ts';
import { readMessages } from '../data/compilerMessages.ts';
import type { ParallelText, TextPair } from '../data/parallelText.ts';
import { readPairs } from '../data/parallelText.ts';
import { encodedPairs, pairDataset, tokenCount } from '../data/tokenPairs.ts';
import { bytePairVocabulary } from '../vocabularies/bytePairs.ts';
import { characterVocabulary, charactersOf } from '../vocabularies/characters.ts';
import { sourceVocabularyName, vocabularyName, vocabularyOf } from '../vocabularies/saved.ts';
import type { Vocabulary } from '../vocabularies/vocabulary.ts';
import { accuracy } from './measures.ts';
import { supervised } from './supervised.ts';
import type { Loaded, Task, TaskFamily, TaskSettings, TaskSize } from './task.ts';
import { bitsPerToken } from './textMeasures.ts';
import { translationNetwork } from './translationNetworks.ts';
import { readingVocabulary } from '../translating/translator.ts';
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
  readonly joint?: boolean;
  readonly longest?: number;
  readonly features?: number;
  readonly blocks?: number;
  readonly heads?: number;
  readonly dropout?: number;
  readonly smoothing?: number;
}

type Chosen = Required<TranslationSettings>;

const shared = {
  from: 'en',
  to: 'de',
  network: 'transformer',
  tokens: 'bytePairs',
  joint: true,
  smoothing: 0.1,
} as const;

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
    tokens: setting(oneOf(['characters', 'bytePairs']), standard.tokens, 'what text is cut into'),
    vocabulary: setting(wholeBetween(256, 65_536), standard.vocabulary, 'tokens of byte pairs at most'),
    joint: setting(truth, standard.joint, 'whether both languages have one vocabulary'),
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

/** Vocabularies of what is read and of what is written: one and the same, where they are joint. */
interface Vocabularies {
  readonly source: Vocabulary;
  readonly target: Vocabulary;
}

/** Vocabularies from the part that is learned from; of characters, from all. */
const vocabulariesFor = (
  { tokens, vocabulary, joint }: Chosen,
  train: ReadonlyArray<TextPair>,
  all: ReadonlyArray<TextPair>,
): E.Either<KfacError, Vocabularies> => {
  const of = (textIn: (pair: TextPair) => string): E.Either<KfacError, Vocabulary> =>
    tokens === 'characters'
      ? E.right(characterVocabulary(charactersOf(all.map(textIn).join('\n'))))
      : bytePairVocabulary(train.map(textIn).join('\n'), vocabulary);
  return joint
    ? pipe(
        of(({ source, target }) => `${source}\n${target}`),
        E.map((both) => ({ source: both, target: both })),
      )
    : pipe(
        E.Do,
        E.apS(
          'source',
          of(({ source }) => source),
        ),
        E.apS(
          'target',
          of(({ target }) => target),
        ),
      );
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
  known: Vocabularies | null,
  { name: source, pairs }: ParallelText,
): E.Either<KfacError, Loaded> => {
  const { longest } = settings;
  const parts = partsOf(pairs);
  const counts = { all: parts.train.length + parts.test.length };
  return pipe(
    counts.all < fewest
      ? E.left(tooFew(source, String(counts.all)))
      : known === null
        ? vocabulariesFor(settings, parts.train, pairs)
        : E.right(known),
    E.bindTo('of'),
    E.bind('train', ({ of }) => encodedPairs(source, parts.train, of.target, longest, of.source)),
    E.bind('test', ({ of }) => encodedPairs(source, parts.test, of.target, longest, of.source)),
    E.filterOrElse(
      ({ train, test }) => train.length > 0 && test.length > 0,
      ({ train, test }) =>
        tooFew(source, `${train.length + test.length} of ${counts.all} with at most ${longest} tokens on each side`),
    ),
    E.bind('task', ({ of }) => attempt(() => taskOf(size, settings, of))),
    E.map(({ of, train, test, task }) => {
      const missing = counts.all - train.length - test.length;
      return {
        task,
        train: pairDataset(`${source}, train`, train, of.target, longest, of.source),
        test: pairDataset(`${source}, test`, test, of.target, longest, of.source),
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

/** The task for vocabularies, or before there are some. */
const taskOf = (size: TaskSize, settings: Chosen, known: Vocabularies | null): Task => {
  const { network: kind, longest, features, blocks, heads, dropout, smoothing, from, to, joint } = settings;
  const [count, sourceCount] = [known?.target, known?.source].map((vocabulary) =>
    tokenCount({ size: vocabulary?.size ?? foreseen(settings) }),
  );
  const network = translationNetwork(`${name}-${size}`, {
    network: kind,
    vocabulary: count,
    sourceVocabulary: sourceCount,
    longest,
    features,
    blocks,
    heads,
    dropout,
  });
  const translator =
    known === null
      ? null
      : { ...network, vocabulary: known.target, ...(joint ? {} : { sourceVocabulary: known.source }), longest };
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
          kept: {
            [vocabularyName]: translator.vocabulary.content,
            ...(joint ? {} : { [sourceVocabularyName]: readingVocabulary(translator).content }),
          },
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
      E.Do,
      E.bind('settings', () => attempt(() => checked(size, given))),
      E.bind('target', () => vocabularyOf(kept)),
      E.bind('source', ({ settings, target }) =>
        settings.joint ? E.right(target) : vocabularyOf(kept, sourceVocabularyName),
      ),
      E.chain(({ settings, source, target }) => attempt(() => taskOf(size, settings, { source, target }))),
    ),
};
