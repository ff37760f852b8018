/**
 * Decoupled weight decay [LH19] of steps that have no learning rate: θ ← θ + δ − w θ.
 *
 * @module
 */
import { mapParams } from '../../core/params.ts';
import { computation } from '../../core/pipeline/compute.ts';
import type { Stage } from '../../core/pipeline/stage.ts';
import type { Selection } from '../../core/selection.ts';
import { checkSelection, selectedPaths } from '../../core/selection.ts';
import { notNegative } from '../../core/settings.ts';

/**
 * Takes w of the parameters that a step began at from those that it ends at.
 *
 * @param weight - w, per step
 * @param selection - which parameters decay, all unless given
 * @example
 * ```ts
 * import { decay } from 'kfac-ts/solvers';
 *
 * decay(1e-4, 'weights').name; // => 'decay'
 * ```
 */
export const decay = (weight: number, selection: Selection = 'all'): Stage<'state' | 'next', 'next'> => {
  notNegative('decay', weight);
  return computation('decay', (ops, { state: { params, held }, next }) => {
    const checked = checkSelection('decay', selection, [...Object.keys(params), ...Object.keys(held)]);
    const own = selectedPaths(checked, params);
    return {
      next: {
        ...next,
        params: mapParams(next.params, (p, path) =>
          own.includes(path) ? ops.linearCombination(1, p, -weight, params[path]) : p,
        ),
      },
    };
  });
};
