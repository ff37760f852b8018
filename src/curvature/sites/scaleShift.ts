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
import type { ScaleShiftSite } from '../../core/ops/site.ts';
import type { SiteCapture } from '../../core/pipeline/context.ts';
import type { Shaped } from '../../core/tensor.ts';
import { sumOfPositions } from '../statistics/sharing.ts';
import type { Statistics } from '../statistics/statistics.ts';
import { totalOf } from '../statistics/statistics.ts';
import type { SiteKind } from './kind.ts';
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

/** Σ_n V_n², `[d, 2]`. */
const squaredGradients = <T extends Shaped>(ops: Ops<T>, capture: SiteCapture<T, ScaleShiftSite>): T => {
  const moments = totalOf(
    ops,
    scaleShiftGradients(ops, capture).map((rows) => ops.sum(ops.square(rows), [0])),
  );
  const d = featuresOf(capture.input);
  return ops.transposed(ops.reshape(moments, [moments.shape[0] / d, d]));
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
): Statistics<T> => {
  const weight = capture.input.shape[0];
  switch (kind) {
    case 'full': {
      const grams = scaleShiftGradients(ops, capture).map((rows) => ops.gram(rows));
      return { sums: { F: totalOf(ops, grams) }, weight };
    }
    case 'diagonal':
      return { sums: { second: squaredGradients(ops, capture) }, weight };
    default:
      return raise({
        _tag: 'BadConfig',
        path: 'scaleShift',
        expected: `one of ${scaleShiftKinds.join(', ')}`,
        actual: String(kind),
      });
  }
};

/** Gains and shifts. */
export const scaleShift: SiteKind<ScaleShiftSite> = (site) => {
  const { weight, bias } = site;
  return {
    join: (ops, params) => {
      const columns = [weight, ...(bias === null ? [] : [bias])].map((path) =>
        ops.reshape(params[path], [params[path].shape[0], 1]),
      );
      return columns.length === 1 ? columns[0] : ops.concat(columns, 1);
    },
    split: (ops, block) => {
      const [d, columns] = block.shape;
      const columnAt = (i: number): typeof block =>
        ops.reshape(columns === 1 ? block : ops.slice(block, [0, i], [d, 1]), [d]);
      return { [weight]: columnAt(0), ...(bias === null ? {} : { [bias]: columnAt(1) }) };
    },
    featureAxes: 1,
    affine: false,
    order: ({ input }) => (bias === null ? 1 : 2) * featuresOf(input),
    gradients: (ops, seen) => scaleShiftGradients(ops, { ...seen, site }),
    squares: (ops, seen) => squaredGradients(ops, { ...seen, site }),
    statistics: (ops, seen, options) => scaleShiftStatistics(ops, { ...seen, site }, options.scaleShift),
    operator: (averages) => ('F' in averages ? dense(averages['F']) : diagonal(averages['second'])),
    words: (options) => (options.scaleShift === 'diagonal' ? 'diagonal' : 'full'),
    rows: null,
    partitioned: null,
    eigenMoments: null,
  };
};
