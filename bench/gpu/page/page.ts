/**
 * Prints rates of products in a page to its console, and says in its title when it is done.
 *
 * @module
 */
import type { Contender } from '../contender.ts';
import { entry } from '../contender.ts';
import { jax } from '../jax.ts';
import { portable } from '../ours.ts';
import { printRates } from '../rates.ts';
import { tensorflow } from '../tensorflow.ts';

const { document } = globalThis as unknown as { readonly document: { title: string } };

/**
 * All threads, once they have started: workers of a page do so while its own thread has nothing to do, and the first large product
 * asks for them.
 */
const onAllThreads = async (): Promise<Contender> => {
  const contender = portable();
  const [size, x] = [256, new Float32Array(256 * 256).fill(1)];
  const shape = { m: size, n: size, k: size, transposeA: false, transposeB: false };
  contender.product(x, x, shape).forEach((run) => run());
  await new Promise((resolve) => setTimeout(resolve, 1000));
  return contender;
};

printRates([
  await entry('kfac-ts', () => Promise.resolve(portable(1))),
  await entry('kfac-ts on all threads', onAllThreads),
  await entry('portable without fused multiply-add', () => Promise.resolve(portable(1, false))),
  await entry('tfjs-wasm', () => tensorflow('/')),
  await entry('jax-js', jax),
]);
document.title = 'done';
