/**
 * The coverage report: each parameter, its site, its curvature. Nothing is dropped silently.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { SiteShapes } from '../core/autodiff/shape.ts';
import { dryRun } from '../core/autodiff/shape.ts';
import type { KfacError } from '../core/errors.ts';
import { evaluating } from '../core/nn/layers/circumstances.ts';
import type { Model } from '../core/nn/model.ts';
import { mapParams } from '../core/params.ts';
import { parametersOfSite } from '../core/ops/site.ts';
import type { Shape } from '../core/tensor.ts';
import type { Block } from '../core/pipeline/blocks.ts';
import { blocksOf } from '../core/pipeline/blocks.ts';
import { trainedProgram } from '../core/pipeline/linearise.ts';
import type { Curvature } from './curvature.ts';

/** One parameter in the report. */
export interface CoverageRow {
  readonly parameter: string;
  readonly shape: Shape;
  /** Path of the site that covers it, or `null`. */
  readonly site: string | null;
  /** For example `A ⊗ G`; with the paths of the sites where several that are not the same share parameters. */
  readonly curvature: string;
}

const describe = (curvature: Curvature, block: Block, sites: ReadonlyArray<SiteShapes>): string => {
  const words = curvature.describe(block, sites);
  return block.kind === 'parameter' && block.tied !== undefined ? `${words}, tied at ${block.tied.join(', ')}` : words;
};

/**
 * Which curvature each parameter of a model gets.
 *
 * @param model - model
 * @param curvature - approximation
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
export const coverage = (model: Model, curvature: Curvature): E.Either<KfacError, ReadonlyArray<CoverageRow>> => {
  const specs = model.layer.parameters('');
  const shapes: Readonly<Record<string, Shape>> = Object.fromEntries(specs.map(({ path, shape }) => [path, shape]));
  const arrays = mapParams(model.inputs, (shape): Shape => [1, ...shape]);
  const { program, inputs } = trainedProgram<Shape>({ model, params: {}, held: {}, at: evaluating(arrays) });
  return pipe(
    dryRun(program, shapes, inputs),
    E.map(({ sites }) =>
      blocksOf(sites, Object.keys(shapes)).flatMap((block) =>
        (block.kind === 'site' ? parametersOfSite(block.site) : [block.name]).map((parameter) => ({
          parameter,
          shape: shapes[parameter],
          site: block.kind === 'site' ? block.site.path : null,
          curvature: describe(curvature, block, sites),
        })),
      ),
    ),
  );
};
