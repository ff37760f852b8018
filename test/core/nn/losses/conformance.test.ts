/**
 * Every loss on every interpreter against 50 digits.
 */

import { vjp } from '../../../../src/core/autodiff/reverse.ts';
import type { Backend } from '../../../../src/core/backends/backend.ts';
import { compileProgram } from '../../../../src/core/backends/gpu/compiled/compile.ts';
import type { DeviceBackend } from '../../../../src/core/backends/gpu/device/backend.ts';
import { referenceBackend } from '../../../../src/core/backends/reference/backend.ts';
import { sigmoidCrossEntropy } from '../../../../src/core/nn/losses/sigmoidCrossEntropy.ts';
import { softmaxCrossEntropy } from '../../../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { keyOf } from '../../../../src/core/random/key.ts';
import { normal } from '../../../../src/core/random/normal.ts';
import type { Shaped, Tensor } from '../../../../src/core/tensor.ts';
import { generate, tensor } from '../../../../src/core/tensor.ts';
import { epsilonOf, inPrecision, readFrom, smallestNormal } from '../../../support/conformance/trial.ts';
import type { Use } from '../../../support/everyBackend.ts';
import { onEveryBackend } from '../../../support/everyBackend.ts';
import { orThrow } from '../../../support/training.ts';
import { webgpuBackend, withWebgpu } from '../../../support/webgpu.ts';
import { loopBackend } from '../../backends/host/support.ts';
import type { Sample } from './digits.ts';
import { samples } from './digits.ts';

/** Runs a sample on operands in the precision of an interpreter, and reads the result. */
type Runner = (sample: Sample, operands: ReadonlyArray<Tensor>) => Promise<Tensor>;

/** An operation at a time. */
const eagerly =
  <T extends Shaped>(backend: Backend<T>, run = (sample: Sample): Sample['run'] => sample.run): Runner =>
  async (sample, operands) => {
    const scope = backend.scope();
    const { ops } = scope.backend;
    const result = await readFrom(scope.backend, run(sample)(ops, operands.map(ops.constant)));
    scope.close([]);
    return result;
  };

/** In a program that is differentiated, where derived operations are taken apart. */
const differentiated =
  (sample: Sample): Sample['run'] =>
  (ops, [outputs, ...rest]) =>
    vjp(ops, (o, params, inputs) => sample.run(o, [params['outputs'], ...inputs]), { outputs }, rest).outputs;

/** As one plan of kernels. */
const compiled: Runner = async (sample, operands) => {
  const args = { params: {}, inputs: operands };
  const program = orThrow(await compileProgram((ops, _, inputs) => ({ result: sample.run(ops, inputs) }), args)());
  const { result } = orThrow(await program.run(args)());
  orThrow(await program.dispose());
  return result;
};

/** Elements that are off by more than some units of 2⁻²³ or 2⁻⁵² of their magnitude. */
const faultsOf = (sample: Sample, { data }: Tensor, dtype: 'f32' | 'f64', units: number): ReadonlyArray<string> => {
  expect(data.length).toBe(sample.expected.length);
  return sample.expected.flatMap((exact, i) => {
    const actual = data[i];
    if (actual === (dtype === 'f32' ? Math.fround(exact) : exact)) return [];
    const error = (Math.abs(actual - exact) - smallestNormal[dtype]) / (epsilonOf[dtype] * sample.magnitudes[i]);
    return error <= units ? [] : [`${sample.labelOf(i)}: ${actual} instead of ${exact}, ${error.toFixed(1)} units`];
  });
};

/** What a result may be off by. */
const UNITS = 4;

/** Opens an interpreter and hands over how it runs samples. */
type Open = (act: (dtype: 'f32' | 'f64', runner: Runner) => Promise<void>) => Promise<void>;

const conforms = (
  name: string,
  open: Open,
  {
    units = UNITS,
    chosen = () => true,
  }: { readonly units?: number; readonly chosen?: (sample: Sample) => boolean } = {},
): void => {
  describe(`${name}: |computed − exact| ≤ ${units} ε · magnitude`, () => {
    const chosenSamples = samples().filter(chosen);
    it.each(chosenSamples.map((sample) => [sample.name, sample] as const))('%s', (_, sample) =>
      open(async (dtype, runner) => {
        const operands = sample.operands.map((x) => inPrecision(x, dtype));
        expect(faultsOf(sample, await runner(sample, operands), dtype, units)).toEqual([]);
      }),
    );
  });
};

/** Logits near 0 and far from it: rows of two groups of classes, and of one. */
const logits: ReadonlyArray<Tensor> = [3, 20].flatMap((classes) =>
  [1, 30].map((size) => {
    const { data, shape } = normal(keyOf(classes), [100, classes], 'f32');
    return generate(shape, (i) => size * data[i], 'f32');
  }),
);

const drawsAlike = (name: string, use: Use): void => {
  it.each([softmaxCrossEntropy, sigmoidCrossEntropy].map((loss) => [loss.name, loss] as const))(
    `${name} draws the targets of %s that the reference draws`,
    (_, loss) =>
      use(async (backend) => {
        for (const x of logits) {
          const { data } = await readFrom(backend, loss.sample(backend.ops, keyOf(7), backend.ops.constant(x)));
          const { ops } = referenceBackend();
          expect(Array.from(data)).toEqual(Array.from(loss.sample(ops, keyOf(7), ops.constant(x)).data));
        }
      }),
  );
};

onEveryBackend((name, use) => {
  it(`${name}: the loss of an index that is no class is no number, where it weighs something`, () =>
    use(async (backend) => {
      const { ops } = backend;
      const outputs = ops.constant(tensor([1, 2, 3, 4, 5, 6, 7, 8], [4, 2]));
      const ids = ops.constant(tensor([1, 2, -1, 0], [4], 'i32'));
      const weights = ops.constant(tensor([1, 1, 0, 2], [4]));
      const value = await readFrom(backend, softmaxCrossEntropy.value(ops, outputs, ids));
      expect(Array.from(value.data, Number.isFinite)).toEqual([true, false, false, true]);
      const weighedValue = await readFrom(backend, softmaxCrossEntropy.value(ops, outputs, ids, weights));
      expect(Array.from(weighedValue.data, Number.isFinite)).toEqual([true, false, true, true]);
      expect(weighedValue.data[2]).toBe(0);
    }));

  conforms(name, (act) => use((backend) => act(backend.dtype, eagerly(backend))));
  drawsAlike(name, use);
});

conforms('compiled', (act) => act('f32', compiled));

withWebgpu(() => {
  let opened: DeviceBackend | undefined;
  beforeAll(async () => {
    opened = orThrow(await webgpuBackend()());
  });
  afterAll(async () => {
    if (opened !== undefined) orThrow(await opened.dispose());
  });
  conforms('device on WebGPU', async (act) => {
    if (opened === undefined) throw new Error('the backend is not open yet');
    await act('f32', eagerly(opened));
  });
});

// The defaults of derived operations round x − max, which counts in the exponent as often as it is large: 87 at most.
const isValue = ({ name }: Sample): boolean => name.includes('value');
conforms('differentiated f32', (act) => act('f32', eagerly(loopBackend('f32').backend, differentiated)), {
  units: 45,
  chosen: isValue,
});
conforms('differentiated f64', (act) => act('f64', eagerly(referenceBackend(), differentiated)), { chosen: isValue });
