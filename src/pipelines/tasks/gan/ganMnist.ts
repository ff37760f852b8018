/**
 * Digits, garments, or whatever images are in files like those of MNIST, made by a pair of networks after DCGAN [RMC16].
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../../core/errors.ts';
import { orRaise, raise } from '../../../core/errors.ts';
import { evaluating } from '../../../core/nn/layers/circumstances.ts';
import type { Ops } from '../../../core/ops/ops.ts';
import { firstMarked } from '../../../core/nn/firstMarked.ts';
import type { Shaped } from '../../../core/tensor.ts';
import { wholeFrom } from '../../../solvers/settings/range.ts';
import type { Settings } from '../../../solvers/settings/setting.ts';
import { setting, settled } from '../../../solvers/settings/setting.ts';
import type { Dataset } from '../../data/dataset.ts';
import { dataset } from '../../data/dataset.ts';
import type { ImageSize } from '../../data/images.ts';
import type { LabelledImages, Mnist } from '../../data/mnist.ts';
import { classes as ofMnist, imageShape, readMnist } from '../../data/mnist.ts';
import { accuracy } from '../measures.ts';
import type { Chart, Task, TaskFamily, TaskSettings, TaskSize } from '../task.ts';
import type { GanMeasures } from './adversarial.ts';
import { adversarial } from './adversarial.ts';
import { frechetDistance, momentsOf } from './frechet.ts';
import { imageDiscriminator, imageGenerator } from './imagePair.ts';
import type { Judge, JudgeNetworks, Known } from './knowing.ts';
import { judgeFrom, judgeNetworks } from './knowing.ts';
import { overlapOf } from './manifold.ts';
import { ganPair } from './pair.ts';
import { samplesPreview } from './samplesPreview.ts';
import type { GanSettings } from './settings.ts';
import { ganSettings, playingOf } from './settings.ts';

const name = 'gan-mnist';
const description = 'a DCGAN-like pair on MNIST, or on files of its form: images made after those of the data';

/** Settings of the task. */
export interface GanMnistSettings extends GanSettings {
  /** Channels next to the image; twice as many one step further. */
  readonly channels?: number;
  /** Numbers that an image is made of. */
  readonly noise?: number;
  /** Steps in which the classifier learns whose features images are compared by. */
  readonly judgeSteps?: number;
}

const settingsOf = (size: TaskSize): Settings<GanMnistSettings> => ({
  ...ganSettings({ loss: 'nonSaturating', penalty: 'r1', penaltyWeight: 1, moves: 'inTurn', averaging: 0.99 }),
  channels: setting(wholeFrom(1), size === 'full' ? 32 : 8, 'channels next to the image, twice as many further on'),
  noise: setting(wholeFrom(1), size === 'full' ? 64 : 32, 'numbers that an image is made of'),
  judgeSteps: setting(wholeFrom(1), size === 'full' ? 300 : 100, 'steps of the classifier that judges'),
});

const measures: Chart = {
  name: 'measures',
  of: 'evaluations',
  panels: { precision: 'precision', recall: 'recall', classes: 'effective number of classes' },
};

/** e to the entropy of the classes' shares: how many equally frequent classes would be as various. */
const effectiveClasses = <T extends Shaped>(ops: Ops<T>, logits: T): T => {
  const top = ops.reshape(ops.max(logits, [1]), [logits.shape[0], 1]);
  const shares = ops.mean(firstMarked(ops, ops.equal(logits, top)), [0]);
  // 0 log 0 is 0.
  const safe = ops.maximum(shares, ops.full([], 1e-30));
  return ops.exp(ops.neg(ops.sum(ops.mul(shares, ops.log(safe)), [0])));
};

/** A task whose data have not been read has nothing to compare with. */
const unread: KfacError = {
  _tag: 'BadData',
  source: name,
  expected: 'the task as its data make it',
  actual: 'the task before they are read',
  advice: 'Take the task that load gives.',
};

/** In the features of the judge: Frechet distance, precision, recall, variety; and how good the judge is. */
const measuresBy =
  ({ features, classifier }: JudgeNetworks, known: Known | null): GanMeasures =>
  (ops, made, data, { params, batch }) => {
    if (known === null) return raise(unread);
    const found = features.program(ops, params, evaluating({ inputs: made }));
    const real = {
      mean: ops.constant(known.mean),
      covariance: ops.constant(known.covariance),
      features: ops.constant(known.features),
      reach: ops.constant(known.reach),
    };
    const { precision, recall } = overlapOf(ops, found, real);
    const examples = data.shape[0];
    // What depends on what is made alone is the same for every batch of data.
    const always = (value: typeof made) => ({ sum: ops.scale(examples, value), weight: examples });
    const logits = classifier.program(ops, params, evaluating({ inputs: data }));
    return {
      frechet: always(frechetDistance(ops, momentsOf(ops, found), real)),
      precision: always(precision),
      recall: always(recall),
      classes: always(effectiveClasses(ops, classifier.program(ops, params, evaluating({ inputs: made })))),
      judgeAccuracy: accuracy(ops, logits, batch['targets'], null),
    };
  };

/** Images that the networks can make: two steps double each side. */
const fitting = (found: Mnist): E.Either<KfacError, Mnist> =>
  found.size.every((extent) => extent % 4 === 0)
    ? E.right(found)
    : E.left({
        _tag: 'BadData',
        source: found.train.name,
        expected: 'images whose sides are multiples of 4',
        actual: found.size.join(' x '),
        advice: 'Pad or crop the images.',
      });

/** Test examples that a generator is judged beside. */
const judgedExamples = 500;

/** The first examples of a data set. */
const firstOf = (data: Dataset, count: number): Dataset => ({ ...data, size: Math.min(count, data.size) });

const partOf = ({ name: part, images, labels }: LabelledImages): E.Either<KfacError, Dataset> =>
  dataset(part, { inputs: images, targets: labels });

/** What data make of the task: extents of images, classes, a judge that knows them. */
interface Made {
  readonly image: ImageSize;
  readonly classes: number;
  readonly judge: Judge | null;
}

const taskOf = (size: TaskSize, settings: Required<GanMnistSettings>, { image, classes, judge }: Made): Task => {
  const { noise, channels, judgeSteps } = settings;
  const extents = { image, noise, channels };
  const networks = {
    name,
    generator: imageGenerator(extents),
    discriminator: imageDiscriminator(extents),
    example: [image[0] * image[1]],
  };
  const judges = judgeNetworks(image, classes);
  return adversarial({
    ...networks,
    ...playingOf(settings),
    size,
    description,
    settings: { ...settings },
    samples: 500,
    judging: {
      networks: [judges.classifier],
      ...(judge === null ? {} : { params: judge.params }),
    },
    measures: measuresBy(judges, judge?.known ?? null),
    watched: { name: 'frechet', label: 'Fréchet distance in features of a classifier' },
    charts: [measures],
    preview: samplesPreview({ making: ganPair(networks).making, image, classifier: judges.classifier }),
    load: (files, directory) =>
      pipe(
        readMnist(files, directory),
        TE.chainEitherK(fitting),
        TE.bindTo('found'),
        TE.bind('splits', ({ found }) =>
          TE.fromEither(pipe(E.Do, E.apS('train', partOf(found.train)), E.apS('test', partOf(found.test)))),
        ),
        TE.bind('learned', ({ found, splits }) =>
          judgeFrom(judgeNetworks(found.size, found.classes), splits, judgeSteps),
        ),
        TE.map(({ found, splits, learned }) => ({
          ...splits,
          // What is judged hardly depends on which test examples are looked at.
          test: firstOf(splits.test, judgedExamples),
          task: taskOf(size, settings, { image: found.size, classes: found.classes, judge: learned }),
          warnings: found.warnings,
        })),
      ),
    defaults:
      size === 'full' ? { steps: 2000, batch: 64, evaluateEvery: 200 } : { steps: 400, batch: 64, evaluateEvery: 40 },
  });
};

const checked = (size: TaskSize, given: TaskSettings): Required<GanMnistSettings> =>
  orRaise(settled('with', settingsOf(size), given));

/** The task for images and classes of MNIST, until others are read. */
export const ganMnist: TaskFamily = {
  name,
  description,
  settings: settingsOf,
  ofSize: (size, given = {}) =>
    taskOf(size, checked(size, given), { image: imageShape, classes: ofMnist, judge: null }),
};
