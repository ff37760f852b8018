/**
 * Dropout [S14], inverted: what is left is scaled up, so evaluation needs no change.
 *
 * @module
 */
import { raise } from '../../errors.ts';
import { uniform } from '../../random/uniform.ts';
import { keyAt } from './circumstances.ts';
import type { Layer } from './layer.ts';
import { leaf } from './layer.ts';

/**
 * In training each element is zero with probability p and x / (1 − p) otherwise; in evaluation x. The draws are those of the
 * step's key and the layer's path, so every pass over a batch drops the same elements.
 *
 * @param rate - p in [0, 1)
 * @example
 * ```ts
 * import { dropout, evaluating, keyOf, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const half = dropout(0.5);
 * const x = tensor([1, 2, 3, 4], [1, 4]);
 * half.apply(ops, {}, 'drop', x, evaluating({})).data; // => [1, 2, 3, 4]
 * const some = half.apply(ops, {}, 'drop', x, { arrays: {}, key: keyOf(1), running: {} });
 * Array.from(some.data).every((y, i) => y === 0 || y === 2 * (i + 1)); // => true
 * ```
 */
export const dropout = (rate: number): Layer => {
  if (!(rate >= 0 && rate < 1)) {
    raise({ _tag: 'BadConfig', path: 'dropout', expected: 'a rate from 0 to below 1', actual: String(rate) });
  }
  return leaf({
    kind: 'dropout',
    label: `dropout ${rate}`,
    parameters: () => [],
    apply: (ops, _params, path, x, at) => {
      const key = keyAt(at, path);
      if (key === null || rate === 0) return x;
      const draws = ops.constant(uniform(key, x.shape, 'f32'));
      // Draws are in [0, 1) and kept where they are at least p.
      const kept = ops.sub(ops.full([], 1), ops.greater(ops.full([], rate), draws));
      return ops.scale(1 / (1 - rate), ops.mul(kept, x));
    },
  });
};
