/**
 * Gain and shift, s = γ ⊙ a + β: the per-example gradient (Σ_t g_t ⊙ a_t, Σ_t g_t) has few elements, so its second moments
 * are kept in full, `[2d, 2d]`, or as a diagonal. Neither assumes anything of positions, and neither is cut. The block has
 * γ and β as columns, `[d, 2]`.
 *
 * @module
 */
import { raise } from '../../core/errors.ts';
import { dense, diagonal } from '../../core/operators/factors/factor.ts';
import type { Ops } from '../../core/ops/ops.ts';
import type { ScaleShiftSite, ShiftSite } from '../../core/ops/site.ts';
import { parametersOfSite } from '../../core/ops/site.ts';
import type { SiteCapture } from '../../core/pipeline/context.ts';
import type { Shaped } from '../../core/tensor.ts';
import { sumOfPositions } from '../statistics/sharing.ts';
import type { Statistics } from '../statistics/statistics.ts';
import { totalOf } from '../statistics/statistics.ts';
import type { Seen, SiteBlock, SiteKind } from './kind.ts';
import type { ScaleShiftKind } from './options.ts';
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

/** Second moments of rows of per-example gradients, in full or as a diagonal. */
const momentsOf = <T extends Shaped>(
  ops: Ops<T>,
  rows: ReadonlyArray<T>,
  d: number,
  kind: ScaleShiftKind,
): Statistics<T> => {
  const [weight] = rows[0].shape;
  switch (kind) {
    case 'full': {
      const grams = rows.map((each) => ops.gram(each));
      return { sums: { F: totalOf(ops, grams) }, weight };
    }
    case 'diagonal':
      return { sums: { second: squaredRows(ops, rows, d) }, weight };
    default:
      return raise({
        _tag: 'BadConfig',
        path: 'scaleShift',
        expected: `one of ${scaleShiftKinds.join(', ')}`,
        actual: String(kind),
      });
  }
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
): Statistics<T> => momentsOf(ops, scaleShiftGradients(ops, capture), featuresOf(capture.input), kind);

/**
 * The block of parameters `[d]` that act on features one by one.
 *
 * @param paths - the parameters, columns of the block
 * @param gradients - rows of their per-example gradients, `[n, d]` after `[n, d]`, per pass
 */
const byFeature = (
  paths: ReadonlyArray<string>,
  gradients: <T extends Shaped>(ops: Ops<T>, seen: Seen<T>) => ReadonlyArray<T>,
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
  statistics: (ops, seen, { scaleShift: kind = 'full' }) =>
    momentsOf(ops, gradients(ops, seen), featuresOf(seen.cotangents[0]), kind),
  operator: (averages) => ('F' in averages ? dense(averages['F']) : diagonal(averages['second'])),
  words: (options) => (options.scaleShift === 'diagonal' ? 'diagonal' : 'full'),
  rows: null,
  partitioned: null,
  eigenMoments: null,
});

/** Gains and shifts. */
export const scaleShift: SiteKind<ScaleShiftSite> = (site) =>
  byFeature(parametersOfSite(site), (ops, seen) => scaleShiftGradients(ops, { ...seen, site }));

/** Shifts alone: the bias of what has no homogeneous coordinate. */
export const shift: SiteKind<ShiftSite> = (site) =>
  byFeature(parametersOfSite(site), (ops, { cotangents }) => cotangents.map((g) => sumOfPositions(ops, g)));
