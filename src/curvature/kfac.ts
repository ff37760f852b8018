/**
 * Block-diagonal K-FAC: ⊕_l A_l ⊗ G_l [MG15 §3, §4.2].
 *
 * @module
 */
import { diagonal, kronecker } from '../core/operators/linearOperator.ts';
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
 * K-FAC: the Fisher block of a site is A ⊗ G.
 *
 * @param options - decay and strictness
 */
export const kfac = (options: KfacOptions = {}): Curvature => ({
  name: 'kfac',
  decay: options.decay ?? 0.95,
  strict: options.strict ?? false,
  statistics: blockStatistics,
  operator: (_, blocks, averages) =>
    blockwise(blocks, averages, (block, { A, G, second }) =>
      block.kind === 'site' ? kronecker(A, G) : diagonal(second),
    ),
  describe: (block) => (block.kind === 'site' ? 'A ⊗ G' : 'diagonal'),
});
