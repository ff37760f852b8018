/**
 * Tasks by name.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { KfacError } from '../../core/errors.ts';
import { shown } from '../../core/shown.ts';
import { fashionClassifier } from './fashionClassifier.ts';
import { languageModel } from './languageModel.ts';
import { mnistAutoencoder } from './mnistAutoencoder.ts';
import { mnistClassifier } from './mnistClassifier.ts';
import type { Task, TaskFamily, TaskSize } from './task.ts';

/** Every task. */
export const tasks: ReadonlyArray<TaskFamily> = [mnistAutoencoder, mnistClassifier, fashionClassifier, languageModel];

/**
 * Tasks by name, with others before them: one of the same name takes the place of the library's.
 *
 * @param others - tasks, or tasks in sizes
 */
export const tasksWith = (others: ReadonlyArray<Task | TaskFamily>): ReadonlyArray<TaskFamily> => {
  const families = others.map((other): TaskFamily =>
    'ofSize' in other ? other : { name: other.name, description: other.description, ofSize: () => other },
  );
  return [...families, ...tasks.filter(({ name }) => !families.some((family) => family.name === name))];
};

/** Names of the tasks. */
export const taskNames: ReadonlyArray<string> = tasks.map(({ name }) => name);

/**
 * A task.
 *
 * @param name - one of {@link taskNames}
 * @param size - for a first look, or for serious work
 * @param known - what can be learned, the library's tasks unless given
 * @example
 * ```ts
 * import { taskOf } from 'kfac-ts/pipelines';
 *
 * const task = taskOf('mnist-classifier', 'small');
 * task._tag === 'Right' ? task.right.loss.name : null; // => 'loss'
 * ```
 */
export const taskOf = (
  name: string,
  size: TaskSize,
  known: ReadonlyArray<TaskFamily> = tasks,
): E.Either<KfacError, Task> => {
  const family = known.find((task) => task.name === name);
  return family === undefined
    ? E.left({
        _tag: 'BadConfig',
        path: 'task',
        expected: `one of ${known.map((task) => task.name).join(', ')}`,
        actual: shown(name),
      })
    : E.right(family.ofSize(size));
};
