/**
 * The gradient as statistics: what Shampoo and its relatives look at.
 *
 * They know no sites. Each parameter array is a block of its own, and what is captured is the mean gradient of the batch, one
 * sample of it in a step.
 *
 * @module
 */
import type { Params } from '../core/params.ts';
import type { Block } from '../core/pipeline/blocks.ts';
import { computation } from '../core/pipeline/compute.ts';
import type { Period } from '../core/pipeline/period.ts';
import { checkedPeriod, isDue } from '../core/pipeline/period.ts';
import type { Stage } from '../core/pipeline/stage.ts';
import type { Shaped } from '../core/tensor.ts';
import { toBlocks } from './blocks.ts';

/** Settings of {@link captureGradient}. */
export interface CaptureGradientOptions {
  /** Period in steps, 1 unless given. A state without statistics always captures. */
  readonly every?: Period;
}

const blocksOfArrays = (gradient: Params<Shaped>): ReadonlyArray<Block> =>
  Object.entries(gradient).map(([name, { shape }]) => ({
    kind: 'parameter',
    name,
    ...(shape.length > 2 ? { shape } : {}),
  }));

/**
 * Makes each parameter array a block, a matrix where it has two axes or more, and captures the gradient in them.
 *
 * @param options - period
 * @example
 * ```ts
 * import { backward, forward, pipeline } from 'kfac-ts/core';
 * import { captureGradient, gradientFactors, updateFactors } from 'kfac-ts/curvature';
 *
 * const curved = pipeline(forward, backward, captureGradient(), updateFactors(gradientFactors({ decay: 0.99 })));
 * ```
 */
export const captureGradient = ({ every = 1 }: CaptureGradientOptions = {}): Stage<
  'state' | 'gradient' | 'targets',
  'blocks' | 'captured'
> =>
  computation('capture', (ops, { state, gradient, targets }) => {
    checkedPeriod('capture.every', every);
    const blocks = blocksOfArrays(gradient);
    const { averages } = state.curvature;
    const hasStatistics = blocks.every(({ name }) => Object.hasOwn(averages, name));
    if (hasStatistics && !isDue(every, state.step)) return { blocks, captured: null };
    const captured = { sites: [], uncovered: [toBlocks(ops, blocks, gradient)], targets, examples: 1, more: [] };
    return { blocks, captured };
  });
