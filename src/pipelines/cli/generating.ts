/**
 * `kfac generate`: goes on with a text, with the language model of a run, and shows every token as it comes.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import { withBackend } from '../../core/backends/choice/choose.ts';
import type { KfacError } from '../../core/errors.ts';
import { notNegative, wholeFrom } from '../../solvers/settings/range.ts';
import type { TaskFamily } from '../tasks/task.ts';
import type { Vocabulary } from '../vocabularies/vocabulary.ts';
import { spelled } from '../vocabularies/vocabulary.ts';
import type { World } from '../world.ts';
import type { WritingOptions } from '../writing/writer.ts';
import { write } from '../writing/writer.ts';
import type { RawFlags } from './options.ts';
import type { RunCommand } from './overRun.ts';
import { backendFrom, numberFrom, runFrom, skillFrom } from './overRun.ts';
import { interruptible } from './stopping.ts';

/** Tokens that are written unless a number is given. */
const usualTokens = 200;

const optionsFrom = (flags: RawFlags): E.Either<KfacError, WritingOptions> =>
  pipe(
    E.Do,
    E.apS('tokens', numberFrom(flags, 'tokens', wholeFrom(1))),
    E.apS('temperature', numberFrom(flags, 'temperature', notNegative)),
    E.apS('topK', numberFrom(flags, 'topK', wholeFrom(1))),
    E.apS('seed', numberFrom(flags, 'seed', wholeFrom(0))),
    E.map(({ tokens = usualTokens, temperature, topK, seed }) => ({
      tokens,
      ...(temperature === undefined ? {} : { temperature }),
      ...(topK === undefined ? {} : { topK }),
      ...(seed === undefined ? {} : { seed }),
    })),
  );

const promptFrom = ({ prompt }: RawFlags): E.Either<KfacError, string> =>
  typeof prompt === 'string' && prompt !== ''
    ? E.right(prompt)
    : E.left({
        _tag: 'BadConfig',
        path: '--prompt',
        expected: 'a text to go on with',
        actual: prompt === undefined ? 'none' : 'an empty one',
      });

const writerOf = skillFrom('writer', 'a run of a task that writes text, as language-model does');

/** Shows text as it comes; a place for lines gets it whole, at the end. */
interface Voice {
  readonly heard: NonNullable<WritingOptions['heard']>;
  readonly end: (written: ReadonlyArray<number>) => void;
}

const voiceOf = (world: World, isJson: boolean, prompt: string, vocabulary: Vocabulary): Voice => {
  const { print } = world;
  const decoder = new TextDecoder();
  if (isJson || print === undefined) {
    return {
      heard: () => () => undefined,
      end: (written) => {
        const text = spelled(vocabulary, written);
        world.out(isJson ? JSON.stringify({ prompt, text, tokens: written.length }) : `${prompt}${text}`)();
      },
    };
  }
  print(prompt)();
  return {
    heard: (token) => print(decoder.decode(vocabulary.bytes(token), { stream: true })),
    end: () => print(`${decoder.decode()}\n`)(),
  };
};

/**
 * Writes text. An interruption ends it after the token under way.
 *
 * @param world - files and output
 * @param command - which run, prompt, how it goes on
 * @param tasks - what can be learned
 * @returns what the program ends with
 */
export const runGenerate = (
  world: World,
  command: RunCommand,
  tasks: ReadonlyArray<TaskFamily>,
): TE.TaskEither<KfacError, number> => {
  const { flags } = command;
  return pipe(
    TE.Do,
    TE.bind('options', () => TE.fromEither(optionsFrom(flags))),
    TE.bind('prompt', () => TE.fromEither(promptFrom(flags))),
    TE.bind('backend', () => TE.fromEither(backendFrom(command))),
    TE.bind('run', () => runFrom(world, command, tasks)),
    TE.bind('writer', ({ run }) => TE.fromEither(writerOf(run))),
    TE.bind('begun', ({ writer, prompt }) => TE.fromEither(writer.vocabulary.encode(prompt, '--prompt'))),
    TE.chain(({ options, prompt, backend: choice, run, writer, begun }) =>
      interruptible(world, (interrupting) =>
        withBackend(choice, (backend) =>
          pipe(
            TE.fromIO(() => voiceOf(world, flags['json'] === true, prompt, writer.vocabulary)),
            TE.chain((voice) =>
              pipe(
                write(backend, writer, run.params, Array.from(begun), {
                  ...options,
                  heard: voice.heard,
                  goesOn: () => interrupting() === null,
                }),
                TE.chainIOK((written) => () => voice.end(written)),
              ),
            ),
            TE.map(() => interrupting()?.exitCode ?? 0),
          ),
        ),
      ),
    ),
  );
};
