/**
 * Checkpoints of a run in a folder of their own: `step-000000100`, `step-000000200`, …, and `latest`, which names the one to go
 * on from.
 *
 * A checkpoint has its name once all of it is on the disk, and `latest` moves after that, so at no moment is there nothing to go
 * on from.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import { describeError } from '../../core/errors.ts';
import type { FileSystem } from '../files/fileSystem.ts';
import type { Checkpoint } from './document.ts';
import { checkpointNames, encodeCheckpoint, inside, loadCheckpoint } from './files.ts';

/** Name of the file that names the checkpoint to go on from. */
export const latestName = 'latest';

const pattern = /^step-(\d{9,15})$/;

/** Name of the checkpoint after a step. */
export const checkpointName = (step: number): string => `step-${String(step).padStart(9, '0')}`;

/** The step of a checkpoint's name, `null` of any other name. */
export const stepOfName = (name: string): number | null => {
  const [, digits] = pattern.exec(name) ?? [];
  return digits === undefined ? null : Number(digits);
};

/**
 * Writes a checkpoint, and then that it is the one to go on from.
 *
 * @param files - where to write
 * @param directory - folder of the checkpoints
 * @param checkpoint - what is saved
 * @returns its folder
 * @example
 * ```ts no-run
 * import { nodeFileSystem, saveCheckpoint, train, type TrainOptions } from 'kfac-ts/pipelines';
 *
 * // Every hundred steps of a run; `loadLatest` of the same folder, and the option `resume`, go on from there.
 * const saving: TrainOptions['saving'] = {
 *   isDue: ({ step, isLast }) => step % 100 === 0 || isLast,
 *   save: (snapshot) => saveCheckpoint(nodeFileSystem, 'runs/today/checkpoints/kfac', { snapshot, about: null }),
 * };
 * ```
 */
export const saveCheckpoint = (
  files: FileSystem,
  directory: string,
  checkpoint: Checkpoint,
): TE.TaskEither<KfacError, string> => {
  const name = checkpointName(checkpoint.snapshot.state.step);
  return pipe(
    encodeCheckpoint(checkpoint),
    TE.chain((content) => files.writeDirectory(inside(directory, name), content)),
    TE.chain(() => files.write(inside(directory, latestName), `${name}\n`)),
    TE.map(() => inside(directory, name)),
  );
};

/** Steps of the checkpoints in a folder, from the last to the first. */
export const stepsIn = (files: FileSystem, directory: string): TE.TaskEither<KfacError, ReadonlyArray<number>> =>
  pipe(
    files.list(directory),
    TE.map((names) => names.flatMap((name) => stepOfName(name) ?? []).toSorted((a, b) => b - a)),
  );

/** The step that `latest` names, `null` where there is none or it names none. */
const latestStep = (files: FileSystem, directory: string): TE.TaskEither<KfacError, number | null> => {
  const path = inside(directory, latestName);
  return pipe(
    files.exists(path),
    TE.chain((isThere) => (isThere ? files.read(path) : TE.right(new Uint8Array()))),
    TE.map((bytes) => stepOfName(new TextDecoder().decode(bytes.subarray(0, 64)).trim())),
  );
};

/** A checkpoint that was found. */
export interface Found {
  readonly checkpoint: Checkpoint;
  /** Its folder. */
  readonly directory: string;
  /** What is wrong with those that should have come before it, in sentences. */
  readonly warnings: ReadonlyArray<string>;
}

/** The first of some checkpoints that is whole; the first error where none is. */
const firstWhole = (
  files: FileSystem,
  directories: ReadonlyArray<string>,
  broken: ReadonlyArray<KfacError> = [],
): TE.TaskEither<KfacError, Found | null> => {
  const [directory, ...others] = directories;
  if (directory === undefined) return broken.length === 0 ? TE.right(null) : TE.left(broken[0]);
  return pipe(
    loadCheckpoint(files, directory),
    TE.matchE(
      (error) => firstWhole(files, others, [...broken, error]),
      (checkpoint) => TE.right<KfacError, Found>({ checkpoint, directory, warnings: broken.map(describeError) }),
    ),
  );
};

/**
 * Reads the checkpoint to go on from: the one that `latest` names, or, where that is gone or broken, the last one before it that
 * is whole.
 *
 * @param files - where to read
 * @param directory - folder of the checkpoints
 * @returns `null` where there are none
 * @example
 * ```ts no-run
 * import { loadLatest, nodeFileSystem, type TrainOptions } from 'kfac-ts/pipelines';
 *
 * // Goes on where there is something to go on from, else begins.
 * const found = await loadLatest(nodeFileSystem, 'runs/today/checkpoints/kfac')();
 * const resume = found._tag === 'Right' && found.right !== null ? { resume: found.right.checkpoint.snapshot } : {};
 * const options: TrainOptions = { duration: { steps: 500 }, batch: 64, seed: 1, ...resume };
 * ```
 */
export const loadLatest = (files: FileSystem, directory: string): TE.TaskEither<KfacError, Found | null> =>
  pipe(
    TE.Do,
    TE.apS('steps', stepsIn(files, directory)),
    TE.apS('latest', latestStep(files, directory)),
    TE.chain(({ steps, latest }) => {
      const before = latest === null ? steps : steps.filter((step) => step <= latest);
      const inOrder = before.length === 0 ? steps : before;
      return firstWhole(
        files,
        inOrder.map((step) => inside(directory, checkpointName(step))),
      );
    }),
  );

/** Whether a folder is one checkpoint. */
export const isCheckpoint = (files: FileSystem, directory: string): TE.TaskEither<KfacError, boolean> =>
  files.exists(inside(directory, checkpointNames.document));

/**
 * Takes away all checkpoints but some, and what a process that was killed has left half written.
 *
 * @param files - where
 * @param directory - folder of the checkpoints, which nobody else writes to
 * @param kept - steps of those that stay
 */
export const keepOnly = (
  files: FileSystem,
  directory: string,
  kept: ReadonlyArray<number>,
): TE.TaskEither<KfacError, unknown> =>
  pipe(
    files.list(directory),
    TE.map((names) =>
      names.filter((name) => name !== latestName && !kept.some((step) => checkpointName(step) === name)),
    ),
    TE.map((names) => names.filter((name) => stepOfName(name) !== null || name.endsWith('.tmp'))),
    TE.chain(TE.traverseSeqArray((name) => files.removeDirectory(inside(directory, name)))),
  );
