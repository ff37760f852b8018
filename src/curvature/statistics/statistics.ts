/**
 * Statistics as a commutative monoid of (weighted sum, weight).
 *
 * Sums, not means: adding micro-batches, workers and samples is then plain addition, and the result does not depend on
 * how a batch is split.
 *
 * @module
 */
import { raise } from '../../core/errors.ts';
import type { Ops } from '../../core/ops/ops.ts';
import type { Params } from '../../core/params.ts';
import { mapParams, zipParams } from '../../core/params.ts';
import type { Shaped } from '../../core/tensor.ts';
import { sameShape, showShape } from '../../core/tensor.ts';

/** Sums by name (`A`, `G`, …) and the weight they carry. */
export interface Statistics<T> {
  readonly sums: Params<T>;
  /** Number of examples in each sum. */
  readonly weight: number;
}

/** Statistics of every block, by block name. */
export type BlockStatistics<T> = Readonly<Record<string, Statistics<T>>>;

/**
 * What all passes of an estimator give together.
 *
 * @param ops - interpreter
 * @param passes - arrays of one shape, at least one
 */
export const totalOf = <T extends Shaped>(ops: Ops<T>, passes: ReadonlyArray<T>): T =>
  passes.reduce((x, y) => ops.add(x, y));

/**
 * The monoid's operation: sums and weights add.
 *
 * @param ops - interpreter
 * @param a - statistics
 * @param b - statistics of the same kind from other examples
 * @example
 * ```ts
 * import { referenceBackend, tensor } from 'kfac-ts/core';
 * import { combine } from 'kfac-ts/curvature';
 *
 * // Two micro-batches, or two workers.
 * const { ops } = referenceBackend();
 * const first = { sums: { A: tensor([6], [1, 1]) }, weight: 2 };
 * const second = { sums: { A: tensor([9], [1, 1]) }, weight: 3 };
 * combine(ops, first, second).weight; // => 5
 * ```
 */
export const combine = <T extends Shaped>(ops: Ops<T>, a: Statistics<T>, b: Statistics<T>): Statistics<T> => ({
  sums: zipParams(a.sums, b.sums, (x, y) => ops.add(x, y)),
  weight: a.weight + b.weight,
});

/**
 * Means: sums divided by their weight.
 *
 * @param ops - interpreter
 * @param statistics - sums and weight
 * @example
 * ```ts
 * import { referenceBackend, tensor } from 'kfac-ts/core';
 * import { means } from 'kfac-ts/curvature';
 *
 * const { ops } = referenceBackend();
 * means(ops, { sums: { A: tensor([6], [1, 1]) }, weight: 3 }).A.data; // => [2]
 * ```
 */
export const means = <T extends Shaped>(ops: Ops<T>, statistics: Statistics<T>): Params<T> =>
  mapParams(statistics.sums, (sum) => ops.scale(1 / statistics.weight, sum));

const described = <T extends Shaped>(params: Params<T>): string =>
  Object.entries(params)
    .map(([name, { shape }]) => `${name} ${showShape(shape)}`)
    .join(', ');

/** The average, if it is one of such sums: a state may be what another curvature has left. */
const alike = <T extends Shaped>(average: Params<T>, sums: Params<T>): Params<T> => {
  const names = Object.keys(sums);
  const isAlike =
    Object.keys(average).length === names.length &&
    names.every((name) => Object.hasOwn(average, name) && sameShape(average[name].shape, sums[name].shape));
  return isAlike
    ? average
    : raise({
        _tag: 'ShapeMismatch',
        where: 'averaged statistics',
        expected: `averages ${described(sums)}, as this curvature keeps them`,
        actual: `${described(average)}, left in the state by another, or when other parameters were held`,
      });
};

/**
 * One step of the bias-corrected moving average X ← ρ_k X + (1 − ρ_k) X̂ with ρ_k = min(1 − 1/k, ρ), which makes the
 * first update exact [MG15 §5].
 *
 * @param ops - interpreter
 * @param decay - ρ in [0, 1)
 * @param k - how many batches have come, this one included; at least 1
 * @param average - the average so far; ignored when k is 1
 * @param statistics - the new batch
 */
export const averageInto = <T extends Shaped>(
  ops: Ops<T>,
  decay: number,
  k: number,
  average: Params<T> | undefined,
  statistics: Statistics<T>,
): Params<T> => {
  const rho = Math.min(1 - 1 / k, decay);
  return average === undefined || rho === 0
    ? means(ops, statistics)
    : mapParams(alike(average, statistics.sums), (x, name) =>
        ops.linearCombination(rho, x, (1 - rho) / statistics.weight, statistics.sums[name]),
      );
};
