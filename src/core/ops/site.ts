/**
 * Sites: places where a parameter meets data.
 *
 * A site is all that curvature needs to know of a model. Interpreters that compute pass it through; the reverse
 * interpreter records the input activations and, on the way back, the output cotangents. The first axis of both counts
 * examples; axes between it and the last are positions, at which the same parameters meet one example several times.
 *
 * @module
 */
import type { Window } from './window.ts';

/** What every site says, whatever its kind. */
export interface AnySite {
  /** What happens there; the kinds are the members of {@link Site}. */
  readonly kind: string;
  /** Path of the layer, unique in the model. */
  readonly path: string;
  /** Path of the parameter that meets the data. */
  readonly weight: string;
  /** Path of the parameter that is added, or `null` without one. */
  readonly bias: string | null;
  /** Where the inputs are indices: how many there are, from 0 on. */
  readonly vocabulary?: number;
  /**
   * Whether the layer skips positions that the batch says are not there (padding). Where one of a model's sites is ragged,
   * positions that the loss does not look at count at none of them.
   */
  readonly ragged?: true;
}

/** Of how many heads the features of a site consist: equal runs of neighbours, 1 for features that are no heads. */
export interface Heads {
  readonly inputs: number;
  readonly outputs: number;
}

/** s = a Wᵀ + b for inputs a `[n, …, in]`: W is `[out, in]`, b is `[out]`. */
export interface DenseSite extends AnySite {
  readonly kind: 'dense';
  /** At the projections of attention. */
  readonly heads?: Heads;
}

/** s = rows of W `[vocabulary, out]` at indices `[n, …]`, which are the site's input. */
export interface EmbeddingSite extends AnySite {
  readonly kind: 'embedding';
  readonly bias: null;
  /** Number of rows of W. */
  readonly vocabulary: number;
}

/** What convolutions say, whichever way they go. */
interface FilterSite extends AnySite {
  readonly window: Window;
  /** Runs of channels that meet filters of their own. */
  readonly groups: number;
}

/**
 * Images `[n, h, w, c]` convolved with W `[out, kh * kw * c / groups]` by the primitive `convolve`, plus b `[out]`: what W
 * meets at a place is a patch of the images.
 */
export interface ConvolutionSite extends FilterSite {
  readonly kind: 'convolution';
}

/**
 * Images `[n, h, w, c]` spread with W `[c, kh * kw * out / groups]` by the primitive `convolveTransposed`: a pixel times W is
 * added to a patch of the result, whose cotangents are therefore patches. A bias is a site of its own.
 */
export interface TransposedConvolutionSite extends FilterSite {
  readonly kind: 'transposedConvolution';
  readonly bias: null;
  /** Height and width of the result. */
  readonly extents: readonly [number, number];
}

/** s = a + β for inputs a `[n, …, d]`: the weight β is `[d]`. */
export interface ShiftSite extends AnySite {
  readonly kind: 'shift';
  readonly bias: null;
}

/**
 * One of the uses of a table W `[vocabulary, out]` that has two: its rows are looked up at indices `[n, …]`, and the same table
 * makes logits a Wᵀ of activations a `[n, …, out]`. All uses are one site.
 */
export interface TiedSite extends AnySite {
  readonly kind: 'tied';
  readonly bias: null;
  /** What the table is used for here. */
  readonly use: 'lookup' | 'projection';
  /** Number of rows of W, at a lookup. */
  readonly vocabulary?: number;
}

/** s = γ ⊙ a + β for inputs a `[n, …, d]`: the weight γ and the bias β are `[d]`. */
export interface ScaleShiftSite extends AnySite {
  readonly kind: 'scaleShift';
}

/**
 * Every kind of site. A new kind of layer adds a member here; the table of `src/curvature/sites` then does not compile
 * until it has a row for it, which is all that curvature asks of a kind.
 */
export type Site =
  DenseSite | ConvolutionSite | TransposedConvolutionSite | EmbeddingSite | TiedSite | ScaleShiftSite | ShiftSite;

/**
 * Paths of the parameters that a site covers.
 *
 * @example
 * ```ts
 * import { parametersOfSite } from 'kfac-ts/core';
 *
 * parametersOfSite({ kind: 'dense', path: '0', weight: '0.weight', bias: '0.bias' }); // => ['0.weight', '0.bias']
 * ```
 */
export const parametersOfSite = ({ weight, bias }: AnySite): ReadonlyArray<string> =>
  bias === null ? [weight] : [weight, bias];

/**
 * A site where only some of its parameters are trained.
 *
 * A bias alone, whose weight is held fixed, is no site: what it meets is a constant.
 *
 * @param site - the site
 * @param has - whether the parameter at a path is trained
 * @returns the site itself, the site without a bias that is held, or `null` where the weight is held
 * @example
 * ```ts
 * import { narrowSite } from 'kfac-ts/core';
 *
 * const site = { kind: 'dense', path: '0', weight: '0.weight', bias: '0.bias' } as const;
 * narrowSite(site, (path) => path !== '0.bias'); // => { ...site, bias: null }
 * narrowSite(site, () => false); // => null
 * ```
 */
export const narrowSite = (site: Site, has: (path: string) => boolean): Site | null => {
  if (!has(site.weight)) return null;
  return site.bias === null || has(site.bias) ? site : { ...site, bias: null };
};
