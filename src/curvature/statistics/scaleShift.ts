/**
 * Statistics of gain and shift, s = γ ⊙ a + β: the per-example gradient (Σ_t g_t ⊙ a_t, Σ_t g_t) has few elements, so its
 * second moments are kept in full, `[2d, 2d]`, or as a diagonal. Neither assumes anything of positions.
 *
 * @module
 */
import type { Ops } from '../../core/ops/ops.ts';
import type { ScaleShiftSite } from '../../core/ops/site.ts';
import type { SiteCapture } from '../../core/pipeline/context.ts';
import type { Shaped } from '../../core/tensor.ts';
import { raise } from '../../core/errors.ts';
import { sumOfPositions } from './sharing.ts';
import type { Statistics } from './statistics.ts';

/** Names of the treatments. */
export const scaleShiftKinds = ['full', 'diagonal'] as const;

/** Which second moments are kept. */
export type ScaleShiftKind = (typeof scaleShiftKinds)[number];

/**
 * Per-example gradients of (γ, β), one row each.
 *
 * @param ops - interpreter
 * @param capture - inputs `[n, …, d]`, cotangents `[n, …, d]` per pass
 * @returns `[n, 2d]` per pass, `[n, d]` without a shift
 */
export const scaleShiftGradients = <T extends Shaped>(
  ops: Ops<T>,
  { site, input, cotangents }: SiteCapture<T, ScaleShiftSite>,
): ReadonlyArray<T> =>
  cotangents.map((g) => {
    const ofGain = sumOfPositions(ops, ops.mul(g, input));
    return site.bias === null ? ofGain : ops.concat([ofGain, sumOfPositions(ops, g)], 1);
  });

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
  const gradients = scaleShiftGradients(ops, capture);
  const weight = capture.input.shape[0];
  const total = (parts: ReadonlyArray<T>): T => parts.reduce((x, y) => ops.add(x, y));
  switch (kind) {
    case 'full':
      return { sums: { F: total(gradients.map((rows) => ops.gram(rows))) }, weight };
    case 'diagonal': {
      const columns = capture.site.bias === null ? 1 : 2;
      const d = capture.input.shape[capture.input.shape.length - 1];
      const moments = total(gradients.map((rows) => ops.sum(ops.square(rows), [0])));
      return { sums: { second: ops.transposed(ops.reshape(moments, [columns, d])) }, weight };
    }
    default:
      return raise({
        _tag: 'BadConfig',
        path: 'scaleShift',
        expected: `one of ${scaleShiftKinds.join(', ')}`,
        actual: String(kind),
      });
  }
};
