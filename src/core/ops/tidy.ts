/**
 * When it is worth a scope to hand temporaries back at once.
 *
 * @module
 */
import type { Shaped } from '../tensor.ts';
import { sizeOf } from '../tensor.ts';
import type { Ops } from './ops.ts';

/** Elements from which arrays are worth a scope: a quarter of a megabyte. */
const worthAScope = 2 ** 16;

/**
 * Whether arrays take so much memory that a scope for them costs less than it saves.
 *
 * @param arrays - shapes like those of the arrays that are made
 */
export const areLarge = (arrays: ReadonlyArray<Shaped>): boolean =>
  arrays.reduce((elements, { shape }) => elements + sizeOf(shape), 0) >= worthAScope;

/**
 * The operation `within` where arrays are large, and the computation as it is where they are not.
 *
 * @param ops - interpreter
 * @param size - shapes like those of the arrays that it makes
 * @param run - gives a result, the arrays that live on, and those of before that nobody else holds
 */
export const tidyWithin = <T extends Shaped, A>(
  ops: Ops<T>,
  size: ReadonlyArray<Shaped>,
  run: Parameters<typeof ops.within<A>>[0],
): A => (areLarge(size) ? ops.within(run) : run(ops)[0]);
