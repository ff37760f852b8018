/**
 * How sites are treated, where there is a choice.
 *
 * @module
 */
import type { Sharing } from '../statistics/sharing.ts';

/** Names of the treatments of gain and shift. */
export const scaleShiftKinds = ['full', 'diagonal'] as const;

/** Which second moments of gain and shift are kept. */
export type ScaleShiftKind = (typeof scaleShiftKinds)[number];

/** How sites are treated. */
export interface SiteOptions {
  /** Weights that meet one example at several positions, `expand` unless given; see {@link Sharing}. */
  readonly sharing?: Sharing;
  /** Second moments of gain and shift, `full` unless given. */
  readonly scaleShift?: ScaleShiftKind;
  /**
   * Largest order of a full factor of a dense site, 8192 unless given; a larger one is kept as its diagonal. Curvatures that are
   * made of full factors alone (block-tridiagonal, by class) keep them whatever their order.
   */
  readonly maxFactor?: number;
  /**
   * Whether the pixels that the filters of a convolution meet are taken for uncorrelated and alike [GM16]: A is a block for
   * each of the kh · kw taps, all of them the second moments of a pixel's channels, and one for the bias. They are kept once,
   * and cost kh · kw times less than A on either side. Only under `expand`.
   */
  readonly uncorrelated?: boolean;
  /**
   * Part of the positions at which weights meet an example that the sums of K-FAC and Block K-FAC are taken from, drawn anew in
   * every step, in (0, 1]; all unless given. Of images it is rows of places. Only under `expand`.
   */
  readonly positionsFraction?: number;
}
