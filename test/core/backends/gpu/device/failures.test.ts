/**
 * A device that fails: everything that is waited for settles, with an error that says what happened.
 */
import * as E from 'fp-ts/lib/Either.js';

import { deviceBackend } from '../../../../../src/core/backends/gpu/device/backend.ts';
import type { Device, Handle } from '../../../../../src/core/backends/gpu/device/device.ts';
import { openDevice } from '../../../../../src/core/backends/gpu/device/open.ts';
import type { KfacError } from '../../../../../src/core/errors.ts';
import { attempt, describeError } from '../../../../../src/core/errors.ts';
import { generate } from '../../../../../src/core/tensor.ts';
import { orThrow } from '../../../../support/training.ts';
import { webgpuBackend, withWebgpu } from '../../../../support/webgpu.ts';
import { memoryBackend, portable } from './support.ts';

const lost: KfacError = { _tag: 'DeviceFailed', where: 'gpu (webgpu)', reason: 'it is lost', advice: 'Start again.' };

/** Never settles. */
const never = <A>(): Promise<A> => new Promise<A>(() => undefined);

/** A device on which one thing goes wrong. */
const faulty = (
  parts: Partial<Device>,
): { readonly device: Device; readonly fail: (error: KfacError) => void; readonly listeners: () => number } => {
  const listeners = new Set<(error: KfacError) => void>();
  const handle: Handle = { read: () => new Float32Array(4), free: () => undefined };
  const device: Device = {
    mode: 'webgpu',
    adapter: null,
    isSoftware: false,
    readsVectors: true,
    createKernel: () => ({ run: () => handle, destroy: () => undefined }),
    createUpload: () => ({ run: () => handle, destroy: () => undefined }),
    onFailure: (report) => {
      listeners.add(report);
      return () => void listeners.delete(report);
    },
    loss: () => null,
    dispose: () => Promise.resolve(),
    ...parts,
  };
  return { device, fail: (error) => listeners.forEach((report) => report(error)), listeners: () => listeners.size };
};

const four = generate([4], (i) => i);

describe('a lost device', () => {
  it('settles a read that would never end', async () => {
    const silent: Handle = { read: () => never(), free: () => undefined };
    const { device, fail } = faulty({ createUpload: () => ({ run: () => silent, destroy: () => undefined }) });
    const backend = deviceBackend(device, { host: portable });
    const reading = backend.read(backend.ops.constant(four))();
    fail(lost);
    expect(await reading).toEqual(E.left(lost));
  });

  it('settles reads behind a kernel that would never answer, and factorisations', async () => {
    const { device, fail } = faulty({ createKernel: () => ({ run: () => never(), destroy: () => undefined }) });
    const backend = deviceBackend(device, { host: portable });
    const x = backend.ops.neg(backend.ops.constant(four));
    const all = [backend.read(x)(), backend.linearAlgebra.inverse(backend.ops.reshape(x, [2, 2]))()];
    fail(lost);
    expect(await Promise.all(all)).toEqual([E.left(lost), E.left(lost)]);
  });

  it('gives every later read the same error, and nobody listens after dispose', async () => {
    const { device, fail, listeners } = faulty({});
    const backend = deviceBackend(device, { host: portable });
    fail(lost);
    expect(await backend.read(backend.ops.constant(four))()).toEqual(E.left(lost));
    orThrow(await backend.dispose());
    expect(listeners()).toBe(0);
  });
});

describe('a kernel that fails', () => {
  it('on a device that knows that it is lost says that', async () => {
    const { device } = faulty({
      createKernel: () => ({ run: attemptToRun, destroy: () => undefined }),
      loss: () => lost,
    });
    const backend = deviceBackend(device, { host: portable });
    expect(await backend.read(backend.ops.exp(backend.ops.constant(four)))()).toEqual(E.left(lost));
  });

  it.each([
    ['at once', (): never => attemptToRun()],
    ['later', (): Promise<Handle> => Promise.reject(new Error('no memory.\n  at line 3\n  more\n  and more'))],
  ])('%s makes what depends on it fail, and nothing else', async (_, run) => {
    const { device } = faulty({ createKernel: () => ({ run, destroy: () => undefined }) });
    const backend = deviceBackend(device, { host: portable });
    const x = backend.ops.constant(four);
    const y = backend.ops.exp(x);
    const outcome = await backend.read(backend.ops.neg(y))();
    expect(outcome).toMatchObject(E.left({ _tag: 'DeviceFailed', where: 'gpu (webgpu), exp 4' }));
    expect(E.isLeft(outcome) && 'reason' in outcome.left && outcome.left.reason).toContain('no memory');
    expect(E.isRight(await backend.read(x)())).toBe(true);
  });
});

const attemptToRun = (): never => {
  throw new Error('no memory');
};

describe('arrays that do not belong', () => {
  it('to the device are refused', async () => {
    const [one, other] = [memoryBackend('cpu'), memoryBackend('cpu')];
    const x = other.ops.constant(four);
    expect(attempt(() => one.ops.neg(x))).toMatchObject(
      E.left({ _tag: 'DeviceFailed', reason: 'an array of another backend came up' }),
    );
    orThrow(await one.dispose());
    orThrow(await other.dispose());
  });

  it('to the integers that floats hold are refused', () => {
    const backend = memoryBackend('cpu');
    const constant = (value: number): E.Either<KfacError, unknown> =>
      attempt(() => backend.ops.constant(generate([1], () => value, 'i32')));
    expect(E.isRight(constant(2 ** 24))).toBe(true);
    expect(constant(2 ** 24 + 1)).toMatchObject(E.left({ _tag: 'BadData', actual: '16777217' }));
  });
});

describe('openDevice', () => {
  it.each(['webgl2', 'headlessgl'] as const)('says why there is no %s in Node.js', async (mode) => {
    const opened = await openDevice(mode, true)();
    expect(E.isLeft(opened) && opened.left).toMatch(/not supported/);
  });

  withWebgpu(() => {
    it('refuses a rasteriser that was not asked for, and names it', async () => {
      orThrow(await webgpuBackend()()); // finds WebGPU in Jest
      expect(await openDevice('webgpu', false)()).toEqual(E.left(expect.stringMatching(/SwiftShader.* is a program/)));
    });

    it('settles what is read from a device that is destroyed', async () => {
      const opened = orThrow(
        E.mapLeft((reason: string): KfacError => ({ ...lost, _tag: 'DeviceFailed', reason }))(
          await openDevice('webgpu', true)(),
        ),
      );
      await opened(async (device) => {
        const handle = await device.createUpload(4).run(Float32Array.of(1, 2, 3, 4));
        const backend = deviceBackend(device, { host: portable });
        const x = backend.ops.constant(four);
        orThrow(await backend.read(x)());
        const reading = backend.read(backend.ops.exp(x))();
        destroyDeviceOf(handle);
        const outcomes = [await reading, await backend.read(x)(), await backend.read(backend.ops.neg(x))()];
        expect(outcomes.map((outcome) => E.isLeft(outcome) && describeError(outcome.left))).toEqual(
          outcomes.map(() => expect.stringContaining('the device was lost') as string),
        );
      });
    });
  });
});

/** Destroys the device that a handle of gpu.js lives on. */
const destroyDeviceOf = (handle: Handle): void => {
  const { raw } = handle as unknown as {
    readonly raw: { readonly context: { readonly device: { readonly destroy: () => void } } };
  };
  raw.context.device.destroy();
};
