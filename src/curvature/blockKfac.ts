/**
 * Block K-FAC: a layer's inputs and outputs are cut into parts, and only products within a part are kept,
 * A = ⊕ A_ii and G = ⊕ G_jj.
 *
 * The statistics of each part are computed from its own columns, so the full factors never exist: with b parts memory
 * falls by b and the work of inversion by b². The homogeneous coordinate belongs to the last part of the inputs.
 *
 * @module
 */
import { raise } from '../core/errors.ts';
import { diagonal, partitionedKronecker } from '../core/operators/linearOperator.ts';
import type { Ops } from '../core/ops/ops.ts';
import type { Params } from '../core/params.ts';
import { zipParams } from '../core/params.ts';
import type { SiteCapture } from '../core/pipeline/context.ts';
import type { Shaped } from '../core/tensor.ts';
import type { Curvature } from './curvature.ts';
import { blockwise } from './curvature.ts';
import type { KfacOptions } from './kfac.ts';
import type { Cut } from './partition.ts';
import { partitionOf } from './partition.ts';
import { homogeneous } from './statistics/dense.ts';
import { statisticsBy } from './statistics/site.ts';
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

/**
 * Sums over the examples of one capture, part by part.
 *
 * @param ops - interpreter
 * @param capture - inputs `[n, in]`, cotangents `[n, out]` per pass
 * @param blocks - how to cut
 * @returns sums `A:i` and `G:j`, of weight n
 */
export const partitionedStatistics = <T extends Shaped>(
  ops: Ops<T>,
  capture: SiteCapture<T>,
  blocks: BlockKfacOptions['blocks'],
): Statistics<T> => ({
  sums: {
    ...partGrams(ops, 'A', homogeneous(ops, capture), blocks.inputs),
    ...capture.cotangents
      .map((g) => partGrams(ops, 'G', g, blocks.outputs))
      .reduce((a, b) => zipParams(a, b, (x, y) => ops.add(x, y))),
  },
  weight: capture.input.shape[0],
});

const refuse = (path: string, cut: Cut): Cut => {
  const value = 'size' in cut ? cut.size : cut.count;
  return Number.isInteger(value) && value >= 1
    ? cut
    : raise({ _tag: 'BadConfig', path, expected: 'a whole number of at least 1', actual: String(value) });
};

/**
 * Block K-FAC. One part is K-FAC; parts of one are a diagonal ⊗ a diagonal.
 *
 * @param options - cuts, decay and strictness
 */
export const blockKfac = (options: BlockKfacOptions): Curvature => {
  const { inputs, outputs } = options.blocks;
  return {
    name: 'blockKfac',
    decay: options.decay ?? 0.95,
    strict: options.strict ?? false,
    statistics: (ops, captured) => {
      const blocks = { inputs: refuse('blocks.inputs', inputs), outputs: refuse('blocks.outputs', outputs) };
      return statisticsBy(ops, captured, (capture) => partitionedStatistics(ops, capture, blocks));
    },
    operator: (_, blocks, averages) =>
      blockwise(blocks, averages, (block, found) =>
        block.kind === 'site'
          ? partitionedKronecker(partsOf(found, 'A'), partsOf(found, 'G'))
          : diagonal(found['second']),
      ),
    describe: (block) => (block.kind === 'site' ? '(⊕ A) ⊗ (⊕ G)' : 'diagonal'),
  };
};
