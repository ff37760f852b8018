/**
 * Biases with the weights that they belong to, or in blocks of their own.
 *
 * With its weight a bias is the homogeneous coordinate of one block, and correlations between the two are kept. Apart, the
 * weight's site has no homogeneous coordinate and the bias is what is added alone: a site of kind `shift`, whose second moments
 * assume nothing of positions. No curvature and no solver knows of the difference: they see other sites.
 *
 * @module
 */
import type { PassedSite } from '../../core/autodiff/reverse.ts';
import { raise } from '../../core/errors.ts';
import type { Site } from '../../core/ops/site.ts';
import { parametersOfSite } from '../../core/ops/site.ts';

/** Names of the treatments. */
export const biasTreatments = ['joint', 'separate'] as const;

/** Whether a bias has a block with its weight, or one of its own. */
export type Biases = (typeof biasTreatments)[number];

/** A use of a site, as far as its parameters go. */
type Use = Pick<PassedSite<unknown>, 'site' | 'elsewhere'>;

/**
 * A treatment that there is, or an error.
 *
 * @param biases - as given, `joint` unless it is
 */
export const knownBiases = (biases: Biases = 'joint'): Biases =>
  biasTreatments.includes(biases)
    ? biases
    : raise({
        _tag: 'BadConfig',
        path: 'capture.biases',
        expected: `one of ${biasTreatments.join(', ')}`,
        actual: biases,
      });

/** The weight alone, and the bias alone. */
const apart = (site: Site): ReadonlyArray<Site> => {
  const { bias, ragged } = site;
  if (bias === null) return [site];
  const shift = { kind: 'shift', path: bias, weight: bias, bias: null } as const;
  return [{ ...site, bias: null }, ragged === undefined ? shift : { ...shift, ragged }];
};

/**
 * A use of a site as those that curvature sees: one of the weight and one of the bias, where they are apart.
 *
 * @param biases - how biases are treated
 * @param use - a site, what it saw, and which of its parameters are also used where it does not see it
 */
export const seenAs = <U extends Use>(biases: Biases, use: U): ReadonlyArray<Omit<U, keyof Use> & Use> => {
  const { site, elsewhere = [], ...rest } = use;
  const parts = biases === 'joint' ? [site] : apart(site);
  return parts.map((part) => {
    const own = elsewhere.filter((path) => parametersOfSite(part).includes(path));
    return { ...rest, site: part, ...(own.length === 0 ? {} : { elsewhere: own }) };
  });
};
