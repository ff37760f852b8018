/**
 * Kronecker factors of gradients [GKS18]: R ⊗ L of a matrix G with L = E[G Gᵀ] and R = E[Gᵀ G].
 *
 * Sums over the steps are the average with a decay near 1, up to a factor that a graft takes away. An axis that is too long
 * for a full factor has a diagonal one; a vector g has the full E[g gᵀ] or the diagonal E[g²].
 *
 * @module
 */
import type { BlockOperator } from '../core/operators/blockOperator.ts';
import { kronecker } from '../core/operators/blockOperator.ts';
import type { Factor } from '../core/operators/factors/factor.ts';
import { dense, diagonal } from '../core/operators/factors/factor.ts';
import type { Ops } from '../core/ops/ops.ts';
import type { Params } from '../core/params.ts';
import { mapParams } from '../core/params.ts';
import type { Shaped } from '../core/tensor.ts';
import type { Curvature } from './curvature.ts';
import { blockwise } from './curvature.ts';

/** Factors of vectors: full ones up to the limit, or diagonal ones. */
export const vectorFactors = ['full', 'diagonal'] as const;

/** Factors of vectors. */
export type VectorFactors = (typeof vectorFactors)[number];

/** Settings of {@link gradientFactors}. */
export interface GradientFactorsOptions {
  /** ρ of the moving average of the factors, in [0, 1); 0.95 unless given. */
  readonly decay?: number;
  /** Longest axis with a full factor, 2048 unless given; a longer one has a diagonal. */
  readonly limit?: number;
  /** Factors of vectors, `full` unless given. */
  readonly vectors?: VectorFactors;
}

/** L and R of a matrix, `L` and `R` each full or a diagonal; `F` or `second` of a vector or a number. */
const factorsOf = <T extends Shaped>(
  ops: Ops<T>,
  g: T,
  { limit, vectors }: Required<Omit<GradientFactorsOptions, 'decay'>>,
): Params<T> => {
  if (g.shape.length < 2) {
    const [n = 1] = g.shape;
    if (vectors === 'diagonal' || n > limit || g.shape.length === 0) return { second: ops.square(g) };
    return { F: ops.gram(ops.reshape(g, [1, n])) };
  }
  const [m, n] = g.shape;
  const squares = (axis: number): T => ops.sum(ops.square(g), [axis]);
  return {
    L: m > limit ? squares(1) : ops.gram(ops.transposed(g)),
    R: n > limit ? squares(0) : ops.gram(g),
  };
};

const factor = <T extends Shaped>(x: T): Factor<T> => (x.shape.length === 2 ? dense(x) : diagonal(x));

const operatorOf = <T extends Shaped>(averages: Params<T>): BlockOperator<T> => {
  if ('L' in averages) return kronecker(factor(averages['R']), factor(averages['L']));
  return 'F' in averages ? dense(averages['F']) : diagonal(averages['second']);
};

/**
 * Statistics of gradients as a curvature, each parameter array a block. It goes with {@link captureGradient}.
 *
 * @param options - decay, longest axis with a full factor, vectors
 * @example
 * ```ts
 * import { gradientFactors, updateFactors } from 'kfac-ts/curvature';
 *
 * // Tables of words have a diagonal factor on the side of the words.
 * const average = updateFactors(gradientFactors({ decay: 0.999, limit: 1024, vectors: 'diagonal' }));
 * ```
 */
export const gradientFactors = (options: GradientFactorsOptions = {}): Curvature => {
  const { decay = 0.95, limit = 2048, vectors = 'full' } = options;
  return {
    name: 'gradientFactors',
    decay,
    strict: false,
    statistics: (ops, { uncovered: [gradient] }) =>
      mapParams(gradient, (g) => ({ sums: factorsOf(ops, g, { limit, vectors }), weight: 1 })),
    operator: (_, blocks, averages) => blockwise(blocks, averages, (_block, own) => operatorOf(own)),
    describe: () => 'GᵀG ⊗ GGᵀ of the gradient',
  };
};
