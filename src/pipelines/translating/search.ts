/**
 * Search for the translation that a network holds for likely: greedy, or with a beam of several drafts.
 *
 * In every step each draft is continued with its likeliest tokens, and the likeliest of all drafts of a text stay, as many as the
 * beam is wide; one that has ended leaves its place to none. The search goes on as long as a draft may still come to a larger score
 * than what has ended. A beam of width 1 is greedy.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import { attempt } from '../../core/errors.ts';
import { iterate } from '../../core/iterate.ts';
import { checkParams } from '../../core/nn/model.ts';
import type { Params } from '../../core/params.ts';
import type { ReadonlyVector, Shaped, Tensor } from '../../core/tensor.ts';
import { markersOf } from '../data/tokenPairs.ts';
import { finiteParams, inScope, placed } from '../trainer/scope.ts';
import type { Draft, Reading, Translator } from './translator.ts';
import { logProbabilities, readTexts } from './translator.ts';

/** How translations are searched for. */
export interface SearchOptions {
  /** Drafts of a text that are followed; 1, which is greedy, unless given. */
  readonly beam?: number;
  /**
   * α of the score that decides among finished drafts, log p / length^α: 0 for the likeliest of all, which favours short
   * ones. 0.6 unless given.
   */
  readonly lengthPenalty?: number;
}

/** A translation. */
export interface Translation {
  /** Without markers. */
  readonly tokens: ReadonlyArray<number>;
  /** What the network gives for it, the marker at its end included. */
  readonly logProbability: number;
  /** Whether it came to its end within the room that there is. */
  readonly isWhole: boolean;
}

/** A draft with its log-probability. */
type Scored = Draft & Pick<Translation, 'logProbability'>;

/** What is known of a text's translation. */
interface Beam {
  readonly drafts: ReadonlyArray<Scored>;
  readonly finished: ReadonlyArray<Translation>;
}

/** Texts that are translated together. */
const together = 64;

const score = ({ tokens, logProbability }: Translation, lengthPenalty: number): number =>
  logProbability / (tokens.length + 1) ** lengthPenalty;

/** The largest of some numbers, by their positions; the first of equal ones first. */
const largest = (values: ReadonlyArray<number>, count: number): ReadonlyArray<number> =>
  values.reduce<ReadonlyArray<number>>((best, value, at) => {
    const last = best.at(-1);
    if (best.length === count && last !== undefined && !(value > values[last])) return best;
    const place = best.findIndex((other) => value > values[other]);
    return [...best.slice(0, place < 0 ? best.length : place), at, ...(place < 0 ? [] : best.slice(place))].slice(
      0,
      count,
    );
  }, []);

/** The beam of a text after a step, from the log-probabilities of what comes after each of its drafts. */
const advanced = (
  { drafts, finished }: Beam,
  next: ReadonlyArray<ReadonlyArray<number>>,
  width: number,
  { begin, end }: ReturnType<typeof markersOf>,
): Beam => {
  const candidates = drafts.flatMap((draft, i) =>
    largest(
      next[i].map((logP, token) => (token === begin ? -Infinity : logP)),
      width,
    ).map((token) => ({ draft, token, logProbability: draft.logProbability + next[i][token] })),
  );
  const kept = largest(
    candidates.map(({ logProbability }) => logProbability),
    width,
  ).map((at) => candidates[at]);
  return {
    drafts: kept
      .filter(({ token }) => token !== end)
      .map(({ draft, token, logProbability }) => ({
        text: draft.text,
        tokens: [...draft.tokens, token],
        logProbability,
      })),
    finished: [
      ...finished,
      ...kept
        .filter(({ token }) => token === end)
        .map(({ draft, logProbability }) => ({ tokens: draft.tokens, logProbability, isWhole: true })),
    ],
  };
};

/** The largest score that a draft may come to: no token makes it likelier, and no text is longer than there is room for. */
const bestStill = ({ logProbability }: Scored, longest: number, lengthPenalty: number): number =>
  logProbability / longest ** lengthPenalty;

/** Whether nothing better is to come: no drafts, or none that may come to a larger score than what is finished has. */
const isSettled = ({ drafts, finished }: Beam, longest: number, lengthPenalty: number): boolean => {
  const reached = Math.max(...finished.map((each) => score(each, lengthPenalty)));
  return drafts.every((draft) => bestStill(draft, longest, lengthPenalty) <= reached);
};

/** The best of what was found; a draft that there was no more room for, where nothing else was. */
const chosen = ({ drafts, finished }: Beam, lengthPenalty: number): Translation => {
  const all: ReadonlyArray<Translation> =
    finished.length > 0
      ? finished
      : drafts.map(({ tokens, logProbability }) => ({ tokens, logProbability, isWhole: false }));
  return all.reduce((best, other) => (score(other, lengthPenalty) > score(best, lengthPenalty) ? other : best));
};

/** One more token for every draft of the texts that are not settled. */
const stepOn = <T extends Shaped>(
  backend: Backend<T>,
  translator: Translator,
  params: Params<T>,
  reading: Reading<T>,
  beams: ReadonlyArray<Beam>,
  { beam: width, lengthPenalty }: Required<SearchOptions>,
): TE.TaskEither<KfacError, ReadonlyArray<Beam>> => {
  const open = beams.map((beam) => (isSettled(beam, translator.longest, lengthPenalty) ? [] : beam.drafts));
  const starts = open.reduce<ReadonlyArray<number>>((sums, { length }) => [...sums, (sums.at(-1) ?? 0) + length], [0]);
  const markers = markersOf(translator.vocabulary);
  return inScope(backend, ({ ops, read }) =>
    pipe(
      attempt(() => logProbabilities(ops, translator, params, reading, open.flat())),
      TE.fromEither,
      TE.chain(read),
      TE.map(({ data, shape: [, size] }) => {
        const row = (at: number): ReadonlyArray<number> => Array.from({ length: size }, (_, i) => data[at * size + i]);
        return beams.map((beam, text) =>
          open[text].length === 0
            ? beam
            : advanced(
                beam,
                open[text].map((_, i) => row(starts[text] + i)),
                width,
                markers,
              ),
        );
      }),
    ),
  );
};

const translateGroup = <T extends Shaped>(
  backend: Backend<T>,
  translator: Translator,
  params: Params<T>,
  sources: ReadonlyArray<ReadonlyVector>,
  { beam: width = 1, lengthPenalty = 0.6 }: SearchOptions,
): TE.TaskEither<KfacError, ReadonlyArray<Translation>> =>
  inScope(backend, (scoped) =>
    pipe(
      attempt(() => readTexts(scoped.ops, translator, params, sources)),
      TE.fromEither,
      TE.chain((reading) => {
        const begun = sources.map((_, text): Beam => ({
          drafts: [{ text, tokens: [], logProbability: 0 }],
          finished: [],
        }));
        interface Progress {
          readonly beams: ReadonlyArray<Beam>;
          readonly length: number;
        }
        return iterate<KfacError, Progress, ReadonlyArray<Translation>>(
          { beams: begun, length: 0 },
          ({ beams, length }) =>
            length >= translator.longest || beams.every((beam) => isSettled(beam, translator.longest, lengthPenalty))
              ? TE.right(E.right(beams.map((beam) => chosen(beam, lengthPenalty))))
              : pipe(
                  stepOn(scoped, translator, params, reading, beams, { beam: width, lengthPenalty }),
                  TE.map((next) => E.left({ beams: next, length: length + 1 })),
                ),
        );
      }),
    ),
  );

/** What can be read has at least a token, and not more than there is room for. */
const checkSources = (
  sources: ReadonlyArray<ReadonlyVector>,
  longest: number,
): E.Either<KfacError, ReadonlyArray<ReadonlyVector>> => {
  const wrong = sources.findIndex(({ length }) => length < 1 || length > longest);
  return wrong < 0
    ? E.right(sources)
    : E.left({
        _tag: 'BadData',
        source: `text ${wrong + 1}`,
        expected: `a text of 1 to ${longest} tokens`,
        actual: `one of ${sources[wrong].length}`,
        advice: 'Cut it into sentences, or train with a larger setting longest.',
      });
};

const checkSearch = ({ beam, lengthPenalty }: SearchOptions): E.Either<KfacError, unknown> => {
  const bad = (path: string, expected: string, actual: number): E.Either<KfacError, never> =>
    E.left({ _tag: 'BadConfig', path, expected, actual: String(actual) });
  if (beam !== undefined && !(Number.isSafeInteger(beam) && beam >= 1)) {
    return bad('beam', 'a whole number of at least 1', beam);
  }
  return lengthPenalty === undefined || (lengthPenalty >= 0 && lengthPenalty < Infinity)
    ? E.right(null)
    : bad('lengthPenalty', 'a number of at least 0', lengthPenalty);
};

/**
 * Translates texts.
 *
 * @param backend - where to compute
 * @param translator - network and vocabulary
 * @param params - the network's parameters, in host memory
 * @param sources - tokens of each text
 * @param options - width of the beam, how drafts of different lengths are compared
 * @returns a translation for each text, in their order
 * @example
 * ```ts
 * import { initialParams, keyOf, referenceBackend } from 'kfac-ts/core';
 * import { characterVocabulary, translate, translationNetwork } from 'kfac-ts/pipelines';
 *
 * const vocabulary = characterVocabulary(['a', 'b', 'c']);
 * const extents = { vocabulary: 5, longest: 8, features: 8, heads: 2, blocks: 1, dropout: 0 };
 * const network = translationNetwork('letters', { network: 'transformer', ...extents });
 * const translator = { ...network, vocabulary, longest: 8 };
 * const params = initialParams(network.model, keyOf(1), 'f64');
 * const found = await translate(referenceBackend(), translator, params, [Int32Array.of(0, 1)], { beam: 2 })();
 * found._tag === 'Right' ? found.right.length : 0; // => 1
 * ```
 */
export const translate = <T extends Shaped>(
  backend: Backend<T>,
  translator: Translator,
  params: Params<Tensor>,
  sources: ReadonlyArray<ReadonlyVector>,
  options: SearchOptions = {},
): TE.TaskEither<KfacError, ReadonlyArray<Translation>> =>
  inScope(backend, (scoped) =>
    pipe(
      checkSearch(options),
      E.chain(() => checkSources(sources, translator.longest)),
      E.chain(() => checkParams(translator.model, params)),
      E.chain(() => finiteParams(scoped.dtype, params, 'Translate with parameters that training has returned.')),
      E.chain(() => attempt(() => placed(scoped.ops, 'parameter', params))),
      TE.fromEither,
      TE.chain((weights) =>
        pipe(
          Array.from({ length: Math.ceil(sources.length / together) }, (_, i) =>
            sources.slice(i * together, (i + 1) * together),
          ),
          TE.traverseSeqArray((group) => translateGroup(scoped, translator, weights, group, options)),
        ),
      ),
      TE.map((groups) => groups.flat()),
    ),
  );
