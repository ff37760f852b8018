/**
 * A step whose objective is its own: for steps that are run by hand, and for steps of several networks.
 *
 * @module
 */
import { computation } from './compute.ts';
import type { Objective } from './objective.ts';
import type { Stage, Step } from './stage.ts';
import { foreseenBy } from './stage.ts';

/**
 * Puts an objective in the place of the one that the step was given.
 *
 * @param objective - model and loss
 * @example
 * ```ts
 * import { backward, dense, forward, model, pipeline, softmaxCrossEntropy, withObjective } from 'kfac-ts/core';
 *
 * // A step that learns something else than the task says.
 * const objective = { model: model('linear', [784], dense({ in: 784, out: 10 })), loss: softmaxCrossEntropy };
 * const gradient = pipeline(withObjective(objective), forward, backward);
 * ```
 * @example
 * ```ts
 * import type { Objective } from 'kfac-ts/core';
 * import { backward, forward, pipeline, withObjective } from 'kfac-ts/core';
 *
 * export const gradientOf = (objective: Objective) => pipeline(withObjective(objective), forward, backward);
 * ```
 */
export const withObjective = (objective: Objective): Stage<never, 'objective'> =>
  computation('withObjective', () => ({ objective }));

/**
 * An optimizer's step that knows what it learns, and so needs no more than a state and a batch.
 *
 * A step computes where the arrays are and looks at none of them: with a gradient-only optimizer a loss that is no number
 * goes on into the parameters, without an error. `takeStep` looks at the loss and says so.
 *
 * @param objective - model and loss
 * @param step - a step for any objective
 * @example
 * ```ts
 * import { dense, learn, model, squaredError } from 'kfac-ts/core';
 * import { kfacOptimizer } from 'kfac-ts/solvers';
 *
 * const line = { model: model('line', [1], dense({ in: 1, out: 1 })), loss: squaredError };
 * const step = learn(line, kfacOptimizer().step);
 * ```
 */
export const learn = (objective: Objective, step: Step): Stage<'state' | 'batch', 'next' | 'metrics'> => ({
  name: step.name,
  foresee: foreseenBy([step]),
  run: (context) => step.run({ ...context, objective }),
});
