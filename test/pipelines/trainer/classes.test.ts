/** Class-wise K-FAC and the classes that the data have. */
import { softmaxCrossEntropy } from '../../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { generate } from '../../../src/core/tensor.ts';
import { datasetOf } from '../../../src/pipelines/data/dataset.ts';
import { supervised } from '../../../src/pipelines/tasks/supervised.ts';
import { train } from '../../../src/pipelines/trainer/train.ts';
import { classKfac } from '../../../src/solvers/presets/classKfac.ts';
import { processorTime } from '../../support/processorTime.ts';
import { gaussian, mlp, orThrow } from '../../support/training.ts';
import { errorOf } from '../support.ts';

const classes = 12;
const data = orThrow(
  datasetOf(
    'shapes',
    gaussian(1, [24, 3]),
    generate([24], (i) => i % classes, 'i32'),
  ),
);
const task = supervised({
  name: 'shapes',
  model: mlp([3, 4, classes]),
  loss: softmaxCrossEntropy,
  data: { train: data, test: data },
});
const run = (optimizer = classKfac()) =>
  train({ backend: referenceBackend(), clock: () => 0 }, task, optimizer, {
    duration: { steps: 2 },
    batch: 24,
    seed: 1,
  })();

it('more classes than it was told of, 10 unless given, are an error that says so', async () => {
  expect(errorOf(await run())).toMatchObject({
    _tag: 'BadData',
    source: 'targets',
    expected: 'classes from 0 to 9, for classKfac with 10 classes',
    actual: '10 in example 1',
  });
});

it('law: classes that the data do not have change nothing, and 1000 of them take no minutes', async () => {
  const spent = processorTime();
  const [all, many] = [orThrow(await run(classKfac({ classes }))), orThrow(await run(classKfac({ classes: 1000 })))];
  expect(spent()).toBeLessThan(60);
  expect(many.test.loss).toBeCloseTo(all.test.loss, 3);
});
