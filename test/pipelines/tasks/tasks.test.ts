import * as O from 'fp-ts/lib/Option.js';

import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import type { Layer } from '../../../src/core/nn/layers/layer.ts';
import { generate } from '../../../src/core/tensor.ts';
import { taskNames, taskOf, tasks } from '../../../src/pipelines/catalogue/tasks.ts';
import type { Task } from '../../../src/pipelines/tasks/task.ts';
import { evaluate } from '../../../src/pipelines/trainer/evaluate.ts';
import { orThrow } from '../../support/training.ts';
import { idxFile, memoryFiles, smallMnist } from '../support.ts';

const sizes = ['small', 'full'] as const;
/** Those on images; what is on text or points has tests of its own. */
const all = taskNames
  .filter((name) => !['language-model', 'translation', 'gan-ring', 'gan-mnist'].includes(name))
  .flatMap((name) => sizes.map((size) => [name, size] as const));

/** All layers from first to last, without the ones that only hold others. */
const leaves = (layer: Layer): ReadonlyArray<string> =>
  layer.children.length === 0 ? [layer.label] : layer.children.flatMap(([, child]) => leaves(child));

/** The mean loss with all parameters zero. */
const lossOfZeros = async (task: Task): Promise<number> => {
  const specs = task.networks[0].layer.parameters('');
  const zeros = Object.fromEntries(specs.map(({ path, shape }) => [path, generate(shape, () => 0)]));
  const data = orThrow(await task.load(memoryFiles(smallMnist('d', 4, 2)), 'd')());
  return orThrow(await evaluate(referenceBackend(), task, zeros, data.test, { chunk: 2 })()).loss;
};

describe('tasks', () => {
  it('have names of their own, and say what they are', () => {
    expect(new Set(taskNames).size).toBe(tasks.length);
    for (const { description } of tasks) expect(description.length).toBeGreaterThan(10);
  });

  it.each(all)('%s, %s: model and data fit', async (name, size) => {
    const task = orThrow(taskOf(name, size));
    expect(task).toMatchObject({ name, size });
    const { train, test } = orThrow(await task.load(memoryFiles(smallMnist('d', 4, 2)), 'd')());
    expect([train.size, test.size]).toEqual([4, 2]);
    expect(train.batch(Int32Array.of(1, 2))['inputs'].shape).toEqual([2, ...task.networks[0].inputs['inputs']]);
  });

  it('models have the extents and classes of the data', async () => {
    const letters = {
      'd/train-images-idx3-ubyte': idxFile('u8', [4, 2, 3], [...new Array<number>(23).fill(9), 255]),
      'd/train-labels-idx1-ubyte': idxFile('u8', [4], [1, 2, 26, 4]),
      'd/t10k-images-idx3-ubyte': idxFile('u8', [1, 2, 3], [1, 2, 3, 4, 5, 6]),
      'd/t10k-labels-idx1-ubyte': idxFile('u8', [1], [3]),
    };
    const classifier = orThrow(await orThrow(taskOf('mnist-classifier', 'small')).load(memoryFiles(letters), 'd')());
    const encoder = orThrow(await orThrow(taskOf('mnist-autoencoder', 'small')).load(memoryFiles(letters), 'd')());
    expect(leaves(classifier.task.networks[0].layer)).toEqual(['dense 6 → 64', 'relu', 'dense 64 → 27']);
    expect(leaves(encoder.task.networks[0].layer).at(-1)).toBe('dense 256 → 6');
    expect(encoder.task.preview?.show([{ name: 'a', arrays: {} }])).toMatchObject([{ kind: 'images', image: [2, 3] }]);
  });

  it.each(sizes)(
    'fashion-classifier, %s: says that digits take the place of garments, and of that alone',
    async (size) => {
      const task = orThrow(taskOf('fashion-classifier', size));
      const files = memoryFiles(smallMnist('installed/data', 4, 2));
      const digits = orThrow(await task.load({ ...files, installed: () => O.some('installed') })());
      expect(digits.warnings).toEqual([
        'Fashion-MNIST: no directory is named with --data, so these are the digits of MNIST.',
      ]);
      expect(orThrow(await task.load(memoryFiles(smallMnist('d', 4, 2)), 'd')()).warnings).toEqual([]);
    },
  );

  it('LeNet and the residual network are the published ones', () => {
    const of = (size: 'small' | 'full') => orThrow(taskOf('fashion-classifier', size)).networks[0].layer;
    const pooling = 'maximum over 2 x 2';
    expect(leaves(of('small'))).toEqual([
      ...[
        'reshape [28, 28, 1]',
        'conv2d 5 x 5, 1 → 6',
        'relu',
        pooling,
        'conv2d 5 x 5, 6 → 16',
        'relu',
        pooling,
        'flatten',
      ],
      ...['dense 400 → 120', 'relu', 'dense 120 → 84', 'relu', 'dense 84 → 10'],
    ]);
    const sizesOf = of('full')
      .parameters('')
      .map(({ shape }) => shape);
    expect(sizesOf.filter(({ length }) => length === 2)).toEqual([
      [16, 9],
      [16, 144],
      [16, 144],
      [32, 144],
      [32, 288],
      [32, 16],
      [64, 288],
      [64, 576],
      [64, 32],
      [10, 64],
    ]);
    expect(
      of('full')
        .parameters('')
        .map(({ path }) => path),
    ).toContain('two.0.shortcut.0.weight');
  });

  it('the autoencoder needs no labels', async () => {
    const files = memoryFiles(smallMnist('d', 4, 2));
    files.content.delete('d/train-labels-idx1-ubyte');
    files.content.delete('d/t10k-labels-idx1-ubyte');
    const { train } = orThrow(await orThrow(taskOf('mnist-autoencoder', 'small')).load(files, 'd')());
    expect(train.size).toBe(4);
  });

  it('the full autoencoder is 784-1000-500-250-30-250-500-1000-784, tanh between, a linear code', () => {
    const { layer } = orThrow(taskOf('mnist-autoencoder', 'full')).networks[0];
    expect(leaves(layer)).toEqual([
      ...['dense 784 → 1000', 'tanh', 'dense 1000 → 500', 'tanh', 'dense 500 → 250', 'tanh', 'dense 250 → 30'],
      ...['dense 30 → 250', 'tanh', 'dense 250 → 500', 'tanh', 'dense 500 → 1000', 'tanh', 'dense 1000 → 784'],
    ]);
    expect(layer.parameters('').map(({ path }) => path)).toContain('encoder.0.weight');
  });

  it('worked example: an autoencoder of zeros loses 784 log 2 an image: summed over pixels, mean over images', async () => {
    expect(await lossOfZeros(orThrow(taskOf('mnist-autoencoder', 'small')))).toBeCloseTo(784 * Math.log(2), 9);
  });

  it('worked example: a classifier of zeros loses log 10 an image', async () => {
    expect(await lossOfZeros(orThrow(taskOf('mnist-classifier', 'small')))).toBeCloseTo(Math.log(10), 12);
  });

  it('the targets of an autoencoder are its inputs, the same tensor', async () => {
    const task = orThrow(taskOf('mnist-autoencoder', 'small'));
    const { train } = orThrow(await task.load(memoryFiles(smallMnist('d', 4, 2)), 'd')());
    const { inputs, targets } = train.batch(Int32Array.of(0));
    expect(targets).toBe(inputs);
    expect(Math.max(...Array.from(inputs.data))).toBeLessThanOrEqual(1);
  });
});
