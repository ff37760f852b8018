/**
 * Class-wise K-FAC: F ≈ Σ_c π_c A_c ⊗ G_c with statistics kept for each class of the target.
 *
 * K-FAC takes inputs and cotangents to be independent; this only asks it of the examples of one class. The operator of a
 * site is a sum of Kronecker products, which few solvers take.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import { raise } from '../core/errors.ts';
import { kroneckerOf } from '../core/operators/blockOperator.ts';
import { sumOf } from '../core/operators/composite.ts';
import type { BlockOperator } from '../core/operators/blockOperator.ts';
import type { Ops } from '../core/ops/ops.ts';
import type { Site } from '../core/ops/site.ts';
import type { Params } from '../core/params.ts';
import { calculate } from '../core/pipeline/compute.ts';
import type { Captured, SiteCapture } from '../core/pipeline/context.ts';
import type { Shaped } from '../core/tensor.ts';
import { sizeOf } from '../core/tensor.ts';
import { blockSites } from '../core/pipeline/blocks.ts';
import type { Curvature } from './curvature.ts';
import { blockwise } from './curvature.ts';
import type { KfacOptions } from './kfac.ts';
import { describeBlock, kroneckerBlock } from './kfac.ts';
import { byExamples, rowsIn } from './sites/byExamples.ts';
import type { Seen, SiteBlock } from './sites/kind.ts';
import { siteBlock } from './sites/kinds.ts';
import { orderOfSite, siteStatistics, statisticsBy } from './sites/statistics.ts';
import { checkClasses, classFactors, classStatistics, classWeights } from './statistics/classes.ts';
import type { Run } from './statistics/partition.ts';
import type { Sharing } from './statistics/sharing.ts';
import type { Statistics } from './statistics/statistics.ts';

/** Settings of {@link classKfac}. */
export interface ClassKfacOptions extends KfacOptions {
  /** Number of classes, from 1 to `mostClasses`. */
  readonly classes: number;
  /** Paths of the sites that keep classes apart, all that have two full factors unless given; other sites are as in K-FAC. */
  readonly sites?: 'all' | ReadonlyArray<string>;
}

const refuse = (path: string, expected: string, actual: string): never =>
  raise({ _tag: 'BadConfig', path, expected, actual });

const check = <T extends Shaped>({ classes, sites = 'all' }: ClassKfacOptions, captured: Captured<T>): void => {
  if (!Number.isInteger(classes) || classes < 1) refuse('classes', 'a whole number of at least 1', String(classes));
  const known = blockSites(captured.sites).flatMap((site) => (siteBlock(site).rows === null ? [] : [site.path]));
  const unknown = sites === 'all' ? undefined : sites.find((path) => !known.includes(path));
  if (unknown !== undefined)
    refuse('sites', `paths of sites that can keep classes apart: ${known.join(', ')}`, unknown);
};

/** Most classes: each takes the products of K-FAC. */
export const mostClasses = 4096;

/** Most bytes of statistics; more is an error that says how many there would be. */
const mostBytes = 2 ** 31;

/** Statistics that would not fit are refused before they are computed. */
const checkSize = <T extends Shaped>(
  { classes }: ClassKfacOptions,
  apart: (site: Site) => SiteBlock['rows'],
  captured: Captured<T>,
  dtype: 'f32' | 'f64',
): void => {
  const numbers = captured.sites
    .filter(({ site }) => apart(site) !== null)
    .map((capture) => {
      const [{ shape }] = capture.cotangents;
      const out = shape[shape.length - 1];
      return out ** 2 + (orderOfSite(capture) / out) ** 2;
    })
    .reduce((x, y) => x + y, 0);
  const bytes = classes * numbers * (dtype === 'f32' ? 4 : 8);
  if (bytes > mostBytes) {
    refuse(
      'classes',
      `classes whose statistics take at most ${mostBytes} bytes`,
      `${classes}, which take ${bytes} bytes`,
    );
  }
  if (classes > mostClasses) refuse('classes', `at most ${mostClasses} classes`, String(classes));
};

/** Statistics by class of a site that has rows, some examples at a time unless positions weigh differently. */
const ofClasses = <T extends Shaped>(
  ops: Ops<T>,
  capture: SiteCapture<T>,
  rows: NonNullable<SiteBlock['rows']>,
  weights: T,
  examples: T | null,
  sharing: Sharing = 'expand',
): Statistics<T> => {
  const [n] = weights.shape;
  const out = capture.cotangents[0].shape[capture.cotangents[0].shape.length - 1];
  const places = sizeOf(capture.cotangents[0].shape) / (n * out);
  const columns = orderOfSite(capture) / out;
  const elements = 4 * places * (columns + capture.cotangents.length * out);
  const sumsIn = (on: Ops<T>, part: Seen<T>, run: Run): Params<T> =>
    classStatistics(
      on,
      rows(on, part, sharing),
      rowsIn(on, weights, run),
      examples === null ? null : rowsIn(on, examples, run),
    ).sums;
  // Positions are counted over the whole batch.
  const isWhole = (capture.weights?.shape.length ?? 1) > 1 || capture.input.shape[0] !== n;
  return {
    sums: isWhole ? sumsIn(ops, capture, { begin: 0, size: n }) : byExamples(ops, capture, elements, sumsIn),
    weight: n,
  };
};

/** Σ_c A_c ⊗ π_c G_c; a single term is itself. */
const classOperator = <T extends Shaped>(ops: Ops<T>, averages: Params<T>): BlockOperator<T> => {
  const terms = classFactors(ops, averages).map(({ A, G }) => kroneckerOf(A, G));
  return terms.length === 1 ? terms[0] : sumOf(terms);
};

/**
 * Class-wise K-FAC. Training targets must be class indices `[n]` or probabilities `[n, classes]`. One class is K-FAC.
 *
 * @param options - number of classes, sites, decay and strictness
 * @example
 * ```ts
 * import { classKfac, updateFactors } from 'kfac-ts/curvature';
 *
 * const average = updateFactors(classKfac({ classes: 10, sites: ['4'] }));
 * ```
 */
export const classKfac = (options: ClassKfacOptions): Curvature => {
  const { classes, sites = 'all' } = options;
  const apart = (site: Site): SiteBlock['rows'] =>
    sites === 'all' || sites.includes(site.path) ? siteBlock(site).rows : null;
  return {
    name: 'classKfac',
    decay: options.decay ?? 0.95,
    strict: options.strict ?? false,
    inspect: (backend, captured) =>
      pipe(
        calculate(() => {
          check(options, captured);
          checkSize(options, apart, captured, backend.dtype);
        }),
        TE.chain(() => backend.read(captured.targets)),
        TE.chainEitherK((targets) => checkClasses(targets, classes)),
      ),
    statistics: (ops, captured) => {
      check(options, captured);
      const weights = classWeights(ops, captured.targets, classes);
      return statisticsBy(ops, captured, (capture, on) => {
        const rows = apart(capture.site);
        return rows === null
          ? siteStatistics(on, capture, options)
          : ofClasses(on, capture, rows, weights, captured.weights ?? null, options.sharing);
      });
    },
    operator: (ops, blocks, averages) =>
      blockwise(blocks, averages, (block, found) => {
        const keepsClasses = block.kind === 'site' && apart(block.site) !== null;
        return keepsClasses ? classOperator(ops, found) : kroneckerBlock(ops, block, found);
      }),
    describe: (block) =>
      block.kind === 'site' && apart(block.site) !== null ? 'Σ π_c A_c ⊗ G_c' : describeBlock(block, options),
  };
};
