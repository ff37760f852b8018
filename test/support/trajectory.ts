/**
 * A few steps of K-FAC on a backend next to the same steps on the reference.
 *
 * @module
 */
import type * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../src/core/backends/backend.ts';
import { referenceBackend } from '../../src/core/backends/reference/backend.ts';
import type { KfacError } from '../../src/core/errors.ts';
import { sigmoidCrossEntropy } from '../../src/core/nn/losses/sigmoidCrossEntropy.ts';
import { keyOf } from '../../src/core/random/key.ts';
import { uniform } from '../../src/core/random/uniform.ts';
import type { Model } from '../../src/core/nn/model.ts';
import { softmaxCrossEntropy } from '../../src/core/nn/losses/softmaxCrossEntropy.ts';
import type { Shaped, Tensor } from '../../src/core/tensor.ts';
import { generate } from '../../src/core/tensor.ts';
import { datasetOf } from '../../src/pipelines/data/dataset.ts';
import { autoencoder } from '../../src/pipelines/tasks/mnistAutoencoder.ts';
import { supervised } from '../../src/pipelines/tasks/supervised.ts';
import type { TrainTask } from '../../src/pipelines/trainer/learning.ts';
import type { TrainResult } from '../../src/pipelines/trainer/conclude.ts';
import { train } from '../../src/pipelines/trainer/train.ts';
import { kfac } from '../../src/solvers/presets/kfac.ts';
import { scaledError } from './closeness.ts';
import { orThrow } from './training.ts';

/** Wide enough that products leave the plain loops for kernels, and small enough for a rasteriser. */
const units = [96, 40, 12];

const examples = 64;

/** An autoencoder of uniform noise. */
const task = (): TrainTask => {
  const pixels = uniform(keyOf(7), [examples, units[0]], 'f64');
  const noise = orThrow(datasetOf('noise', pixels, pixels));
  return supervised({
    name: 'noise',
    model: autoencoder('noise', units),
    loss: sigmoidCrossEntropy,
    data: { train: noise, test: noise },
  });
};

/** A few images of noise, and classes at random. */
export const pictures = (network: Model, classes: number): TrainTask => {
  const few = 16;
  const inputs = uniform(keyOf(7), [few, ...network.inputs['inputs']], 'f64');
  const drawn = uniform(keyOf(8), [few], 'f64').data;
  const targets = generate([few], (i) => Math.floor(classes * drawn[i]), 'i32');
  const noise = orThrow(datasetOf('noise', inputs, targets));
  return supervised({
    name: 'noise',
    model: network,
    loss: softmaxCrossEntropy,
    data: { train: noise, test: noise },
  });
};

/** A few sequences of words at random, each to be followed by others. */
export const texts = (network: Model, length: number, vocabulary: number): TrainTask => {
  const few = 16;
  const drawn = (seed: number): Tensor => {
    const { data } = uniform(keyOf(seed), [few, length], 'f64');
    return generate([few, length], (i) => Math.floor(vocabulary * data[i]), 'i32');
  };
  const noise = orThrow(datasetOf('noise', drawn(7), drawn(8)));
  return supervised({
    name: 'noise',
    model: network,
    loss: softmaxCrossEntropy,
    data: { train: noise, test: noise },
  });
};

/**
 * With λ of the mean curvature at least, a course multiplies rounding by some ten in twenty steps; with the tenth that is usual,
 * by some thousands where the loss of a few examples goes to 0, in double precision as in single.
 */
const optimizer = kfac({ estimator: 'empirical', inverseEvery: 2, damping: 1, minDamping: 1 });

const trained = <T extends Shaped>(
  backend: Backend<T>,
  learned: TrainTask,
  steps: number,
): TE.TaskEither<KfacError, TrainResult> =>
  train({ backend, clock: () => 0 }, learned, optimizer, {
    duration: { steps },
    batch: Math.min(48, learned.data.train.size),
    seed: 3,
  });

/** How far a backend is from the reference after some steps. */
export interface Departure {
  /** Largest scaled error of the losses on the way. */
  readonly losses: number;
  /** Largest scaled error of a parameter at the end. */
  readonly params: number;
  /** Loss of the reference before the first step and before the last one: it must have moved for the rest to mean anything. */
  readonly course: readonly [number, number];
}

/** What the reference comes to, by task and number of steps: it is slow, and the same for every backend. */
const known = new Map<TrainTask, Map<number, Promise<E.Either<KfacError, TrainResult>>>>();

const onReference =
  (learned: TrainTask, steps: number): TE.TaskEither<KfacError, TrainResult> =>
  () => {
    const bySteps = known.get(learned) ?? new Map<number, Promise<E.Either<KfacError, TrainResult>>>();
    known.set(learned, bySteps);
    const result = bySteps.get(steps) ?? trained(referenceBackend(), learned, steps)();
    bySteps.set(steps, result);
    return result;
  };

/**
 * Trains on a backend and on the reference from the same parameters and batches.
 *
 * @param backend - what is measured
 * @param steps - how many steps
 * @param learned - what is learned; noise by an autoencoder unless given
 */
export const departure = <T extends Shaped>(
  backend: Backend<T>,
  steps: number,
  learned: TrainTask = task(),
): TE.TaskEither<KfacError, Departure> =>
  pipe(
    TE.Do,
    TE.bind('ours', () => trained(backend, learned, steps)),
    TE.bind('theirs', () => onReference(learned, steps)),
    TE.map(({ ours, theirs }) => {
      const lossesOf = ({ history }: TrainResult): ReadonlyArray<number> => history.map(({ loss }) => loss);
      const expected = lossesOf(theirs);
      return {
        losses: scaledError(lossesOf(ours), expected),
        params: Math.max(
          ...Object.entries(theirs.params).map(([path, { data }]) => scaledError(ours.params[path].data, data)),
        ),
        course: [expected[0], expected[expected.length - 1]],
      };
    }),
  );
