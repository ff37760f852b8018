/**
 * Points in the plane that lie around a few centres on a circle: data that are seen at a glance, on which generators that know
 * only some of the centres are found out.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { KfacError } from '../../core/errors.ts';
import { keyOf } from '../../core/random/key.ts';
import { normal } from '../../core/random/normal.ts';
import { split } from '../../core/random/split.ts';
import type { Tensor } from '../../core/tensor.ts';
import { generate } from '../../core/tensor.ts';
import type { Dataset, Splits } from './dataset.ts';
import { datasetOf } from './dataset.ts';

/** A ring of normal distributions. */
export interface Ring {
  /** How many. */
  readonly modes: number;
  /** Distance of their means from 0. */
  readonly radius: number;
  /** Standard deviation of each along both axes. */
  readonly deviation: number;
}

/** Eight of them, far apart. */
export const eightGaussians: Ring = { modes: 8, radius: 2, deviation: 0.1 };

/**
 * Means of the distributions, `[modes, 2]`, from the right on against the clock.
 *
 * @param ring - which ring
 * @example
 * ```ts
 * import { ringCentres } from 'kfac-ts/pipelines';
 *
 * const { data } = ringCentres({ modes: 4, radius: 2, deviation: 0.1 });
 * [data[0], data[1]]; // => [2, 0]
 * ```
 */
export const ringCentres = ({ modes, radius }: Ring): Tensor =>
  generate([modes, 2], (i) => {
    const angle = (2 * Math.PI * Math.floor(i / 2)) / modes;
    return radius * (i % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
  });

/** Points of a ring, as many of each distribution, in turn. */
const pointsOf = (name: string, ring: Ring, seed: number, count: number): E.Either<KfacError, Dataset> => {
  const centres = ringCentres(ring).data;
  const { data: noise } = normal(split(keyOf(seed), 2)[0], [count, 2], 'f64');
  const { modes, deviation } = ring;
  const inputs = generate([count, 2], (i) => {
    const mode = Math.floor(i / 2) % modes;
    return centres[2 * mode + (i % 2)] + deviation * noise[i];
  });
  return datasetOf(name, { inputs });
};

/**
 * Points to learn from and others to judge by, always the same.
 *
 * @param ring - which ring
 * @param sizes - how many of each
 * @example
 * ```ts
 * import { eightGaussians, ringPoints } from 'kfac-ts/pipelines';
 *
 * const points = ringPoints(eightGaussians, { train: 800, test: 80 });
 * points._tag === 'Right' ? points.right.test.size : null; // => 80
 * ```
 */
export const ringPoints = (
  ring: Ring,
  sizes: { readonly train: number; readonly test: number },
): E.Either<KfacError, Splits> =>
  pipe(
    E.Do,
    E.apS('train', pointsOf(`ring of ${ring.modes}`, ring, 1, sizes.train)),
    E.apS('test', pointsOf(`ring of ${ring.modes}, others`, ring, 2, sizes.test)),
  );
