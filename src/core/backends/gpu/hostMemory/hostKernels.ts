/**
 * Matrix products on gpu.js under the host interpreter: the gpu backend where arrays live in host memory.
 *
 * In gpu.js's WebAssembly mode nothing is gained by handles: arrays stay where everything else is computed as well.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { BackendUnavailable } from '../../../errors.ts';
import type { Tensor } from '../../../tensor.ts';
import type { Backend } from '../../backend.ts';
import { hostBackend } from '../../host/backend.ts';
import type { Products } from '../../host/kernels/products.ts';
import { f32 } from '../../host/kernels/precision.ts';

import { portableFactorisations } from '../../portable/factorisations.ts';
import type { Gpu } from '../gpujs/gpujs.ts';
import { openGpu } from '../gpujs/gpujs.ts';
import { titleOf } from '../../gpuModes.ts';
import type { Products as KernelProducts, ProductSettings } from './products.ts';
import { productsOn } from './products.ts';
import type { KernelThreads, KernelThreadsOptions } from './threads/kernels.ts';
import { kernelThreads } from './threads/kernels.ts';

const productsOf = ({ matmul, gram }: KernelProducts): Products => ({
  matmul: (a, b, shape, out) => void matmul(a, b, shape, { out: out as Float32Array }),
  batchedMatmul: (batch, a, b, shape, out) => {
    const { m, n, k } = shape;
    for (let i = 0; i < batch; i += 1) {
      const product = f32.part(out, i * m * n, m * n) as Float32Array;
      matmul(f32.part(a, i * m * k, m * k), f32.part(b, i * k * n, k * n), shape, { out: product });
    }
  },
  affine: (x, weight, bias, m, n, k, out) =>
    void matmul(x, weight, { m, n, k, transposeA: false, transposeB: true }, { bias, out: out as Float32Array }),
  gram: (x, rows, columns, out) => void gram(x, rows, columns, out as Float32Array),
});

/** Settings of {@link hostKernelBackend}. */
export interface HostKernelOptions extends KernelThreadsOptions {
  /** Plans other than the measured ones, and bounds of the kernel cache. */
  readonly products?: ProductSettings;
}

/** Kernels on one thread, as gpu.js runs them. */
const onOneThread = (gpu: Gpu): KernelThreads => ({
  createKernel: gpu.createKernel,
  threads: () => 1,
  warnings: () => [],
  dispose: () => Promise.resolve(),
});

/**
 * Opens the gpu backend in host memory, which has single precision only.
 *
 * @param mode - where kernels run; threads are for WebAssembly
 * @param options - threads and plans
 * @returns the backend, or why gpu.js does not run here
 */
export const hostKernelBackend = (
  mode: 'webasm' | 'cpu',
  options: HostKernelOptions = {},
): E.Either<BackendUnavailable, Backend<Tensor>> =>
  pipe(
    openGpu(mode),
    E.map((gpu) => {
      const threads = mode === 'webasm' ? kernelThreads(gpu, options) : onOneThread(gpu);
      const products = productsOn(threads, options.products);
      const warnings = [
        ...(gpu.flatResults ? [] : ['gpu.js returns nested results, which makes products slower']),
        ...(gpu.vectorLoads || mode === 'cpu' ? [] : ['gpu.js does not load vectors: products are three times slower']),
      ];
      return hostBackend({
        name: 'gpu',
        dtype: 'f32',
        products: productsOf(products),
        factorisations: portableFactorisations,
        report: () => ({
          backend: 'gpu',
          library: `gpu.js, ${titleOf[mode]}`,
          threads: threads.threads(),
          factorisations: 'portable',
          warnings: [...warnings, ...threads.warnings()],
          gpu: { mode, adapter: null, refused: [] },
        }),
        dispose: TE.fromTask(async () => {
          products.clear();
          await threads.dispose();
          await gpu.dispose();
        }),
      });
    }),
  );
