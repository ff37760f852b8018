/**
 * `kfac translate`: says texts in another language, with the network of a run; those that are given, or the lines of standard
 * input.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import { withBackend } from '../../core/backends/choice/choose.ts';
import type { KfacError } from '../../core/errors.ts';
import type { ReadonlyVector } from '../../core/tensor.ts';
import { notNegative, wholeFrom } from '../../solvers/settings/range.ts';
import type { TaskFamily } from '../tasks/task.ts';
import type { SearchOptions } from '../translating/search.ts';
import { translate } from '../translating/search.ts';
import type { Translator } from '../translating/translator.ts';
import { readingVocabulary } from '../translating/translator.ts';
import { spelled } from '../vocabularies/vocabulary.ts';
import type { World } from '../world.ts';
import type { RawFlags } from './options.ts';
import type { RunCommand } from './overRun.ts';
import { backendFrom, numberFrom, runFrom, skillFrom } from './overRun.ts';

/** Width of the beam unless another is given. */
const usualBeam = 4;

const optionsFrom = (flags: RawFlags): E.Either<KfacError, SearchOptions> =>
  pipe(
    E.Do,
    E.apS('beam', numberFrom(flags, 'beam', wholeFrom(1))),
    E.apS('lengthPenalty', numberFrom(flags, 'lengthPenalty', notNegative)),
    E.map(({ beam = usualBeam, lengthPenalty }) => ({
      beam,
      ...(lengthPenalty === undefined ? {} : { lengthPenalty }),
    })),
  );

/** A text, and what errors call it. */
interface Given {
  readonly text: string;
  readonly source: string;
}

const decoded = (bytes: Uint8Array): E.Either<KfacError, string> =>
  E.tryCatch(
    () => new TextDecoder('utf-8', { fatal: true }).decode(bytes),
    (): KfacError => ({
      _tag: 'BadData',
      source: 'standard input',
      expected: 'text in UTF-8',
      actual: 'bytes that are not',
      advice: 'Convert it: iconv -f LATIN1 -t UTF-8.',
    }),
  );

/** Lines with something on them, under their numbers. */
const linesOf = (input: string): ReadonlyArray<Given> =>
  input
    .split('\n')
    .map((line, i) => ({ text: line.trim(), source: `standard input, line ${i + 1}` }))
    .filter(({ text }) => text !== '');

/** Texts of the command, or those of standard input where it has none. */
const textsFrom = ({ input }: World, { texts = [] }: RunCommand): TE.TaskEither<KfacError, ReadonlyArray<Given>> => {
  const given = texts.map((text, i) => ({ text: text.trim(), source: `text ${i + 1}` }));
  return pipe(
    given.length > 0 || input === undefined ? TE.right(given) : pipe(input, TE.chainEitherK(decoded), TE.map(linesOf)),
    TE.filterOrElse(
      (all) => all.length > 0 && all.every(({ text }) => text !== ''),
      (all): KfacError => ({
        _tag: 'BadConfig',
        path: 'text',
        expected: 'a text to translate, or lines of text on standard input',
        actual: all.length === 0 ? 'none' : 'an empty one',
      }),
    ),
  );
};

const translatorOf = skillFrom('translator', 'a run of a task that translates, as translation does');

/** Tokens of a text, where there is room for them. */
const encoded =
  (translator: Translator) =>
  ({ text, source }: Given): E.Either<KfacError, ReadonlyVector> =>
    pipe(
      readingVocabulary(translator).encode(text, source),
      E.filterOrElse(
        ({ length }) => length <= translator.longest,
        ({ length }): KfacError => ({
          _tag: 'BadData',
          source,
          expected: `a text of at most ${translator.longest} tokens`,
          actual: `one of ${length}`,
          advice: 'Cut it into sentences, or train with a larger setting longest.',
        }),
      ),
    );

/**
 * Translates and prints a line for each text.
 *
 * @param world - input and output
 * @param command - which run, texts, how to search
 * @param tasks - what can be learned
 */
export const runTranslate = (
  world: World,
  command: RunCommand,
  tasks: ReadonlyArray<TaskFamily>,
): TE.TaskEither<KfacError, void> => {
  const { flags } = command;
  return pipe(
    TE.Do,
    TE.bind('options', () => TE.fromEither(optionsFrom(flags))),
    TE.bind('backend', () => TE.fromEither(backendFrom(command))),
    TE.bind('run', () => runFrom(world, command, tasks)),
    TE.bind('translator', ({ run }) => TE.fromEither(translatorOf(run))),
    TE.bind('texts', () => textsFrom(world, command)),
    TE.bind('sources', ({ translator, texts }) => TE.fromEither(E.traverseArray(encoded(translator))(texts))),
    TE.bind('translations', ({ options, backend: choice, run, translator, sources }) =>
      withBackend(choice, (backend) => translate(backend, translator, run.params, sources, options)),
    ),
    TE.chainIOK(({ translator, texts, translations }) => () => {
      translations.forEach(({ tokens, logProbability, isWhole }, i) => {
        const translated = spelled(translator.vocabulary, tokens);
        world.out(
          flags['json'] === true
            ? JSON.stringify({ text: texts[i].text, translation: translated, logProbability, isWhole })
            : translated.replaceAll(/\s+/g, ' '),
        )();
      });
    }),
  );
};
