/**
 * Flags of `kfac bench` as a plan: which optimizers on which problems, from which seeds.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { KfacError } from '../../core/errors.ts';
import { shown } from '../../core/shown.ts';
import { optimizerOf } from '../../solvers/presets/registry.ts';
import type { Choice } from '../problems/choices.ts';
import { allChoices, choiceOf, isForClasses } from '../problems/choices.ts';
import type { Half } from '../problems/halves.ts';
import { problemsOf } from '../problems/halves.ts';
import type { Problem } from '../problems/problem.ts';
import type { Trial } from '../problems/trial.ts';
import type { RawFlags } from './options.ts';
import { configOfFlags, namesIn } from './options.ts';

/** What is run, and how. */
export interface BenchPlan {
  readonly trials: ReadonlyArray<Trial>;
  readonly processes: number;
  /** File for a line of each result. */
  readonly out: string | undefined;
  /** Files with results of earlier runs, which are compared with those of this one. */
  readonly from: ReadonlyArray<string>;
  /** File for the performance profile, without its ending. */
  readonly figure: string | undefined;
  readonly isJson: boolean;
}

const bad = (path: string, expected: string, actual: string): E.Either<KfacError, never> =>
  E.left({ _tag: 'BadConfig', path, expected, actual });

const textOf = (flags: RawFlags, name: string, standard: string): string => {
  const given = flags[name];
  return typeof given === 'string' ? given : standard;
};

/** Optimizers by name, or all there are. */
const namedIn = (text: string): ReadonlyArray<Choice> =>
  text.trim() === 'all' ? allChoices : namesIn(text).map(choiceOf);

/** Settings that `--set` gives each preset, and whether presets have them all. */
const choicesOf = (flags: RawFlags): E.Either<KfacError, ReadonlyArray<Choice>> => {
  // Whoever names files alone wants them compared, and nothing run.
  if (flags['from'] !== undefined && flags['optimizers'] === undefined) return E.right([]);
  const choices = namedIn(textOf(flags, 'optimizers', 'kfac'));
  const names = [...new Set(choices.map(({ optimizer }) => optimizer))];
  const onlySet = flags['set'] === undefined ? {} : { set: flags['set'] };
  return pipe(
    configOfFlags(onlySet, names),
    E.map(({ settings = {} }) =>
      choices.map(({ optimizer, settings: own }) => ({ optimizer, settings: { ...settings[optimizer], ...own } })),
    ),
    E.chainFirst(
      E.traverseArray(({ optimizer, settings }) =>
        pipe(
          optimizerOf(optimizer, settings),
          E.mapLeft((error) =>
            error._tag === 'BadConfig' && error.path === 'optimizer' ? { ...error, path: '--optimizers' } : error,
          ),
        ),
      ),
    ),
    E.chain((found) => (found.length === 0 ? bad('--optimizers', 'at least one optimizer', 'none') : E.right(found))),
  );
};

const halfOf = (flags: RawFlags): E.Either<KfacError, Half | 'all'> => {
  const half = textOf(flags, 'half', 'all');
  return half === 'tune' || half === 'report' || half === 'all'
    ? E.right(half)
    : bad('--half', 'tune, report or all', shown(half));
};

/** Numbers with commas between. */
const numbersOf = (
  flag: string,
  text: string,
  expected: string,
  holds: (n: number) => boolean,
): E.Either<KfacError, ReadonlyArray<number>> => {
  const numbers = namesIn(text).map(Number);
  return numbers.length > 0 && numbers.every(holds) ? E.right(numbers) : bad(flag, expected, shown(text));
};

const numberOf = (
  flag: string,
  text: string,
  expected: string,
  holds: (n: number) => boolean,
): E.Either<KfacError, number> => {
  const number = text.trim() === '' ? NaN : Number(text);
  return holds(number) ? E.right(number) : bad(flag, expected, shown(text));
};

const isSeed = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;
const isCount = (n: number): boolean => Number.isSafeInteger(n) && n >= 1 && n <= 256;
const isFactor = (n: number): boolean => n > 0 && n <= 1000;

/** All problems of the half, or those of them that are named. */
const problemsFrom = (flags: RawFlags, half: Half | 'all'): E.Either<KfacError, ReadonlyArray<Problem>> => {
  const known = problemsOf(half);
  const names = known.map(({ name }) => name);
  const wanted = typeof flags['problems'] === 'string' ? namesIn(flags['problems']) : names;
  const unknown = wanted.find((name) => !names.includes(name));
  return unknown === undefined
    ? E.right(known.filter(({ name }) => wanted.includes(name)))
    : bad('--problems', `some of ${names.join(', ')}`, shown(unknown));
};

/**
 * What flags ask for.
 *
 * @param flags - of the command line
 */
export const benchPlan = (flags: RawFlags): E.Either<KfacError, BenchPlan> =>
  pipe(
    E.Do,
    E.apS('choices', choicesOf(flags)),
    E.apS('half', halfOf(flags)),
    E.apS('seeds', numbersOf('--seeds', textOf(flags, 'seeds', '1'), 'whole numbers of at least 0', isSeed)),
    E.apS(
      'processes',
      numberOf('--processes', textOf(flags, 'processes', '1'), 'a whole number from 1 to 256', isCount),
    ),
    E.apS('longer', numberOf('--longer', textOf(flags, 'longer', '1'), 'a number above 0, to 1000', isFactor)),
    E.bind('problems', ({ half }) => problemsFrom(flags, half)),
    E.filterOrElse(
      ({ choices }) => flags['figure'] === undefined || choices.length > 1 || flags['from'] !== undefined,
      (): KfacError => ({
        _tag: 'BadConfig',
        path: '--figure',
        expected: 'two optimizers at least, or --from, to compare',
        actual: 'one',
      }),
    ),
    E.map(({ choices, seeds, processes, longer, problems }) => ({
      trials: problems.flatMap(({ name, classes }) =>
        choices
          .filter((choice) => !isForClasses(choice) || classes() !== null)
          .flatMap((choice) =>
            seeds.map((seed): Trial => {
              const trial = { problem: name, ...choice, seed };
              return longer === 1 ? trial : { ...trial, longer };
            }),
          ),
      ),
      processes,
      out: typeof flags['out'] === 'string' ? flags['out'] : undefined,
      from: namesIn(textOf(flags, 'from', '')),
      figure: typeof flags['figure'] === 'string' ? flags['figure'] : undefined,
      isJson: flags['json'] === true,
    })),
  );
