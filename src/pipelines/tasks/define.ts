/**
 * Tasks from what they must say of themselves.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import type { Splits } from '../data/dataset.ts';
import type { FileSystem } from '../files/fileSystem.ts';
import type { Learning, TrainTask, Watched } from '../trainer/learning.ts';
import { initialOf } from '../trainer/learning.ts';
import type { Loaded, Task, TaskDefaults } from './task.ts';

/** What any task may say of itself; each has a default. */
export interface TaskAbout extends Partial<
  Pick<Task, 'size' | 'description' | 'preview' | 'settings' | 'kept' | 'skills' | 'optimizers' | 'charts'>
> {
  readonly defaults?: Partial<TaskDefaults>;
  /** Reads the data; what it does not say of them is that there are no warnings, and that the task stays as it is. */
  readonly load?: (files: FileSystem, directory?: string) => TE.TaskEither<KfacError, Splits & Partial<Loaded>>;
  /** Data that are there already. */
  readonly data?: Splits;
}

/** Where a task begins: networks, whose parameters are drawn unless it says otherwise, or parameters without any. */
type Beginning =
  | (Pick<Learning, 'networks'> & Partial<Pick<Learning, 'initial'>>)
  | (Pick<Learning, 'initial'> & Partial<Pick<Learning, 'networks'>>);

/** What a task must say of itself, and what it may. */
export type TaskParts = Pick<Learning, 'name' | 'step' | 'judge' | 'derived' | 'demands' | 'judged'> &
  Beginning & {
    /** What is watched: `loss`, in nats per example, unless given. */
    readonly loss?: Partial<Watched>;
  } & TaskAbout;

/** Steps and examples per step of a task that says nothing of them. */
const usual = { steps: 100, batch: 100 };

const noData = (name: string): KfacError => ({
  _tag: 'BadData',
  source: name,
  expected: 'data, or a way to load them',
  actual: 'neither',
  advice: 'Give the task `data` or `load`.',
});

/** From JavaScript, a promise most likely. */
const noEffect = (name: string): KfacError => ({
  _tag: 'BadData',
  source: name,
  expected: 'a TaskEither, which is a function, from `load`',
  actual: 'something else, a promise most likely',
  advice: 'Wrap what returns a promise: TE.tryCatch(() => promise, (thrown) => …).',
});

/**
 * A task.
 *
 * @param parts - name, networks, step, judge, and whatever is not as usual
 * @returns the task; one with data can be trained as it is
 * @example
 * ```ts
 * import { dense, learn, model, squaredError } from 'kfac-ts/core';
 * import { defineTask } from 'kfac-ts/pipelines';
 *
 * // Something else than a loss is watched: the largest error of a batch.
 * const network = model('line', [1], dense({ in: 1, out: 1 }));
 * const task = defineTask({
 *   name: 'minimax line',
 *   networks: [network],
 *   step: ({ step }) => learn({ model: network, loss: squaredError }, step),
 *   judge: (ops, { params }, batch) => {
 *     const errors = ops.sub(network.program(ops, params, { arrays: batch, key: null, running: {} }), batch.targets);
 *     return { largest: { sum: ops.max(ops.abs(errors), [0, 1]), weight: 1 } };
 *   },
 *   loss: { name: 'largest', label: 'largest error of a batch' },
 * });
 * task.description; // => ''
 * ```
 */
export function defineTask(parts: TaskParts & { readonly data: Splits }): Task & TrainTask;
export function defineTask(parts: TaskParts): Task;
export function defineTask(parts: TaskParts): Task {
  const { networks = [], loss, size = 'full', description = '', preview = null, defaults, data, load } = parts;
  const batch = Math.min(usual.batch, data?.train.size ?? usual.batch);
  const loaded = load ?? (() => (data === undefined ? TE.left(noData(parts.name)) : TE.right<KfacError, Splits>(data)));
  const task: Task = {
    networks,
    initial: initialOf(networks),
    ...parts,
    size,
    description,
    preview,
    settings: parts.settings ?? {},
    kept: parts.kept ?? {},
    skills: parts.skills ?? {},
    loss: { name: 'loss', label: 'loss per example (nats)', ...loss },
    defaults: { ...usual, batch, ...defaults },
    load: (files, directory) =>
      pipe(
        TE.fromIO(() => loaded(files, directory)),
        TE.chain((effect) => (typeof effect === 'function' ? effect : TE.left(noEffect(parts.name)))),
        TE.map((splits) => ({ task, warnings: [], ...splits })),
      ),
  };
  return task;
}
