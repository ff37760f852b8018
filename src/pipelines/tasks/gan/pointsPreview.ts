/**
 * A preview of generators of points in the plane: what they make, over the data, as it grows.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Model } from '../../../core/nn/model.ts';
import { generate } from '../../../core/tensor.ts';
import { range } from '../../data/batches.ts';
import { predict } from '../../trainer/predict.ts';
import type { Preview } from '../task.ts';
import { growthOf } from './growth.ts';
import { ownParams } from './ownParams.ts';

/** Points of a look. */
const count = 500;

/** Panels of a row besides that of the end. */
const most = 5;

/**
 * Shows points that a generator makes, a row for each optimizer, as `samples`.
 *
 * @param making - the generator
 * @example
 * ```ts
 * import { dense, latent, model, sequential } from 'kfac-ts/core';
 * import { pointsPreview } from 'kfac-ts/pipelines';
 *
 * const making = model('points', [2], sequential([latent({ features: 2 }), dense({ in: 2, out: 2 })]));
 * pointsPreview(making).isGrowing; // => true
 * ```
 */
export const pointsPreview = (making: Model): Preview => ({
  isGrowing: true,
  look: (backend, standing, { test }) =>
    pipe(
      predict(
        backend,
        making,
        ownParams(making, standing),
        generate([count, 2], () => 0),
        { running: standing.running },
      ),
      TE.map((points) => ({ points, data: test.batch(range(0, Math.min(count, test.size)))['inputs'] })),
    ),
  show: (looks) =>
    looks.length === 0
      ? []
      : [
          {
            kind: 'points',
            name: 'samples',
            behind: looks[0].arrays['data'],
            rows: looks.map((look) => ({
              label: look.name,
              panels: [
                ...growthOf(look, most).map(({ step, arrays }) => ({
                  label: `step ${step}`,
                  points: arrays['points'],
                })),
                { label: 'at the end', points: look.arrays['points'] },
              ],
            })),
          },
        ],
});
