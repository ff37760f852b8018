/**
 * The table of the kinds of sites. It is the one place that tells kinds apart.
 *
 * @module
 */
import { raise } from '../../core/errors.ts';
import type { Site } from '../../core/ops/site.ts';
import { convolution } from './convolution.ts';
import { dense } from './dense.ts';
import { embedding } from './embedding.ts';
import type { SiteBlock, SiteKinds } from './kind.ts';
import { scaleShift, shift } from './scaleShift.ts';
import { tied } from './tied.ts';
import { transposedConvolution } from './transposedConvolution.ts';

const kinds: SiteKinds = { dense, convolution, transposedConvolution, embedding, tied, scaleShift, shift };

type Kind = keyof SiteKinds;

/** A site with its kind, told so that kind and row stay together. */
type SiteOf<K extends Kind> = {
  readonly [P in K]: { readonly kind: P } & Parameters<SiteKinds[P]>[0];
}[K];

const lookUp = <K extends Kind>(site: SiteOf<K>): SiteBlock => kinds[site.kind](site);

/** Blocks that were made: a step asks for that of each site some twenty times, and of layers the sites stay the same. */
const made = new WeakMap<Site, SiteBlock>();

const blockOf = (site: Site): SiteBlock => {
  const known = made.get(site);
  if (known !== undefined) return known;
  const block = lookUp(site);
  made.set(site, block);
  return block;
};

/**
 * The block of a site.
 *
 * @param site - a site of any kind; `BadConfig` of one that has no row, which only untyped callers can make
 */
export const siteBlock = (site: Site): SiteBlock =>
  Object.hasOwn(kinds, site.kind)
    ? blockOf(site)
    : raise({
        _tag: 'BadConfig',
        path: site.path,
        expected: `a site of kind ${Object.keys(kinds).join(', ')}`,
        actual: site.kind,
      });
