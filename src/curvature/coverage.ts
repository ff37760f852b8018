/**
 * The coverage report: each parameter, its site, its curvature. Nothing is dropped silently.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { PassedSite } from '../core/autodiff/reverse.ts';
import type { SiteShapes } from '../core/autodiff/shape.ts';
import { shapeInterpreter } from '../core/autodiff/shape.ts';
import type { KfacError } from '../core/errors.ts';
import { attempt } from '../core/errors.ts';
import { evaluating } from '../core/nn/layers/circumstances.ts';
import type { Model } from '../core/nn/model.ts';
import type { Params } from '../core/params.ts';
import { mapParams } from '../core/params.ts';
import { parametersOfSite } from '../core/ops/site.ts';
import type { Shape, Shaped } from '../core/tensor.ts';
import type { Block } from '../core/pipeline/blocks.ts';
import { blocksOf } from '../core/pipeline/blocks.ts';
import { linearise } from '../core/pipeline/linearise.ts';
import type { CaptureOptions } from './capture.ts';
import type { Curvature } from './curvature.ts';
import { knownBiases, seenAs } from './sites/biases.ts';

/** One parameter in the report. */
export interface CoverageRow {
  readonly parameter: string;
  readonly shape: Shape;
  /** Path of the site that covers it, or `null`. */
  readonly site: string | null;
  /**
   * For example `A ⊗ G`; with the paths of the sites where several that are not the same share parameters, and those of
   * parameters that are also used where their site does not see it.
   */
  readonly curvature: string;
}

const describe = (curvature: Curvature, block: Block, sites: ReadonlyArray<SiteShapes>): string => {
  const words = curvature.describe(block, sites);
  if (block.kind === 'site') return words;
  if (block.tied !== undefined) return `${words}, tied at ${block.tied.join(', ')}`;
  return block.elsewhere === undefined ? words : `${words}, ${block.elsewhere.join(', ')} used outside its site`;
};

/** A site with the shapes that it sees, and what it does not account for. */
type SiteUse = SiteShapes & Pick<PassedSite<unknown>, 'elsewhere'>;

/** The sites of a model, found on shapes alone. */
const sitesOf = (model: Model, parameters: Params<Shaped>): E.Either<KfacError, ReadonlyArray<SiteUse>> =>
  attempt(() => {
    const { ops, tally } = shapeInterpreter();
    const at = evaluating<Shaped>(mapParams(model.inputs, (shape) => ({ shape: [1, ...shape] })));
    const { sites } = linearise(ops, { model, params: parameters, held: {}, at });
    return tally().sites.map((shapes, i) => ({ ...sites[i], ...shapes }));
  });

/**
 * Which curvature each parameter of a model gets.
 *
 * @param model - model
 * @param curvature - approximation
 * @param options - how the capture before it treats biases, `joint` unless given
 * @example
 * ```ts
 * import * as E from 'fp-ts/lib/Either.js';
 * import { dense, model } from 'kfac-ts/core';
 * import { coverage, kfac } from 'kfac-ts/curvature';
 *
 * const rows = coverage(model('linear', [784], dense({ in: 784, out: 10 })), kfac());
 * E.isRight(rows) ? rows.right.map(({ parameter }) => parameter) : []; // => ['weight', 'bias']
 * ```
 */
export const coverage = (
  model: Model,
  curvature: Curvature,
  options: Pick<CaptureOptions, 'biases'> = {},
): E.Either<KfacError, ReadonlyArray<CoverageRow>> => {
  const parameters = Object.fromEntries(model.layer.parameters('').map(({ path, shape }) => [path, { shape }]));
  return pipe(
    sitesOf(model, parameters),
    E.chain((sites) => attempt(() => sites.flatMap((use) => seenAs(knownBiases(options.biases), use)))),
    E.map((sites) =>
      blocksOf(sites, Object.keys(parameters)).flatMap((block) =>
        (block.kind === 'site' ? parametersOfSite(block.site) : [block.name]).map((parameter) => ({
          parameter,
          shape: parameters[parameter].shape,
          site: block.kind === 'site' ? block.site.path : null,
          curvature: describe(curvature, block, sites),
        })),
      ),
    ),
  );
};
