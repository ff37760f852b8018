/**
 * Updates from configuration: from a direction to the next parameters.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as t from 'io-ts';

import type { CrossBatchOptions } from '../../../solvers/quadraticModel/judgement.ts';
import { noises } from '../../../solvers/quadraticModel/judgement.ts';
import type { LevenbergMarquardtOptions } from '../../../solvers/quadraticModel/levenbergMarquardt.ts';
import { adamRule } from '../../../solvers/update/rules/adamRule.ts';
import { clipByGlobalNorm } from '../../../solvers/update/rules/clipByGlobalNorm.ts';
import { graft } from '../../../solvers/update/rules/graft.ts';
import { klClip } from '../../../solvers/update/rules/klClip.ts';
import { momentum } from '../../../solvers/update/rules/momentum.ts';
import { normalise } from '../../../solvers/update/rules/normalise.ts';
import { onlyFor } from '../../../solvers/update/rules/onlyFor.ts';
import type { UpdateRule } from '../../../solvers/update/rules/rule.ts';
import { renamed } from '../../../solvers/update/rules/rule.ts';
import { weightDecay } from '../../../solvers/update/rules/weightDecay.ts';
import type { Schedule } from '../../../solvers/schedules.ts';
import { constant } from '../../../solvers/schedules.ts';
import { withStandard } from '../../../solvers/settings/setting.ts';
import { oneOf } from '../../../solvers/settings/range.ts';
import { ofAdam, ofCurvature, ofDamping, ofGrafting, ofUpdates } from '../../../solvers/settings/table.ts';
import {
  belowOne,
  codecOf,
  decoder,
  fraction,
  nameText,
  notNegative,
  positive,
  truth,
  wholeFrom,
} from '../codecs/codecs.ts';
import { scheduleIn } from './schedules.ts';
import { selection } from './selections.ts';
import type { Row, Settings, Table } from './setting.ts';
import { groupOrNone, known, listOf, optional, orNone, partIn, required, row, structured } from './setting.ts';

const anyRule = {
  only: optional(
    selection,
    'all',
    'parameters that it sees: weights, vectors (biases and gains), or those at some paths',
  ),
  name: optional(orNone(nameText), null, 'tells two rules of one kind apart; its metrics carry it', 'false'),
};

/** A rule of some kind, for some of the parameters, under a name of its own. */
const ruleRow = <P extends Settings>(
  description: string,
  settings: P,
  make: (settings: t.TypeOfProps<P>) => UpdateRule,
): Row<UpdateRule> => {
  const special = row(description, settings, make);
  const shared = row('', anyRule, (own) => own);
  return {
    description,
    settings: { ...special.settings, ...shared.settings },
    validate: (value, context) =>
      pipe(
        special.validate(value, context),
        E.bindTo('made'),
        E.apS('own', shared.validate(value, context)),
        E.map(({ made, own: { only, name } }) => {
          const limited = only === 'all' ? made : onlyFor(only, made);
          return name === null ? limited : renamed(name, limited);
        }),
      ),
  };
};

const kindsOfRules = (): Table<UpdateRule> => rules;

const listOfRules = listOf('a list of rules', partIn('an update rule', kindsOfRules));

/** Rules beside the others, each with a memory of its own. */
const rulesBeside: t.Type<ReadonlyArray<UpdateRule>> = structured(
  { _tag: 'either', of: [listOfRules] },
  decoder<ReadonlyArray<UpdateRule>>('a list of rules whose names differ', (value, context) =>
    pipe(
      listOfRules.validate(value, context),
      E.chain((found) =>
        new Set(found.map(({ name }) => name)).size < found.length ? t.failure(value, context) : E.right(found),
      ),
    ),
  ),
);

/** Every update rule. */
export const rules: Table<UpdateRule> = {
  adam: ruleRow(
    'Scales the direction by moments of its own, as Adam does the gradient.',
    { beta1: known(ofAdam.beta1), beta2: known(ofAdam.beta2), epsilon: known(ofAdam.epsilon) },
    adamRule,
  ),
  graft: ruleRow(
    'Keeps where the direction goes, and takes its length from another optimizer’s step.',
    {
      length: optional(
        rulesBeside,
        [adamRule()],
        'rules that make that step of the gradient: none for SGD, momentum, adam',
        '[adam]',
      ),
      by: known(ofGrafting.by),
    },
    graft,
  ),
  klClip: ruleRow('Bounds η² ⟨Δ, ∇⟩ by κ.', { kappa: required(codecOf(ofUpdates.klClip.range), 'κ') }, ({ kappa }) =>
    klClip(kappa),
  ),
  momentum: ruleRow(
    'Heavy ball, or Nesterov’s form of it.',
    { mu: required(codecOf(ofUpdates.momentum.range), 'μ'), nesterov: optional(truth, false, 'whether to look ahead') },
    ({ mu, nesterov }) => momentum(mu, { nesterov }),
  ),
  normalise: ruleRow(
    'Makes the direction 1 long, before a momentum whose sum is grafted: each then counts as much as any other.',
    {
      by: known(
        withStandard(ofGrafting.by, 'whole', 'what has a length of 1: each parameter array, each layer, or the whole'),
      ),
    },
    normalise,
  ),
  weightDecay: ruleRow(
    'Adds w θ to the direction. Last, so that no other rule acts on the decay.',
    { weight: required(codecOf(ofUpdates.weightDecay.range), 'w, per unit of learning rate') },
    ({ weight }) => weightDecay(weight),
  ),
  clipByGlobalNorm: ruleRow(
    'Bounds the norm of the direction.',
    { bound: required(positive, 'largest norm') },
    ({ bound }) => clipByGlobalNorm(bound),
  ),
};

/** Learning rate and momentum by the quadratic model, from a fraction of the batch. */
export interface Modelled {
  readonly fraction: number;
  /** κ of what the gradient may promise, a part of the loss; `null` for no bound. */
  readonly bound: number | null;
  readonly every: number;
  readonly momentum: MomentumBy;
}

/** Who chooses the momentum of a step whose length the model chooses. */
const momentumBy = ['model', 'rules'] as const;
type MomentumBy = (typeof momentumBy)[number];

/** What follows the solver. */
export interface Updating {
  readonly learningRate: Schedule;
  readonly rules: ReadonlyArray<UpdateRule>;
  readonly quadraticModel: Modelled | null;
  readonly levenbergMarquardt: LevenbergMarquardtOptions | null;
  readonly crossBatchDamping: CrossBatchOptions | null;
  readonly normConstraint: number | null;
  readonly iterateAveraging: { readonly decay: number; readonly start: number } | null;
  readonly burnIn: number;
}

/** The quadratic model. */
export const quadraticModel: Row<Modelled> = row(
  'Learning rate and momentum by the quadratic model, in place of learningRate and rules; or the length of the step that they give.',
  {
    fraction: known(withStandard(ofCurvature.modelFraction, 1)),
    bound: optional(orNone(codecOf(ofUpdates.lossBound.range)), null, ofUpdates.lossBound.meaning, 'false'),
    every: optional(codecOf(ofDamping.dampingEvery.range), 1, 'steps between two looks at the model'),
    momentum: optional(
      codecOf(oneOf(momentumBy)),
      'model',
      'model, or rules: then the model says how far the direction after the rules is best followed, and the step is the learning rate times that',
    ),
  },
  (own) => own,
);

/** Levenberg–Marquardt. */
export const levenbergMarquardt: Row<LevenbergMarquardtOptions> = row(
  'λ adapts to how well the quadratic model predicts; needs quadraticModel.',
  {
    every: known(ofDamping.dampingEvery),
    decay: optional(fraction, 0.95, 'factor per step by which λ adapts'),
    minimum: optional(positive, 1e-8, 'λ does not fall below this'),
    maximum: optional(positive, 1e8, 'λ does not rise above this'),
    rejectSteps: known(ofDamping.rejectSteps),
  },
  (own) => own,
);

/** λ by what steps are worth on other examples. */
export const crossBatchDamping: Row<CrossBatchOptions> = row(
  'λ adapts to what steps gain on the next batch; needs quadraticModel, in place of levenbergMarquardt.',
  {
    every: known(withStandard(ofDamping.dampingEvery, 1)),
    noise: optional(
      codecOf(oneOf(noises)),
      'damping',
      'what answers to noise: damping, by gains of promises; or the length of steps, while λ moves by whether the model holds',
    ),
    decay: optional(fraction, 0.95, 'factor per step by which λ adapts, and the length of steps'),
    minimum: optional(positive, 1e-3, 'λ does not fall below this'),
    maximum: known(ofDamping.maxDamping),
    low: optional(
      belowOne,
      0.2,
      'ratio of gain to promise below which λ rises, or of gain to slope below which steps get shorter',
    ),
    high: optional(positive, 0.5, 'the one above which λ falls, or steps get longer'),
    memory: optional(belowOne, 0.9, 'what is kept per judgement of the sums of gains and promises'),
    raise: optional(notNegative, 1, 'part by which λ rises when a step is not taken'),
    tolerance: optional(notNegative, 2, 'a step that loses more than this times its promise is taken back'),
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
    learningRate: optional(scheduleIn(ofUpdates.learningRate.range), constant(1), ofUpdates.learningRate.meaning, '1'),
    rules: optional(listOfRules, [], 'applied in order'),
    quadraticModel: groupOrNone(quadraticModel),
    levenbergMarquardt: groupOrNone(levenbergMarquardt),
    crossBatchDamping: groupOrNone(crossBatchDamping),
    normConstraint: optional(orNone(positive), null, 'largest η² ΔᵀFΔ of a step; needs a curvature', 'false'),
    iterateAveraging: groupOrNone(iterateAveraging),
    burnIn: optional(wholeFrom(0), 0, 'first steps that only gather statistics'),
  },
  (own) => own,
);
