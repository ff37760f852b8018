/**
 * A preview of tasks whose outputs are images: test examples in a row, and a row of what each optimizer's model makes of
 * them.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Model } from '../../core/nn/model.ts';
import { range } from '../data/batches.ts';
import type { ImageSize } from '../data/images.ts';
import type { Decode } from '../trainer/predict.ts';
import { predict } from '../trainer/predict.ts';
import type { Preview } from './task.ts';

/** Which images, and how they come of a model. */
export interface ImagePreviewOptions {
  readonly model: Model;
  /** Number of examples. */
  readonly count: number;
  /** Height and width of each. */
  readonly image: ImageSize;
  /** From outputs to grey levels in [0, 1]. */
  readonly decode: Decode;
}

/**
 * Shows inputs and decoded outputs, as `originals` and `outputs`.
 *
 * @param options - which images
 * @example
 * ```ts
 * import { autoencoder, imagePreview } from 'kfac-ts/pipelines';
 *
 * const preview = imagePreview({
 *   model: autoencoder('faces', [625, 100, 20]),
 *   count: 10,
 *   image: [25, 25],
 *   decode: (ops, outputs) => ops.sigmoid(outputs),
 * });
 * preview.show([]).length; // => 0
 * ```
 */
export const imagePreview = ({ model, count, image, decode }: ImagePreviewOptions): Preview => ({
  look: (backend, { params, held, running }, { test }) => {
    const batch = test.batch(range(0, Math.min(count, test.size)));
    const originals = batch[Object.keys(model.inputs)[0]];
    return pipe(
      predict(backend, model, { ...held, ...params }, batch, { decode, running }),
      TE.map((outputs) => ({ originals, outputs })),
    );
  },
  show: (looks) =>
    looks.length === 0
      ? []
      : [
          {
            kind: 'images',
            name: 'reconstructions',
            image,
            rows: [
              { label: 'original', images: looks[0].arrays['originals'] },
              ...looks.map(({ name, arrays }) => ({ label: name, images: arrays['outputs'] })),
            ],
          },
        ],
});
