/**
 * What a problem of the suite is: something small to learn that says how optimizers do, by its loss over the whole training
 * set after a number of steps.
 *
 * Data are drawn from keys of their own, so that they are the same for every seed of a run: a seed decides where training
 * begins and the order of examples.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import type { Loss } from '../../core/nn/losses/loss.ts';
import { softmaxCrossEntropy } from '../../core/nn/losses/softmaxCrossEntropy.ts';
import type { Model } from '../../core/nn/model.ts';
import { summarise } from '../../core/nn/model.ts';
import type { Batch } from '../../core/pipeline/context.ts';
import type { Tensor } from '../../core/tensor.ts';
import { range } from '../data/batches.ts';
import { datasetOf } from '../data/dataset.ts';
import { splitOf } from '../data/splits.ts';
import type { FileSystem } from '../files/fileSystem.ts';
import type { Measure } from '../tasks/measures.ts';
import { supervised } from '../tasks/supervised.ts';
import type { TrainTask } from '../trainer/learning.ts';

/** A problem with its data. */
export interface Ready {
  readonly task: TrainTask;
  /** A loss over the training set that nothing gets below, 0 where none is known: comparisons are of what is above it. */
  readonly floor: number;
}

/** A problem, before its data are there. */
export interface Problem {
  readonly name: string;
  /** One line: data, network, what is hard. */
  readonly description: string;
  readonly batch: number;
  readonly steps: number;
  /** Number of classes where each example has one of them, or probabilities of all; else `null`. */
  readonly classes: () => number | null;
  /** Draws or reads the data. */
  readonly make: (files: FileSystem) => TE.TaskEither<KfacError, Ready>;
}

/** What a problem is made of. */
export interface ProblemParts extends Omit<Problem, 'make' | 'classes'> {
  readonly model: Model;
  readonly loss: Loss;
  readonly measures?: Readonly<Record<string, Measure>>;
  /** All examples, `[n, …]` each; a fifth of them are for the test. */
  readonly examples: (files: FileSystem) => TE.TaskEither<KfacError, Batch<Tensor>>;
  /** The floor for the examples that are trained on. */
  readonly floor?: (train: Batch<Tensor>) => TE.TaskEither<KfacError, number>;
}

/** A class for each example: one softmax of it, over what the network gives out. */
const classesIn = ({ model, loss }: Pick<ProblemParts, 'model' | 'loss'>): number | null =>
  loss !== softmaxCrossEntropy
    ? null
    : pipe(
        summarise(model, 1),
        E.match(
          () => null,
          ({ output: [, ...each] }) => (each.length === 1 ? each[0] : null),
        ),
      );

/**
 * A problem of one network and one loss.
 *
 * @param parts - what it is made of
 */
export const problem = (parts: ProblemParts): Problem => {
  const { name, description, batch, steps, model, loss, measures, examples, floor = () => TE.right(0) } = parts;
  const about = { name, model, loss, ...(measures === undefined ? {} : { measures }) };
  return {
    name,
    description,
    batch,
    steps,
    classes: () => classesIn({ model, loss }),
    make: (files) =>
      pipe(
        examples(files),
        TE.chainEitherK((arrays) => datasetOf(name, arrays)),
        TE.chainEitherK((data) => splitOf(data)),
        TE.chain((data) =>
          pipe(
            floor(data.train.batch(range(0, data.train.size))),
            TE.map((least): Ready => ({ task: { ...supervised({ ...about, data }), data }, floor: least })),
          ),
        ),
      ),
  };
};

/** Examples that are drawn, which cannot fail. */
export const drawn =
  (draw: () => Batch<Tensor>): ProblemParts['examples'] =>
  () =>
    TE.fromEither(E.right(draw()));
