/**
 * Images of MNIST, fewer and smaller: classifiers on grey levels and on bytes, an autoencoder.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import { sigmoidCrossEntropy } from '../../core/nn/losses/sigmoidCrossEntropy.ts';
import { softmaxCrossEntropy } from '../../core/nn/losses/softmaxCrossEntropy.ts';
import { gatherRows } from '../../core/rows.ts';
import type { Tensor } from '../../core/tensor.ts';
import { generate } from '../../core/tensor.ts';
import { range } from '../data/batches.ts';
import { readMnist } from '../data/mnist.ts';
import type { FileSystem } from '../files/fileSystem.ts';
import { accuracy } from '../tasks/measures.ts';
import { binaryEntropy } from './floors.ts';
import { network } from './networks.ts';
import type { Problem } from './problem.ts';
import { problem } from './problem.ts';

/** Images `[n, 784]` with their digits. */
interface Digits {
  readonly images: Tensor;
  readonly labels: Tensor;
}

/** Some digits of the training set, from a position on. */
const digits =
  (start: number, n: number) =>
  (files: FileSystem): TE.TaskEither<KfacError, Digits> =>
    pipe(
      readMnist(files),
      TE.map(({ train }) => ({
        images: gatherRows(train.images, range(start, n)),
        labels: gatherRows(train.labels, range(start, n)),
      })),
    );

/** Images `[n, 784]` at half their size, `[n, 196]`: each pixel the mean of four. */
const halved = ({ shape: [n], data }: Tensor): Tensor =>
  generate([n, 196], (i) => {
    const [image, row, column] = [Math.floor(i / 196), Math.floor((i % 196) / 14), i % 14];
    const corner = image * 784 + 56 * row + 2 * column;
    return (data[corner] + data[corner + 1] + data[corner + 28] + data[corner + 29]) / 4;
  });

const bytes = (images: Tensor): Tensor => generate(images.shape, (i) => Math.round(255 * images.data[i]));

/** Every problem of images. */
export const imageProblems: ReadonlyArray<Problem> = [
  problem({
    name: 'digits',
    description: 'MNIST, 2000 digits of 28 × 28 pixels, 784-48-10, relu, batch 128',
    model: network([784, 48, 10], 'relu'),
    loss: softmaxCrossEntropy,
    measures: { accuracy },
    batch: 128,
    steps: 100,
    examples: (files) =>
      pipe(
        digits(0, 2500)(files),
        TE.map(({ images, labels }) => ({ inputs: images, targets: labels })),
      ),
  }),
  problem({
    name: 'digits-in-bytes',
    description: 'MNIST, digits of 14 × 14 pixels from 0 to 255, 196-64-32-10, relu, batch 100',
    model: network([196, 64, 32, 10], 'relu'),
    loss: softmaxCrossEntropy,
    measures: { accuracy },
    batch: 100,
    steps: 200,
    examples: (files) =>
      pipe(
        digits(10_000, 2500)(files),
        TE.map(({ images, labels }) => ({ inputs: bytes(halved(images)), targets: labels })),
      ),
  }),
  problem({
    name: 'digits-by-eight',
    description: 'MNIST, digits of 14 × 14 pixels, 196-32-10, gelu, batch 8',
    model: network([196, 32, 10], 'gelu'),
    loss: softmaxCrossEntropy,
    measures: { accuracy },
    batch: 8,
    steps: 250,
    examples: (files) =>
      pipe(
        digits(20_000, 1250)(files),
        TE.map(({ images, labels }) => ({ inputs: halved(images), targets: labels })),
      ),
  }),
  problem({
    name: 'digits-autoencoder',
    description: 'MNIST, digits of 14 × 14 pixels through a code of 8, 196-64-32-8-32-64-196, tanh, batch 200',
    model: network([196, 64, 32, 8, 32, 64, 196], 'tanh'),
    loss: sigmoidCrossEntropy,
    batch: 200,
    steps: 150,
    floor: binaryEntropy,
    examples: (files) =>
      pipe(
        digits(30_000, 2500)(files),
        TE.map(({ images }) => {
          const small = halved(images);
          return { inputs: small, targets: small };
        }),
      ),
  }),
];
