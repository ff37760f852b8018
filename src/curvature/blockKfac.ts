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
import type { BlockOperator } from '../core/operators/blockOperator.ts';
import { diagonalKronecker, partitionedKronecker } from '../core/operators/blockOperator.ts';
import type { Ops } from '../core/ops/ops.ts';
import type { Params } from '../core/params.ts';
import { mapParams, zipParams } from '../core/params.ts';
import type { SiteCapture } from '../core/pipeline/context.ts';
import type { Shaped } from '../core/tensor.ts';
import type { Curvature } from './curvature.ts';
import { blockwise } from './curvature.ts';
import type { Block } from '../core/pipeline/blocks.ts';
import type { KfacOptions } from './kfac.ts';
import { describeBlock, kroneckerBlock } from './kfac.ts';
import type { Cut } from './partition.ts';
import { partitionOf } from './partition.ts';
import { homogeneousRows } from './statistics/dense.ts';
import { indexCounts } from './statistics/embedding.ts';
import type { SiteOptions } from './statistics/site.ts';
import { siteStatistics, statisticsBy } from './statistics/site.ts';
import type { SharedRows } from './statistics/sharing.ts';
import { asRows, positionsOf } from './statistics/sharing.ts';
import type { Statistics } from './statistics/statistics.ts';

/** Settings of {@link blockKfac}. */
export interface BlockKfacOptions extends KfacOptions {
  /** How inputs (with the homogeneous coordinate) and outputs of every layer are cut. */
  readonly blocks: { readonly inputs: Cut; readonly outputs: Cut };
}

/** xᵀx of each part of the columns, named `A:0`, `A:1`, …. */
const partGrams = <T extends Shaped>(ops: Ops<T>, name: string, x: T, cut: Cut): Params<T> =>
  Object.fromEntries(
    partitionOf(x.shape[1], cut).map(({ begin, size }, i) => [
      `${name}:${i}`,
      ops.gram(size === x.shape[1] ? x : ops.slice(x, [0, begin], [x.shape[0], size])),
    ]),
  );

/** The averages of one factor's parts in order. */
const partsOf = <T>(averages: Params<T>, name: string): ReadonlyArray<T> =>
  Object.keys(averages)
    .filter((key) => key.startsWith(`${name}:`))
    .map((_, i) => averages[`${name}:${i}`]);

/** Σ over passes of the parts of g gᵀ, the mean over positions. */
const partsOfG = <T extends Shaped>(
  ops: Ops<T>,
  { cotangents, positions }: Pick<SharedRows<T>, 'cotangents' | 'positions'>,
  cut: Cut,
): Params<T> => {
  const total = cotangents
    .map((g) => partGrams(ops, 'G', g, cut))
    .reduce((a, b) => zipParams(a, b, (x, y) => ops.add(x, y)));
  return positions === 1 ? total : mapParams(total, (G) => ops.scale(1 / positions, G));
};

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
  blocks: BlockKfacOptions['blocks'],
  options: SiteOptions = {},
): Statistics<T> => {
  const { site } = capture;
  const weight = capture.input.shape[0];
  switch (site.kind) {
    case 'dense': {
      const rows = homogeneousRows(ops, { ...capture, site }, options.sharing);
      return {
        sums: { ...partGrams(ops, 'A', rows.input, blocks.inputs), ...partsOfG(ops, rows, blocks.outputs) },
        weight,
      };
    }
    case 'embedding': {
      const cotangents = capture.cotangents.map((g) => asRows(ops, g));
      const positions = positionsOf(capture.cotangents[0].shape);
      return {
        sums: {
          a: indexCounts(ops, { ...capture, site }),
          ...partsOfG(ops, { cotangents, positions }, blocks.outputs),
        },
        weight,
      };
    }
    case 'scaleShift':
      return siteStatistics(ops, capture, options);
  }
};

const operatorOf = <T>(block: Block, averages: Params<T>): BlockOperator<T> => {
  if (block.kind === 'parameter') return kroneckerBlock(block, averages);
  switch (block.site.kind) {
    case 'dense':
      return partitionedKronecker(partsOf(averages, 'A'), partsOf(averages, 'G'));
    case 'embedding':
      return diagonalKronecker(averages['a'], partsOf(averages, 'G'));
    case 'scaleShift':
      return kroneckerBlock(block, averages);
  }
};

const describe = (block: Block, options: SiteOptions): string =>
  block.kind === 'site' && block.site.kind === 'embedding'
    ? 'diag A ⊗ (⊕ G)'
    : describeBlock(block, options, '(⊕ A) ⊗ (⊕ G)');

const refuse = (path: string, cut: Cut): Cut => {
  const value = 'size' in cut ? cut.size : cut.count;
  return Number.isInteger(value) && value >= 1
    ? cut
    : raise({ _tag: 'BadConfig', path, expected: 'a whole number of at least 1', actual: String(value) });
};

/**
 * Block K-FAC. One part is K-FAC; parts of one are a diagonal ⊗ a diagonal.
 *
 * @param options - cuts, decay, strictness, how sites are treated
 */
export const blockKfac = (options: BlockKfacOptions): Curvature => {
  const { inputs, outputs } = options.blocks;
  return {
    name: 'blockKfac',
    decay: options.decay ?? 0.95,
    strict: options.strict ?? false,
    statistics: (ops, captured) => {
      const blocks = { inputs: refuse('blocks.inputs', inputs), outputs: refuse('blocks.outputs', outputs) };
      return statisticsBy(ops, captured, (capture) => partitionedStatistics(ops, capture, blocks, options));
    },
    operator: (_, blocks, averages) => blockwise(blocks, averages, operatorOf),
    describe: (block) => describe(block, options),
  };
};
