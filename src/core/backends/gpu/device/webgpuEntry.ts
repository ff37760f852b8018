/**
 * Where WebGPU is found: in `navigator.gpu`, which in Node.js the optional package webgpu provides.
 *
 * gpu.js looks at `navigator.gpu` only, so what the package creates is put there.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import { canOpenLibrary } from '../../native/backend.ts';
import { loadOptional } from '../../optional.ts';
import { currentProcess } from '../../process.ts';

import type { WebgpuEntry } from './webgpuDevice.ts';

/** The part of the package that is used here. */
interface WebgpuPackage {
  readonly create: (flags: ReadonlyArray<string>) => WebgpuEntry;
}

interface Navigator {
  readonly gpu?: WebgpuEntry;
}

const currentNavigator = (): Navigator | undefined => (globalThis as { readonly navigator?: Navigator }).navigator;

/** Puts WebGPU where gpu.js looks for it. */
const install = (entry: WebgpuEntry): void => {
  const navigator = currentNavigator();
  if (navigator === undefined) {
    Object.defineProperty(globalThis, 'navigator', { value: { gpu: entry }, configurable: true });
  } else {
    Object.defineProperty(navigator, 'gpu', { value: entry, configurable: true });
  }
};

/** The library through which the package reaches graphics on Linux. */
const vulkanLoader = 'libvulkan.so.1';

/**
 * Why the package would find no graphics. It is asked beforehand, because the package prints a warning of its own where
 * Vulkan is missing.
 *
 * @param platform - of the process
 * @param canOpen - whether a library can be opened; `null` where nobody can tell
 * @returns the reason, or `null` where nothing speaks against trying
 */
export const withoutVulkan = (platform: string, canOpen: (path: string) => boolean | null): string | null =>
  platform === 'linux' && canOpen(vulkanLoader) === false
    ? `there is no Vulkan on this machine: ${vulkanLoader} cannot be opened`
    : null;

/**
 * WebGPU, if there is any.
 *
 * @returns `navigator.gpu`, or the reason why there is none
 */
export const findWebgpu = (): E.Either<string, WebgpuEntry> => {
  const present = currentNavigator()?.gpu;
  if (present !== undefined) return E.right(present);
  const process = currentProcess();
  if (process === undefined) return E.left('this browser has no WebGPU');
  const loaded = E.flatMap(loadOptional('webgpu'), (exported) => {
    const reason = withoutVulkan(process.platform, canOpenLibrary);
    return reason === null ? E.tryCatch(() => (exported as WebgpuPackage).create([]), String) : E.left(reason);
  });
  if (E.isRight(loaded)) install(loaded.right);
  return loaded;
};
