/**
 * Small tasks: a regression, and the same as a classification; an optimizer that diverges.
 *
 * @module
 */
import { softmaxCrossEntropy } from '../../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import type { Loss } from '../../../src/core/nn/losses/loss.ts';
import { generate } from '../../../src/core/tensor.ts';
import { composeOptimizer } from '../../../src/pipelines/config/compose/compose.ts';
import { datasetOf } from '../../../src/pipelines/data/dataset.ts';
import { perExample } from '../../../src/pipelines/tasks/measures.ts';
import { supervised } from '../../../src/pipelines/tasks/supervised.ts';
import type { TrainTask } from '../../../src/pipelines/trainer/learning.ts';
import type { Optimizer } from '../../../src/solvers/presets/optimizer.ts';
import { classifier, indices } from '../../support/sequences.ts';
import { gaussian, mlp, orThrow } from '../../support/training.ts';

/** y = sin of sums of x, learned by a small network. */
export const sineTask = (size = 24, loss: Loss = squaredError): TrainTask => {
  const [x, held] = [gaussian(1, [size, 3]), gaussian(2, [8, 3])];
  const sine = ({ data }: typeof x, n: number) =>
    generate([n, 1], (i) => Math.sin(data[3 * i] + data[3 * i + 1] - data[3 * i + 2]));
  return supervised({
    name: 'sine',
    model: mlp([3, 5, 1]),
    loss,
    measures: { square: perExample((ops, outputs, targets) => ops.square(ops.sub(outputs, targets))) },
    data: {
      train: orThrow(datasetOf('sines', x, sine(x, size))),
      test: orThrow(datasetOf('held out', held, sine(held, 8))),
    },
  });
};

/** The sign of that sine as one of two classes, for optimizers that keep classes apart. */
export const signTask = (size = 24): TrainTask => {
  const { data } = sineTask(size);
  const [x, held] = [gaussian(1, [size, 3]), gaussian(2, [8, 3])];
  const sign = (inputs: typeof x, n: number) =>
    generate([n], (i) => (inputs.data[3 * i] + inputs.data[3 * i + 1] > inputs.data[3 * i + 2] ? 1 : 0), 'i32');
  return supervised({
    name: 'sign',
    model: mlp([3, 5, 2]),
    loss: softmaxCrossEntropy,
    data: {
      train: orThrow(datasetOf(data.train.name, x, sign(x, size))),
      test: orThrow(datasetOf(data.test.name, held, sign(held, 8))),
    },
  });
};

/** Sequences of words in three classes, for a model with every kind of site. */
export const wordsTask = (size = 24): TrainTask => {
  const sequences = (seed: number, n: number) => [indices(seed, [n, 3]), indices(seed + 1, [n], 3)] as const;
  const [train, test] = [sequences(1, size), sequences(3, 8)];
  return supervised({
    name: 'words',
    model: classifier(3),
    loss: softmaxCrossEntropy,
    data: {
      train: orThrow(datasetOf('words', train[0], train[1])),
      test: orThrow(datasetOf('held out', test[0], test[1])),
    },
  });
};

/** Hardly damped, with steps that overshoot ten times over. */
export const bold: Optimizer = orThrow(
  composeOptimizer({
    estimator: 'exact',
    curvature: 'kfac',
    solver: { kind: 'kroneckerInverse', damping: 1e-7 },
    update: { learningRate: 10 },
  }),
);
