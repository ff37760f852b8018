/**
 * Vocabularies of byte pairs [SHB16]: the 256 bytes, and pairs of tokens that stand side by side often.
 *
 * Since every byte is a token, every text can be encoded, and decoding gives it back. Words are cut as those of GPT-2 are: a
 * pair does not reach from one into the next. The file is a `tokenizer.json` as the tokenizers of Hugging Face read it, whose
 * own library applies the merges here.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as t from 'io-ts';

import { loadOptional } from '../../core/backends/optional.ts';
import type { KfacError } from '../../core/errors.ts';
import type { Pair } from '../../core/mergePairs.ts';
import { mergePairs } from '../../core/mergePairs.ts';
import { shown } from '../../core/shown.ts';
import { messageOf } from '../files/thrown.ts';
import type { Vocabulary } from './vocabulary.ts';

const bytesCount = 256;

/** Bytes that stand for themselves in names of tokens: those of visible characters in Latin-1. */
const isVisible = (byte: number): boolean =>
  (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;

const allBytes = Array.from({ length: bytesCount }, (_, byte) => byte);
const hidden = allBytes.filter((byte) => !isVisible(byte));

/** A visible character for each byte, as GPT-2 has them: those that have none of their own take what comes after Latin-1. */
const letters = allBytes.map((byte) =>
  String.fromCodePoint(isVisible(byte) ? byte : bytesCount + hidden.indexOf(byte)),
);

/** Words with the space before them, numbers, signs, space: together they are the whole text. */
const words = /'(?:s|t|re|ve|m|ll|d)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

const wordsOf = (text: string): ReadonlyArray<string> => text.match(words) ?? [];

/** Each token's name, and what it stands for. */
interface Tokens {
  readonly names: ReadonlyArray<string>;
  readonly bytes: ReadonlyArray<Uint8Array>;
}

const tokensOf = (merges: ReadonlyArray<Pair>): Tokens => {
  const start: Tokens = { names: letters, bytes: allBytes.map((byte) => Uint8Array.of(byte)) };
  // A list that grows by one at a time is copied each time; merges are a few thousand.
  return merges.reduce(
    ({ names, bytes }, [left, right]) => ({
      names: [...names, names[left] + names[right]],
      bytes: [...bytes, Uint8Array.of(...bytes[left], ...bytes[right])],
    }),
    start,
  );
};

/** What the library makes of a text. */
interface Encoder {
  readonly encode: (text: string) => { readonly ids: ReadonlyArray<number> };
}

/** The library, as far as it is used. */
interface Library {
  readonly Tokenizer: new (tokenizer: object, config: object) => Encoder;
}

const Exported = t.type({ Tokenizer: t.Function });
const isLibrary = (value: unknown): value is Library => Exported.is(value);

const library = '@huggingface/tokenizers';

const missing = (reason: string): KfacError => ({
  _tag: 'BadConfig',
  path: 'byte pairs',
  expected: `the package ${library}, which npm install ${library} installs`,
  actual: reason,
});

/** The tokenizer as Hugging Face describes one. */
const described = (merges: ReadonlyArray<Pair>, { names }: Tokens): object => {
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: true };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(names.map((name, token) => [name, token])),
      merges: merges.map(([left, right]) => [names[left], names[right]]),
    },
  };
};

/** A vocabulary of given merges. */
const ofMerges = (merges: ReadonlyArray<Pair>): E.Either<KfacError, Vocabulary> => {
  const tokens = tokensOf(merges);
  const description = described(merges, tokens);
  const none = new Uint8Array(0);
  return pipe(
    loadOptional(library),
    E.mapLeft(missing),
    E.filterOrElse(isLibrary, () => missing('another one')),
    E.chain(({ Tokenizer }) =>
      E.tryCatch(
        () => new Tokenizer(description, {}),
        (thrown) => missing(messageOf(thrown)),
      ),
    ),
    E.map((encoder) => ({
      size: tokens.names.length,
      encode: (text) => {
        const cut = wordsOf(text);
        // A text has few distinct words, and the library takes its time over each.
        const known = new Map([...new Set(cut)].map((word) => [word, encoder.encode(word).ids]));
        return E.right(Int32Array.from(cut.flatMap((word) => known.get(word) ?? [])));
      },
      bytes: (token) => tokens.bytes[token] ?? none,
      content: `${JSON.stringify(description, null, 1)}\n`,
    })),
  );
};

/** Distinct words of a text as bytes, with how often each stands there. */
const counted = (text: string): Parameters<typeof mergePairs>[0] => {
  const sorted = wordsOf(text).toSorted();
  const starts = sorted.flatMap((word, i) => (i > 0 && sorted[i - 1] === word ? [] : [i]));
  return starts.map((start, i) => ({
    symbols: Array.from(new TextEncoder().encode(sorted[start])),
    count: (starts[i + 1] ?? sorted.length) - start,
  }));
};

/**
 * A vocabulary of the byte pairs that are most frequent in a text.
 *
 * @param text - to learn from
 * @param size - tokens that there are at most, the 256 bytes among them
 * @returns the vocabulary; an error where the library that encodes is not installed
 * @example
 * ```ts no-run
 * import { bytePairVocabulary } from 'kfac-ts/pipelines';
 *
 * const vocabulary = bytePairVocabulary('low lower lowest', 260);
 * ```
 */
export const bytePairVocabulary = (text: string, size: number): E.Either<KfacError, Vocabulary> =>
  Number.isSafeInteger(size) && size >= bytesCount
    ? ofMerges(mergePairs(counted(text), bytesCount, size - bytesCount))
    : E.left({
        _tag: 'BadConfig',
        path: 'vocabulary',
        expected: `a whole number of at least ${bytesCount}, as many as there are bytes`,
        actual: shown(size),
      });

const Saved = t.type({
  model: t.type({
    type: t.literal('BPE'),
    vocab: t.record(t.string, t.number),
    merges: t.readonlyArray(t.tuple([t.string, t.string])),
  }),
});

/** Whether JSON is a tokenizer of byte pairs. */
export const isBytePairs = (content: unknown): boolean => t.type({ model: t.UnknownRecord }).is(content);

/**
 * A vocabulary of byte pairs from the content of its file.
 *
 * @param content - JSON as a value
 * @param source - name of the file, for errors
 */
export const bytePairsIn = (content: unknown, source: string): E.Either<KfacError, Vocabulary> => {
  const bad = (actual: string): E.Either<KfacError, never> =>
    E.left({ _tag: 'BadCheckpoint', source, expected: 'a vocabulary of byte pairs', actual });
  if (!Saved.is(content)) return bad('a tokenizer of another kind');
  const { vocab, merges } = content.model;
  const pairs = merges.map(([left, right]): Pair => [vocab[left] ?? -1, vocab[right] ?? -1]);
  const wrong = pairs.findIndex(([left, right], i) =>
    [left, right].some((token) => !(Number.isInteger(token) && token >= 0 && token < bytesCount + i)),
  );
  if (wrong >= 0) return bad(`merge ${wrong + 1} of tokens that are not there before it`);
  const { names } = tokensOf(pairs);
  return Object.keys(vocab).length === names.length && names.every((name, token) => vocab[name] === token)
    ? ofMerges(pairs)
    : bad('tokens that are not the bytes and the merges, in their order');
};
