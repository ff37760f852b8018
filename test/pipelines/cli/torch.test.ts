/** `--export torch`, and a run that starts from what it wrote. */
import { activation } from '../../../src/core/nn/layers/activation.ts';
import { batchNorm } from '../../../src/core/nn/layers/batchNorm.ts';
import { conv2d } from '../../../src/core/nn/layers/convolution.ts';
import { dense } from '../../../src/core/nn/layers/dense.ts';
import { flatten } from '../../../src/core/nn/layers/reshape.ts';
import { sequential } from '../../../src/core/nn/layers/sequential.ts';
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { model } from '../../../src/core/nn/model.ts';
import { generate } from '../../../src/core/tensor.ts';
import { runCli } from '../../../src/pipelines/cli/run.ts';
import { datasetOf } from '../../../src/pipelines/data/dataset.ts';
import { decodeSafetensors } from '../../../src/pipelines/safetensors/decode.ts';
import { supervised } from '../../../src/pipelines/tasks/supervised.ts';
import { gaussian, orThrow } from '../../support/training.ts';
import { memoryFiles, recordingWorld } from '../support.ts';

const images = gaussian(1, [12, 4, 4, 2]);
const data = orThrow(
  datasetOf(
    'images',
    images,
    generate([12, 1], (i) => images.data[32 * i]),
  ),
);
const task = supervised({
  name: 'images',
  model: model(
    'images',
    [4, 4, 2],
    sequential([
      conv2d({ in: 2, out: 3, kernel: 3 }),
      batchNorm({ features: 3 }),
      activation('relu'),
      flatten(),
      dense({ in: 12, out: 1 }),
    ]),
  ),
  loss: squaredError,
  data: { train: data, test: data },
  defaults: { steps: 3, batch: 6 },
});

it('parameters go to PyTorch’s names and layout, and a run starts from them as from our own', async () => {
  const files = memoryFiles();
  const kfac = async (args: string) => {
    const world = recordingWorld(files);
    const code = await runCli(world, args.split(' '), { tasks: [task] })();
    return { code, errLines: world.errLines };
  };
  const quick = 'train images --optimizer adam --backend reference --json';
  expect(await kfac(`${quick} --export torch --out first`)).toEqual({ code: 0, errLines: [] });
  const exported = orThrow(
    decodeSafetensors(files.content.get('first/adam.torch.safetensors') ?? new Uint8Array(), 'x'),
  );
  expect(Object.fromEntries(Object.entries(exported).map(([name, { shape }]) => [name, shape]))).toEqual({
    ...{ '0.weight': [3, 2, 3, 3], '0.bias': [3] },
    ...{ '1.weight': [3], '1.bias': [3], '1.running_mean': [3], '1.running_var': [3] },
    ...{ '4.weight': [1, 12], '4.bias': [1] },
  });
  for (const name of ['adam', 'adam.torch']) {
    expect(await kfac(`${quick} --start first/${name}.safetensors --out ${name}`)).toEqual({ code: 0, errLines: [] });
  }
  expect(files.content.get('adam.torch/adam.safetensors')).toEqual(files.content.get('adam/adam.safetensors'));
  expect((await kfac(`${quick} --start first/loss.svg --out other`)).code).toBe(1);
  expect((await kfac(`${quick} --export onnx`)).errLines).toEqual([
    expect.stringMatching(/--export: expected one of torch/) as string,
  ]);
});
