/**
 * A task: something to learn, ready to be trained by name.
 *
 * @module
 */
import type * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import type { Splits } from '../data/dataset.ts';
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

/** Something to learn. */
export interface Task extends Judged {
  readonly name: string;
  readonly size: TaskSize;
  /** One line for lists. */
  readonly description: string;
  /** Reads the data, from a directory or from where it is installed. */
  readonly load: (files: FileSystem, directory?: string) => TE.TaskEither<KfacError, Splits>;
  /** How it is trained unless told otherwise. */
  readonly defaults: { readonly steps: number; readonly batch: number };
  /** For tasks whose outputs are images. */
  readonly preview: Preview | null;
}

/** A task by name. */
export interface TaskFamily {
  readonly name: string;
  readonly description: string;
  readonly ofSize: (size: TaskSize) => Task;
}
