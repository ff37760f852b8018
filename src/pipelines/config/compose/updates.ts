/**
 * Updates from configuration: from a direction to the next parameters.
 *
 * @module
 */
import type { LevenbergMarquardtOptions } from '../../../solvers/quadraticModel/levenbergMarquardt.ts';
import { clipByGlobalNorm } from '../../../solvers/update/rules/clipByGlobalNorm.ts';
import { klClip } from '../../../solvers/update/rules/klClip.ts';
import { momentum } from '../../../solvers/update/rules/momentum.ts';
import type { UpdateRule } from '../../../solvers/update/rules/rule.ts';
import { weightDecay } from '../../../solvers/update/rules/weightDecay.ts';
import type { Schedule } from '../../../solvers/schedules.ts';
import { constant } from '../../../solvers/schedules.ts';
import { belowOne, fraction, notNegative, positive, truth, wholeFrom } from '../codecs/codecs.ts';
import { schedule } from './schedules.ts';
import type { Row, Table } from './setting.ts';
import { listOf, optional, orNone, partIn, record, required, row } from './setting.ts';

/** Every update rule. */
export const rules: Table<UpdateRule> = {
  klClip: row('Bounds η² ⟨Δ, ∇⟩ by κ.', { kappa: required(positive, 'κ') }, ({ kappa }) => klClip(kappa)),
  momentum: row(
    'Heavy ball, or Nesterov’s form of it.',
    { mu: required(belowOne, 'μ'), nesterov: optional(truth, false, 'whether to look ahead') },
    ({ mu, nesterov }) => momentum(mu, { nesterov }),
  ),
  weightDecay: row(
    'Adds w θ to the direction.',
    { weight: required(notNegative, 'w, per unit of learning rate') },
    ({ weight }) => weightDecay(weight),
  ),
  clipByGlobalNorm: row(
    'Bounds the norm of the direction.',
    { bound: required(positive, 'largest norm') },
    ({ bound }) => clipByGlobalNorm(bound),
  ),
};

/** What follows the solver. */
export interface Updating {
  readonly learningRate: Schedule;
  readonly rules: ReadonlyArray<UpdateRule>;
  /** Learning rate and momentum by the quadratic model, from a fraction of the batch. */
  readonly quadraticModel: { readonly fraction: number } | null;
  readonly levenbergMarquardt: LevenbergMarquardtOptions | null;
  readonly normConstraint: number | null;
  readonly iterateAveraging: { readonly decay: number; readonly start: number } | null;
  readonly burnIn: number;
}

/** The quadratic model. */
export const quadraticModel: Row<{ readonly fraction: number }> = row(
  'Learning rate and momentum by the quadratic model, in place of learningRate and rules.',
  { fraction: optional(fraction, 1, 'part of the batch that products with the curvature are taken over') },
  (own) => own,
);

/** Levenberg–Marquardt. */
export const levenbergMarquardt: Row<LevenbergMarquardtOptions> = row(
  'λ adapts to how well the quadratic model predicts; needs quadraticModel.',
  {
    every: optional(wholeFrom(1), 5, 'steps between two adaptations'),
    decay: optional(fraction, 0.95, 'factor per step by which λ adapts'),
    minimum: optional(positive, 1e-8, 'λ does not fall below this'),
    maximum: optional(positive, 1e8, 'λ does not rise above this'),
    rejectSteps: optional(truth, false, 'whether a step that raises the loss of its batch is taken back'),
  },
  (own) => own,
);

/** Iterate averaging. */
export const iterateAveraging: Row<{ readonly decay: number; readonly start: number }> = row(
  'An average of the parameters, kept in the training state.',
  {
    decay: optional(belowOne, 0.99, 'ρ of the average'),
    start: optional(wholeFrom(0), 0, 'steps before it begins'),
  },
  (own) => own,
);

/** The update of a composition. */
export const updating: Row<Updating> = row(
  'From the direction to the next parameters.',
  {
    learningRate: optional(schedule, constant(1), 'η', '1'),
    rules: optional(
      listOf(
        'a list of rules',
        partIn('an update rule', () => rules),
      ),
      [],
      'applied in order',
    ),
    quadraticModel: optional(
      orNone(record('a record of settings', quadraticModel)),
      null,
      quadraticModel.description,
      'false',
    ),
    levenbergMarquardt: optional(
      orNone(record('a record of settings', levenbergMarquardt)),
      null,
      levenbergMarquardt.description,
      'false',
    ),
    normConstraint: optional(orNone(positive), null, 'largest η² ΔᵀFΔ of a step; needs a curvature', 'false'),
    iterateAveraging: optional(
      orNone(record('a record of settings', iterateAveraging)),
      null,
      iterateAveraging.description,
      'false',
    ),
    burnIn: optional(wholeFrom(0), 0, 'first steps that only gather statistics'),
  },
  (own) => own,
);
