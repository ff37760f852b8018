/**
 * What the tests of devices share.
 *
 * @module
 */
import { deviceBackend } from '../../../../../src/core/backends/gpu/device/backend.ts';
import type { DeviceBackend } from '../../../../../src/core/backends/gpu/device/backend.ts';
import { memoryDevice } from '../../../../../src/core/backends/gpu/device/memoryDevice.ts';
import { portableFactorisations } from '../../../../../src/core/backends/portable/factorisations.ts';
import type { MemoryMode } from '../../../../../src/core/backends/gpu/gpujs/gpujs.ts';

/** Factorisations that every machine has. */
export const portable = { name: 'portable', factorisations: portableFactorisations };

/** A device in host memory, which every machine has. */
export const memoryBackend = (mode: MemoryMode): DeviceBackend => deviceBackend(memoryDevice(mode), { host: portable });
