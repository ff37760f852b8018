/**
 * Native matmul through `Ops` against the raw BLAS call.
 *
 * @module
 */
import type { Backend } from '../src/core/backends/backend.ts';
import type { NativeKernels } from '../src/core/backends/native/kernels.ts';
import type { Tensor } from '../src/core/tensor.ts';
import { generate } from '../src/core/tensor.ts';
import { secondsPerCall } from './timing.ts';

/** Rate of the raw sgemm call on square matrices, in FLOP/s: the machine's limit in everything that follows. */
export const sgemmRate = (kernels: NativeKernels, n = 1000): number => {
  const [a, b, c] = [1, 2, 3].map((seed) => Float32Array.from({ length: n * n }, (_, i) => Math.sin(seed * i)));
  const seconds = secondsPerCall(() => {
    kernels.f32.gemm(false, false, n, n, n, 1, a, n, b, n, 0, c, n);
  });
  return (2 * n ** 3) / seconds;
};

/** Prints a table of rates and ratios. */
export const benchMatmul = (kernels: NativeKernels, backend: Backend<Tensor>): void => {
  console.log('\nmatmul, f32, square: through Ops against the raw call');
  console.log('     N   raw GFLOP/s   Ops GFLOP/s   ratio   overhead µs');
  for (const n of [8, 64, 256, 512, 1000]) {
    const [a, b] = [1, 2].map((seed) => generate([n, n], (i) => Math.sin(seed * i), 'f32'));
    const raw = sgemmSeconds(kernels, n);
    // As in a step: many products in one scope, whose buffers the next scope takes over.
    const calls = n < 256 ? 1000 : 4;
    const ops =
      secondsPerCall(() => {
        const { backend: scoped, close } = backend.scope();
        for (let i = 0; i < calls; i += 1) scoped.ops.matmul(a, b);
        close([]);
      }) / calls;
    const rate = (seconds: number): string => ((2 * n ** 3) / seconds / 1e9).toFixed(1).padStart(11);
    const overhead = ((ops - raw) * 1e6).toFixed(2).padStart(11);
    console.log(`${String(n).padStart(6)}   ${rate(raw)}   ${rate(ops)}   ${(raw / ops).toFixed(2)}   ${overhead}`);
  }
};

const sgemmSeconds = (kernels: NativeKernels, n: number): number => (2 * n ** 3) / sgemmRate(kernels, n);
