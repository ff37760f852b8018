/**
 * Gain and shift, s = γ ⊙ a + β: the per-example gradient (Σ_t g_t ⊙ a_t, Σ_t g_t) has few elements, so its second moments
 * are kept in full, `[2d, 2d]`, or as a diagonal, as they are where the order is above the largest of a full factor. Neither
 * assumes anything of positions, and neither is cut. The block has γ and β as columns, `[d, 2]`.
 *
 * @module
 */
import { raise } from '../../core/errors.ts';
import { dense, diagonal } from '../../core/operators/factors/factor.ts';
import type { Ops } from '../../core/ops/ops.ts';
import type { ScaleShiftSite, ShiftSite } from '../../core/ops/site.ts';
import { parametersOfSite } from '../../core/ops/site.ts';
import type { SiteCapture } from '../../core/pipeline/context.ts';
import type { Params } from '../../core/params.ts';
import type { Shaped } from '../../core/tensor.ts';
import { sizeOf } from '../../core/tensor.ts';
import { mostFull } from '../statistics/factors.ts';
import { asRows, columnOf, positionsOf, sumOfPositions } from '../statistics/sharing.ts';
import type { Statistics } from '../statistics/statistics.ts';
import { totalOf } from '../statistics/statistics.ts';
import type { Seen, SiteBlock, SiteKind } from './kind.ts';
import type { ScaleShiftKind, SiteOptions } from './options.ts';
import { scaleShiftKinds } from './options.ts';

const featuresOf = ({ shape }: Shaped): number => shape[shape.length - 1];

/**
 * Per-example gradients of (γ, β), one row each.
 *
 * @param ops - interpreter
 * @param capture - inputs `[n, …, d]`, cotangents `[n, …, d]` per pass
 * @returns `[n, 2d]` per pass, `[n, d]` without a shift
 */
const scaleShiftGradients = <T extends Shaped>(
  ops: Ops<T>,
  { site, input, cotangents }: SiteCapture<T, ScaleShiftSite>,
): ReadonlyArray<T> =>
  cotangents.map((g) => {
    const ofGain = sumOfPositions(ops, ops.mul(g, input));
    return site.bias === null ? ofGain : ops.concat([ofGain, sumOfPositions(ops, g)], 1);
  });

/** Σ_n V_n², `[d, columns]`, of rows vec(V_n)ᵀ per pass. */
const squaredRows = <T extends Shaped>(ops: Ops<T>, rows: ReadonlyArray<T>, d: number): T => {
  const moments = totalOf(
    ops,
    rows.map((each) => ops.sum(ops.square(each), [0])),
  );
  return ops.transposed(ops.reshape(moments, [moments.shape[0] / d, d]));
};

/** The kind of moments that are kept of a block of some order: a full matrix above the largest is its diagonal. */
const kindWithin = (
  { scaleShift: kind = 'full', maxFactor = mostFull }: SiteOptions,
  order: number,
): ScaleShiftKind => {
  if (!scaleShiftKinds.includes(kind)) {
    return raise({
      _tag: 'BadConfig',
      path: 'scaleShift',
      expected: `one of ${scaleShiftKinds.join(', ')}`,
      actual: kind,
    });
  }
  return order <= maxFactor ? kind : 'diagonal';
};

/** Second moments of rows of per-example gradients, in full or as a diagonal. */
const momentsOf = <T extends Shaped>(
  ops: Ops<T>,
  rows: ReadonlyArray<T>,
  d: number,
  kind: ScaleShiftKind,
): Params<T> =>
  kind === 'full'
    ? {
        F: totalOf(
          ops,
          rows.map((each) => ops.gram(each)),
        ),
      }
    : { second: squaredRows(ops, rows, d) };

/**
 * Second moments where cotangents have covariance I at every position: of s = Σ_p θ_p ⊙ x_p the diagonals Σ x_p ⊙ x_q over
 * all positions, for each pair of parameters.
 *
 * @param ops - interpreter
 * @param factors - x of each parameter, `[n t, d]`
 * @param weights - of the rows, as a column; `null` where all weigh alike
 * @param kind - which second moments
 */
const isotropicMoments = <T extends Shaped>(
  ops: Ops<T>,
  factors: ReadonlyArray<T>,
  weights: T | null,
  kind: ScaleShiftKind,
): Params<T> => {
  const d = featuresOf(factors[0]);
  const moment = (x: T, y: T): T => ops.sum(ops.mul(weights === null ? x : ops.mul(weights, x), y), [0]);
  if (kind === 'diagonal') {
    const columns = factors.map((x) => ops.reshape(moment(x, x), [d, 1]));
    return { second: ops.concat(columns, 1) };
  }
  const unit = ops.addDiagonal(ops.full([d, d], 0), 1);
  const rows = factors.map((x) =>
    ops.concat(
      factors.map((y) => ops.mul(unit, moment(x, y))),
      1,
    ),
  );
  return { F: ops.concat(rows, 0) };
};

/**
 * Sums over the examples of one capture.
 *
 * @param ops - interpreter
 * @param capture - inputs `[n, …, d]`, cotangents `[n, …, d]` per pass
 * @param kind - which second moments
 * @returns the sum `F` `[2d, 2d]`, or `second` `[d, 2]`, of weight n
 */
export const scaleShiftStatistics = <T extends Shaped>(
  ops: Ops<T>,
  capture: SiteCapture<T, ScaleShiftSite>,
  kind: ScaleShiftKind = 'full',
): Statistics<T> => ({
  sums: momentsOf(ops, scaleShiftGradients(ops, capture), featuresOf(capture.input), kind),
  weight: capture.input.shape[0],
});

/**
 * The block of parameters `[d]` that act on features one by one.
 *
 * @param paths - the parameters, columns of the block
 * @param gradients - rows of their per-example gradients, `[n, d]` after `[n, d]`, per pass
 * @param factors - what they are multiplied by, `[n t, d]` each
 */
const byFeature = (
  paths: ReadonlyArray<string>,
  gradients: <T extends Shaped>(ops: Ops<T>, seen: Seen<T>) => ReadonlyArray<T>,
  factors: <T extends Shaped>(ops: Ops<T>, seen: Seen<T>) => ReadonlyArray<T>,
): SiteBlock => ({
  join: (ops, params) => {
    const columns = paths.map((path) => ops.reshape(params[path], [params[path].shape[0], 1]));
    return columns.length === 1 ? columns[0] : ops.concat(columns, 1);
  },
  split: (ops, block) => {
    const [d, columns] = block.shape;
    return Object.fromEntries(
      paths.map((path, i) => [path, ops.reshape(columns === 1 ? block : ops.slice(block, [0, i], [d, 1]), [d])]),
    );
  },
  featureAxes: 1,
  affine: false,
  order: ({ cotangents: [g] }) => paths.length * featuresOf(g),
  gradients,
  squares: (ops, seen) => squaredRows(ops, gradients(ops, seen), featuresOf(seen.cotangents[0])),
  statistics: (ops, seen, options) => {
    const [g] = seen.cotangents;
    const d = featuresOf(g);
    const kind = kindWithin(options, paths.length * d);
    const { isotropic = false, weights = null } = seen;
    const column = weights === null ? null : columnOf(ops, weights, positionsOf(g.shape));
    return {
      sums: isotropic
        ? isotropicMoments(ops, factors(ops, seen), column, kind)
        : momentsOf(ops, gradients(ops, seen), d, kind),
      weight: g.shape[0],
    };
  },
  operator: (averages) => ('F' in averages ? dense(averages['F']) : diagonal(averages['second'])),
  words: (options, shapes) =>
    kindWithin(options, shapes === undefined ? 0 : paths.length * featuresOf({ shape: shapes.output })),
  rows: null,
  partitioned: null,
  eigenMoments: null,
});

/** Gains and shifts. */
export const scaleShift: SiteKind<ScaleShiftSite> = (site) =>
  byFeature(
    parametersOfSite(site),
    (ops, seen) => scaleShiftGradients(ops, { ...seen, site }),
    (ops, { input }) => {
      const x = asRows(ops, input);
      return site.bias === null ? [x] : [x, ops.full(x.shape, 1)];
    },
  );

/** Shifts alone: the bias of what has no homogeneous coordinate. */
export const shift: SiteKind<ShiftSite> = (site) =>
  byFeature(
    parametersOfSite(site),
    (ops, { cotangents }) => cotangents.map((g) => sumOfPositions(ops, g)),
    (ops, { cotangents: [g] }) => [ops.full([sizeOf(g.shape.slice(0, -1)), featuresOf(g)], 1)],
  );
