/**
 * Decoupled weight decay [LH19]: the direction gains w θ.
 *
 * @module
 */
import { zipParams } from '../../../core/params.ts';
import type { UpdateRule } from './rule.ts';

/**
 * Adds w θ to the direction, so that each step shrinks the parameters by the factor 1 − η w.
 *
 * @param weight - w ≥ 0
 */
export const weightDecay = (weight: number): UpdateRule => ({
  name: 'weightDecay',
  revise: (ops, { direction, params }) => ({
    direction: zipParams(direction, params, (d, p) => ops.linearCombination(1, d, weight, p)),
  }),
});
