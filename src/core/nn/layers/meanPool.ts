/**
 * The mean over positions, for one answer to a sequence.
 *
 * @module
 */
import { raise } from '../../errors.ts';
import { showShape } from '../../tensor.ts';
import type { Layer } from './layer.ts';
import { leaf } from './layer.ts';
import { extent } from '../../settings.ts';

/**
 * The mean over an axis, which is dropped: `[n, t, d]` to `[n, d]`.
 *
 * @param axis - which, 1 unless given; the batch axis 0 is not allowed
 * @example
 * ```ts
 * import { evaluating, meanPool, model, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const inputs = tensor([1, 2, 3, 4], [1, 2, 2]);
 * model('mean', [2, 2], meanPool()).program(ops, {}, evaluating({ inputs })).data; // => [2, 3]
 * ```
 */
export const meanPool = (axis = 1): Layer => {
  extent('meanPool.axis', axis);
  return leaf({
    kind: 'meanPool',
    label: `mean over axis ${axis}`,
    parameters: () => [],
    apply: (ops, _params, _path, x) =>
      axis < x.shape.length
        ? ops.mean(x, [axis])
        : raise({
            _tag: 'ShapeMismatch',
            where: 'meanPool',
            expected: `an input with axis ${axis}, which is not the batch axis 0`,
            actual: showShape(x.shape),
          }),
  });
};
