/**
 * Weights that meet one example at several positions: of a sequence, or in several uses of one site [E23].
 *
 * The per-example gradient is the sum Σ_t g_t a_tᵀ over all positions and uses t. `expand` takes positions for independent,
 * so that the Fisher block is Σ_t E[a_t a_tᵀ] ⊗ E[g_t g_tᵀ] and every position counts like an example; it is right for a
 * loss at each position. `reduce` takes the sum for (mean a) (Σ g)ᵀ, which is right where the positions are averaged before
 * the loss. Both are the ordinary A ⊗ G for one position. Scale: the loss per example, as everywhere; under `expand` A is
 * the sum over positions and G the mean, so that sums over examples add up whatever the length of a batch's sequences.
 * Positions that do not count (padding) are in neither sum nor mean.
 *
 * @module
 */
import { raise } from '../../core/errors.ts';
import { weighed } from '../../core/nn/losses/loss.ts';
import type { Ops } from '../../core/ops/ops.ts';
import { axesOf } from '../../core/ops/shapes.ts';
import type { SiteCapture } from '../../core/pipeline/context.ts';
import type { Shape, Shaped } from '../../core/tensor.ts';
import { sizeOf } from '../../core/tensor.ts';

/** Names of the treatments. */
export const sharings = ['expand', 'reduce'] as const;

/** How positions are treated. */
export type Sharing = (typeof sharings)[number];

/**
 * A treatment that there is, or an error.
 *
 * @param sharing - as given, `expand` unless it is
 */
export const knownSharing = (sharing: Sharing = 'expand'): Sharing =>
  sharings.includes(sharing)
    ? sharing
    : raise({
        _tag: 'BadConfig',
        path: 'sharing',
        expected: `one of ${sharings.join(', ')}`,
        actual: sharing,
      });

/** Number of positions of arrays `[n, …, d]`. */
export const positionsOf = (shape: Shape): number => sizeOf(shape.slice(1, -1));

/**
 * Every position as a row.
 *
 * @param ops - interpreter
 * @param x - `[n, …, d]`
 * @returns `[n t, d]`
 */
export const asRows = <T extends Shaped>(ops: Ops<T>, x: T): T => {
  const { shape } = x;
  const last = shape.length - 1;
  return shape.length === 2 ? x : ops.reshape(x, [sizeOf(shape.slice(0, last)), shape[last]]);
};

/**
 * The sum over positions.
 *
 * @param ops - interpreter
 * @param x - `[n, …, d]`
 * @returns `[n, d]`
 */
export const sumOfPositions = <T extends Shaped>(ops: Ops<T>, x: T): T =>
  x.shape.length === 2 ? x : ops.sum(x, axesOf(x.shape).slice(1, -1));

/** What a site saw as matrices whose rows count as examples. */
export interface SharedRows<T> {
  /** a `[rows, in]`. */
  readonly input: T;
  /** g `[rows, out]` per pass. */
  readonly cotangents: ReadonlyArray<T>;
  /** Rows of one example. */
  readonly positions: number;
  /** Whether the cotangents are draws of mean 0 and covariance I, which may be put in their place. */
  readonly isotropic?: true;
}

/** What is known of cotangents besides their values. */
export const markOf = <T>({ isotropic }: Pick<SiteCapture<T>, 'isotropic'>): Pick<SiteCapture<T>, 'isotropic'> =>
  isotropic === undefined ? {} : { isotropic };

/** Weights of rows that are told apart by position, `[n, …]`; those of whole examples, `[n]`, are none. */
const positionWeights = <T extends Shaped>(weights: T | null | undefined): T | null =>
  weights === null || weights === undefined || weights.shape.length === 1 ? null : weights;

/** Least number of rows in an example: where nothing counts nothing is divided by zero. */
const tiny = 1e-30;

/**
 * Cotangents whose mean over all positions is the mean over those that count: T positions, of which M count in the mean over
 * examples, are multiplied by √(T / M).
 *
 * @param ops - interpreter
 * @param rows - T rows for each of n examples
 * @param weights - `[n, …]` of the positions; `[n]`, or none, where all of an example's count
 */
export const overCounted = <T extends Shaped>(
  ops: Ops<T>,
  { cotangents, positions }: Pick<SharedRows<T>, 'cotangents' | 'positions'>,
  weights: T | null | undefined,
): ReadonlyArray<T> => {
  const counted = positions === 1 ? null : positionWeights(weights);
  if (counted === null) return cotangents;
  const share = ops.maximum(ops.mean(counted, axesOf(counted.shape)), ops.full([], tiny));
  const factor = ops.sqrt(ops.div(ops.full([], 1), share));
  return cotangents.map((g) => ops.mul(factor, g));
};

/**
 * Weights of the rows as a column `[n t, 1]`.
 *
 * @param ops - interpreter
 * @param weights - `[n]`, or `[n, …]` of the positions
 * @param positions - t rows for each of n examples
 */
export const columnOf = <T extends Shaped>(ops: Ops<T>, weights: T, positions: number): T => {
  const [n, ...axes] = weights.shape;
  if (axes.length === 0) {
    return ops.reshape(ops.broadcastTo(ops.reshape(weights, [n, 1]), [n, positions]), [n * positions, 1]);
  }
  // Where positions were averaged, an example weighs as its heaviest position does.
  return positions === 1
    ? ops.reshape(ops.max(weights, axesOf(weights.shape).slice(1)), [n, 1])
    : ops.reshape(weights, [n * positions, 1]);
};

/**
 * Rows with the roots of their weights in the inputs, as the cotangents have them: for factors that are made of inputs alone.
 * The mean of the cotangents is that over the positions that count.
 *
 * @param ops - interpreter
 * @param rows - some rows for each of n examples
 * @param weights - `[n]`, or `[n, …]` of the positions; none where all weigh alike
 */
export const weighedRows = <T extends Shaped>(
  ops: Ops<T>,
  rows: SharedRows<T>,
  weights: T | null | undefined,
): SharedRows<T> => {
  if (weights === null || weights === undefined) return rows;
  const { input, positions } = rows;
  return {
    ...rows,
    input: ops.mul(ops.sqrt(columnOf(ops, weights, positions)), input),
    cotangents: overCounted(ops, rows, weights),
  };
};

/** The mean over the positions that count, `[n, …, d]` to `[n, d]`. */
const meanOfPositions = <T extends Shaped>(ops: Ops<T>, x: T, weights: T | null | undefined): T => {
  const counted = positionWeights(weights);
  if (counted === null) return ops.scale(1 / positionsOf(x.shape), sumOfPositions(ops, x));
  const [n] = counted.shape;
  const total = ops.reshape(ops.sum(counted, axesOf(counted.shape).slice(1)), [n, 1]);
  return ops.div(sumOfPositions(ops, weighed(ops, counted, x)), ops.maximum(total, ops.full([], tiny)));
};

/**
 * Inputs and cotangents of a site as matrices.
 *
 * @param ops - interpreter
 * @param capture - inputs `[n, …, in]`, cotangents `[n, …, out]` per pass
 * @param sharing - how positions are treated
 */
export const sharedRows = <T extends Shaped>(
  ops: Ops<T>,
  seen: Pick<SiteCapture<T>, 'input' | 'cotangents' | 'weights' | 'isotropic'>,
  sharing: Sharing,
): SharedRows<T> => {
  const { input, cotangents, weights } = seen;
  const positions = positionsOf(input.shape);
  // A sum over positions has another covariance than each of them.
  return knownSharing(sharing) === 'expand' || positions === 1
    ? { ...markOf(seen), input: asRows(ops, input), cotangents: cotangents.map((g) => asRows(ops, g)), positions }
    : {
        input: meanOfPositions(ops, input, weights),
        cotangents: cotangents.map((g) => sumOfPositions(ops, g)),
        positions: 1,
      };
};
