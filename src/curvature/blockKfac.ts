/**
 * Block K-FAC: a layer's inputs and outputs are cut into parts, and only products within a part are kept,
 * A = ⊕ A_ii and G = ⊕ G_jj.
 *
 * The statistics of each part are computed from its own columns, so the full factors never exist: with b parts memory
 * falls by b and the work of inversion by b². The homogeneous coordinate belongs to the last part of the inputs. The A of an
 * embedding is diagonal by itself; gain and shift, which are small, are not cut.
 *
 * @module
 */
import { raise } from '../core/errors.ts';
import type { Ops } from '../core/ops/ops.ts';
import type { SiteCapture } from '../core/pipeline/context.ts';
import type { Shaped } from '../core/tensor.ts';
import type { Curvature } from './curvature.ts';
import { blockwise } from './curvature.ts';
import type { Block } from '../core/pipeline/blocks.ts';
import type { KfacOptions } from './kfac.ts';
import { describeBlock, kroneckerBlock } from './kfac.ts';
import type { Cuts, PartitionedBlock } from './sites/kind.ts';
import { siteBlock } from './sites/kinds.ts';
import type { SiteOptions } from './sites/options.ts';
import { statisticsBy } from './sites/statistics.ts';
import type { Cut } from './statistics/partition.ts';
import type { Statistics } from './statistics/statistics.ts';

/** Settings of {@link blockKfac}. */
export interface BlockKfacOptions extends KfacOptions {
  /**
   * How inputs (with the homogeneous coordinate) and outputs of every layer are cut; with `perHead`, the projections of
   * attention have a part for each head instead: Q, K and V of their outputs, the last one of its inputs.
   */
  readonly blocks: Cuts;
}

/**
 * Sums over the examples of one capture, part by part.
 *
 * @param ops - interpreter
 * @param capture - what the site saw
 * @param blocks - how to cut
 * @param options - how sites are treated
 * @returns sums `A:i` and `G:j` of a dense site, `a` and `G:j` of an embedding, those of K-FAC else; of weight n
 */
export const partitionedStatistics = <T extends Shaped>(
  ops: Ops<T>,
  capture: SiteCapture<T>,
  blocks: Cuts,
  options: SiteOptions = {},
): Statistics<T> => {
  const { partitioned, statistics } = siteBlock(capture.site);
  return partitioned === null
    ? statistics(ops, capture, options)
    : partitioned.statistics(ops, capture, blocks, options);
};

/** How a block is cut, or `null` where it is not. */
const partitionedBlock = (block: Block): PartitionedBlock | null =>
  block.kind === 'parameter' ? null : siteBlock(block.site).partitioned;

const refuse = (path: string, cut: Cut): Cut => {
  const [value] = Object.values(cut);
  return Number.isInteger(value) && value >= 1
    ? cut
    : raise({ _tag: 'BadConfig', path, expected: 'a whole number of at least 1', actual: String(value) });
};

/**
 * Block K-FAC. One part is K-FAC; parts of one are a diagonal ⊗ a diagonal.
 *
 * @param options - cuts, decay, strictness, how sites are treated
 * @example
 * ```ts
 * import { blockKfac, updateFactors } from 'kfac-ts/curvature';
 *
 * // Inputs in four groups, outputs in groups of 64; at attention a group for each head.
 * const blocks = { inputs: { count: 4 }, outputs: { size: 64 }, perHead: true };
 * const average = updateFactors(blockKfac({ blocks }));
 * ```
 */
export const blockKfac = (options: BlockKfacOptions): Curvature => {
  const { inputs, outputs, perHead = false } = options.blocks;
  return {
    name: 'blockKfac',
    decay: options.decay ?? 0.95,
    strict: options.strict ?? false,
    statistics: (ops, captured) => {
      const blocks = { inputs: refuse('blocks.inputs', inputs), outputs: refuse('blocks.outputs', outputs), perHead };
      return statisticsBy(ops, captured, (capture, on) => partitionedStatistics(on, capture, blocks, options));
    },
    operator: (ops, blocks, averages) =>
      blockwise(
        blocks,
        averages,
        (block, found) => partitionedBlock(block)?.operator(found) ?? kroneckerBlock(ops, block, found),
      ),
    describe: (block) => partitionedBlock(block)?.words ?? describeBlock(block, options),
  };
};
