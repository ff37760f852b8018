/**
 * Convolutional networks on every backend take the course that they take on the reference: a residual network with batch norm,
 * and one with convolutions in groups and transposed. Units are smooth: of a rectified one rounding decides on which side of the
 * kink it is, and from there on courses part.
 */
import { activation } from '../../../src/core/nn/layers/activation.ts';
import { batchNorm } from '../../../src/core/nn/layers/batchNorm.ts';
import { conv2d } from '../../../src/core/nn/layers/convolution.ts';
import { dense } from '../../../src/core/nn/layers/dense.ts';
import type { Layer } from '../../../src/core/nn/layers/layer.ts';
import { averagePool, globalAveragePool } from '../../../src/core/nn/layers/pooling.ts';
import { residual } from '../../../src/core/nn/layers/residual.ts';
import { sequential } from '../../../src/core/nn/layers/sequential.ts';
import type { Model } from '../../../src/core/nn/model.ts';
import { model } from '../../../src/core/nn/model.ts';
import type { TrainTask } from '../../../src/pipelines/trainer/learning.ts';
import { onEveryBackend } from '../../support/everyBackend.ts';
import { imageClassifier } from '../../support/sequences.ts';
import { orThrow } from '../../support/training.ts';
import { departure, pictures } from '../../support/trajectory.ts';

/** Of single precision: some 10⁻⁶ in a step, and what twenty steps make of it. */
const bounds = { step: 1e-5, course: 1e-4 };

const normed = (from: number, out: number, kernel: number, stride = 1): ReadonlyArray<Layer> => [
  conv2d({ in: from, out, kernel, stride, padding: 'same', bias: false }),
  batchNorm({ features: out }),
];

const residualNetwork = (): Model =>
  model(
    'residual',
    [6, 5, 1],
    sequential([
      ...normed(1, 2, 3),
      activation('tanh'),
      residual(sequential([...normed(2, 2, 3), activation('tanh'), ...normed(2, 2, 3)])),
      activation('tanh'),
      residual(
        sequential([...normed(2, 3, 3, 2), activation('tanh'), ...normed(3, 3, 3)]),
        sequential(normed(2, 3, 1, 2)),
      ),
      averagePool({ kernel: 2, stride: 1, padding: 'same' }),
      globalAveragePool(),
      dense({ in: 3, out: 3 }),
    ]),
  );

const tasks: ReadonlyArray<readonly [string, TrainTask]> = [
  ['a residual network with batch norm', pictures(residualNetwork(), 3)],
  ['convolutions in groups and transposed', pictures(imageClassifier(), 3)],
];

onEveryBackend((name, use) => {
  if (name === 'reference') return;
  describe(name, () => {
    it.each(tasks)('law: a step of K-FAC is that of the reference, and so are twenty: %s', (_, task) =>
      use(async (backend) => {
        const step = orThrow(await departure(backend, 1, task)());
        const course = orThrow(await departure(backend, 20, task)());
        expect(step.params).toBeLessThan(bounds.step);
        expect(course.params).toBeLessThan(bounds.course);
        expect(course.losses).toBeLessThan(bounds.course);
        expect(course.course[1]).toBeLessThan(0.999 * course.course[0]);
      }),
    );
  });
});
