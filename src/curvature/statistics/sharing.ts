/**
 * Weights that meet one example at several positions: of a sequence, or in several uses of one site [E23].
 *
 * The per-example gradient is the sum Σ_t g_t a_tᵀ over all positions and uses t. `expand` takes positions for independent,
 * so that the Fisher block is Σ_t E[a_t a_tᵀ] ⊗ E[g_t g_tᵀ] and every position counts like an example; it is right for a
 * loss at each position. `reduce` takes the sum for (mean a) (Σ g)ᵀ, which is right where the positions are averaged before
 * the loss. Both are the ordinary A ⊗ G for one position. Scale: the loss per example, as everywhere; under `expand` A is
 * the sum over positions and G the mean, so that sums over examples add up whatever the length of a batch's sequences.
 *
 * @module
 */
import { raise } from '../../core/errors.ts';
import type { Ops } from '../../core/ops/ops.ts';
import { axesOf } from '../../core/ops/shapes.ts';
import type { SiteCapture } from '../../core/pipeline/context.ts';
import type { Shape, Shaped } from '../../core/tensor.ts';
import { sizeOf } from '../../core/tensor.ts';

/** Names of the treatments. */
export const sharings = ['expand', 'reduce'] as const;

/** How positions are treated. */
export type Sharing = (typeof sharings)[number];

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
}

/**
 * Rows with the roots of the examples' weights in the inputs, as the cotangents have them: for factors that are made of
 * inputs alone.
 *
 * @param ops - interpreter
 * @param rows - some rows for each of n examples
 * @param weights - `[n]`, none where all weigh alike
 */
export const weighedRows = <T extends Shaped>(
  ops: Ops<T>,
  rows: SharedRows<T>,
  weights: T | null | undefined,
): SharedRows<T> => {
  if (weights === null || weights === undefined) return rows;
  const { input, positions } = rows;
  const [n] = weights.shape;
  const repeated = ops.broadcastTo(ops.reshape(ops.sqrt(weights), [n, 1]), [n, positions]);
  return { ...rows, input: ops.mul(ops.reshape(repeated, [n * positions, 1]), input) };
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
  { input, cotangents }: Pick<SiteCapture<T>, 'input' | 'cotangents'>,
  sharing: Sharing,
): SharedRows<T> => {
  const positions = positionsOf(input.shape);
  switch (sharing) {
    case 'expand':
      return { input: asRows(ops, input), cotangents: cotangents.map((g) => asRows(ops, g)), positions };
    case 'reduce':
      return {
        input: positions === 1 ? asRows(ops, input) : ops.scale(1 / positions, sumOfPositions(ops, input)),
        cotangents: cotangents.map((g) => sumOfPositions(ops, g)),
        positions: 1,
      };
    default:
      return raise({
        _tag: 'BadConfig',
        path: 'sharing',
        expected: `one of ${sharings.join(', ')}`,
        actual: String(sharing),
      });
  }
};
