/**
 * The usual task: one network, one loss, examples with targets.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as R from 'fp-ts/lib/Record.js';

import { shapeInterpreter } from '../../core/autodiff/shape.ts';
import { attempt, raise } from '../../core/errors.ts';
import type { Model } from '../../core/nn/model.ts';
import { mapParams } from '../../core/params.ts';
import { shown } from '../../core/shown.ts';
import type { Loss } from '../../core/nn/losses/loss.ts';
import type { Ops } from '../../core/ops/ops.ts';
import { axesOf } from '../../core/ops/shapes.ts';
import type { Shape, Shaped } from '../../core/tensor.ts';
import { sizeOf } from '../../core/tensor.ts';
import { evaluating } from '../../core/nn/layers/circumstances.ts';
import { outputsAt } from '../../core/pipeline/linearise.ts';
import type { Objective, Weights } from '../../core/pipeline/objective.ts';
import { givenOf } from '../../core/pipeline/objective.ts';
import { learn } from '../../core/pipeline/withObjective.ts';
import type { Splits } from '../data/dataset.ts';
import type { Demand } from '../data/examples.ts';
import { answered } from '../trainer/events.ts';
import type { Judge, Learning, TrainTask, Weighed } from '../trainer/learning.ts';
import type { TaskAbout } from './define.ts';
import { defineTask } from './define.ts';
import type { Measure } from './measures.ts';
import type { Task } from './task.ts';

const isWeighed = <T>(given: unknown): given is Weighed<T> =>
  typeof given === 'object' && given !== null && 'sum' in given && 'weight' in given;

/** What is learned by one network, and what may be said besides. */
export interface SupervisedParts extends Objective, TaskAbout {
  readonly name: string;
  /** Measures besides the loss, by name. */
  readonly measures?: Readonly<Record<string, Measure>>;
  /** The loss with its unit, `loss per example (nats)` unless given. */
  readonly label?: string;
  /** Numbers that follow from the means of loss and measures. */
  readonly derived?: NonNullable<Learning['derived']>;
  /** What arrays may hold; targets are what the loss can have of the model's outputs, unless given. */
  readonly demands?: NonNullable<Learning['demands']>;
  /** What training begins with; drawn by the model's initialisers unless given. */
  readonly initial?: Learning['initial'];
}

/** What a measure says; one that fails, or gives something else than a sum with its weight, is named. */
const measured = <T extends Shaped>(name: string, measure: () => Weighed<T>): Weighed<T> => {
  const what = `measure ${name}`;
  const given: unknown = pipe(answered(what, measure), E.getOrElseW(raise));
  return isWeighed<T>(given)
    ? given
    : raise({ _tag: 'CallbackFailed', what, reason: `it gave ${shown(given)}, not a sum with its weight` });
};

/** What the sum of a loss over examples is divided by: their weights, or those of their positions in the mean. */
const weightOf = <T extends Shaped>(ops: Ops<T>, { positions }: Loss, { terms, examples }: Weights<T>): T => {
  if (positions === undefined) return ops.sum(examples, [0]);
  const { shape } = terms;
  return ops.scale(1 / sizeOf(shape.slice(1)), ops.sum(terms, axesOf(shape)));
};

/** A mean over positions by its sum over them: a data set is judged in parts, whose padding may be of different lengths. */
const times = <T extends Shaped>(ops: Ops<T>, positions: number, { sum, weight }: Weighed<T>): Weighed<T> =>
  positions === 1
    ? { sum, weight }
    : {
        sum: ops.scale(positions, sum),
        weight: typeof weight === 'number' ? positions * weight : ops.scale(positions, weight),
      };

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
        R.mapWithIndex((name, measure) => measured(name, () => measure(ops, outputs, targets, weights))),
      ),
      loss: times(ops, loss.positions?.(outputs.shape) ?? 1, {
        sum: ops.sum(values, [0]),
        weight: weights === null ? values.shape[0] : weightOf(ops, loss, weights),
      }),
    };
  };

/**
 * The shape of a model's outputs for some examples; `null` where its own shapes do not fit together.
 *
 * @param model - model
 * @param examples - how many
 */
export const outputsOf = ({ inputs, layer, program }: Model, examples: number): Shape | null => {
  const { ops } = shapeInterpreter();
  const shaped = (shape: Shape): Shaped => ({ shape });
  const params = Object.fromEntries(layer.parameters('').map(({ path, shape }) => [path, shaped(shape)]));
  const arrays = mapParams(inputs, (shape) => shaped([examples, ...shape]));
  return pipe(
    attempt(() => program(ops, params, evaluating(arrays)).shape),
    E.getOrElse((): Shape | null => null),
  );
};

/** Targets are what the loss can have. */
const targetsFor = ({ model, loss, targets = 'targets', weights = 'weights' }: Objective): ReadonlyArray<Demand> => {
  const { admits } = loss;
  if (admits === undefined) return [];
  const outputs = outputsOf(model, 1);
  if (outputs === null) return [];
  return [{ array: targets, weights, admits: ([n, ...rest]) => admits([n, ...outputs.slice(1)], [n, ...rest]) }];
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
  const { name, model, loss, targets, weights, measures = {}, label, initial, demands, ...about } = parts;
  if (Object.hasOwn(measures, 'loss')) {
    raise({
      _tag: 'BadConfig',
      path: 'measures.loss',
      expected: 'another name: loss is that of the loss',
      actual: 'loss',
    });
  }
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
    demands: demands ?? targetsFor(objective),
    ...(label === undefined ? {} : { loss: { label } }),
  });
}
