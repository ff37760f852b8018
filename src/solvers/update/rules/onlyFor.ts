/**
 * A rule for some of the parameters: weight decay on weights alone, a clip for one layer.
 *
 * @module
 */
import { pickParams } from '../../../core/params.ts';
import type { Selection } from '../../../core/selection.ts';
import { checkSelection, selectedPaths } from '../../../core/selection.ts';
import type { UpdateRule } from './rule.ts';

/**
 * A rule that sees some of the parameters alone, as if there were no others; the direction of the others stays as it is.
 * Two such rules of one kind need names of their own: see `renamed`.
 *
 * @param selection - which parameters: `weights`, `vectors` (biases, gains and shifts), a list of paths, or a function
 * @param revised - any rule
 * @example
 * ```ts
 * import { momentum, onlyFor, update, weightDecay } from 'kfac-ts/solvers';
 *
 * // Biases, gains and shifts do not decay.
 * const step = update({ learningRate: 0.1, rules: [momentum(0.9), onlyFor('weights', weightDecay(0.01))] });
 * ```
 */
export const onlyFor = (selection: Selection, revised: UpdateRule): UpdateRule => {
  // Paths are looked at where the parameters are known: the update that has the rule asks for `paths`.
  if (!Array.isArray(selection)) checkSelection(`rules.${revised.name}`, selection, []);
  return {
    name: revised.name,
    paths: [...(revised.paths ?? []), ...(typeof selection === 'object' ? selection : [])],
    revise: (ops, proposal, memory) => {
      const { direction, gradient, params } = proposal;
      const own = selectedPaths(selection, direction);
      if (own.length === 0) return { direction };
      const restricted = {
        ...proposal,
        direction: pickParams(direction, own),
        gradient: pickParams(gradient, own),
        params: pickParams(params, own),
      };
      const revision = revised.revise(ops, restricted, memory);
      return { ...revision, direction: { ...direction, ...revision.direction } };
    },
  };
};
