/**
 * Products on threads in a page: whether they are what they are on one, and whether workers took part.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import { openGpu } from '../../../src/core/backends/gpu/gpujs/gpujs.ts';
import { productsOn } from '../../../src/core/backends/gpu/hostMemory/products.ts';
import { kernelThreads } from '../../../src/core/backends/gpu/hostMemory/threads/kernels.ts';

/** What came of it. */
export interface ThreadedProducts {
  readonly threads: number;
  readonly warnings: ReadonlyArray<string>;
  /** Whether all results were those of one thread, bit for bit. */
  readonly agree: boolean;
}

const entries = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => Math.sin(i + 1));

const [m, n, k] = [256, 128, 200];
const shape = { m, n, k, transposeA: false, transposeB: true };

/** Multiplies on one thread and, again and again with pauses in which workers start, on three. */
export const threadedProducts = async (): Promise<ThreadedProducts> => {
  const gpu = openGpu('webasm');
  if (E.isLeft(gpu)) return { threads: 0, warnings: [gpu.left.reason], agree: false };
  const kernels = kernelThreads(gpu.right, { threads: 3 });
  const [one, three] = [productsOn(gpu.right), productsOn(kernels)];
  const [a, b] = [entries(m * k), entries(n * k)];
  const expected = one.matmul(a, b, shape);
  let agree = true;
  for (let i = 0; i < 20; i += 1) {
    const actual = three.matmul(a, b, shape);
    agree &&= actual.every((value, at) => value === expected[at]);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const answer = { threads: kernels.threads(), warnings: kernels.warnings(), agree };
  await kernels.dispose();
  return answer;
};
