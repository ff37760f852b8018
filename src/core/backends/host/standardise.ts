/**
 * What is centred and scaled, by kernels that go over it twice or three times.
 *
 * @module
 */
import { pullSoftmax } from '../../ops/derived.ts';
import type { Derived, Ops } from '../../ops/ops.ts';
import { reducedShape } from '../../ops/shapes.ts';
import { pullStandardised, standardise } from '../../ops/standardise.ts';
import type { Shape, Tensor } from '../../tensor.ts';
import { sameShape, sizeOf } from '../../tensor.ts';
import type { Host } from './host.ts';
import { floatsOf, floatTensor } from './host.ts';
import type { Extents } from './reductions.ts';
import { extentsOf } from './reductions.ts';

/** Three axes where the reduced ones are neighbours and there is something to reduce. */
const solidExtents = (shape: Shape, axes: ReadonlyArray<number>): Extents | null =>
  sizeOf(shape) === 0 ? null : extentsOf(shape, axes);

/**
 * The operations.
 *
 * @param host - the interpreter
 * @param self - its operations, for the cases without a kernel
 */
export const standardised = (
  host: Host,
  self: () => Ops<Tensor>,
): Pick<Derived<Tensor>, 'standardised' | 'standardisedVjp' | 'softmaxVjp'> => {
  const { allocator, kernels } = host;
  return {
    standardised: (x, axes, epsilon) => {
      const extents = solidExtents(x.shape, axes);
      if (extents === null) return standardise(self(), x, axes, epsilon);
      const { outer, reduced, inner } = extents;
      const shape = reducedShape('standardised', x.shape, axes);
      const out = allocator.take(sizeOf(x.shape));
      const [means, variances] = [allocator.take(sizeOf(shape)), allocator.take(sizeOf(shape))];
      kernels.standardise(floatsOf(host, x), outer, reduced, inner, epsilon, out, means, variances);
      return {
        values: floatTensor(host, x.shape, out),
        mean: floatTensor(host, shape, means),
        variance: floatTensor(host, shape, variances),
      };
    },
    standardisedVjp: (y, variance, axes, epsilon, cotangent) => {
      const extents = sameShape(y.shape, cotangent.shape) ? solidExtents(y.shape, axes) : null;
      if (extents === null) return pullStandardised(self(), y, variance, axes, epsilon, cotangent);
      const { outer, reduced, inner } = extents;
      const out = allocator.take(sizeOf(y.shape));
      const [values, variances, c] = [y, variance, cotangent].map((operand) => floatsOf(host, operand));
      kernels.standardiseVjp(values, variances, c, outer, reduced, inner, epsilon, out);
      return floatTensor(host, y.shape, out);
    },
    softmaxVjp: (y, cotangent) => {
      const columns = y.shape[y.shape.length - 1];
      if (!sameShape(y.shape, cotangent.shape) || sizeOf(y.shape) === 0) {
        return pullSoftmax(self(), y, cotangent);
      }
      const out = allocator.take(sizeOf(y.shape));
      kernels.softmaxVjp(floatsOf(host, y), floatsOf(host, cotangent), out.length / columns, columns, out);
      return floatTensor(host, y.shape, out);
    },
  };
};
