/**
 * A preview of generators of images: what they make in the end, and how a few images grow.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Model } from '../../../core/nn/model.ts';
import type { Tensor } from '../../../core/tensor.ts';
import { generate, sizeOf, tensor } from '../../../core/tensor.ts';
import type { ImageSize } from '../../data/images.ts';
import { predict } from '../../trainer/predict.ts';
import type { Preview } from '../task.ts';
import { growthOf } from './growth.ts';
import { ownParams } from './ownParams.ts';

/** What is looked at. */
export interface SamplesPreviewOptions {
  /** The generator, images as rows of pixels. */
  readonly making: Model;
  /** Height and width of an image. */
  readonly image: ImageSize;
  /** What tells classes, whose shares of what is made are told; none unless given. */
  readonly classifier?: Model;
}

/** Images in a row, and rows of the grid. */
const [columns, rows] = [16, 8];

/** Rows of growth besides the last. */
const most = 9;

/** Images that shares of classes are taken of. */
const counted = 500;

const rowsFrom = ({ shape, data }: Tensor, begin: number, count: number): Tensor => {
  const size = sizeOf(shape.slice(1));
  return generate([count, size], (i) => data[begin * size + i]);
};

/** How many examples have the largest logit at each class. */
const countsOf = ({ shape: [n, classes], data }: Tensor): ReadonlyArray<number> => {
  const classOf = (i: number): number => {
    const logits = Array.from({ length: classes }, (_, c) => data[i * classes + c]);
    return logits.indexOf(Math.max(...logits));
  };
  const found = Array.from({ length: n }, (_, i) => classOf(i));
  return Array.from({ length: classes }, (_, c) => found.filter((each) => each === c).length);
};

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/**
 * Shows what generators make: a grid for all optimizers in the end, `samples`; the same few images through training, `growth`; and
 * the share of each class, `classes.txt`, where there is a classifier.
 *
 * @param options - the generator, what tells classes
 * @example
 * ```ts
 * import { model, sequential } from 'kfac-ts/core';
 * import { imageGenerator, samplesPreview } from 'kfac-ts/pipelines';
 *
 * const making = model('digits', [784], sequential([imageGenerator({ image: [28, 28], noise: 8, channels: 4 })]));
 * samplesPreview({ making, image: [28, 28] }).isGrowing; // => true
 * ```
 */
export const samplesPreview = ({ making, image, classifier }: SamplesPreviewOptions): Preview => ({
  isGrowing: true,
  look: (backend, standing) => {
    const pixels = image[0] * image[1];
    const { running } = standing;
    const made = predict(
      backend,
      making,
      ownParams(making, standing),
      generate([counted, pixels], () => 0),
      { running },
    );
    return pipe(
      made,
      TE.chain((images) =>
        classifier === undefined
          ? TE.right({ images: rowsFrom(images, 0, columns * rows) })
          : pipe(
              predict(backend, classifier, ownParams(classifier, standing), images),
              TE.map((logits) => ({
                images: rowsFrom(images, 0, columns * rows),
                counts: tensor(countsOf(logits), [logits.shape[1]]),
              })),
            ),
      ),
    );
  },
  show: (looks) => {
    if (looks.length === 0) return [];
    const few = looks.length === 1 ? rows : Math.max(1, Math.floor(rows / looks.length));
    const shares = looks.flatMap(({ name, arrays: { counts } }) =>
      counts === undefined
        ? []
        : [`${name}: ${Array.from(counts.data, (count, c) => `${c}: ${percent(count / counted)}`).join(', ')}`],
    );
    return [
      {
        kind: 'images',
        name: 'samples',
        image,
        rows: looks.flatMap(({ name, arrays }) =>
          Array.from({ length: few }, (_, row) => ({
            label: row === 0 ? name : '',
            images: rowsFrom(arrays['images'], row * columns, columns),
          })),
        ),
      },
      {
        kind: 'images',
        name: 'growth',
        image,
        rows: looks.flatMap((look) => [
          ...growthOf(look, most).map(({ step, arrays }) => ({
            label: `${look.name}, step ${step}`,
            images: rowsFrom(arrays['images'], 0, columns),
          })),
          { label: `${look.name}, at the end`, images: rowsFrom(look.arrays['images'], 0, columns) },
        ]),
      },
      ...(shares.length === 0
        ? []
        : [
            {
              kind: 'file' as const,
              name: 'classes.txt',
              content: `Share of each class in what is made\n\n${shares.join('\n')}\n`,
            },
          ]),
    ];
  },
});
