/**
 * `npm run bench [-- matmul training overlap memory presets gpu]`: kernels and training steps against the machine's own limit, in one run.
 *
 * @module
 */
import { nativeBackend } from '../src/core/backends/native/backend.ts';
import { openNativeKernels } from '../src/core/backends/native/kernels.ts';
import { optimizerNames } from '../src/solvers/presets/registry.ts';
import { benchGpu } from './gpu/main.ts';
import { benchMatmul, sgemmRate } from './matmul.ts';
import { benchOverlap } from './overlap.ts';
import { succeed } from './succeed.ts';
import { benchMemory, benchTraining } from './training.ts';

const sections = process.argv.slice(2);
const wanted = (section: string): boolean => sections.length === 0 || sections.includes(section);

const benchNative = async (): Promise<void> => {
  const kernels = succeed(openNativeKernels());
  const backend = succeed(nativeBackend({ dtype: 'f32' }));
  const { library, threads } = backend.report();
  console.log(`${library}, ${threads} threads`);

  if (wanted('matmul')) benchMatmul(kernels, backend);
  if (wanted('training')) {
    const rate = sgemmRate(kernels);
    console.log(`\nsgemm at N = 1000: ${(rate / 1e9).toFixed(0)} GFLOP/s`);
    await benchTraining(backend, rate, ['sgd', 'adam', 'kfac', 'kfac-adaptive']);
  }
  if (wanted('overlap')) await benchOverlap(backend);
  if (sections.includes('presets')) {
    await benchTraining(
      backend,
      sgemmRate(kernels),
      optimizerNames.filter((name) => name !== 'class-kfac'), // needs classes
    );
  }
  if (wanted('memory')) await benchMemory(backend);
};

if (sections.includes('gpu')) await benchGpu();
if (sections.length === 0 || sections.some((section) => section !== 'gpu')) await benchNative();
