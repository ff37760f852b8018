/**
 * Prints rates of products in a page to its console, and says in its title when it is done.
 *
 * @module
 */
import { entry } from '../contender.ts';
import { jax } from '../jax.ts';
import { portable } from '../ours.ts';
import { printRates } from '../rates.ts';
import { tensorflow } from '../tensorflow.ts';

const { document } = globalThis as unknown as { readonly document: { title: string } };

printRates([
  await entry('kfac-ts', () => Promise.resolve(portable(1))),
  await entry('kfac-ts on all threads', () => Promise.resolve(portable())),
  await entry('portable without fused multiply-add', () => Promise.resolve(portable(1, false))),
  await entry('tfjs-wasm', () => tensorflow('/')),
  await entry('jax-js', jax),
]);
document.title = 'done';
