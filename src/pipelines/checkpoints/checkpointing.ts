/**
 * Checkpoints while a run goes on: when they are due, which stay, and what a write that fails does to the run, which is nothing.
 *
 * Training waits for a copy of its state; it is written beside the steps that follow. A checkpoint that is due before the last
 * one is on the disk waits for it.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import type * as IO from 'fp-ts/lib/IO.js';
import * as IOR from 'fp-ts/lib/IORef.js';
import { pipe } from 'fp-ts/lib/function.js';
import type * as T from 'fp-ts/lib/Task.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import { describeError } from '../../core/errors.ts';
import type { FileSystem } from '../files/fileSystem.ts';
import type { Moment, Saving, Snapshot } from '../trainer/snapshot.ts';
import { unsound } from '../trainer/soundness.ts';
import { keepOnly, saveCheckpoint, stepsIn } from './store.ts';

/** How often. */
export type Every = { readonly steps: number } | { readonly minutes: number };

/** Settings of checkpoints. */
export interface CheckpointOptions {
  /** Steps, or minutes of training, between two. */
  readonly every: Every;
  /** How many of the last ones stay, besides the best; at least 1. */
  readonly keep: number;
  /** Folder of the checkpoints, asked for when the first one is due. */
  readonly directory: TE.TaskEither<KfacError, string>;
  /** What is said of the run, as JSON has it. */
  readonly about: unknown;
  /** Told why a checkpoint could not be written. */
  readonly warn: (sentence: string) => IO.IO<void>;
  /** Whether what the run has come to in the end is saved as well. */
  readonly savesLast: IO.IO<boolean>;
  /** Where the run goes on from, if it does. */
  readonly from?: Snapshot;
}

/** A checkpoint that was written. */
interface Written {
  readonly directory: string;
  readonly step: number;
}

/** Checkpoints of a run. */
export interface Checkpointing {
  /** For the trainer. */
  readonly saving: Saving;
  /** The last checkpoint, once it is written; `null` where there is none. */
  readonly last: T.Task<Written | null>;
  /** Why the run's end could not be saved, if it could not. */
  readonly failure: IO.IO<KfacError | null>;
}

/** The checkpoints that stay: the last ones, and the one that was judged best. */
const staying = (steps: ReadonlyArray<number>, keep: number, { evaluations }: Snapshot): ReadonlyArray<number> => {
  const judged = evaluations.filter(({ step }) => steps.includes(step)).toSorted((a, b) => a.loss - b.loss);
  return [...steps.toSorted((a, b) => b - a).slice(0, keep), ...judged.slice(0, 1).map(({ step }) => step)];
};

/**
 * Checkpoints of a run.
 *
 * @param files - where they go
 * @param options - how often, how many, where
 * @example
 * ```ts no-run
 * import * as TE from 'fp-ts/lib/TaskEither.js';
 * import { checkpointing, nodeFileSystem, type TrainOptions } from 'kfac-ts/pipelines';
 *
 * const { saving, last } = checkpointing(nodeFileSystem, {
 *   every: { minutes: 5 },
 *   keep: 2,
 *   directory: TE.right('runs/today/checkpoints/kfac'),
 *   about: null,
 *   warn: (sentence) => () => console.warn(sentence),
 *   savesLast: () => true,
 * });
 * const options: TrainOptions = { duration: { steps: 500 }, batch: 64, seed: 1, saving };
 * // After training; waits for what is being written.
 * const written = await last();
 * ```
 */
export const checkpointing = (
  files: FileSystem,
  { every, keep, directory, about, warn, savesLast, from }: CheckpointOptions,
): Checkpointing => {
  // Seconds of training when a checkpoint was last asked for, whatever came of it.
  const asked = IOR.newIORef(from?.seconds ?? 0)();
  const written = IOR.newIORef<Written | null>(null)();
  const failure = IOR.newIORef<KfacError | null>(null)();
  const running = IOR.newIORef<Promise<void>>(Promise.resolve())();

  const isPeriodic = ({ step, seconds }: Moment): boolean =>
    'steps' in every ? step % every.steps === 0 : seconds - asked.read() >= 60 * every.minutes;

  /** Those of another course of the same run, which was left for this one, go. */
  const pruned = (folder: string, snapshot: Snapshot): TE.TaskEither<KfacError, unknown> =>
    pipe(
      stepsIn(files, folder),
      TE.map((steps) => steps.filter((step) => step <= snapshot.state.step)),
      TE.chain((steps) => keepOnly(files, folder, staying(steps, keep, snapshot))),
    );

  const failed = (error: KfacError, { step, isLast }: Moment): IO.IO<void> =>
    isLast
      ? failure.write(error)
      : warn(`the checkpoint of step ${step} is not written, training goes on. ${describeError(error)}`);

  const write =
    (snapshot: Snapshot, moment: Moment): T.Task<void> =>
    async () => {
      const saved = await pipe(
        directory,
        TE.chain((folder) =>
          pipe(
            saveCheckpoint(files, folder, { snapshot, about }),
            TE.map((place) => ({ place, folder })),
          ),
        ),
      )();
      if (E.isLeft(saved)) {
        failed(saved.left, moment)();
        return;
      }
      written.write({ directory: saved.right.place, step: moment.step })();
      const rest = await pruned(saved.right.folder, snapshot)();
      if (E.isLeft(rest)) warn(`old checkpoints stay. ${describeError(rest.left)}`)();
    };

  return {
    saving: {
      isDue: (moment) => moment.step !== from?.state.step && (moment.isLast ? savesLast() : isPeriodic(moment)),
      save: (snapshot, moment) =>
        TE.fromTask(async () => {
          const broken = unsound(snapshot);
          if (broken !== null) {
            warn(`the checkpoint of step ${moment.step} is not written: ${broken} is not finite.`)();
            return;
          }
          await running.read();
          if (written.read()?.step === moment.step) return;
          asked.write(moment.seconds)();
          running.write(write(snapshot, moment)())();
          if (moment.isLast) await running.read();
        }),
    },
    last: async () => {
      await running.read();
      return written.read();
    },
    failure: failure.read,
  };
};
