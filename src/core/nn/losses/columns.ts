/**
 * Unit vectors of one example's outputs, for square roots of loss Hessians.
 *
 * @module
 */
import type { Ops } from '../../ops/ops.ts';
import type { Shape, Shaped } from '../../tensor.ts';
import { generate, sizeOf } from '../../tensor.ts';

/**
 * All unit vectors of a shape, in row-major order.
 *
 * @param ops - interpreter
 * @param shape - shape of one example
 */
export const unitVectors = <T extends Shaped>(ops: Ops<T>, shape: Shape): ReadonlyArray<T> =>
  Array.from({ length: sizeOf(shape) }, (_, feature) =>
    ops.constant(generate(shape, (position) => (position === feature ? 1 : 0))),
  );
