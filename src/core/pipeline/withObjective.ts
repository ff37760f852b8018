/**
 * A step whose objective is its own: for steps that are run by hand, and for steps of several networks.
 *
 * @module
 */
import { computation } from './compute.ts';
import type { Objective } from './objective.ts';
import type { Stage } from './stage.ts';

/**
 * Puts an objective in the place of the one that the step was given.
 *
 * @param objective - model and loss
 */
export const withObjective = (objective: Objective): Stage<never, 'objective'> =>
  computation('withObjective', () => ({ objective }));
