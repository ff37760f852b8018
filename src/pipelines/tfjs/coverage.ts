/**
 * Which curvature each parameter of a network of TensorFlow.js has. Nothing is dropped silently.
 *
 * @module
 */
import { blocksOf } from '../../core/pipeline/blocks.ts';
import { parametersOfSite } from '../../core/ops/site.ts';
import type { CoverageRow } from '../../curvature/coverage.ts';
import { describeBlock } from '../../curvature/kfac.ts';
import type { SiteOptions } from '../../curvature/sites/options.ts';
import type { Described } from './network.ts';

/** Data of this shape goes into any site; which it is does not matter for what it is called. */
const anyData = [1, 1, 1, 1];

/**
 * A row for each parameter that is trained.
 *
 * @param network - parts and parameters
 * @param options - how sites are treated
 */
export const coverageOf = ({ parts, parameters }: Described, options: SiteOptions): ReadonlyArray<CoverageRow> => {
  const sites = parts.flatMap(({ known }) => known.sites.map((sited) => ({ site: sited.siteOf(anyData) })));
  const paths = parameters.map(({ path }) => path);
  return blocksOf(sites, paths).flatMap((block) =>
    (block.kind === 'site' ? parametersOfSite(block.site) : [block.name]).flatMap((parameter) =>
      parameters
        .filter(({ path }) => path === parameter)
        .map(({ path, shape }) => ({
          parameter: path,
          shape,
          site: block.kind === 'site' ? block.site.path : null,
          curvature: describeBlock(block, options),
        })),
    ),
  );
};
