/**
 * Products of the backends without a BLAS at the shapes of training, against each other and two libraries, that of gpu.js against the
 * kernel that one would write first as well.
 *
 * @module
 */
import { setFlagsFromString } from 'node:v8';

import { entry } from './contender.ts';
import { jax } from './jax.ts';
import { naive, ours, portable } from './ours.ts';
import { printRates } from './rates.ts';
import { benchStages } from './stages.ts';
import { tensorflow } from './tensorflow.ts';

/**
 * Prints rates of products, grams and a stage, forward and backward, of a backend without a BLAS and of others. Node.js 20 is asked for
 * the vectors that later versions have.
 */
export const benchGpu = async (backend: 'portable' | 'gpu'): Promise<void> => {
  if (process.versions.node.startsWith('20.')) setFlagsFromString('--experimental-wasm-relaxed-simd');
  const [own, other] = backend === 'portable' ? [portable, ours] : [ours, portable];
  printRates([
    await entry('kfac-ts', () => Promise.resolve(own(1))),
    await entry('kfac-ts on all threads', () => Promise.resolve(own())),
    await entry('the other backend', () => Promise.resolve(other(1))),
    backend === 'portable'
      ? await entry('portable without fused multiply-add', () => Promise.resolve(portable(1, false)))
      : await entry('naive gpu.js', () => Promise.resolve(naive())),
    await entry('tfjs-wasm', tensorflow),
    await entry('jax-js', jax),
  ]);
  if (backend === 'gpu') await benchStages();
};
