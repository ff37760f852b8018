/**
 * What commands about a run that is over share: which run and what it is good for, where to compute, numbers from flags.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { BackendOptions } from '../../core/backends/choice/choose.ts';
import type { KfacError } from '../../core/errors.ts';
import { shown } from '../../core/shown.ts';
import type { Range } from '../../solvers/settings/range.ts';
import { backendOf } from '../config/plan.ts';
import type { LoadedRun } from '../loading/loadRun.ts';
import { loadRun } from '../loading/loadRun.ts';
import type { Skills, TaskFamily } from '../tasks/task.ts';
import type { World } from '../world.ts';
import type { RawFlags } from './options.ts';
import { configOfFlags, flagAt } from './options.ts';

/** What a command asks for. */
export interface RunCommand {
  readonly name: 'evaluate' | 'generate' | 'translate';
  /** The run's folder. */
  readonly run: string;
  /** Texts, for `translate`. */
  readonly texts?: ReadonlyArray<string>;
  readonly flags: RawFlags;
}

/** Flags that are settings of any run: those of the backend, and data. */
const shared: ReadonlyArray<string> = ['backend', 'gpuMode', 'threads', 'data'];

/** Where to compute, from flags. */
export const backendFrom = ({ flags }: RunCommand): E.Either<KfacError, BackendOptions> =>
  pipe(
    configOfFlags(Object.fromEntries(Object.entries(flags).filter(([name]) => shared.includes(name))), []),
    E.map(backendOf),
  );

/** The run that a command names. */
export const runFrom = (
  { files }: World,
  { run, flags }: RunCommand,
  tasks: ReadonlyArray<TaskFamily>,
): TE.TaskEither<KfacError, LoadedRun> => {
  const { optimizer } = flags;
  return pipe(
    loadRun(files, run, { tasks, ...(typeof optimizer === 'string' ? { optimizer } : {}) }),
    TE.mapLeft((error) =>
      error._tag === 'BadConfig' && error.path === 'optimizer' ? { ...error, path: '--optimizer' } : error,
    ),
  );
};

/**
 * What a run is asked for.
 *
 * @param skill - which
 * @param expected - the runs that have it, for errors
 */
export const skillFrom =
  <Name extends keyof Skills>(skill: Name, expected: string) =>
  ({ directory, task }: LoadedRun): E.Either<KfacError, NonNullable<Skills[Name]>> =>
    E.fromNullable<KfacError>({
      _tag: 'BadCheckpoint',
      source: directory,
      expected,
      actual: `one of ${task.name}`,
    })(task.skills[skill]);

/**
 * A number from a flag.
 *
 * @param flags - flags that were given
 * @param name - in camel case
 * @param range - which numbers there may be
 * @returns the number, `undefined` where the flag was not given
 */
export const numberFrom = (
  flags: RawFlags,
  name: string,
  range: Range<number>,
): E.Either<KfacError, number | undefined> => {
  const given = flags[name];
  if (typeof given !== 'string') return E.right(undefined);
  const value = given.trim() === '' ? NaN : Number(given);
  return range.holds(value)
    ? E.right(value)
    : E.left({ _tag: 'BadConfig', path: flagAt(name), expected: range.words, actual: shown(given) });
};
