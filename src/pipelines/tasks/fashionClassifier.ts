/**
 * Garments of Fashion-MNIST [XRV17] by convolutional networks: a LeNet for a first look, a residual network with batch norm for
 * serious work. Without its files, digits of MNIST take their place.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import { softmaxCrossEntropy } from '../../core/nn/losses/softmaxCrossEntropy.ts';
import { dataset } from '../data/dataset.ts';
import type { ImageSize } from '../data/images.ts';
import { classes, imageShape, readMnist } from '../data/mnist.ts';
import { lenet, resnet8 } from './imageNetworks.ts';
import { accuracy } from './measures.ts';
import { supervised } from './supervised.ts';
import type { Task, TaskFamily, TaskSize } from './task.ts';

const name = 'fashion-classifier';
const description = 'convolutional networks on Fashion-MNIST, or MNIST where it is not there: images to classes';

const networks = { small: lenet, full: resnet8 } as const;

/** What is said where nobody says where Fashion-MNIST is. */
const instead = 'Fashion-MNIST: no directory is named with --data, so these are the digits of MNIST.';

const ofExtents = (size: TaskSize, image: ImageSize, outputs: number): Task =>
  supervised({
    name,
    size,
    description,
    model: networks[size](`${name}-${size}`, image, outputs),
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
            E.map((splits) => ({
              ...splits,
              task: ofExtents(size, found, known),
              warnings: [...(directory === undefined ? [instead] : []), ...warnings],
            })),
          ),
        ),
      ),
    defaults: { steps: 600, batch: size === 'full' ? 256 : 128 },
  });

/** The task for images and classes of Fashion-MNIST, until others are read. */
const ofSize = (size: TaskSize): Task => ofExtents(size, imageShape, classes);

/** The classifier of garments. */
export const fashionClassifier: TaskFamily = { name, description, ofSize };
