/**
 * A task: something to learn, ready to be trained by name.
 *
 * @module
 */
import type * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import type { Splits } from '../data/dataset.ts';
import type { Setting } from '../../solvers/presets/registry.ts';
import type { FileSystem } from '../files/fileSystem.ts';
import type { Decode, Judged } from '../trainer/evaluate.ts';

/** Each task comes in two sizes: one for a first look, one for serious work. */
export type TaskSize = 'small' | 'full';

/** Test examples that a report shows next to what the model makes of them. */
export interface Preview {
  /** Number of examples. */
  readonly count: number;
  /** Height and width of each. */
  readonly image: readonly [number, number];
  /** From outputs to grey levels in [0, 1]. */
  readonly decode: Decode;
}

/** How a task is trained unless told otherwise. */
export interface TaskDefaults {
  readonly steps: number;
  readonly batch: number;
  /**
   * Settings by optimizer that differ from the presets' own: damping and bounds are in units of the loss, which differ
   * between tasks by orders of magnitude.
   */
  readonly settings: Readonly<Record<string, Readonly<Record<string, Setting>>>>;
}

/** The data of a task, and the task as it is with them: its model has their extents and their number of classes. */
export interface Loaded extends Splits {
  readonly task: Task;
  /** How the data were understood, where that is not plain. */
  readonly warnings: ReadonlyArray<string>;
}

/** Something to learn. */
export interface Task extends Judged {
  readonly name: string;
  readonly size: TaskSize;
  /** One line for lists. */
  readonly description: string;
  /** Reads the data, from a directory or from where it is installed. */
  readonly load: (files: FileSystem, directory?: string) => TE.TaskEither<KfacError, Loaded>;
  /** How it is trained unless told otherwise. */
  readonly defaults: TaskDefaults;
  /** For tasks whose outputs are images. */
  readonly preview: Preview | null;
}

/** A task by name. */
export interface TaskFamily {
  readonly name: string;
  readonly description: string;
  readonly ofSize: (size: TaskSize) => Task;
}
