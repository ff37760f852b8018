/**
 * A classifier that knows the data a generator is to learn: it is trained on the real training set, and what is made is judged
 * in its features.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import { withBackend } from '../../../core/backends/choice/choose.ts';
import type { KfacError } from '../../../core/errors.ts';
import { attempt } from '../../../core/errors.ts';
import { softmaxCrossEntropy } from '../../../core/nn/losses/softmaxCrossEntropy.ts';
import type { Model } from '../../../core/nn/model.ts';
import { model } from '../../../core/nn/model.ts';
import type { Params } from '../../../core/params.ts';
import type { Tensor } from '../../../core/tensor.ts';
import { kfac } from '../../../solvers/presets/kfac.ts';
import { range } from '../../data/batches.ts';
import type { Splits } from '../../data/dataset.ts';
import type { ImageSize } from '../../data/images.ts';
import { predict } from '../../trainer/predict.ts';
import { inScope } from '../../trainer/scope.ts';
import { train } from '../../trainer/train.ts';
import { supervised } from '../supervised.ts';
import type { Moments } from './frechet.ts';
import { momentsOf } from './frechet.ts';
import { imageJudge } from './imagePair.ts';
import type { Reaching } from './manifold.ts';
import { reachOf } from './manifold.ts';
import { ownParams } from './ownParams.ts';
import { sequential } from '../../../core/nn/layers/sequential.ts';

/** The networks of a judge of images, whose parameters are below `judge`. */
export interface JudgeNetworks {
  /** Images to features. */
  readonly features: Model;
  /** Images to logits of classes. */
  readonly classifier: Model;
}

/** What is known of the real test images. */
export interface Known extends Moments<Tensor>, Reaching<Tensor> {}

/** A judge that has learned. */
export interface Judge {
  /** Parameters of the classifier. */
  readonly params: Params<Tensor>;
  readonly known: Known;
}

/**
 * Networks of a judge.
 *
 * @param image - height and width
 * @param classes - how many
 */
export const judgeNetworks = (image: ImageSize, classes: number): JudgeNetworks => {
  const { features, whole } = imageJudge(image, classes);
  const inputs = [image[0] * image[1]];
  return {
    features: model('judge-features', inputs, sequential({ judge: features })),
    classifier: model('judge', inputs, sequential({ judge: whole })),
  };
};

/** Real images that what is made is compared with. */
const compared = 500;

/** Examples of a step of the judge. */
const batch = 256;

const seed = 1;

/** Moments and reach of real images, in host memory. */
const knownOf = ({ features }: JudgeNetworks, params: Params<Tensor>, { test }: Splits) =>
  withBackend({}, (backend): TE.TaskEither<KfacError, Known> => {
    const { inputs } = test.batch(range(0, Math.min(compared, test.size)));
    return pipe(
      predict(backend, features, ownParams(features, { params, held: {} }), inputs),
      TE.bindTo('features'),
      TE.bind('read', ({ features: found }) =>
        inScope(backend, (scoped) =>
          pipe(
            TE.fromEither(
              attempt(() => {
                const placed = scoped.ops.constant(found);
                return { ...momentsOf(scoped.ops, placed), reach: reachOf(scoped.ops, placed) };
              }),
            ),
            TE.chain(({ mean, covariance, reach }) =>
              pipe(
                TE.Do,
                TE.apS('mean', scoped.read(mean)),
                TE.apS('covariance', scoped.read(covariance)),
                TE.apS('reach', scoped.read(reach)),
              ),
            ),
          ),
        ),
      ),
      TE.map(({ read, features: found }) => ({ ...read, features: found })),
    );
  });

/**
 * Trains a judge on the training examples, `inputs` and classes `targets`, by K-FAC, and looks at the first of the test examples.
 *
 * @param networks - its networks
 * @param data - images and classes
 * @param steps - of training
 */
export const judgeFrom = (networks: JudgeNetworks, data: Splits, steps: number): TE.TaskEither<KfacError, Judge> =>
  pipe(
    withBackend({}, (backend) =>
      train(
        { backend, clock: () => 0 },
        supervised({ name: 'judge', model: networks.classifier, loss: softmaxCrossEntropy, data }),
        kfac(),
        { duration: { steps }, batch: Math.min(batch, data.train.size), seed },
      ),
    ),
    TE.chain(({ params }) =>
      pipe(
        knownOf(networks, params, data),
        TE.map((known) => ({ params, known })),
      ),
    ),
  );
