/**
 * Blocks: how parameters are grouped for curvature.
 *
 * A dense site's weight `[out, in]` and bias `[out]` form one block, the matrix V `[out, in + 1]` with the bias as last
 * column (homogeneous coordinate). A parameter that no site covers is a block of its own. Nothing is left out.
 *
 * @module
 */
import type { Ops } from '../core/ops/ops.ts';
import type { Site } from '../core/ops/site.ts';
import { parametersOfSite } from '../core/ops/site.ts';
import type { Params } from '../core/params.ts';
import type { Shaped } from '../core/tensor.ts';

/** Parameters that share a curvature block. */
export type Block =
  | { readonly kind: 'site'; readonly name: string; readonly site: Site }
  | { readonly kind: 'parameter'; readonly name: string };

/**
 * The blocks of a model: one for each site, then one for each parameter without a site.
 *
 * @param sites - the sites of the forward pass; one that is passed several times counts once
 * @param parameters - paths of all parameters
 */
export const blocksOf = (
  sites: ReadonlyArray<{ readonly site: Site }>,
  parameters: ReadonlyArray<string>,
): ReadonlyArray<Block> => {
  const unique = new Map(sites.map(({ site }) => [site.path, site]));
  const covered = new Set([...unique.values()].flatMap(parametersOfSite));
  return [
    ...Array.from(unique, ([name, site]): Block => ({ kind: 'site', name, site })),
    ...parameters.filter((path) => !covered.has(path)).map((name): Block => ({ kind: 'parameter', name })),
  ];
};

/** Names of the parameters that no site covers. */
export const parameterBlocks = (blocks: ReadonlyArray<Block>): ReadonlyArray<string> =>
  blocks.flatMap((block) => (block.kind === 'parameter' ? [block.name] : []));

/**
 * Parameter-shaped arrays as a block vector.
 *
 * @param ops - interpreter
 * @param blocks - the model's blocks
 * @param params - arrays by parameter path
 * @returns arrays by block name: `[out, in + 1]` for a dense site with bias
 */
export const toBlocks = <T extends Shaped>(ops: Ops<T>, blocks: ReadonlyArray<Block>, params: Params<T>): Params<T> => {
  const join = (block: Block): T => {
    if (block.kind === 'parameter') return params[block.name];
    const { weight, bias } = block.site;
    if (bias === null) return params[weight];
    return ops.concat([params[weight], ops.reshape(params[bias], [params[bias].shape[0], 1])], 1);
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
    const { weight, bias } = block.site;
    if (bias === null) return [[weight, v]];
    const [out, inputs] = [v.shape[0], v.shape[1] - 1];
    return [
      [weight, ops.slice(v, [0, 0], [out, inputs])],
      [bias, ops.reshape(ops.slice(v, [0, inputs], [out, 1]), [out])],
    ];
  };
  return Object.fromEntries(blocks.flatMap(split));
};
