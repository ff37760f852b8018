/**
 * Block-diagonal K-FAC: ⊕_l A_l ⊗ G_l [MG15 §3, §4.2].
 *
 * @module
 */
import type { BlockOperator } from '../core/operators/linearOperator.ts';
import { diagonal, kronecker } from '../core/operators/linearOperator.ts';
import type { Params } from '../core/params.ts';
import type { Block } from './blocks.ts';
import type { Curvature } from './curvature.ts';
import { blockwise } from './curvature.ts';
import { blockStatistics } from './statistics/site.ts';

/** Settings of {@link kfac}. */
export interface KfacOptions {
  /** ρ of the moving average of the factors, in [0, 1); 0.95 unless given. */
  readonly decay?: number;
  /** Whether a parameter without a site is an error; it gets a diagonal block otherwise. */
  readonly strict?: boolean;
}

/**
 * A ⊗ G of a site, a diagonal of any other parameter: the operator of plain averages.
 *
 * @param block - one block of the model
 * @param averages - `A` and `G`, or `second`
 */
export const kroneckerBlock = <T>(block: Block, averages: Params<T>): BlockOperator<T> =>
  block.kind === 'site' ? kronecker(averages['A'], averages['G']) : diagonal(averages['second']);

/**
 * K-FAC: the Fisher block of a site is A ⊗ G.
 *
 * @param options - decay and strictness
 */
export const kfac = (options: KfacOptions = {}): Curvature => ({
  name: 'kfac',
  decay: options.decay ?? 0.95,
  strict: options.strict ?? false,
  statistics: blockStatistics,
  operator: (_, blocks, averages) => blockwise(blocks, averages, kroneckerBlock),
  describe: (block) => (block.kind === 'site' ? 'A ⊗ G' : 'diagonal'),
});
