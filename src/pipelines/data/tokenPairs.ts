/**
 * Pairs of texts as examples for a network that translates: tokens, padded to the longest of their batch.
 *
 * A target is read from a token that begins it and written up to one that ends it; both come after the tokens of the
 * vocabulary. Extents are multiples of eight, so that batches have few shapes, and pairs are in the order of their lengths, so
 * that those that are judged together need little padding.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { KfacError } from '../../core/errors.ts';
import type { ReadonlyVector, Tensor } from '../../core/tensor.ts';
import { generate } from '../../core/tensor.ts';
import type { Vocabulary } from '../vocabularies/vocabulary.ts';
import type { Dataset } from './dataset.ts';
import type { TextPair } from './parallelText.ts';

/** A pair as tokens. */
export interface TokenPair {
  readonly source: ReadonlyVector;
  readonly target: ReadonlyVector;
}

/** Tokens that stand for no text, by their numbers. */
export const markersOf = ({ size }: Pick<Vocabulary, 'size'>): { readonly begin: number; readonly end: number } => ({
  begin: size,
  end: size + 1,
});

/** Tokens of a network: those of the vocabulary and the markers. */
export const tokenCount = ({ size }: Pick<Vocabulary, 'size'>): number => size + 2;

/** Extents are multiples of this, up to the most that there is room for. */
const step = 8;

const roomFor = (length: number, longest: number): number => Math.min(longest, step * Math.ceil(length / step));

/** Rows of tokens, filled up. */
const padded = (rows: ReadonlyArray<ReadonlyVector>, extent: number, filler: number, shift = 0): Tensor =>
  generate([rows.length, extent], (i) => rows[Math.floor(i / extent)][(i % extent) + shift] ?? filler, 'i32');

/** 1 where a row has a token. */
const present = (lengths: ReadonlyArray<number>, extent: number): Tensor =>
  generate([lengths.length, extent], (i) => (i % extent < lengths[Math.floor(i / extent)] ? 1 : 0), 'f32');

/**
 * Texts that are read, as the arrays that an encoder takes.
 *
 * @param sources - tokens of each
 * @param filler - what stands in the padding
 * @param longest - most positions
 */
export const sourceArrays = (
  sources: ReadonlyArray<ReadonlyVector>,
  filler: number,
  longest: number,
): Readonly<Record<'source' | 'sourceMask' | 'sourceLengths', Tensor>> => {
  const lengths = sources.map(({ length }) => length);
  const extent = roomFor(Math.max(1, ...lengths), longest);
  return {
    source: padded(sources, extent, filler),
    sourceMask: present(lengths, extent),
    sourceLengths: generate([lengths.length], (i) => lengths[i], 'i32'),
  };
};

/** How many tokens a pair takes: those of its longer side, with the marker. */
const lengthOf = ({ source, target }: TokenPair): number => Math.max(source.length, target.length + 1);

/** Logits that are judged at a time. */
const mostLogits = 2 ** 23;

/**
 * Examples of pairs: arrays `inputs`, `targets` and `mask` `[n, t]`, `source` and `sourceMask` `[n, s]`, `sourceLengths` `[n]`.
 *
 * @param name - for reports
 * @param pairs - at least one, none longer than there is room for
 * @param vocabulary - of what is written
 * @param longest - most positions of either side
 * @param sourceVocabulary - of what is read, the same unless given
 */
export const pairDataset = (
  name: string,
  pairs: ReadonlyArray<TokenPair>,
  vocabulary: Pick<Vocabulary, 'size'>,
  longest: number,
  sourceVocabulary: Pick<Vocabulary, 'size'> = vocabulary,
): Dataset => {
  const { begin, end } = markersOf(vocabulary);
  const { end: sourceEnd } = markersOf(sourceVocabulary);
  const sorted = pairs.toSorted((a, b) => lengthOf(a) - lengthOf(b));
  const ofTokens = { least: 0, most: end, isWhole: true };
  const ofMask = { least: 0, most: 1, isWhole: true };
  const arraysAt = (indices: ReadonlyVector): Readonly<Record<string, Tensor>> => {
    const chosen = Array.from(indices, (index) => sorted[index]);
    const written = chosen.map(({ target }) => Int32Array.of(begin, ...target, end));
    const lengths = chosen.map(({ target }) => target.length + 1);
    const extent = roomFor(Math.max(...lengths), longest);
    return {
      inputs: padded(written, extent, end),
      ...sourceArrays(
        chosen.map(({ source }) => source),
        sourceEnd,
        longest,
      ),
      targets: padded(written, extent, end, 1),
      mask: present(lengths, extent),
    };
  };
  return {
    name,
    size: sorted.length,
    lengths: generate([sorted.length], (i) => lengthOf(sorted[i]), 'i32').data,
    chunk: Math.max(1, Math.floor(mostLogits / (longest * tokenCount(vocabulary)))),
    batch: Object.assign((indices: ReadonlyVector) => arraysAt(indices), {
      largest: Math.max(end, sourceEnd),
      ranges: {
        inputs: ofTokens,
        source: { ...ofTokens, most: sourceEnd },
        targets: ofTokens,
        mask: ofMask,
        sourceMask: ofMask,
        sourceLengths: { least: 0, most: longest, isWhole: true },
      },
    }),
  };
};

/**
 * Pairs as tokens, those with nothing on a side, and those that are too long, left out.
 *
 * @param name - of the file, for errors
 * @param pairs - texts
 * @param vocabulary - of what is written
 * @param longest - most positions of either side
 * @param sourceVocabulary - of what is read, the same unless given
 */
export const encodedPairs = (
  name: string,
  pairs: ReadonlyArray<TextPair>,
  vocabulary: Vocabulary,
  longest: number,
  sourceVocabulary: Vocabulary = vocabulary,
): E.Either<KfacError, ReadonlyArray<TokenPair>> =>
  pipe(
    pairs,
    E.traverseArray(({ source, target }) =>
      pipe(
        E.Do,
        E.apS('source', sourceVocabulary.encode(source, name)),
        E.apS('target', vocabulary.encode(target, name)),
      ),
    ),
    E.map((all) => all.filter((pair) => lengthOf(pair) <= longest)),
  );
