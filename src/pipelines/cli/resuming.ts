/**
 * `--resume` and `--fork`: which checkpoints a run goes on from, and what must be as it was.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import * as t from 'io-ts';

import type { KfacError } from '../../core/errors.ts';
import type { TrainState } from '../../core/pipeline/trainState.ts';
import { emptyMemory } from '../../core/pipeline/trainState.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { Optimizer } from '../../solvers/presets/optimizer.ts';
import { loadCheckpoint } from '../checkpoints/files.ts';
import { checkpointsOf, runOfCheckpoint, withCheckpoints } from '../checkpoints/runCheckpoints.ts';
import type { Found } from '../checkpoints/store.ts';
import { isCheckpoint, loadLatest } from '../checkpoints/store.ts';
import type { Plan } from '../config/plan.ts';
import type { RunConfig } from '../config/runConfig.ts';
import { decodeRunConfig, mergeConfigs } from '../config/runConfig.ts';
import type { Splits } from '../data/dataset.ts';
import type { FileSystem } from '../files/fileSystem.ts';
import { firstDifference } from '../trainer/difference.ts';
import type { TrainTask } from '../trainer/learning.ts';
import { identityOf } from '../trainer/saving.ts';
import { resumable } from '../trainer/snapshot.ts';
import type { TrainOptions } from '../trainer/options.ts';
import type { World } from '../world.ts';
import { dataMark } from './dataMark.ts';
import type { Source, TrainingCommand } from './planning.ts';

/** What a run goes on from. */
export interface Resumption {
  /** The run's folder, `null` for a checkpoint that stands alone. */
  readonly directory: string | null;
  /** Whether it is the same run that goes on, and not one of its own. */
  readonly isSame: boolean;
  /** What the run was configured with. */
  readonly config: RunConfig;
  /** Its checkpoints by optimizer. */
  readonly found: Readonly<Record<string, Found>>;
}

const About = t.type({ config: t.unknown });
/** Checkpoints of early versions have no mark. */
const Marked = t.type({ data: t.string });

/** The configuration in a checkpoint; where a report goes is not for a file to say that someone may have changed. */
const configIn = ({ checkpoint, directory }: Found): E.Either<KfacError, RunConfig> =>
  About.is(checkpoint.about)
    ? pipe(
        decodeRunConfig((path) => `${directory}: ${path}`, checkpoint.about.config),
        E.map((config) => ({ ...config, out: undefined })),
      )
    : E.left({
        _tag: 'BadCheckpoint',
        source: directory,
        expected: 'a checkpoint of kfac train or kfac compare, with its configuration',
        actual: 'one without',
      });

interface FoundAt {
  readonly directory: string | null;
  readonly found: ReadonlyArray<Found>;
}

/** The checkpoints that a path stands for: itself, or the last of each optimizer of a run. */
const checkpointsAt = (files: FileSystem, path: string): TE.TaskEither<KfacError, FoundAt> =>
  pipe(
    isCheckpoint(files, path),
    TE.chain((isOne) =>
      isOne
        ? pipe(
            loadCheckpoint(files, path),
            TE.map((checkpoint): FoundAt => ({
              directory: runOfCheckpoint(path),
              found: [{ checkpoint, directory: path, warnings: [] }],
            })),
          )
        : pipe(
            withCheckpoints(files, path),
            TE.chain(TE.traverseSeqArray((optimizer) => loadLatest(files, checkpointsOf(path, optimizer)))),
            TE.map((all) => ({ directory: path, found: all.flatMap((found) => found ?? []) })),
          ),
    ),
  );

/** Reads what flags ask a run to go on from, if they do. */
export const readResumption = (
  { files }: World,
  { flags }: TrainingCommand,
): TE.TaskEither<KfacError, Resumption | null> => {
  const given = flags['resume'];
  const isFork = flags['fork'] === true;
  if (typeof given !== 'string') {
    return isFork
      ? TE.left({ _tag: 'BadConfig', path: '--fork', expected: '--resume to say from what', actual: 'nothing' })
      : TE.right(null);
  }
  const path = given.replace(/(?<=.)[/\\]+$/, '');
  return pipe(
    checkpointsAt(files, path),
    TE.filterOrElse(
      ({ found }) => found.length > 0,
      (): KfacError => ({
        _tag: 'BadConfig',
        path: '--resume',
        expected: 'a run with checkpoints, or a checkpoint',
        actual: `${path}, which is neither`,
      }),
    ),
    TE.chainEitherK(({ directory, found }) =>
      pipe(
        configIn(found[0]),
        E.map((config) => ({
          directory,
          isSame: !isFork,
          config,
          found: Object.fromEntries(found.map((each) => [each.checkpoint.snapshot.of.optimizer, each])),
        })),
      ),
    ),
  );
};

/**
 * The folder of the run that goes on, `null` where none does or where it goes on in another.
 *
 * @param resumption - what it goes on from
 * @param out - the folder that was asked for, if one was
 */
export const resumedDirectory = (resumption: Resumption | null, out: string | undefined): string | null =>
  resumption?.isSame === true && (out === undefined || out === resumption.directory) ? resumption.directory : null;

/** The run's configuration with what a file says besides. */
export const resumedSource = (resumption: Resumption | null, source: Source | null): Source | null => {
  if (resumption === null) return source;
  const { config, found } = resumption;
  const [first] = Object.values(found);
  return {
    path: source?.path ?? first.directory,
    config: mergeConfigs(config, source?.config ?? {}),
    warnings: [...(source?.warnings ?? []), ...Object.values(found).flatMap(({ warnings }) => warnings)],
  };
};

const other = (path: string, expected: string, actual: string): E.Either<KfacError, never> =>
  E.left({ _tag: 'BadConfig', path, expected: `${expected}, or --fork for a run of its own`, actual });

/** Where a run that goes on may not be another: what the trainer would not find different. */
const isAsItWas = (
  { config, found, directory, isSame }: Resumption,
  { flags }: TrainingCommand,
  plan: Plan,
): E.Either<KfacError, unknown> => {
  if (!isSame) return E.right(null);
  const { size = 'full' } = config;
  if (directory === null && plan.out === undefined) {
    return E.left({
      _tag: 'BadConfig',
      path: 'out',
      expected: 'the directory of a run, since this checkpoint stands in none',
      actual: 'nothing',
    });
  }
  if (plan.task.size !== size) return other('--size', `${size}, as in the checkpoint`, plan.task.size);
  const set = flags['with'] === undefined ? null : firstDifference(plan.task.settings, config.with ?? {});
  if (set !== null) return other(`--with ${set.path}`, `${set.theirs}, as in the checkpoint`, set.ours);
  const flag = ['start', 'hold', 'replace'].find((name) => flags[name] !== undefined);
  if (flag !== undefined) return other(`--${flag}`, 'nothing besides --resume', 'both');
  const names = Object.keys(found);
  return plan.optimizers.some(({ name }) => names.includes(name))
    ? E.right(null)
    : other(
        'optimizer',
        `${names.join(' or ')}, as in the checkpoint`,
        plan.optimizers.map(({ name }) => name).join(', '),
      );
};

/** As many examples may still be others. */
const isOnItsData = ({ found, isSame }: Resumption, plan: Plan, data: Splits): E.Either<KfacError, unknown> => {
  const marks = Object.values(found).flatMap(({ checkpoint: { about } }) => (Marked.is(about) ? [about.data] : []));
  if (!isSame || marks.length === 0) return E.right(null);
  const mark = dataMark(data);
  return marks.every((known) => known === mark)
    ? E.right(null)
    : other('--data', 'examples as in the checkpoint', plan.data ?? 'others');
};

/**
 * A plan that can go on from checkpoints, or the first thing that is not as it was.
 *
 * @param resumption - what it goes on from
 * @param command - what was asked for
 * @param plan - what the run is to be
 * @param task - its task with the data
 */
export const checkResumption = (
  resumption: Resumption | null,
  command: TrainingCommand,
  plan: Plan,
  task: TrainTask,
): E.Either<KfacError, unknown> => {
  if (resumption === null) return E.right(null);
  const checked = (optimizer: Optimizer): E.Either<KfacError, unknown> => {
    const found = foundFor(resumption, optimizer);
    return found === null || !resumption.isSame
      ? E.right(null)
      : resumable(identityOf(task, optimizer, plan.options), found.checkpoint.snapshot);
  };
  return pipe(
    isAsItWas(resumption, command, plan),
    E.chain(() => pipe(plan.optimizers, E.traverseArray(checked))),
    E.chain(() => isOnItsData(resumption, plan, task.data)),
  );
};

/** The checkpoint that an optimizer goes on from; a run of its own may go on from the only one of another optimizer. */
const foundFor = ({ found, isSame }: Resumption, { name }: Optimizer): Found | null => {
  if (Object.hasOwn(found, name)) return found[name];
  const all = Object.values(found);
  return !isSame && all.length === 1 ? all[0] : null;
};

/** A state for an optimizer that did not make it: what is trained stays, what another remembers does not. */
const withoutMemory = (state: TrainState<Tensor>): TrainState<Tensor> => ({ ...state, ...emptyMemory<Tensor>() });

/**
 * What an optimizer's run goes on from.
 *
 * @param resumption - checkpoints, `null` for none
 * @param optimizer - the optimizer
 */
export const goingOnFrom = (
  resumption: Resumption | null,
  optimizer: Optimizer,
): Pick<TrainOptions, 'from' | 'resume'> => {
  const found = resumption === null ? null : foundFor(resumption, optimizer);
  if (resumption === null || found === null) return {};
  const { snapshot } = found.checkpoint;
  if (resumption.isSame) return { resume: snapshot };
  return { from: snapshot.of.optimizer === optimizer.name ? snapshot.state : withoutMemory(snapshot.state) };
};
