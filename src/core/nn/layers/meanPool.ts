/**
 * The mean over positions, for one answer to a sequence.
 *
 * @module
 */
import { raise } from '../../errors.ts';
import type { Ops } from '../../ops/ops.ts';
import type { Shaped } from '../../tensor.ts';
import { sameShape, showShape } from '../../tensor.ts';
import { arrayAt } from './circumstances.ts';
import type { Layer } from './layer.ts';
import { leaf } from './layer.ts';
import { extent } from '../../settings.ts';

/** Settings of {@link meanPool}. */
export interface MeanPoolOptions {
  /** Name of the batch's array `[n, t]` that is 1 where a position counts and 0 where it does not; all count unless given. */
  readonly mask?: string;
}

/** The mean over the positions that count; 0 where none does. */
const maskedMean = <T extends Shaped>(ops: Ops<T>, x: T, axis: number, mask: T): T => {
  const { shape } = x;
  if (!sameShape(mask.shape, [shape[0], shape[axis]])) {
    return raise({
      _tag: 'ShapeMismatch',
      where: 'meanPool',
      expected: `a mask ${showShape([shape[0], shape[axis]])} of the positions`,
      actual: showShape(mask.shape),
    });
  }
  const along = (extent: number): ReadonlyArray<number> =>
    shape.map((_, i) => (i === 0 ? shape[0] : i === axis ? extent : 1));
  const isThere = ops.reshape(mask, along(shape[axis]));
  const counted = ops.sum(ops.select(isThere, x, ops.full([], 0)), [axis]);
  const count = ops.sum(ops.abs(ops.unary('sign', isThere)), [axis]);
  return ops.div(counted, ops.maximum(count, ops.full([], 1)));
};

/**
 * The mean over an axis, which is dropped: `[n, t, d]` to `[n, d]`.
 *
 * @param axis - which, 1 unless given; the batch axis 0 is not allowed
 * @param options - mask
 * @example
 * ```ts
 * import { evaluating, meanPool, model, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const inputs = tensor([1, 2, 3, 4], [1, 2, 2]);
 * model('mean', [2, 2], meanPool()).program(ops, {}, evaluating({ inputs })).data; // => [2, 3]
 * ```
 */
export const meanPool = (axis = 1, { mask }: MeanPoolOptions = {}): Layer => {
  extent('meanPool.axis', axis);
  return leaf({
    kind: 'meanPool',
    label: `mean over axis ${axis}`,
    parameters: () => [],
    apply: (ops, _params, _path, x, at) => {
      if (axis < x.shape.length) {
        return mask === undefined
          ? ops.mean(x, [axis])
          : maskedMean(ops, x, axis, arrayAt(at.arrays, mask, 'meanPool'));
      }
      return raise({
        _tag: 'ShapeMismatch',
        where: 'meanPool',
        expected: `an input with axis ${axis}, which is not the batch axis 0`,
        actual: showShape(x.shape),
      });
    },
  });
};
