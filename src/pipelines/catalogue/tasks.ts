/**
 * Tasks by name.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { KfacError } from '../../core/errors.ts';
import { attempt } from '../../core/errors.ts';
import { shown } from '../../core/shown.ts';
import { settingsError, standardsOf } from '../../solvers/settings/setting.ts';
import { fashionClassifier } from '../tasks/fashionClassifier.ts';
import { ganMnist } from '../tasks/gan/ganMnist.ts';
import { ganRing } from '../tasks/gan/ganRing.ts';
import { languageModel } from '../tasks/languageModel.ts';
import { mnistAutoencoder } from '../tasks/mnistAutoencoder.ts';
import { mnistClassifier } from '../tasks/mnistClassifier.ts';
import { translation } from '../tasks/translation.ts';
import type { Task, TaskFamily, TaskSettings, TaskSize } from '../tasks/task.ts';

/** Every task. */
export const tasks: ReadonlyArray<TaskFamily> = [
  mnistAutoencoder,
  mnistClassifier,
  fashionClassifier,
  languageModel,
  ganRing,
  ganMnist,
  translation,
];

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
 * A family by the name of its tasks.
 *
 * @param name - one of {@link taskNames}
 * @param known - what can be learned
 */
export const familyOf = (name: string, known: ReadonlyArray<TaskFamily>): E.Either<KfacError, TaskFamily> => {
  const family = known.find((task) => task.name === name);
  return family === undefined
    ? E.left({
        _tag: 'BadConfig',
        path: 'task',
        expected: `one of ${known.map((task) => task.name).join(', ')}`,
        actual: shown(name),
      })
    : E.right(family);
};

/**
 * All settings of a task, from those that were given.
 *
 * @param family - whose settings
 * @param size - of the task, which decides defaults
 * @param given - by name
 */
export const settingsOf = (
  family: TaskFamily,
  size: TaskSize,
  given: TaskSettings,
): E.Either<KfacError, TaskSettings> => {
  const known = family.settings?.(size) ?? {};
  if (Object.keys(known).length === 0 && Object.keys(given).length > 0) {
    const [name] = Object.keys(given);
    return E.left({
      _tag: 'BadConfig',
      path: `with.${name}`,
      expected: `no setting, since ${family.name} has none`,
      actual: shown(given[name]),
    });
  }
  const error = settingsError('with', known, given);
  return error === null ? E.right({ ...standardsOf(known), ...given }) : E.left(error);
};

/**
 * A task.
 *
 * @param name - one of {@link taskNames}
 * @param size - for a first look, or for serious work
 * @param known - what can be learned, the library's tasks unless given
 * @param given - settings of the task, the others have their defaults
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
  given: TaskSettings = {},
): E.Either<KfacError, Task> =>
  pipe(
    familyOf(name, known),
    E.chain((family) =>
      pipe(
        settingsOf(family, size, given),
        E.chain((settings) => attempt(() => family.ofSize(size, settings))),
      ),
    ),
  );
