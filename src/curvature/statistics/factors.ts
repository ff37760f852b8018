/**
 * Sums that Kronecker factors are made of, whole and in parts.
 *
 * @module
 */
import type { Factor } from '../../core/operators/factors/factor.ts';
import { dense, diagonal, directSumOf } from '../../core/operators/factors/factor.ts';
import type { Ops } from '../../core/ops/ops.ts';
import type { Params } from '../../core/params.ts';
import { mapParams, zipParams } from '../../core/params.ts';
import type { SiteCapture } from '../../core/pipeline/context.ts';
import type { Shaped } from '../../core/tensor.ts';
import type { Cut } from './partition.ts';
import { partitionOf } from './partition.ts';
import type { SharedRows } from './sharing.ts';
import { asRows, markOf, overCounted, positionsOf } from './sharing.ts';
import { totalOf } from './statistics.ts';

/** Largest order of a full factor, unless another one is given. */
export const mostFull = 8192;

/** Cotangents as rows, without the inputs. */
export type CotangentRows<T> = Pick<SharedRows<T>, 'cotangents' | 'positions' | 'isotropic'>;

/**
 * Cotangents as rows, whose mean is that over the positions that count.
 *
 * @param ops - interpreter
 * @param seen - cotangents `[n, …, out]` per pass
 */
export const cotangentRows = <T extends Shaped>(
  ops: Ops<T>,
  seen: Pick<SiteCapture<T>, 'cotangents' | 'weights' | 'isotropic'>,
): CotangentRows<T> => {
  const { cotangents, weights } = seen;
  const rows = { cotangents: cotangents.map((g) => asRows(ops, g)), positions: positionsOf(cotangents[0].shape) };
  return { ...markOf(seen), ...rows, cotangents: overCounted(ops, rows, weights) };
};

/** Extents of G, and the number of examples. */
const extentsOf = <T extends Shaped>({ cotangents: [{ shape }], positions }: CotangentRows<T>) => ({
  examples: shape[0] / positions,
  out: shape[1],
});

/**
 * Σ over rows and passes of g gᵀ, the mean over positions.
 *
 * @param ops - interpreter
 * @param rows - cotangents `[rows, out]` per pass
 * @returns `[out, out]`
 */
export const cotangentGram = <T extends Shaped>(ops: Ops<T>, rows: CotangentRows<T>): T => {
  const { cotangents, positions, isotropic = false } = rows;
  if (isotropic) {
    const { examples, out } = extentsOf(rows);
    return ops.addDiagonal(ops.full([out, out], 0), examples);
  }
  const G = totalOf(
    ops,
    cotangents.map((g) => ops.gram(g)),
  );
  return positions === 1 ? G : ops.scale(1 / positions, G);
};

/** Σ over rows and passes of g², the mean over positions, `[out]`. */
const cotangentSquares = <T extends Shaped>(ops: Ops<T>, rows: CotangentRows<T>): T => {
  const { cotangents, positions, isotropic = false } = rows;
  if (isotropic) {
    const { examples, out } = extentsOf(rows);
    return ops.full([out], examples);
  }
  const squares = totalOf(
    ops,
    cotangents.map((g) => ops.sum(ops.square(g), [0])),
  );
  return positions === 1 ? squares : ops.scale(1 / positions, squares);
};

/**
 * The sum of cotangents alone: `G`, full, or the diagonal `g` where its order is above a bound, and where it is known to be one.
 *
 * @param ops - interpreter
 * @param rows - cotangents `[rows, out]` per pass
 * @param most - largest order of a full factor
 */
export const cotangentSums = <T extends Shaped>(ops: Ops<T>, rows: CotangentRows<T>, most: number): Params<T> =>
  rows.isotropic !== true && rows.cotangents[0].shape[1] <= most
    ? { G: cotangentGram(ops, rows) }
    : { g: cotangentSquares(ops, rows) };

/**
 * The sum of inputs alone: `A`, full, or the diagonal `a` where its order is above a bound.
 *
 * @param ops - interpreter
 * @param input - rows `[rows, in]`
 * @param most - largest order of a full factor
 */
export const inputSums = <T extends Shaped>(ops: Ops<T>, input: T, most: number): Params<T> =>
  input.shape[1] <= most ? { A: ops.gram(input) } : { a: ops.sum(ops.square(input), [0]) };

/**
 * Sums of both factors: `A` and `G`, full, or the diagonals `a` and `g` where their order is above a bound.
 *
 * @param ops - interpreter
 * @param rows - inputs `[rows, in]` and cotangents `[rows, out]` per pass
 * @param most - largest order of a full factor
 */
export const factorSums = <T extends Shaped>(ops: Ops<T>, rows: SharedRows<T>, most: number): Params<T> => ({
  ...inputSums(ops, rows.input, most),
  ...cotangentSums(ops, rows, most),
});

/**
 * A factor of averages of {@link factorSums}.
 *
 * @param averages - by name
 * @param name - of the full factor; its diagonal has the same letter
 */
export const factorOf = <T>(averages: Params<T>, name: 'A' | 'G'): Factor<T> =>
  name in averages ? dense(averages[name]) : diagonal(averages[name.toLowerCase()]);

/**
 * xᵀx of each part of the columns.
 *
 * @param ops - interpreter
 * @param name - name of the factor
 * @param x - `[rows, columns]`
 * @param cut - how to cut the columns
 * @returns sums named `A:0`, `A:1`, … for the factor A
 */
export const partGrams = <T extends Shaped>(ops: Ops<T>, name: string, x: T, cut: Cut): Params<T> =>
  Object.fromEntries(
    partitionOf(x.shape[1], cut).map(({ begin, size }, i) => [
      `${name}:${i}`,
      size === x.shape[1]
        ? ops.gram(x)
        : ops.within((on) => {
            const gram = on.gram(on.slice(x, [0, begin], [x.shape[0], size]));
            return [gram, [gram]];
          }),
    ]),
  );

/**
 * Σ over rows and passes of the parts of g gᵀ, the mean over positions.
 *
 * @param ops - interpreter
 * @param rows - cotangents `[rows, out]` per pass
 * @param cut - how to cut the outputs
 * @returns sums `G:0`, `G:1`, …; the diagonal `g` where all of them are known to be diagonal
 */
export const cotangentPartGrams = <T extends Shaped>(ops: Ops<T>, rows: CotangentRows<T>, cut: Cut): Params<T> => {
  const { cotangents, positions, isotropic = false } = rows;
  if (isotropic) return { g: cotangentSquares(ops, rows) };
  const total = cotangents
    .map((g) => partGrams(ops, 'G', g, cut))
    .reduce((a, b) => zipParams(a, b, (x, y) => ops.add(x, y)));
  return positions === 1 ? total : mapParams(total, (G) => ops.scale(1 / positions, G));
};

/**
 * The averages of one factor's parts in order.
 *
 * @param averages - by name
 * @param name - name of the factor
 */
export const partsOf = <T>(averages: Params<T>, name: string): ReadonlyArray<T> =>
  Object.keys(averages)
    .filter((key) => key.startsWith(`${name}:`))
    .map((_, i) => averages[`${name}:${i}`]);

/**
 * A factor of averages of {@link partGrams}, or of a diagonal in their place.
 *
 * @param averages - by name
 * @param name - of the factor; its diagonal has the same letter
 */
export const factorOfParts = <T>(averages: Params<T>, name: 'A' | 'G'): Factor<T> => {
  const parts = partsOf(averages, name);
  return parts.length === 0 ? diagonal(averages[name.toLowerCase()]) : directSumOf(parts);
};
