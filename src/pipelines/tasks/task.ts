/**
 * A task: something to learn with its data, ready to be trained by name.
 *
 * @module
 */
import type * as E from 'fp-ts/lib/Either.js';
import type * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import type { Params } from '../../core/params.ts';
import type { Metrics } from '../../core/pipeline/metrics.ts';
import type { Shaped, Tensor } from '../../core/tensor.ts';
import type { Optimizer } from '../../solvers/presets/optimizer.ts';
import type { Presets } from '../../solvers/presets/registry.ts';
import type { Splits } from '../data/dataset.ts';
import type { FileSystem } from '../files/fileSystem.ts';
import type { Setting, SettingValue } from '../../solvers/settings/setting.ts';
import type { Translator } from '../translating/translator.ts';
import type { Writer } from '../writing/writer.ts';
import type { Learning, Standing } from '../trainer/learning.ts';
import type { Exhibit } from './exhibit.ts';

/** A task comes in one of two sizes: for a first look, or for serious work. */
export type TaskSize = 'small' | 'full';

/** What a report shows of a model at work. */
export interface Preview {
  /** What is looked at, in host memory: what the model makes of a few examples, or what it makes up. */
  readonly look: <T extends Shaped>(
    backend: Backend<T>,
    standing: Standing<Tensor>,
    data: Splits,
  ) => TE.TaskEither<KfacError, Params<Tensor>>;
  /** Whether it is looked at every evaluation as well, for what is shown of growth; no unless given. */
  readonly isGrowing?: boolean;
  /** Numbers that a look gives, which are judged beside the means over the test examples: BLEU, for example. */
  readonly numbers?: (arrays: Params<Tensor>) => Metrics;
  /** The looks at what several optimizers came to, as pictures, text or files. */
  readonly show: (looks: ReadonlyArray<Look>) => ReadonlyArray<Exhibit>;
}

/** A look on the way. */
export interface Glimpse {
  /** Steps before it. */
  readonly step: number;
  readonly arrays: Params<Tensor>;
}

/** A look at what an optimizer came to. */
export interface Look {
  /** Name of the optimizer. */
  readonly name: string;
  readonly arrays: Params<Tensor>;
  /** Looks on the way there, for previews that grow. */
  readonly earlier?: ReadonlyArray<Glimpse>;
}

/** Numbers of a run that a figure of their own shows. */
export interface Chart {
  /** Name of the file, without an ending. */
  readonly name: string;
  /** Whose numbers they are. */
  readonly of: 'steps' | 'evaluations';
  /** Names of metrics of steps, or of what is judged, with what they are: a panel for each. */
  readonly panels: Readonly<Record<string, string>>;
}

/** How a task is trained unless told otherwise. */
export interface TaskDefaults {
  readonly steps: number;
  readonly batch: number;
  /** Steps between evaluations; none unless given. */
  readonly evaluateEvery?: number;
}

/** Settings of a task by name. */
export type TaskSettings = Readonly<Record<string, SettingValue>>;

/** What a trained model can be asked for, besides being judged. */
export interface Skills {
  /** Going on with a text. */
  readonly writer?: Writer;
  /** Saying a text in another language. */
  readonly translator?: Translator;
}

/** The data of a task, and the task as it is with them, where its networks have their extents. */
export interface Loaded extends Splits {
  readonly task: Task;
  /** How the data were understood, where that is not plain. */
  readonly warnings: ReadonlyArray<string>;
}

/** Something to learn. */
export interface Task extends Learning {
  readonly size: TaskSize;
  /** One line for lists. */
  readonly description: string;
  /** Reads the data, from a directory or from where it is installed. */
  readonly load: (files: FileSystem, directory?: string) => TE.TaskEither<KfacError, Loaded>;
  /** How it is trained unless told otherwise. */
  readonly defaults: TaskDefaults;
  /** Figures besides that of the loss. */
  readonly charts?: ReadonlyArray<Chart>;
  /** Presets that are of use for this task alone, by name. */
  readonly optimizers?: Presets<Optimizer>;
  /** For tasks that there is something to see of. */
  readonly preview: Preview | null;
  /** What it was made with besides its size: every setting that its family has. */
  readonly settings: TaskSettings;
  /** Text files by name that a run needs beside its parameters to be used again: a vocabulary, for example. */
  readonly kept: Readonly<Record<string, string>>;
  readonly skills: Skills;
}

/** A task by name. */
export interface TaskFamily {
  readonly name: string;
  readonly description: string;
  /** Settings that there are besides the size; none unless given. */
  readonly settings?: (size: TaskSize) => Readonly<Record<string, Setting<SettingValue>>>;
  /** The task before data are read; settings are in their ranges, and those that are missing have their defaults. */
  readonly ofSize: (size: TaskSize, settings?: TaskSettings) => Task;
  /** The task of a run that is over, from the files that it kept; the one that its data make unless given. */
  readonly recalled?: (
    size: TaskSize,
    settings: TaskSettings,
    kept: Readonly<Record<string, string>>,
  ) => E.Either<KfacError, Task>;
}
