/**
 * What a step holds of a backward pass and of a J-product: what is asked for, and nothing that was formed on the way.
 */
import { vjp } from '../../../src/core/autodiff/reverse.ts';
import type { Program } from '../../../src/core/autodiff/program.ts';
import { backward, forward } from '../../../src/core/pipeline/forward.ts';
import { initialState } from '../../../src/core/pipeline/trainState.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import { activation } from '../../../src/core/nn/layers/activation.ts';
import { dense } from '../../../src/core/nn/layers/dense.ts';
import { sequential } from '../../../src/core/nn/layers/sequential.ts';
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { initialParams, model } from '../../../src/core/nn/model.ts';
import { mapParams } from '../../../src/core/params.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import { normal } from '../../../src/core/random/normal.ts';
import { singleKernels } from '../../../src/core/backends/host/simd/kernels.ts';
import { openUnit } from '../../../src/core/backends/host/simd/instance.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { sizeOf } from '../../../src/core/tensor.ts';
import { orThrow } from '../../support/training.ts';
import { loopBackend } from '../backends/host/support.ts';

const unit = openUnit();
/** Every array of more than some bytes lies in the unit's memory and goes back to it. */
const { backend } = loopBackend('f32', singleKernels(undefined, unit), { unit });
const taken = (): number => unit?.memory.usage().taken ?? 0;
const bytesOf = (arrays: ReadonlyArray<Tensor>): number =>
  arrays.reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0);

/** Elements of the large arrays here: two megabytes. */
const n = 2 ** 19;

describe('what is held of a pass', () => {
  it('law: of a walk back, the cotangents that were asked for', () => {
    const { ops } = backend;
    const chain: Program = (on, { w }) => on.tanh(on.tanh(on.tanh(on.square(w))));
    const w = ops.full([n], 0.5);
    const { pullback, pushforward } = vjp(ops, chain, { w }, []);
    const [cotangent, tangent] = [ops.full([n], 1), ops.full([n], 2)];
    const before = taken();
    const { params } = pullback(cotangent);
    expect(taken() - before).toBe(bytesOf([params['w']]));
    const image = pushforward({ w: tangent });
    expect(taken() - before).toBe(bytesOf([params['w'], image]));
    // J is diagonal, and its transpose is J.
    const fill = ops.full([n], 7);
    expect([image.data[1], fill.data[1]]).toEqual([expect.closeTo(2 * params['w'].data[1], 6), 7]);
  });

  it('law: of a backward pass, the mean gradient and the cotangents at the sites', async () => {
    const widths = [1024, 512, 1024] as const;
    const network = model(
      'net',
      [widths[0]],
      sequential([
        dense({ in: widths[0], out: widths[1] }),
        activation('tanh'),
        dense({ in: widths[1], out: widths[2] }),
      ]),
    );
    const { ops } = backend;
    const params = mapParams(initialParams(network, keyOf(1), 'f32'), ops.constant);
    const [inputs, targets] = [2, 3].map((seed) => ops.constant(normal(keyOf(seed), [4, widths[0]], 'f32')));
    const scope = backend.scope();
    const env = { backend: scope.backend, clock: () => 0 };
    const given = { state: initialState<Tensor>(params, keyOf(4)), batch: { inputs, targets }, objective: { model: network, loss: squaredError } }; // prettier-ignore
    const passed = orThrow(await pipeline(forward).run<Tensor>(given)(env)());
    const before = taken();
    const { gradient } = orThrow(await backward.run<Tensor>(passed)(env)());
    const weights = Object.values(gradient).filter(({ shape }) => shape.length === 2);
    expect(weights.length).toBe(2);
    const rest = taken() - before - bytesOf(weights);
    // Cotangents of four examples, biases: below a twentieth of a weight.
    expect(rest).toBeLessThan(bytesOf(weights) / 40);
    scope.close([]);
  });
});
