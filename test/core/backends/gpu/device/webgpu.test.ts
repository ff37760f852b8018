/**
 * The device interpreter on WebGPU. Every shape compiles a kernel, which takes some 20 ms there, hence the few cases.
 */
import { conformanceOnOpening } from '../../../../support/conformance.ts';
import { webgpuBackend, withWebgpu } from '../../../../support/webgpu.ts';

withWebgpu(() => {
  conformanceOnOpening('device on WebGPU', 'f32', webgpuBackend(), { runs: 12 });
});
