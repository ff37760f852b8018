/**
 * Tests that need WebGPU in Node.js.
 *
 * The package webgpu finds graphics through Vulkan. Where there is no hardware, Chromium's software rasteriser stands in
 * for it: `jest.config.mjs` names it to Vulkan, and its loader is opened here, because the search path of libraries is
 * fixed when a program starts. Jest cannot load the package, which is an ES module, so its native part is loaded and put
 * where gpu.js looks; programs of their own test the loading. On a machine without WebGPU, the typed error is the
 * behaviour that is tested; where it is required, its absence fails.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';

import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { DeviceBackend } from '../../src/core/backends/gpu/device/backend.ts';
import { deviceBackend } from '../../src/core/backends/gpu/device/backend.ts';
import { openDevice } from '../../src/core/backends/gpu/device/open.ts';
import { portableFactorisations } from '../../src/core/backends/portable/factorisations.ts';
import type { CacheLimits } from '../../src/core/backends/gpu/gpujs/kernelCache.ts';
import { loadKoffi } from '../../src/core/backends/native/koffi.ts';
import type { KfacError } from '../../src/core/errors.ts';
import { describeError } from '../../src/core/errors.ts';

const loader = '/usr/lib/chromium/libvulkan.so.1';
const native = `${process.cwd()}/node_modules/webgpu/dist/${process.platform}-${process.arch}/dawn.node`;

/** Opens a library for good, so that whoever looks for one of its name finds it open. */
const openLibrary = (path: string): void => {
  const koffi = loadKoffi();
  if (E.isRight(koffi) && existsSync(path)) koffi.right.load(path);
};

/** Puts WebGPU into `navigator.gpu`, if the package is there. */
const provide = (): void => {
  openLibrary(loader);
  if (Reflect.has(globalThis, 'navigator') || !existsSync(native)) return;
  const { create } = createRequire(`${process.cwd()}/`)(native) as { readonly create: (flags: readonly []) => object };
  Object.defineProperty(globalThis, 'navigator', { value: { gpu: create([]) }, configurable: true });
};

/**
 * A backend on WebGPU.
 *
 * @param limits - bounds of its kernel cache
 */
export const webgpuBackend = (limits?: CacheLimits): TE.TaskEither<KfacError, DeviceBackend> =>
  pipe(
    TE.fromIO(provide),
    TE.chain(() => openDevice('webgpu', true)),
    TE.mapLeft((reason): KfacError => ({ _tag: 'BackendUnavailable', backend: 'gpu (webgpu)', reason, advice: '' })),
    TE.map((opened) =>
      opened((device) =>
        deviceBackend(device, {
          host: { name: 'portable', factorisations: portableFactorisations },
          ...(limits === undefined ? {} : { limits }),
        }),
      ),
    ),
  );

/**
 * Defines tests on WebGPU.
 *
 * @param define - the tests
 */
export const withWebgpu = (define: () => void): void => {
  if (existsSync(native) && existsSync(loader)) {
    define();
    return;
  }
  it('has no rasteriser for WebGPU on this machine, and says what is missing where there is no hardware', async () => {
    expect(process.env['KFAC_REQUIRE_WEBGPU']).toBeUndefined();
    const opened = await webgpuBackend()();
    if (E.isLeft(opened)) expect(describeError(opened.left)).toMatch(/not installed|no adapter/);
    else await opened.right.dispose();
  });
};
