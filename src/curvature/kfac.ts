/**
 * Block-diagonal K-FAC: ⊕_l A_l ⊗ G_l [MG15 §3, §4.2].
 *
 * @module
 */
import type { BlockOperator } from '../core/operators/blockOperator.ts';
import { diagonal } from '../core/operators/factors/factor.ts';
import type { Params } from '../core/params.ts';
import type { Block } from '../core/pipeline/blocks.ts';
import type { Curvature } from './curvature.ts';
import { blockwise } from './curvature.ts';
import { siteBlock } from './sites/kinds.ts';
import type { SiteOptions } from './sites/options.ts';
import { blockStatistics } from './sites/statistics.ts';

/** Settings of {@link kfac}. */
export interface KfacOptions extends SiteOptions {
  /** ρ of the moving average of the factors, in [0, 1); 0.95 unless given. */
  readonly decay?: number;
  /** Whether a parameter without a site is an error; it gets a diagonal block otherwise. */
  readonly strict?: boolean;
}

/**
 * The operator of plain averages: A ⊗ G of a dense site, diag(a) ⊗ G of an embedding, a full or diagonal block of gain and
 * shift, a diagonal of any other parameter.
 *
 * @param block - one block of the model
 * @param averages - `A` and `G`, `a` and `G`, `F`, or `second`
 */
export const kroneckerBlock = <T>(block: Block, averages: Params<T>): BlockOperator<T> =>
  block.kind === 'parameter' ? diagonal(averages['second']) : siteBlock(block.site).operator(averages);

/**
 * What {@link kroneckerBlock} is called in the coverage report.
 *
 * @param block - one block of the model
 * @param options - how sites are treated
 */
export const describeBlock = (block: Block, options: SiteOptions = {}): string =>
  block.kind === 'parameter' ? 'diagonal' : siteBlock(block.site).words(options);

/**
 * K-FAC: the Fisher block of a site is A ⊗ G.
 *
 * @param options - decay, strictness, how sites are treated
 */
export const kfac = (options: KfacOptions = {}): Curvature => ({
  name: 'kfac',
  decay: options.decay ?? 0.95,
  strict: options.strict ?? false,
  statistics: (ops, captured) => blockStatistics(ops, captured, options),
  operator: (_, blocks, averages) => blockwise(blocks, averages, kroneckerBlock),
  describe: (block) => describeBlock(block, options),
});
