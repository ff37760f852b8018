/**
 * Blocks: how parameters are grouped for curvature.
 *
 * A dense site's weight `[out, in]` and bias `[out]` form one block, the matrix V `[out, in + 1]` with the bias as last
 * column (homogeneous coordinate). A table `[vocabulary, out]` is the block Wᵀ `[out, vocabulary]`, gain and shift `[d]` are
 * the columns of a block `[d, 2]`. A parameter that no site covers is a block of its own. Nothing is left out.
 *
 * Sites of one kind with the same parameters are one site, however many paths they have. Where sites that are not the same
 * share a parameter (a table tied to the weight of the output layer), the sum of their curvatures is no Kronecker product,
 * and each of their parameters becomes a block of its own, as if it had no site: a diagonal that is right for every use. The
 * same holds where a parameter of a site is also used where no site of its own sees it.
 *
 * @module
 */
import type { PassedSite } from '../autodiff/reverse.ts';
import type { Site } from '../ops/site.ts';
import { parametersOfSite } from '../ops/site.ts';
import type { Shape, Shaped } from '../tensor.ts';
import { sizeOf } from '../tensor.ts';

/** Parameters that share a curvature block. */
export type Block =
  | {
      readonly kind: 'site';
      readonly name: string;
      readonly site: Site;
      /** At how many places of a batch it meets data: examples, times positions where there are any, summed over uses. */
      readonly places?: number;
      /** Whether what it meets is data: its cotangents end there. */
      readonly fromData?: true;
    }
  | {
      readonly kind: 'parameter';
      readonly name: string;
      /** Its shape, where the block is the matrix `[first axis, all others]` of a parameter with more than two axes. */
      readonly shape?: Shape;
      /** Paths of the sites that would cover it if they did not share parameters. */
      readonly tied?: ReadonlyArray<string>;
      /** Paths of the parameters of its sites that are also used where no site of theirs sees it: itself, or its companions. */
      readonly elsewhere?: ReadonlyArray<string>;
    };

/** A block in units of its own. */
export type BlockInUnits<T> = Block & {
  /** u, which broadcasts with the block's arrays: parameters are u ∘ x for a block vector x; 1 where none are given. */
  readonly units?: T;
};

/** A site, and which of its parameters are also used where no site of theirs sees it. */
type Use = Pick<PassedSite<unknown>, 'site' | 'elsewhere' | 'fromData'> & {
  /** What it met, or its shape, where that is known. */
  readonly input?: Shaped | Shape;
};

/** Whether two sites are uses of the same parameters in the same way. */
export const sameSite = (a: Site, b: Site): boolean =>
  a.kind === b.kind && parametersOfSite(a).join('\n') === parametersOfSite(b).join('\n');

const shareParameters = (a: Site, b: Site): boolean =>
  parametersOfSite(a).some((path) => parametersOfSite(b).includes(path));

/**
 * The sites that have a block: each once, by its first use, without those that share parameters with a different one or
 * that do not see every use of theirs.
 *
 * @param sites - the sites of the forward pass, in order
 */
export const blockSites = (sites: ReadonlyArray<Use>): ReadonlyArray<Site> => {
  const distinct = sites.filter(({ site }, i) => sites.findIndex((other) => sameSite(site, other.site)) === i);
  return distinct
    .filter((use) => use.elsewhere === undefined)
    .map(({ site }) => site)
    .filter((site) => !distinct.some((other) => other.site !== site && shareParameters(site, other.site)));
};

const shapeOf = (input: Shaped | Shape): Shape => ('shape' in input ? input.shape : input);

/** Features of one place are the last axis of an input, but for indices. */
const placesOf = (site: Site, uses: ReadonlyArray<Use>): { readonly places?: number; readonly fromData?: true } => {
  const inputs = uses.flatMap((use) =>
    sameSite(use.site, site) && use.input !== undefined ? [shapeOf(use.input)] : [],
  );
  if (inputs.length === 0) return {};
  const ofInput = (shape: Shape): number => sizeOf(site.vocabulary === undefined ? shape.slice(0, -1) : shape);
  const fromData = uses.every((use) => !sameSite(use.site, site) || use.fromData === true);
  return { places: inputs.reduce((sum, shape) => sum + ofInput(shape), 0), ...(fromData ? { fromData } : {}) };
};

/** Why a parameter of some sites has no block with them. */
const reasonOf = (uses: ReadonlyArray<Use>): Partial<Extract<Block, { readonly kind: 'parameter' }>> => {
  if (uses.length === 0) return {};
  const elsewhere = [...new Set(uses.flatMap((use) => use.elsewhere ?? []))];
  return elsewhere.length > 0 ? { elsewhere } : { tied: [...new Set(uses.map(({ site }) => site.path))] };
};

/**
 * The blocks of a model: one for each site, then one for each parameter without a site.
 *
 * @param sites - the sites of the forward pass; one that is passed several times counts once
 * @param parameters - paths of all parameters
 * @example
 * ```ts
 * import { blocksOf } from 'kfac-ts/core';
 *
 * const site = { kind: 'dense', path: '0', weight: '0.weight', bias: '0.bias' } as const;
 * const blocks = blocksOf([{ site }], ['0.weight', '0.bias', 'temperature']);
 * blocks.length; // => 2
 * ```
 */
export const blocksOf = (sites: ReadonlyArray<Use>, parameters: ReadonlyArray<string>): ReadonlyArray<Block> => {
  const unique = blockSites(sites);
  const covered = new Set(unique.flatMap(parametersOfSite));
  return [
    ...unique.map((site): Block => ({ kind: 'site', name: site.path, site, ...placesOf(site, sites) })),
    ...parameters
      .filter((path) => !covered.has(path))
      .map((name): Block => {
        const uses = sites.filter(({ site }) => parametersOfSite(site).includes(name));
        return { kind: 'parameter', name, ...reasonOf(uses) };
      }),
  ];
};

/** Names of the parameters that no site covers. */
export const parameterBlocks = (blocks: ReadonlyArray<Block>): ReadonlyArray<string> =>
  blocks.flatMap((block) => (block.kind === 'parameter' ? [block.name] : []));
