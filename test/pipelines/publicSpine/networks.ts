/**
 * The networks of a small game, of the public barrel alone: one makes numbers out of noise, the other judges numbers.
 *
 * @module
 */
import type { Layer } from '../../../src/core/index.ts';
import { activation, dense, keyAt, keyOf, leaf, normal, sequential } from '../../../src/core/index.ts';

/** Draws `[n, 1]` of the step's key, whatever comes in; of one key in evaluation. */
const noise: Layer = leaf({
  kind: 'noise',
  label: 'noise',
  parameters: () => [],
  apply: (ops, _params, path, x, at) => ops.constant(normal(keyAt(at, path) ?? keyOf(0), [x.shape[0], 1], 'f32')),
});

/** Normal numbers of some mean and width, `[n, 1]`. */
export const generator = sequential([noise, dense({ in: 1, out: 1 })]);

/** Logits `[n, 1]` of numbers `[n, 1]`. */
export const discriminator = sequential([dense({ in: 1, out: 8 }), activation('tanh'), dense({ in: 8, out: 1 })]);
