/**
 * Sites: places where a parameter meets data.
 *
 * A site is all that curvature needs to know of a model. Interpreters that compute pass it through; the reverse
 * interpreter records the input activations and, on the way back, the output cotangents. The first axis of both counts
 * examples; axes between it and the last are positions, at which the same parameters meet one example several times.
 *
 * @module
 */

/** s = a Wᵀ + b for inputs a `[n, …, in]`: W is `[out, in]`, b is `[out]`. */
export interface DenseSite {
  readonly kind: 'dense';
  /** Path of the layer, unique in the model. */
  readonly path: string;
  /** Path of W. */
  readonly weight: string;
  /** Path of b, or `null` without a bias. */
  readonly bias: string | null;
}

/** s = rows of W `[vocabulary, out]` at indices `[n, …]`, which are the site's input. */
export interface EmbeddingSite {
  readonly kind: 'embedding';
  readonly path: string;
  /** Path of W. */
  readonly weight: string;
  /** Number of rows of W. */
  readonly vocabulary: number;
}

/** s = γ ⊙ a + β for inputs a `[n, …, d]`: γ and β are `[d]`. */
export interface ScaleShiftSite {
  readonly kind: 'scaleShift';
  readonly path: string;
  /** Path of γ. */
  readonly weight: string;
  /** Path of β, or `null` without a shift. */
  readonly bias: string | null;
}

/** Every kind of site. A new kind of layer adds a member here and its statistics in `src/curvature/statistics`. */
export type Site = DenseSite | EmbeddingSite | ScaleShiftSite;

/** Paths of the parameters that a site covers. */
export const parametersOfSite = (site: Site): ReadonlyArray<string> =>
  site.kind === 'embedding' || site.bias === null ? [site.weight] : [site.weight, site.bias];
