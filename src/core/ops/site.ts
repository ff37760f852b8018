/**
 * Sites: places where a parameter meets data.
 *
 * A site is all that curvature needs to know of a model. Interpreters that compute pass it through; the reverse
 * interpreter records the input activations and, on the way back, the output cotangents.
 *
 * @module
 */

/** s = a Wᵀ + b for rows a of the input: W is `[out, in]`, b is `[out]`. */
export interface DenseSite {
  readonly kind: 'dense';
  /** Path of the layer, unique in the model. */
  readonly path: string;
  /** Path of W. */
  readonly weight: string;
  /** Path of b, or `null` without a bias. */
  readonly bias: string | null;
}

/** Every kind of site. A new kind of layer adds a member here and its statistics in `src/curvature/statistics`. */
export type Site = DenseSite;

/** Paths of the parameters that a site covers. */
export const parametersOfSite = (site: Site): ReadonlyArray<string> =>
  site.bias === null ? [site.weight] : [site.weight, site.bias];
