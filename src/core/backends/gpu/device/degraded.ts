/**
 * Whether a kernel of gpu.js ran where it was asked to.
 *
 * @module
 */
import type { KfacError } from '../../../errors.ts';
import type { RawKernel } from '../gpujs/gpujs.ts';
import type { GpuMode } from '../../gpuModes.ts';

/**
 * Why a kernel did not run where it should, or `undefined` when it did. gpu.js moves kernels that a mode cannot run to
 * plain JavaScript and says so on the console only.
 *
 * @param raw - a kernel that has run
 * @param expected - what gpu.js calls the mode
 */
export const degradation = (raw: RawKernel, expected: string): string | undefined => {
  const actual = raw.kernel.constructor.mode;
  const reason = raw.kernel.fallbackReason ?? null;
  if (actual === expected && reason === null) return undefined;
  return `a kernel was moved to ${actual ?? 'an unknown mode'}: ${reason ?? 'no reason given'}`;
};

/** The error of a kernel that did not run where it should. */
export const degradedError = (mode: GpuMode, reason: string): KfacError => ({
  _tag: 'DeviceFailed',
  where: `gpu (${mode})`,
  reason,
  advice: 'Use another mode, or the native or reference backend.',
});
