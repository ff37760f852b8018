/**
 * Tasks by name.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { KfacError } from '../../core/errors.ts';
import { mnistAutoencoder } from './mnistAutoencoder.ts';
import { mnistClassifier } from './mnistClassifier.ts';
import type { Task, TaskFamily, TaskSize } from './task.ts';

/** Every task. */
export const tasks: ReadonlyArray<TaskFamily> = [mnistAutoencoder, mnistClassifier];

/** Names of the tasks. */
export const taskNames: ReadonlyArray<string> = tasks.map(({ name }) => name);

/**
 * A task.
 *
 * @param name - one of {@link taskNames}
 * @param size - for a first look, or for serious work
 * @example
 * ```ts
 * import { taskOf } from 'kfac-ts/pipelines';
 *
 * const task = taskOf('mnist-classifier', 'small');
 * task._tag === 'Right' ? task.right.loss.name : null; // => 'loss'
 * ```
 */
export const taskOf = (name: string, size: TaskSize): E.Either<KfacError, Task> => {
  const family = tasks.find((task) => task.name === name);
  return family === undefined
    ? E.left({ _tag: 'BadConfig', path: 'task', expected: `one of ${taskNames.join(', ')}`, actual: name })
    : E.right(family.ofSize(size));
};
