/**
 * The deep autoencoder of Hinton & Salakhutdinov [HS06] on MNIST: the standard test of second-order optimizers.
 *
 * Tanh units and a linear code; sigmoid cross-entropy summed over pixels, mean over images. Training starts from
 * Glorot's uniform weights, without pretraining.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import { activation } from '../../core/nn/layers/activation.ts';
import { dense } from '../../core/nn/layers/dense.ts';
import type { Layer } from '../../core/nn/layers/layer.ts';
import { sigmoidCrossEntropy } from '../../core/nn/losses/sigmoidCrossEntropy.ts';
import type { Model } from '../../core/nn/model.ts';
import { model } from '../../core/nn/model.ts';
import { sequential } from '../../core/nn/layers/sequential.ts';
import type { Dataset } from '../data/dataset.ts';
import { dataset } from '../data/dataset.ts';
import type { ImageSize } from '../data/images.ts';
import type { NamedImages } from '../data/mnist.ts';
import { imageShape, readImages } from '../data/mnist.ts';
import { imagePreview } from './imagePreview.ts';
import { sigmoidSquaredError } from './measures.ts';
import { supervised } from './supervised.ts';
import type { Task, TaskFamily, TaskSize } from './task.ts';

/** Units per layer after the image, to the code; the decoder mirrors them. */
const widths: Readonly<Record<TaskSize, ReadonlyArray<number>>> = {
  full: [1000, 500, 250, 30],
  small: [256, 64, 16],
};

/** Dense layers with tanh between them and nothing after the last. */
const stack = (units: ReadonlyArray<number>): Layer =>
  sequential(
    units.slice(1).flatMap((out, i) => {
      const layer = dense({ in: units[i], out });
      return i === units.length - 2 ? [layer] : [layer, activation('tanh')];
    }),
  );

/**
 * An autoencoder: from images to a linear code and back to logits.
 *
 * @param name - name of the model
 * @param units - units per layer, from image to code
 * @example
 * ```ts
 * import { autoencoder } from 'kfac-ts/pipelines';
 *
 * const net = autoencoder('small', [784, 100, 10]);
 * net.inputs; // => { inputs: [784] }
 * ```
 */
export const autoencoder = (name: string, units: ReadonlyArray<number>): Model =>
  model(name, [units[0]], sequential({ encoder: stack(units), decoder: stack(units.toReversed()) }));

const ofImages = ({ name, images }: NamedImages): E.Either<KfacError, Dataset> => dataset(name, images, images);

const name = 'mnist-autoencoder';
const description = 'deep autoencoder on MNIST: images through a narrow code and back';

const ofImageSize = (size: TaskSize, image: ImageSize): Task => {
  const network = autoencoder(`${name}-${size}`, [image[0] * image[1], ...widths[size]]);
  return supervised({
    name,
    size,
    description,
    model: network,
    loss: sigmoidCrossEntropy,
    measures: { squaredError: sigmoidSquaredError },
    load: (files, directory) =>
      pipe(
        readImages(files, directory),
        TE.chainEitherK((data) =>
          pipe(
            E.Do,
            E.apS('train', ofImages(data.train)),
            E.apS('test', ofImages(data.test)),
            E.map((splits) => ({ ...splits, task: ofImageSize(size, data.size), warnings: data.warnings })),
          ),
        ),
      ),
    defaults: size === 'full' ? { steps: 600, batch: 1000 } : { steps: 80, batch: 500 },
    preview: imagePreview({ model: network, count: 10, image, decode: (ops, outputs) => ops.sigmoid(outputs) }),
  });
};

/** The task for images of MNIST, until others are read. */
const ofSize = (size: TaskSize): Task => ofImageSize(size, imageShape);

/** The autoencoder task. */
export const mnistAutoencoder: TaskFamily = { name, description, ofSize };
