/**
 * Block vectors: parameter-shaped arrays in the shapes of their blocks, and back.
 *
 * @module
 */
import type { Ops } from '../core/ops/ops.ts';
import type { Params } from '../core/params.ts';
import type { Block } from '../core/pipeline/blocks.ts';
import type { Shaped } from '../core/tensor.ts';

/** A vector as a column; a matrix as it is. */
const asColumns = <T extends Shaped>(ops: Ops<T>, x: T): T =>
  x.shape.length === 1 ? ops.reshape(x, [x.shape[0], 1]) : x;

/**
 * Parameter-shaped arrays as a block vector.
 *
 * @param ops - interpreter
 * @param blocks - the model's blocks
 * @param params - arrays by parameter path
 * @returns arrays by block name: `[out, in + 1]` for a dense site with bias, `[out, vocabulary]` for an embedding,
 *   `[d, 2]` for a gain with shift
 */
export const toBlocks = <T extends Shaped>(ops: Ops<T>, blocks: ReadonlyArray<Block>, params: Params<T>): Params<T> => {
  const join = (block: Block): T => {
    if (block.kind === 'parameter') return params[block.name];
    const { site } = block;
    if (site.kind === 'embedding') return ops.transposed(params[site.weight]);
    const weight = asColumns(ops, params[site.weight]);
    return site.bias === null ? weight : ops.concat([weight, asColumns(ops, params[site.bias])], 1);
  };
  return Object.fromEntries(blocks.map((block) => [block.name, join(block)]));
};

/**
 * The inverse of {@link toBlocks}.
 *
 * @param ops - interpreter
 * @param blocks - the model's blocks
 * @param vector - arrays by block name
 */
export const fromBlocks = <T extends Shaped>(
  ops: Ops<T>,
  blocks: ReadonlyArray<Block>,
  vector: Params<T>,
): Params<T> => {
  const split = (block: Block): ReadonlyArray<readonly [string, T]> => {
    const v = vector[block.name];
    if (block.kind === 'parameter') return [[block.name, v]];
    const { site } = block;
    if (site.kind === 'embedding') return [[site.weight, ops.transposed(v)]];
    const [out, columns] = v.shape;
    const inputs = site.bias === null ? columns : columns - 1;
    const weight = inputs === columns ? v : ops.slice(v, [0, 0], [out, inputs]);
    const first = [site.weight, site.kind === 'scaleShift' ? ops.reshape(weight, [out]) : weight] as const;
    if (site.bias === null) return [first];
    return [first, [site.bias, ops.reshape(ops.slice(v, [0, inputs], [out, 1]), [out])]];
  };
  return Object.fromEntries(blocks.flatMap(split));
};
