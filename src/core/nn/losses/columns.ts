/**
 * Columns of square roots of loss Hessians, a range of them at a time: an image has 784, and one column of all examples
 * is as large as the outputs.
 *
 * @module
 */
import type { Ops } from '../../ops/ops.ts';
import type { Shape, Shaped } from '../../tensor.ts';
import { generate, sizeOf } from '../../tensor.ts';
import type { Loss } from './loss.ts';

/**
 * Number of columns of the square root: one for each element of an example's outputs.
 *
 * @param outputs - shape of the outputs, `[n, …]`
 */
export const columnCount = (outputs: Shape): number => sizeOf(outputs.slice(1));

/**
 * B_c with the shape of the outputs, for c from `begin` to `end`; over all c, Σ_c B_c B_cᵀ = H for each example.
 *
 * @param ops - interpreter
 * @param loss - the loss
 * @param outputs - `[n, …]`
 * @param begin - first column, 0 unless given
 * @param end - column after the last, all unless given
 */
export const squareRootColumns = <T extends Shaped>(
  ops: Ops<T>,
  loss: Pick<Loss, 'squareRoot'>,
  outputs: T,
  begin = 0,
  end = columnCount(outputs.shape),
): ReadonlyArray<T> => {
  const root = loss.squareRoot(ops, outputs);
  const shape = outputs.shape.slice(1);
  return Array.from({ length: end - begin }, (_, i) =>
    root(ops.constant(generate(shape, (position) => (position === begin + i ? 1 : 0)))),
  );
};
