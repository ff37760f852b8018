/**
 * Checkpoints of `kfac train` and `kfac compare`: those of each optimizer, what they say of the run, and how to go on.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as T from 'fp-ts/lib/Task.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import { describeError } from '../../core/errors.ts';
import type { Optimizer } from '../../solvers/presets/optimizer.ts';
import type { Checkpointing } from '../checkpoints/checkpointing.ts';
import { checkpointing } from '../checkpoints/checkpointing.ts';
import { ownCheckpointsOf } from '../checkpoints/runCheckpoints.ts';
import { everyOf } from '../config/every.ts';
import type { Plan } from '../config/plan.ts';
import { configurationIn } from '../config/planned.ts';
import type { Splits } from '../data/dataset.ts';
import type { Ended } from '../reports/ended.ts';
import type { TrainOptions } from '../trainer/options.ts';
import { savingTogether } from '../ranks.ts';
import type { World } from '../world.ts';
import { dataMark } from './dataMark.ts';
import type { Taken } from './places.ts';
import type { TrainingCommand } from './planning.ts';
import type { Resumption } from './resuming.ts';
import { goingOnFrom } from './resuming.ts';
import type { Interrupting } from './stopping.ts';
import { installedVersion } from './version.ts';

/** Unless set: minutes between checkpoints, and how many stay. */
const usual = { every: { minutes: 10 }, keep: 2 };

/** Checkpoints of a run's optimizers. */
export interface RunCheckpoints {
  /** What an optimizer's run goes on from, and who saves it. */
  readonly optionsOf: (optimizer: Optimizer) => Pick<TrainOptions, 'from' | 'resume' | 'saving'>;
  /** Sentences for those whose run can go on, and why an end is not saved, once all is written. */
  readonly account: (outcomes: ReadonlyArray<Ended>) => T.Task<Account>;
}

/** What there is to say of checkpoints at the end. */
export interface Account {
  /** How runs that have not come to their end go on. */
  readonly onward: ReadonlyArray<string>;
  /** Why the ends of some are not saved. */
  readonly failures: ReadonlyArray<KfacError>;
}

/**
 * Checkpoints of a run.
 *
 * @param world - files, and where to warn
 * @param command - what was asked for
 * @param plan - the run, with its task as the data made it
 * @param data - what it is trained and judged on
 * @param place - where it has its report, `null` for nowhere
 * @param resumption - what it goes on from
 * @param interrupting - whether it is to end
 */
export const checkpointsFor = (
  world: World,
  { name: command }: TrainingCommand,
  plan: Plan,
  data: Splits,
  place: Taken | null,
  resumption: Resumption | null,
  interrupting: Interrupting,
): RunCheckpoints => {
  const marked = place === null ? {} : { data: dataMark(data) };
  const about = { config: configurationIn(plan), ...marked, version: installedVersion(), node: process.version };
  const of = (optimizer: Optimizer, taken: Taken): Checkpointing => {
    const { resume } = goingOnFrom(resumption, optimizer);
    return checkpointing(world.files, {
      every: everyOf(plan.checkpointEvery) ?? usual.every,
      keep: plan.keep ?? usual.keep,
      directory: pipe(
        taken.taken,
        TE.chain((directory) => ownCheckpointsOf(world.files, directory, optimizer.name)),
      ),
      about,
      warn: (sentence) => world.err(`warning: ${sentence}`),
      savesLast: () => interrupting() !== null || plan.checkpointEvery !== undefined || resume !== undefined,
      ...(resume === undefined ? {} : { from: resume }),
    });
  };
  const all: ReadonlyMap<string, Checkpointing> = new Map(
    place === null ? [] : plan.optimizers.map((optimizer) => [optimizer.name, of(optimizer, place)]),
  );
  /** What can be said of an optimizer's run that has not come to its end. */
  const onward =
    (ended: Ended): T.Task<ReadonlyArray<string>> =>
    async () => {
      const { name } = ended.optimizer;
      const isOver = ended._tag === 'Finished' && interrupting() === null;
      const last = isOver ? null : ((await all.get(name)?.last()) ?? null);
      if (last === null || place === null) return [];
      const directory = await place.taken();
      if (directory._tag === 'Left') return [];
      return [
        ended._tag === 'Failed'
          ? `${name}: the last checkpoint before is ${last.directory}.`
          : `${name} goes on from step ${last.step} with: kfac ${command} ${plan.task.name} --resume ${directory.right}`,
      ];
    };
  return {
    optionsOf: (optimizer) => {
      const saving = all.get(optimizer.name)?.saving;
      return {
        ...goingOnFrom(resumption, optimizer),
        ...(saving === undefined ? {} : { saving: savingTogether(world.ranks, saving) }),
      };
    },
    account: (outcomes) =>
      pipe(
        outcomes,
        T.traverseSeqArray(onward),
        T.chain((sentences) => async () => {
          await Promise.all([...all.values()].map((checkpoints) => checkpoints.last()));
          const failures = [...all.values()].flatMap((checkpoints) => checkpoints.failure() ?? []);
          return { onward: sentences.flat(), failures };
        }),
      ),
  };
};

/** Why the end of a run is not saved, in a sentence. */
export const notSaved = (error: KfacError): string => `the end of the run is not saved. ${describeError(error)}`;
