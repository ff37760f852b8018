/**
 * Sums over parts of a whole, one part after another: what is formed of a part is gone when the next one's turn comes.
 *
 * @module
 */
import type { Params } from '../params.ts';
import { zipParams } from '../params.ts';
import type { Shaped } from '../tensor.ts';
import type { Ops } from './ops.ts';

/** Elements that are always formed at once: some hundred kilobytes. */
export const fewestElements = 2 ** 15;

/**
 * Sums over parts.
 *
 * @param ops - interpreter
 * @param n - rows of the whole, at least 1
 * @param size - rows of a part, at least 1; of the last one those that are left
 * @param sums - of the rows from one on, additive, in arrays of their own
 */
export const sumsOfParts = <T extends Shaped>(
  ops: Ops<T>,
  n: number,
  size: number,
  sums: (on: Ops<T>, begin: number, count: number) => Params<T>,
): Params<T> =>
  Array.from({ length: Math.ceil(n / size) }, (_, i) => i * size).reduce(
    (before: Params<T>, begin): Params<T> =>
      ops.within((on) => {
        const found = sums(on, begin, Math.min(size, n - begin));
        const after = begin === 0 ? found : zipParams(before, found, (x, y) => on.add(x, y));
        return [after, Object.values(after), Object.values(before)];
      }),
    {},
  );
