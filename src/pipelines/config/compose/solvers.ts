/**
 * Solvers from configuration, each with the forms of curvature that it takes.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as t from 'io-ts';

import { mapParams } from '../../../core/params.ts';
import { autoInverse } from '../../../solvers/inverses/autoInverse.ts';
import type { BatchWoodburyNeeds } from '../../../solvers/inverses/batchWoodbury.ts';
import { batchWoodbury } from '../../../solvers/inverses/batchWoodbury.ts';
import { choleskySolve } from '../../../solvers/inverses/choleskySolve.ts';
import { classWiseInverse } from '../../../solvers/inverses/classWiseInverse.ts';
import { denseInverse } from '../../../solvers/inverses/denseInverse.ts';
import { eigen } from '../../../solvers/inverses/eigen.ts';
import { ekfac } from '../../../solvers/inverses/ekfac.ts';
import { kroneckerInverse } from '../../../solvers/inverses/kroneckerInverse.ts';
import { lowRankInverse } from '../../../solvers/inverses/lowRankInverse.ts';
import { rootInverse } from '../../../solvers/inverses/rootInverse.ts';
import { newtonSchulz } from '../../../solvers/inverses/newtonSchulz.ts';
import { tridiagonalInverse } from '../../../solvers/inverses/tridiagonalInverse.ts';
import { twoTermSolve } from '../../../solvers/inverses/twoTermSolve.ts';
import { classWise } from '../../../solvers/iterative/classWise.ts';
import { hssSolver } from '../../../solvers/iterative/hssSolver.ts';
import type { IterativeOptions } from '../../../solvers/iterative/iterative.ts';
import { iterative } from '../../../solvers/iterative/iterative.ts';
import type { KfacCgNeeds } from '../../../solvers/iterative/kfacCg.ts';
import { kfacCg } from '../../../solvers/iterative/kfacCg.ts';
import type { Schedule } from '../../../solvers/schedules.ts';
import { constant } from '../../../solvers/schedules.ts';
import type { FirstOrderNeeds } from '../../../solvers/solver/firstOrder.ts';
import { adam, identity } from '../../../solvers/solver/firstOrder.ts';
import { muon } from '../../../solvers/solver/muon.ts';
import type { Preconditioner } from '../../../solvers/solver/inverse.ts';
import { preconditioned } from '../../../solvers/solver/preconditioned.ts';
import type { RefreshOptions, RefreshPeriod } from '../../../solvers/solver/refresh.ts';
import type { SoapNeeds } from '../../../solvers/inverses/soap.ts';
import { soap } from '../../../solvers/inverses/soap.ts';
import type { Solver } from '../../../solvers/solver/solver.ts';
import { withStandard } from '../../../solvers/settings/setting.ts';
import { ofAdam, ofDamping, ofInverses, ofIterations, ofMuon } from '../../../solvers/settings/table.ts';
import { decoder, positive, wholeFrom } from '../codecs/codecs.ts';
import type { Form } from './curvatures.ts';
import { forms, siteSettings } from './curvatures.ts';
import { scheduleIn } from './schedules.ts';
import type { Row, Settings, Table } from './setting.ts';
import { known, optional, orNone, partIn, record, required, row, structured } from './setting.ts';

/** The fields of a step that solvers with curvature may need. */
type EveryNeed = KfacCgNeeds | 'captured';

/** A solver of a composition: of a curvature, of one of gradients without λ, of the captured batch, or of the gradient. */
export type Solving =
  | {
      readonly _tag: 'ofCurvature';
      /** Forms of curvature that it takes. */
      readonly takes: ReadonlyArray<Form>;
      /** The setting that says what it takes: the solver itself, or its preconditioner. */
      readonly by: 'solver' | 'solver.preconditioner';
      readonly damping: Schedule;
      /** Steps between two preparations; the most where they follow the drift. */
      readonly every: number;
      readonly solver: Solver<EveryNeed>;
    }
  | { readonly _tag: 'ofCapture'; readonly damping: Schedule; readonly solver: Solver<BatchWoodburyNeeds> }
  | { readonly _tag: 'ofGradients'; readonly takes: ReadonlyArray<Form>; readonly solver: Solver<SoapNeeds> }
  | { readonly _tag: 'ofGradient'; readonly solver: Solver<FirstOrderNeeds | 'blocks'> };

const drifting = record(
  'a whole number of steps, or a record with drift',
  row(
    '',
    {
      drift: required(positive, ''),
      atLeast: optional(wholeFrom(1), 1, ''),
      atMost: optional(wholeFrom(1), 50, ''),
    },
    (period) => period,
  ),
);

/** Bounds that do not exclude each other. */
const drift: t.Type<RefreshPeriod> = structured(
  drifting.structure,
  decoder<RefreshPeriod>(drifting.name, (value, context) =>
    pipe(
      drifting.validate(value, context),
      E.chain((found) => {
        const { atLeast, atMost } = found;
        return atLeast <= atMost
          ? E.right(found)
          : t.failure(atMost, t.appendContext(context, 'atMost', wholeFrom(atLeast)));
      }),
    ),
  ),
);

const steps = wholeFrom(1);

const period: t.Type<RefreshPeriod> = structured(
  { _tag: 'either', of: [steps, drift] },
  decoder(drift.name, (value, context) =>
    typeof value === 'number' ? steps.validate(value, context) : drift.validate(value, context),
  ),
);

const siteFactors: t.Type<Readonly<Record<string, number>>> = t.record(t.string, positive, 'numbers by path of a site');

const damping = optional(scheduleIn(ofDamping.damping.range), constant(1), 'λ, in units of the loss per example', '1');

const refresh = {
  every: optional(period, 1, 'steps between two preparations, or the drift of the statistics that calls for one'),
  staleness: optional(wholeFrom(0), 0, 'steps that go on with the last inverse while the next is made'),
  siteDamping: optional(siteFactors, {}, 'factors on λ by path of the site'),
};

/** Settings of a solver that prepares, as it takes them. */
const refreshOf = (settings: t.TypeOfProps<typeof refresh>): RefreshOptions => {
  const { every, staleness, siteDamping } = settings;
  return { every, siteDamping, overlap: { staleness } };
};

const byFactors: ReadonlyArray<Form> = ['product', 'parts', 'diagonal', 'full'];

/** What a row of a solver with curvature makes of its own settings: a solver, once it knows when to prepare. */
interface Refreshing {
  readonly takes: ReadonlyArray<Form>;
  readonly by?: 'solver.preconditioner';
  readonly solver: (options: RefreshOptions) => Solver<EveryNeed>;
}

/** Most steps of a period. */
const longest = (every: RefreshPeriod = 1): number => (typeof every === 'number' ? every : (every.atMost ?? 1));

/** A row of a solver with curvature from a row of what is its own: λ and the period belong to all. */
const ofCurvature = (own: Row<Refreshing>): Row<Solving> => {
  const shared = row<typeof refresh, RefreshOptions>('', refresh, refreshOf);
  const lambda = row('', { damping }, (settings) => settings);
  return {
    description: own.description,
    settings: { ...lambda.settings, ...shared.settings, ...own.settings },
    validate: (value, context) =>
      pipe(
        E.Do,
        E.apS('lambda', lambda.validate(value, context)),
        E.apS('options', shared.validate(value, context)),
        E.apS('made', own.validate(value, context)),
        E.map(({ lambda: { damping: schedule }, options, made: { takes, by, solver } }): Solving => ({
          _tag: 'ofCurvature',
          takes,
          by: by ?? 'solver',
          damping: schedule,
          every: longest(options.every),
          solver: solver(options),
        })),
      ),
  };
};

const range = {
  rank: known(ofInverses.rank),
  oversampling: known(ofInverses.oversampling),
  powerIterations: known(ofInverses.powerIterations),
};

/** An inverse of a composition, and the forms of curvature that it takes. */
export interface Inverting {
  readonly takes: ReadonlyArray<Form>;
  readonly inverse: Preconditioner<'captured'>;
}

/** Every inverse: each is a solver by itself, and a preconditioner of the iterative solvers. */
export const inverses: Table<Inverting> = {
  auto: row('Each part of the curvature by the inverse that suits it.', {}, () => ({
    takes: forms,
    inverse: autoInverse,
  })),
  kroneckerInverse: row('Inverses of the damped factors.', {}, () => ({ takes: byFactors, inverse: kroneckerInverse })),
  newtonSchulz: row(
    'Inverses by matrix products alone.',
    {
      tolerance: known(ofInverses.newtonTolerance),
      iterations: known(ofInverses.newtonIterations),
    },
    (own) => ({ takes: byFactors, inverse: newtonSchulz(own) }),
  ),
  lowRank: row('Factors of low rank, applied by Woodbury’s formula.', range, (own) => ({
    takes: byFactors,
    inverse: lowRankInverse(own),
  })),
  eigen: row('Exact damping in the eigenbasis of the factors.', {}, () => ({ takes: byFactors, inverse: eigen })),
  ekfac: row(
    'Second moments in the eigenbasis, taken with every capture.',
    { decay: known(ofInverses.momentDecay) },
    (own) => ({ takes: byFactors, inverse: ekfac(own) }),
  ),
  dense: row('Each block as a full matrix: for small models.', { limit: known(ofInverses.blockLimit) }, (own) => ({
    takes: [...byFactors, 'twoClasses', 'classes'],
    inverse: denseInverse(own),
  })),
  twoTerm: row('Sums of two Kronecker products by their factors.', {}, () => ({
    takes: [...byFactors, 'twoClasses'],
    inverse: twoTermSolve,
  })),
  classWise: row(
    'Sums of Kronecker products: two terms, or the nearest product.',
    { method: known(ofInverses.classWiseMethod) },
    (own) => ({ takes: [...byFactors, 'twoClasses', 'classes'], inverse: classWiseInverse(own) }),
  ),
  tridiagonal: row('The block-tridiagonal inverse.', {}, () => ({
    takes: ['chain', ...byFactors],
    inverse: tridiagonalInverse,
  })),
};

/** The solver that an inverse makes. */
const direct = (own: Row<Inverting>): Row<Solving> =>
  ofCurvature({
    ...own,
    validate: (value, context) =>
      pipe(
        own.validate(value, context),
        E.map(({ takes, inverse }) => ({ takes, solver: (options) => preconditioned(inverse, options) })),
      ),
  });

const krylov = {
  preconditioner: optional<Inverting | null>(
    orNone(partIn('an inverse', () => inverses)),
    { takes: forms, inverse: autoInverse },
    'stands for the inverse',
    'auto',
  ),
  maxIterations: known(ofIterations.maxIterations),
  tolerance: known(ofIterations.tolerance),
  warmStart: known(ofIterations.warmStart),
};

/** A solver that iterates, with an inverse as preconditioner. */
const iterating = <P extends Settings>(
  description: string,
  own: P,
  make: (options: IterativeOptions<'captured'>, own: t.TypeOfProps<P>) => Solver<EveryNeed>,
): Row<Solving> => {
  const [shared, special] = [row('', krylov, (settings) => settings), row('', own, (settings) => settings)];
  return ofCurvature({
    description,
    settings: { ...shared.settings, ...special.settings },
    validate: (value, context) =>
      pipe(
        E.Do,
        E.apS('shared', shared.validate(value, context)),
        E.apS('special', special.validate(value, context)),
        E.map(({ shared: { preconditioner, ...stopping }, special: settings }): Refreshing => ({
          takes: preconditioner?.takes ?? forms,
          by: 'solver.preconditioner',
          solver: (options) =>
            make({ ...options, ...stopping, preconditioner: preconditioner?.inverse ?? null }, settings),
        })),
      ),
  });
};

/** Every solver. */
export const solvers: Table<Solving> = {
  ...mapParams(inverses, direct),
  choleskySolve: ofCurvature(
    row('Cholesky factors of the damped factors, and triangular solves.', {}, () => ({
      takes: byFactors,
      solver: (options) => preconditioned(choleskySolve, options),
    })),
  ),
  shampoo: ofCurvature(
    row('Inverse roots of the factors of gradients; λ is relative to the largest eigenvalue of each.', {}, () => ({
      takes: ['gradient'],
      solver: (options) => preconditioned(rootInverse, options),
    })),
  ),
  classWise: ofCurvature(
    row(
      'Sums of Kronecker products by conjugate gradients.',
      {
        method: known(ofIterations.sumMethod),
        tolerance: known(ofIterations.sumTolerance),
        maxIterations: known(ofIterations.sumIterations),
      },
      (own) => ({
        takes: [...byFactors, 'twoClasses', 'classes'],
        solver: (options) => classWise({ ...options, ...own }),
      }),
    ),
  ),
  cg: iterating('Conjugate gradients on the curvature.', {}, (options) => iterative('cg', options)),
  minres: iterating('MINRES on the curvature.', {}, (options) => iterative('minres', options)),
  gmres: iterating('Restarted GMRES on the curvature.', {}, (options) => iterative('gmres', options)),
  bicgstab: iterating('BiCGSTAB on the curvature.', {}, (options) => iterative('bicgstab', options)),
  hss: iterating(
    'Hermitian and skew-Hermitian splitting of the curvature.',
    { alpha: optional(positive, 1, 'α, best between the extreme eigenvalues of the damped curvature') },
    (options, { alpha }) => hssSolver({ ...options, alpha }),
  ),
  kfacCg: iterating(
    'Conjugate gradients on the damped Gauss–Newton operator; the curvature makes the preconditioner.',
    { progress: known(ofIterations.progress) },
    (options, { progress }) => kfacCg({ ...options, martens: progress === 0 ? null : { epsilon: progress } }),
  ),
  woodbury: row(
    'The captured batch inverted through itself, for layers wider than the batch; takes no curvature.',
    { damping, ...siteSettings },
    ({ damping: lambda, ...own }): Solving => ({ _tag: 'ofCapture', damping: lambda, solver: batchWoodbury(own) }),
  ),
  adam: row(
    'Adam’s direction; takes neither estimator nor curvature.',
    {
      beta1: known(ofAdam.beta1),
      beta2: known(ofAdam.beta2),
      epsilon: known(ofAdam.epsilon),
    },
    (own): Solving => ({ _tag: 'ofGradient', solver: adam(own) }),
  ),
  soap: row(
    'Adam in the eigenbasis of the factors of gradients; it has no λ, and its first step only gathers.',
    {
      every: optional(period, 10, 'steps between two refinements of the basis, or the drift that calls for one'),
      staleness: refresh.staleness,
      beta1: known(withStandard(ofAdam.beta1, 0.95)),
      beta2: known(withStandard(ofAdam.beta2, 0.95)),
      epsilon: known(ofAdam.epsilon),
    },
    ({ staleness, ...own }): Solving => ({
      _tag: 'ofGradients',
      takes: ['gradient'],
      solver: soap({ ...own, overlap: { staleness } }),
    }),
  ),
  muon: row(
    'Orthogonalised momentum for weights of hidden layers, Adam for the rest; takes neither estimator nor curvature.',
    {
      momentum: known(ofMuon.momentum),
      nesterov: known(ofMuon.nesterov),
      iterations: known(ofMuon.iterations),
      scale: known(ofMuon.scale),
      head: known(ofMuon.head),
      adamRate: known(ofMuon.adamRate),
      beta1: known(ofAdam.beta1),
      beta2: known(ofAdam.beta2),
      epsilon: known(ofAdam.epsilon),
    },
    (own): Solving => ({ _tag: 'ofGradient', solver: muon(own) }),
  ),
  identity: row('The gradient itself; takes neither estimator nor curvature.', {}, (): Solving => ({
    _tag: 'ofGradient',
    solver: identity,
  })),
};
