import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { activation } from '../../../src/core/nn/layers/activation.ts';
import { dense } from '../../../src/core/nn/layers/dense.ts';
import { sequential } from '../../../src/core/nn/layers/sequential.ts';
import { softmaxCrossEntropy } from '../../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { standardisationOf, standardise, unstandardise } from '../../../src/pipelines/data/standardisation.ts';
import { nodeFileSystem } from '../../../src/pipelines/files/fileSystem.ts';
import type { FitOptions } from '../../../src/pipelines/fitting/fit.ts';
import { fit } from '../../../src/pipelines/fitting/fit.ts';
import { loadNetwork } from '../../../src/pipelines/fitting/loadNetwork.ts';
import { encodeSafetensors } from '../../../src/pipelines/safetensors/encode.ts';
import { readSafetensors } from '../../../src/pipelines/safetensors/read.ts';
import { perTerm } from '../../../src/pipelines/tasks/measures.ts';
import { orThrow } from '../../support/training.ts';

/** Houses: a year and a size, and prices in cents: nothing that a network could begin with. */
const inputs = Array.from({ length: 80 }, (_, i) => [1900 + ((7 * i) % 120), 50 + ((13 * i) % 90)]);
const targets = inputs.map(([year, size]) => 25_000_000 + 40_000 * (year - 1960) + 150_000 * size);
const layers = sequential([dense({ in: 2, out: 8 }), activation('tanh'), dense({ in: 8, out: 1 })]);
/** Mean distance from the price. */
const distance = perTerm((ops, outputs, wanted) => ops.abs(ops.sub(outputs, wanted)));
const options: FitOptions = {
  loss: squaredError,
  measures: { distance },
  standardise: ['inputs', 'targets'],
  epochs: 30,
  backend: { backend: 'reference' },
};

describe('a network that learns in standard deviations', () => {
  it('answers in the units that it was given, and is measured in them', async () => {
    const fitted = await fit(layers, { inputs, targets }, options);
    const { data, dtype } = await fitted.predict(inputs);
    const mean = Array.from(data, (price, i) => Math.abs(price - targets[i])).reduce((a, b) => a + b, 0) / 80;
    expect(dtype).toBe('f64');
    expect(mean).toBeLessThan(500_000); // prices deviate by 4 500 000
    const { measures, loss } = await fitted.evaluate({ inputs, targets });
    expect(measures['distance']).toBeCloseTo(mean, 4);
    expect(loss).toBeLessThan(0.02);
  });

  it('law: it is the network of standardised examples, and of the same ones later', async () => {
    const validation = { inputs, targets };
    const fitted = await fit(layers, validation, { ...options, validation });
    const x = tensor(inputs.flat(), [80, 2]);
    const y = tensor(targets, [80, 1]);
    const [byX, byY] = [standardisationOf(x), standardisationOf(y)];
    const data = { inputs: orThrow(standardise(x, byX)), targets: orThrow(standardise(y, byY)) };
    const plain = await fit(layers, data, { ...options, standardise: [], validation: data });
    expect(fitted.params).toEqual(plain.params);
    expect(fitted.train.loss).toBe(plain.train.loss);
    expect(await fitted.predict(inputs)).toEqual(orThrow(unstandardise(await plain.predict(data.inputs), byY)));
    expect(fitted.standardisation).toEqual({ inputs: byX, targets: byY });
    const again = { ...options, standardise: fitted.standardisation, epochs: 5, from: fitted.state, validation };
    const more = await fit(layers, { inputs: inputs.slice(0, 40), targets: targets.slice(0, 40) }, again);
    expect(more.standardisation).toEqual(fitted.standardisation);
  });

  it('measures by the training examples alone', async () => {
    const some = { inputs: inputs.slice(0, 60), targets: targets.slice(0, 60) };
    const rest = { inputs: inputs.slice(60), targets: targets.slice(60) };
    const { standardisation } = await fit(layers, some, { ...options, epochs: 1, validation: rest });
    expect(standardisation['inputs']).toEqual(standardisationOf(tensor(some.inputs.flat(), [60, 2])));
  });

  it('law: what is saved and loaded answers and is judged the same, in the same units', async () => {
    const fitted = await fit(layers, { inputs, targets }, { ...options, epochs: 2 });
    const folder = await mkdtemp(join(tmpdir(), 'kfac-units-'));
    try {
      const path = join(folder, 'houses.safetensors');
      await fitted.save(path, nodeFileSystem);
      const loaded = await loadNetwork(path, layers, { ...options, inputs: [2], files: nodeFileSystem });
      expect(loaded.standardisation).toEqual(fitted.standardisation);
      expect(await loaded.predict(inputs)).toEqual(await fitted.predict(inputs));
      expect(await loaded.evaluate({ inputs, targets })).toEqual(await fitted.evaluate({ inputs, targets }));
      const { 'standardisation/targets/mean': mean, ...rest } = orThrow(await readSafetensors(nodeFileSystem, path)());
      expect(mean.data).toEqual(fitted.standardisation['targets'].mean.data);
      await nodeFileSystem.write(path, encodeSafetensors(rest))();
      await expect(loadNetwork(path, layers, { ...options, inputs: [2], files: nodeFileSystem })).rejects.toThrow(
        'standardisation/targets/mean',
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it.each([
    [
      'classes',
      layers,
      { loss: softmaxCrossEntropy, targets: tensor([...targets.keys()], [80], 'i32') },
      'classes or indices',
    ],
    ['targets of fewer numbers than outputs', dense({ in: 2, out: 2 }), { targets }, 'targets of as many numbers'],
    ['an array that there is not', layers, { targets, standardise: ['weights'] }, 'inputs, targets, or both'],
    [
      'units of other columns',
      layers,
      { targets, standardise: { inputs: standardisationOf(tensor([1, 2], [2, 1])) } },
      '[1, 2]',
    ],
  ])('refuses %s before it trains', async (_, network, { targets: given, ...other }, said) => {
    await expect(fit(network, { inputs, targets: given }, { ...options, ...other } as FitOptions)).rejects.toThrow(
      said,
    );
  });
});
