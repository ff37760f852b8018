/**
 * Norm constraint: the step's length in the metric of the curvature is bounded, whatever the gradient.
 *
 * The KL clip bounds η² ⟨Δ, ∇⟩, which is that length only when Δ = F⁻¹∇; this bounds η² ΔᵀFΔ itself, for one product
 * with the curvature. It is a stage between `solve` and `update`, since it needs the operator.
 *
 * @module
 */
import { apply } from '../../core/operators/apply.ts';
import { mapParams } from '../../core/params.ts';
import { computation } from '../../core/pipeline/compute.ts';
import type { Stage } from '../../core/pipeline/stage.ts';
import { changeToBlocks } from '../../curvature/blocks.ts';
import { innerProduct } from '../../core/ops/innerProduct.ts';
import type { Schedule } from '../schedules.ts';
import { scheduleOf } from '../schedules.ts';
import { withinBound } from './rules/withinBound.ts';

/** Settings of {@link normConstraint}. */
export interface NormConstraintOptions {
  /** c, the largest η² ΔᵀFΔ; greater than 0. */
  readonly bound: number;
  /** η, the same as the update's. */
  readonly learningRate: number | Schedule;
}

/**
 * Scales the direction by min(1, √(c / (η² ΔᵀFΔ))).
 *
 * @param options - bound and learning rate
 * @example
 * ```ts
 * import { normConstraint, update } from 'kfac-ts/solvers';
 *
 * // η² ΔᵀFΔ is at most 0.01, measured and not foretold.
 * const learningRate = 0.5;
 * const stages = [normConstraint({ bound: 0.01, learningRate }), update({ learningRate })] as const;
 * ```
 */
export const normConstraint = (
  options: NormConstraintOptions,
): Stage<'state' | 'blocks' | 'operator' | 'direction', 'direction' | 'metrics'> =>
  computation('normConstraint', (ops, { state, blocks, operator, direction }) => {
    const delta = changeToBlocks(ops, blocks, direction);
    const eta = scheduleOf(options.learningRate)(state.step);
    // A square that rounding made negative is 0, and needs no scaling. Roots first: η² may be too large for the precision.
    const square = ops.maximum(innerProduct(ops, delta, apply(ops, operator, delta)), ops.full([], 0));
    const scale = withinBound(ops, Math.sqrt(options.bound), ops.scale(Math.abs(eta), ops.sqrt(square)));
    return {
      direction: mapParams(direction, (d) => ops.mul(scale, d)),
      metrics: { normScale: scale },
    };
  });
