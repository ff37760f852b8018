/**
 * Block-diagonal K-FAC: ⊕_l A_l ⊗ G_l [MG15 §3, §4.2].
 *
 * @module
 */
import type { BlockOperator } from '../core/operators/blockOperator.ts';
import { diagonal } from '../core/operators/factors/factor.ts';
import type { Ops } from '../core/ops/ops.ts';
import type { Params } from '../core/params.ts';
import type { SiteShapes } from '../core/autodiff/shape.ts';
import type { Block } from '../core/pipeline/blocks.ts';
import { sameSite } from '../core/pipeline/blocks.ts';
import type { Shaped } from '../core/tensor.ts';
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
 * @param ops - interpreter
 * @param block - one block of the model
 * @param averages - `A` and `G`, `a` and `G`, `F`, or `second`
 * @example
 * ```ts
 * import { applyBlock, blocksOf, referenceBackend, tensor } from 'kfac-ts/core';
 * import { kroneckerBlock } from 'kfac-ts/curvature';
 *
 * const { ops } = referenceBackend();
 * const [block] = blocksOf([{ site: { kind: 'dense', path: '', weight: 'weight', bias: null } }], ['weight']);
 * const operator = kroneckerBlock(ops, block, { A: tensor([2], [1, 1]), G: tensor([3], [1, 1]) });
 * applyBlock(ops, operator, tensor([1], [1, 1])).data; // => [6]
 * ```
 */
export const kroneckerBlock = <T extends Shaped>(ops: Ops<T>, block: Block, averages: Params<T>): BlockOperator<T> =>
  block.kind === 'parameter' ? diagonal(averages['second']) : siteBlock(block.site).operator(averages, ops);

/**
 * What {@link kroneckerBlock} is called in the coverage report.
 *
 * @param block - one block of the model
 * @param options - how sites are treated
 * @param sites - the sites of the forward pass, with the shapes that they see
 * @example
 * ```ts
 * import { blocksOf } from 'kfac-ts/core';
 * import { describeBlock } from 'kfac-ts/curvature';
 *
 * const site = { kind: 'dense', path: '0', weight: '0.weight', bias: null } as const;
 * blocksOf([{ site }], ['0.weight', 'gain']).map((block) => describeBlock(block)); // => ['A ⊗ G', 'diagonal']
 * ```
 */
export const describeBlock = (
  block: Block,
  options: SiteOptions = {},
  sites: ReadonlyArray<SiteShapes> = [],
): string => {
  if (block.kind === 'parameter') return 'diagonal';
  return siteBlock(block.site).words(
    options,
    sites.find(({ site }) => sameSite(site, block.site)),
  );
};

/**
 * K-FAC: the Fisher block of a site is A ⊗ G.
 *
 * @param options - decay, strictness, how sites are treated
 * @example
 * ```ts
 * import { kfac, updateFactors } from 'kfac-ts/curvature';
 *
 * // Sequences: positions are summed before the statistics are taken.
 * const average = updateFactors(kfac({ decay: 0.95, sharing: 'reduce' }));
 * ```
 */
export const kfac = (options: KfacOptions = {}): Curvature => ({
  name: 'kfac',
  decay: options.decay ?? 0.95,
  strict: options.strict ?? false,
  statistics: (ops, captured) => blockStatistics(ops, captured, options),
  operator: (ops, blocks, averages) => blockwise(blocks, averages, (block, found) => kroneckerBlock(ops, block, found)),
  describe: (block, sites) => describeBlock(block, options, sites),
});
