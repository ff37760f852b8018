/**
 * Block vectors: parameter-shaped arrays in the shapes of their blocks, and back.
 *
 * @module
 */
import type { Ops } from '../core/ops/ops.ts';
import type { Params } from '../core/params.ts';
import type { Block, BlockInUnits } from '../core/pipeline/blocks.ts';
import type { Shaped } from '../core/tensor.ts';
import { sizeOf } from '../core/tensor.ts';
import { siteBlock } from './sites/kinds.ts';

type ParameterBlock = Extract<Block, { readonly kind: 'parameter' }>;

const asMatrix = <T extends Shaped>(ops: Ops<T>, { shape }: ParameterBlock, x: T): T =>
  shape === undefined ? x : ops.reshape(x, [shape[0], sizeOf(shape.slice(1))]);

const asParameter = <T extends Shaped>(ops: Ops<T>, { shape }: ParameterBlock, x: T): T =>
  shape === undefined ? x : ops.reshape(x, shape);

const joinedIn = <T extends Shaped>(ops: Ops<T>, block: Block, params: Params<T>): T =>
  block.kind === 'parameter' ? asMatrix(ops, block, params[block.name]) : siteBlock(block.site).join(ops, params);

/**
 * Gradients, or other parameter-shaped arrays where blocks have no units, as a block vector.
 *
 * @param ops - interpreter
 * @param blocks - the model's blocks
 * @param params - arrays by parameter path
 * @returns arrays by block name: `[out, in + 1]` for a dense site with bias, `[out, vocabulary]` for an embedding,
 *   `[d, 2]` for a gain with shift
 * @example
 * ```ts
 * import { blocksOf, referenceBackend, tensor } from 'kfac-ts/core';
 * import { toBlocks } from 'kfac-ts/curvature';
 *
 * // The bias becomes the last column of its weight.
 * const { ops } = referenceBackend();
 * const blocks = blocksOf([{ site: { kind: 'dense', path: '', weight: 'weight', bias: 'bias' } }], ['weight', 'bias']);
 * const vector = toBlocks(ops, blocks, { weight: tensor([1, 2], [1, 2]), bias: tensor([3], [1]) });
 * Object.values(vector)[0].data; // => [1, 2, 3]
 * ```
 */
export const toBlocks = <T extends Shaped>(
  ops: Ops<T>,
  blocks: ReadonlyArray<BlockInUnits<T>>,
  params: Params<T>,
): Params<T> =>
  Object.fromEntries(
    blocks.map((block) => {
      const joined = joinedIn(ops, block, params);
      return [block.name, block.units === undefined ? joined : ops.mul(block.units, joined)];
    }),
  );

/**
 * Changes of parameters as a block vector: the inverse of {@link fromBlocks}, which differs from {@link toBlocks} where
 * blocks have units.
 *
 * @param ops - interpreter
 * @param blocks - the model's blocks
 * @param change - arrays by parameter path
 * @example
 * ```ts
 * import { blocksOf, referenceBackend, tensor } from 'kfac-ts/core';
 * import { changeToBlocks } from 'kfac-ts/curvature';
 *
 * // In units of 2 a change of 3 is one of 1.5.
 * const { ops } = referenceBackend();
 * const site = { kind: 'dense', path: '', weight: 'weight', bias: null } as const;
 * const blocks = blocksOf([{ site }], ['weight']).map((block) => ({ ...block, units: tensor([2, 1], [1, 2]) }));
 * const vector = changeToBlocks(ops, blocks, { weight: tensor([3, 4], [1, 2]) });
 * Object.values(vector)[0].data; // => [1.5, 4]
 * ```
 */
export const changeToBlocks = <T extends Shaped>(
  ops: Ops<T>,
  blocks: ReadonlyArray<BlockInUnits<T>>,
  change: Params<T>,
): Params<T> =>
  Object.fromEntries(
    blocks.map((block) => {
      const joined = joinedIn(ops, block, change);
      return [block.name, block.units === undefined ? joined : ops.div(joined, block.units)];
    }),
  );

/**
 * A block vector as changes of the parameters: the transpose of {@link toBlocks}, and its inverse where blocks have no units.
 *
 * @param ops - interpreter
 * @param blocks - the model's blocks
 * @param vector - arrays by block name
 * @example
 * ```ts
 * import { blocksOf, referenceBackend, tensor } from 'kfac-ts/core';
 * import { fromBlocks, toBlocks } from 'kfac-ts/curvature';
 *
 * const { ops } = referenceBackend();
 * const blocks = blocksOf([{ site: { kind: 'dense', path: '', weight: 'weight', bias: 'bias' } }], ['weight', 'bias']);
 * const params = { weight: tensor([1, 2], [1, 2]), bias: tensor([3], [1]) };
 * fromBlocks(ops, blocks, toBlocks(ops, blocks, params)).bias.data; // => [3]
 * ```
 */
export const fromBlocks = <T extends Shaped>(
  ops: Ops<T>,
  blocks: ReadonlyArray<BlockInUnits<T>>,
  vector: Params<T>,
): Params<T> => {
  const split = (block: BlockInUnits<T>): Params<T> => {
    const x = vector[block.name];
    const v = block.units === undefined ? x : ops.mul(block.units, x);
    return block.kind === 'parameter'
      ? { [block.name]: asParameter(ops, block, v) }
      : siteBlock(block.site).split(ops, v);
  };
  return Object.fromEntries(blocks.flatMap((block) => Object.entries(split(block))));
};
