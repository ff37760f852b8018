/**
 * The usual task: one network, one loss, examples with targets.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as R from 'fp-ts/lib/Record.js';

import { evaluating } from '../../core/nn/layers/circumstances.ts';
import { outputsAt } from '../../core/pipeline/linearise.ts';
import type { Objective } from '../../core/pipeline/objective.ts';
import { givenOf } from '../../core/pipeline/objective.ts';
import { learn } from '../../core/pipeline/withObjective.ts';
import type { Splits } from '../data/dataset.ts';
import type { Judge, Learning, TrainTask } from '../trainer/learning.ts';
import type { TaskAbout } from './define.ts';
import { defineTask } from './define.ts';
import type { Measure } from './measures.ts';
import type { Task } from './task.ts';

/** What is learned by one network, and what may be said besides. */
export interface SupervisedParts extends Objective, TaskAbout {
  readonly name: string;
  /** Measures besides the loss, by name. */
  readonly measures?: Readonly<Record<string, Measure>>;
  /** The loss with its unit, `loss per example (nats)` unless given. */
  readonly label?: string;
  /** What training begins with; drawn by the model's initialisers unless given. */
  readonly initial?: Learning['initial'];
}

/** Loss and measures in evaluation, with the batch's weights. */
const judgeBy =
  (objective: Objective, measures: Readonly<Record<string, Measure>>): Judge =>
  (ops, { params, held, running }, batch) => {
    const { model, loss } = objective;
    const outputs = outputsAt(ops, { model, params, held, at: evaluating(batch, running) });
    const { targets, weights } = givenOf(ops, objective, batch);
    const values = loss.value(ops, outputs, targets, weights?.terms ?? null);
    return {
      ...pipe(
        measures,
        R.map((measure) => measure(ops, outputs, targets, weights)),
      ),
      loss: {
        sum: ops.sum(values, [0]),
        weight: weights === null ? values.shape[0] : ops.sum(weights.examples, [0]),
      },
    };
  };

/**
 * A task of one network and one loss.
 *
 * @param parts - name, model, loss, and whatever is not as usual
 * @returns the task; one with data can be trained as it is
 * @example
 * ```ts
 * import { dense, model, softmaxCrossEntropy } from 'kfac-ts/core';
 * import { accuracy, supervised } from 'kfac-ts/pipelines';
 *
 * const flowers = supervised({
 *   name: 'flowers',
 *   model: model('logistic', [4], dense({ in: 4, out: 3 })),
 *   loss: softmaxCrossEntropy,
 *   measures: { accuracy },
 * });
 * flowers.networks.length; // => 1
 * ```
 */
export function supervised(parts: SupervisedParts & { readonly data: Splits }): Task & TrainTask;
export function supervised(parts: SupervisedParts): Task;
export function supervised(parts: SupervisedParts): Task {
  const { name, model, loss, targets, weights, measures = {}, label, initial, ...about } = parts;
  const objective: Objective = {
    model,
    loss,
    ...(targets === undefined ? {} : { targets }),
    ...(weights === undefined ? {} : { weights }),
  };
  return defineTask({
    ...about,
    name,
    networks: [model],
    ...(initial === undefined ? {} : { initial }),
    step: ({ step }) => learn(objective, step),
    judge: judgeBy(objective, measures),
    ...(label === undefined ? {} : { loss: { label } }),
  });
}
