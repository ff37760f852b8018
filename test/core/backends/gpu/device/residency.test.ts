/**
 * What stays on a device, and for how long.
 */
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { DeviceTensor } from '../../../../../src/core/backends/gpu/device/arrays.ts';
import type { DeviceBackend } from '../../../../../src/core/backends/gpu/device/backend.ts';
import type { KfacError } from '../../../../../src/core/errors.ts';
import { generate } from '../../../../../src/core/tensor.ts';
import { orThrow } from '../../../../support/training.ts';
import { webgpuBackend, withWebgpu } from '../../../../support/webgpu.ts';
import { memoryBackend } from './support.ts';

const batch = generate([4, 5], (i) => Math.sin(i));

/** One step of a program like training: reads its loss, keeps its weights, gives back those before. */
const step = async (backend: DeviceBackend, weights: DeviceTensor): Promise<DeviceTensor> => {
  const { backend: scoped, close } = backend.scope();
  const { ops } = scoped;
  const x = ops.constant(batch);
  const y = ops.tanh(ops.affine(x, weights, null));
  const gradient = ops.matmul(ops.unaryVjp('tanh', y, y, y), x, { transposeA: true });
  const next = ops.linearCombination(1, weights, -0.01, ops.reshape(ops.reshape(gradient, [15]), [3, 5]));
  const loss = orThrow(await scoped.read(ops.dot(y, y))());
  expect(loss.data[0]).toBeGreaterThan(0);
  close([next], [weights]);
  return next;
};

const holdsOnToNothing = (open: TE.TaskEither<KfacError, DeviceBackend>): void => {
  it('law: no leaks. A thousand steps hold what ten hold', async () => {
    const backend = orThrow(await open());
    let weights = backend.ops.constant(generate([3, 5], (i) => Math.cos(i)));
    const before = backend.usage();
    for (let i = 0; i < 10; i += 1) weights = await step(backend, weights);
    const early = backend.usage();
    for (let i = 10; i < 1000; i += 1) weights = await step(backend, weights);
    expect(backend.usage()).toEqual(early);
    expect(early.arrays).toBe(before.arrays);
    expect(early.bytes).toBe(before.bytes);
    orThrow(await backend.dispose());
  });

  it('law: a view is no copy, and lives as long as what it looks at', async () => {
    const backend = orThrow(await open());
    const scope = backend.scope();
    const x = scope.backend.ops.constant(batch);
    const { arrays } = backend.usage();
    const view = scope.backend.ops.reshape(x, [20]);
    expect(backend.usage().arrays).toBe(arrays);
    scope.close([view]);
    expect(backend.usage().arrays).toBe(arrays);
    expect(orThrow(await backend.read(view)()).data).toHaveLength(20);
    const second = backend.scope();
    second.close([], [x]);
    expect(backend.usage().arrays).toBe(arrays - 1);
    orThrow(await backend.dispose());
  });

  it('says so when an array is used that was given back', async () => {
    const backend = orThrow(await open());
    const scope = backend.scope();
    const x = scope.backend.ops.constant(batch);
    scope.close([]);
    expect(await backend.read(x)()).toMatchObject({
      left: { _tag: 'DeviceFailed', reason: 'an array was used after it had been given back' },
    });
    expect(await backend.read(backend.ops.neg(x))()).toMatchObject({ left: { _tag: 'DeviceFailed' } });
    orThrow(await backend.dispose());
  });
};

describe('arrays in JavaScript', () => {
  holdsOnToNothing(TE.fromIO(() => memoryBackend('cpu')));
});

describe('arrays on WebGPU', () => {
  withWebgpu(() => holdsOnToNothing(webgpuBackend()));
});
