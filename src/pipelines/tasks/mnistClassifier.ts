/**
 * Digits of MNIST by a multilayer perceptron.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import { activation } from '../../core/nn/layers/activation.ts';
import { dense } from '../../core/nn/layers/dense.ts';
import { heUniform } from '../../core/nn/initialisers/varianceScaling.ts';
import { softmaxCrossEntropy } from '../../core/nn/losses/softmaxCrossEntropy.ts';
import type { Model } from '../../core/nn/model.ts';
import { model } from '../../core/nn/model.ts';
import { sequential } from '../../core/nn/layers/sequential.ts';
import { dataset } from '../data/dataset.ts';
import type { ImageSize } from '../data/images.ts';
import { classes, imageShape, readMnist } from '../data/mnist.ts';
import { accuracy } from './measures.ts';
import { supervised } from './supervised.ts';
import type { Task, TaskFamily, TaskSize } from './task.ts';

/** Hidden units per layer. */
const hidden: Readonly<Record<TaskSize, ReadonlyArray<number>>> = { full: [512, 256], small: [64] };

/**
 * A perceptron with rectified hidden units and a logit per class.
 *
 * @param name - name of the model
 * @param units - units per layer, inputs and classes included
 * @example
 * ```ts
 * import { perceptron } from 'kfac-ts/pipelines';
 *
 * const net = perceptron('three layers', [784, 128, 64, 10]);
 * net.inputs; // => { inputs: [784] }
 * ```
 */
export const perceptron = (name: string, units: ReadonlyArray<number>): Model =>
  model(
    name,
    [units[0]],
    sequential(
      units
        .slice(1)
        .flatMap((out, i) =>
          i === units.length - 2
            ? [dense({ in: units[i], out })]
            : [dense({ in: units[i], out, initialiser: heUniform }), activation('relu')],
        ),
    ),
  );

const name = 'mnist-classifier';
const description = 'multilayer perceptron on MNIST: images to digits';

const ofExtents = (size: TaskSize, image: ImageSize, outputs: number): Task =>
  supervised({
    name,
    size,
    description,
    model: perceptron(`${name}-${size}`, [image[0] * image[1], ...hidden[size], outputs]),
    loss: softmaxCrossEntropy,
    measures: { accuracy },
    load: (files, directory) =>
      pipe(
        readMnist(files, directory),
        TE.chainEitherK(({ train, test, size: found, classes: known, warnings }) =>
          pipe(
            E.Do,
            E.apS('train', dataset(train.name, train.images, train.labels)),
            E.apS('test', dataset(test.name, test.images, test.labels)),
            E.map((splits) => ({ ...splits, task: ofExtents(size, found, known), warnings })),
          ),
        ),
      ),
    defaults: size === 'full' ? { steps: 600, batch: 500 } : { steps: 300, batch: 200 },
  });

/** The task for images and classes of MNIST, until others are read. */
const ofSize = (size: TaskSize): Task => ofExtents(size, imageShape, classes);

/** The classifier task. */
export const mnistClassifier: TaskFamily = { name, description, ofSize };
