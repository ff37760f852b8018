/**
 * A language model: a GPT [V17] or a recurrent network on a novel, or on any text in UTF-8.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import { attempt, orRaise } from '../../core/errors.ts';
import { softmaxCrossEntropy } from '../../core/nn/losses/softmaxCrossEntropy.ts';
import type { Model } from '../../core/nn/model.ts';
import { setting, settled } from '../../solvers/settings/setting.ts';
import type { Settings } from '../../solvers/settings/setting.ts';
import { oneOf, wholeBetween } from '../../solvers/settings/range.ts';
import type { VocabularyFor } from '../data/text.ts';
import { ofAllCharacters, readText, textSplits } from '../data/text.ts';
import { bytePairVocabulary } from '../vocabularies/bytePairs.ts';
import { vocabularyName, vocabularyOf } from '../vocabularies/saved.ts';
import type { Vocabulary } from '../vocabularies/vocabulary.ts';
import { gpt, recurrentText } from './languageNetworks.ts';
import { accuracy } from './measures.ts';
import { supervised } from './supervised.ts';
import type { Task, TaskFamily, TaskSettings, TaskSize } from './task.ts';
import { bitsPerCharacter, bitsPerCharacterOf } from './textMeasures.ts';
import { textPreview } from './textPreview.ts';

const name = 'language-model';
const description = 'GPT, LSTM or GRU on Moby Dick, or on any text in UTF-8: what comes next';

/** What can be set about a language model. */
interface LanguageSettings {
  readonly tokens?: 'characters' | 'bytePairs';
  readonly vocabulary?: number;
  readonly network?: 'gpt' | 'lstm' | 'gru';
  readonly context?: number;
  readonly features?: number;
  readonly blocks?: number;
  readonly heads?: number;
}

/** How text becomes numbers, in either size. */
const tokens = { tokens: 'characters', vocabulary: 1024 } as const;

const standards: Readonly<Record<TaskSize, Required<LanguageSettings>>> = {
  small: { ...tokens, network: 'gpt', context: 32, features: 32, blocks: 2, heads: 4 },
  full: { ...tokens, network: 'gpt', context: 128, features: 128, blocks: 4, heads: 4 },
};

const settingsOf = (size: TaskSize): Settings<LanguageSettings> => {
  const { network, context, features, blocks, heads } = standards[size];
  return {
    tokens: setting(oneOf(['characters', 'bytePairs']), tokens.tokens, 'what text is cut into'),
    vocabulary: setting(wholeBetween(256, 65_536), tokens.vocabulary, 'tokens of byte pairs at most'),
    network: setting(oneOf(['gpt', 'lstm', 'gru']), network, 'kind of network'),
    context: setting(wholeBetween(1, 65_536), context, 'tokens that it sees'),
    features: setting(wholeBetween(1, 65_536), features, 'features of each'),
    blocks: setting(wholeBetween(1, 1000), blocks, 'blocks of a gpt, or layers of cells'),
    heads: setting(wholeBetween(1, 1000), heads, 'heads of a gpt, a divisor of its features'),
  };
};

/** The network for so many tokens. */
const networkOf = (
  size: TaskSize,
  { network, context, features, blocks, heads }: Required<LanguageSettings>,
  vocabulary: number,
): Model => {
  const word = `${name}-${size}`;
  return network === 'gpt'
    ? gpt(word, { vocabulary, context, features, heads, blocks })
    : recurrentText(word, { cell: network, vocabulary, context, features, layers: blocks });
};

/** Tokens there will be, until a text is read: characters of the novel, or byte pairs. */
const foreseen = (settings: Required<LanguageSettings>): number =>
  settings.tokens === 'characters' ? 83 : settings.vocabulary;

/** What makes a vocabulary for a text; byte pairs are those of the part that is learned from. */
const vocabularyFor = (settings: Required<LanguageSettings>): VocabularyFor =>
  settings.tokens === 'characters' ? ofAllCharacters : (training) => bytePairVocabulary(training, settings.vocabulary);

/** The task for a vocabulary, or before there is one. */
const taskOf = (size: TaskSize, settings: Required<LanguageSettings>, known: Vocabulary | null): Task => {
  const network = networkOf(size, settings, known?.size ?? foreseen(settings));
  // A run that is over has its vocabulary; one that begins makes it for its text.
  const vocabulary: VocabularyFor = known === null ? vocabularyFor(settings) : () => E.right(known);
  const { context } = settings;
  return supervised({
    name,
    size,
    description,
    model: network,
    loss: softmaxCrossEntropy,
    measures: { bitsPerCharacter: known === null ? bitsPerCharacter : bitsPerCharacterOf(known), accuracy },
    derived: ({ loss, bitsPerCharacter: bits }) => ({
      natsPerCharacter: bits * Math.LN2,
      perplexity: Math.exp(loss / context),
    }),
    label: 'loss per window (nats)',
    settings: { ...settings },
    load: (files, path) =>
      pipe(
        readText(files, path),
        TE.chainEitherK((text) => textSplits(text, context, vocabulary)),
        TE.map((splits) => ({
          train: splits.train,
          test: splits.test,
          task: taskOf(size, settings, splits.vocabulary),
          warnings: [],
        })),
      ),
    ...(known === null
      ? {}
      : {
          kept: { [vocabularyName]: known.content },
          skills: { writer: { model: network, vocabulary: known } },
          preview: textPreview({ model: network, vocabulary: known, length: 200 }),
        }),
    defaults: size === 'full' ? { steps: 1000, batch: 32 } : { steps: 300, batch: 32 },
  });
};

/** Settings that have been checked, with defaults for the rest. */
const checked = (size: TaskSize, given: TaskSettings): Required<LanguageSettings> =>
  orRaise(settled('with', settingsOf(size), given));

/** The language model. */
export const languageModel: TaskFamily = {
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
