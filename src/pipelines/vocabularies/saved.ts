/**
 * Vocabularies in files.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { KfacError } from '../../core/errors.ts';
import { bytePairsIn, isBytePairs } from './bytePairs.ts';
import { charactersIn } from './characters.ts';
import type { Vocabulary } from './vocabulary.ts';

/** Name of the file in a run's folder. */
export const vocabularyName = 'vocabulary.json';

/** Name of the file with the vocabulary of what is read, where that has one of its own. */
export const sourceVocabularyName = 'source-vocabulary.json';

/**
 * The vocabulary that a file holds.
 *
 * @param text - content of the file
 * @param source - its name, for errors
 */
export const vocabularyIn = (text: string, source: string): E.Either<KfacError, Vocabulary> =>
  pipe(
    E.tryCatch(
      (): unknown => JSON.parse(text),
      (): KfacError => ({
        _tag: 'BadCheckpoint',
        source,
        expected: 'a vocabulary in JSON',
        actual: 'text that is none',
      }),
    ),
    E.chain((content) => (isBytePairs(content) ? bytePairsIn(content, source) : charactersIn(content, source))),
  );

/**
 * The vocabulary among the files that a run kept.
 *
 * @param kept - texts by name
 * @param name - of the file
 */
export const vocabularyOf = (
  kept: Readonly<Record<string, string>>,
  name: string = vocabularyName,
): E.Either<KfacError, Vocabulary> =>
  Object.hasOwn(kept, name)
    ? vocabularyIn(kept[name], name)
    : E.left({
        _tag: 'BadCheckpoint',
        source: name,
        expected: 'the vocabulary of the run',
        actual: 'no such file',
      });
