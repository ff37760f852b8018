/**
 * Solvers from configuration, each with the forms of curvature that it takes.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import * as t from 'io-ts';

import type { BatchWoodburyNeeds } from '../../../solvers/inverses/batchWoodbury.ts';
import { batchWoodbury } from '../../../solvers/inverses/batchWoodbury.ts';
import { choleskySolve } from '../../../solvers/inverses/choleskySolve.ts';
import type { ClassWiseMethod } from '../../../solvers/inverses/classWiseInverse.ts';
import { classWiseInverse, invertClassWise } from '../../../solvers/inverses/classWiseInverse.ts';
import { denseInverse, invertDensely } from '../../../solvers/inverses/denseInverse.ts';
import { eigen, invertInEigenbasis } from '../../../solvers/inverses/eigen.ts';
import type { EkfacNeeds } from '../../../solvers/inverses/ekfac.ts';
import { ekfac } from '../../../solvers/inverses/ekfac.ts';
import type { FirstOrderNeeds } from '../../../solvers/solver/firstOrder.ts';
import { adam, identity } from '../../../solvers/solver/firstOrder.ts';
import { hssSolver } from '../../../solvers/iterative/hssSolver.ts';
import { iterative } from '../../../solvers/iterative/iterative.ts';
import type { KfacCgNeeds } from '../../../solvers/iterative/kfacCg.ts';
import { kfacCg } from '../../../solvers/iterative/kfacCg.ts';
import { invertFactors, kroneckerInverse } from '../../../solvers/inverses/kroneckerInverse.ts';
import { invertLowRank, lowRankInverse } from '../../../solvers/inverses/lowRankInverse.ts';
import { newtonSchulz } from '../../../solvers/inverses/newtonSchulz.ts';
import type { Period, RefreshOptions } from '../../../solvers/solver/refresh.ts';
import type { Schedule } from '../../../solvers/schedules.ts';
import { constant } from '../../../solvers/schedules.ts';
import type { Prepare, Solver } from '../../../solvers/solver/solver.ts';
import { invertSuitably, suitableInverse } from '../../../solvers/inverses/suitableInverse.ts';
import { invertTridiagonal, tridiagonalInverse } from '../../../solvers/inverses/tridiagonalInverse.ts';
import { twoTermSolver } from '../../../solvers/inverses/twoTermSolver.ts';
import { belowOne, decoder, notNegative, oneOf, positive, wholeFrom } from '../codecs/codecs.ts';
import type { Form } from './curvatures.ts';
import { forms, siteSettings } from './curvatures.ts';
import { schedule } from './schedules.ts';
import type { Row, Settings, Table } from './setting.ts';
import { optional, orNone, partIn, record, required, row } from './setting.ts';

/** A solver of a composition: of a curvature, of the captured batch alone, or of the gradient alone. */
export type Solving =
  | {
      readonly _tag: 'ofCurvature';
      /** Forms of curvature that it takes. */
      readonly takes: ReadonlyArray<Form>;
      readonly damping: Schedule;
      readonly solver: Solver<EkfacNeeds | KfacCgNeeds>;
    }
  | { readonly _tag: 'ofCapture'; readonly damping: Schedule; readonly solver: Solver<BatchWoodburyNeeds> }
  | { readonly _tag: 'ofGradient'; readonly solver: Solver<FirstOrderNeeds> };

const drift: t.Type<Period> = record(
  'a whole number of steps, or a record with drift',
  row(
    '',
    {
      drift: required(positive, ''),
      atLeast: optional(wholeFrom(1), 1, ''),
      atMost: optional(wholeFrom(1), 50, ''),
    },
    (period): Period => period,
  ),
);

const period: t.Type<Period> = decoder(drift.name, (value, context) =>
  typeof value === 'number' ? wholeFrom(1).validate(value, context) : drift.validate(value, context),
);

const siteFactors: t.Type<Readonly<Record<string, number>>> = t.record(t.string, positive, 'numbers by path of a site');

const damping = optional(schedule, constant(1), 'λ, in units of the loss per example', '1');

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

/** A solver that prepares. */
const preparing = <P extends Settings>(
  description: string,
  takes: ReadonlyArray<Form>,
  own: P,
  make: (options: RefreshOptions, own: t.TypeOfProps<P>) => Solver<EkfacNeeds | KfacCgNeeds>,
): Row<Solving> => {
  const shared = row<typeof refresh, RefreshOptions>('', refresh, refreshOf);
  const lambda = row('', { damping }, (settings) => settings);
  const special = row<P, t.TypeOfProps<P>>('', own, (settings) => settings);
  return {
    description,
    settings: { ...lambda.settings, ...shared.settings, ...special.settings },
    validate: (value, context) =>
      pipe(
        E.Do,
        E.apS('lambda', lambda.validate(value, context)),
        E.apS('options', shared.validate(value, context)),
        E.apS('settings', special.validate(value, context)),
        E.map(({ lambda: { damping: own }, options, settings }): Solving => ({
          _tag: 'ofCurvature',
          takes,
          damping: own,
          solver: make(options, settings),
        })),
      ),
  };
};

const range = {
  rank: optional(wholeFrom(1), 64, 'eigenvectors kept of each factor'),
  oversampling: optional(wholeFrom(0), 10, 'random columns on top of the rank'),
  powerIterations: optional(wholeFrom(0), 1, 'products that sharpen the range'),
};

const methods: ReadonlyArray<ClassWiseMethod> = ['auto', 'cg', 'nearest'];

/** Every preconditioner of the iterative solvers. */
export const preconditioners: Table<Prepare> = {
  suitable: row('Each part of the curvature by the inverse that suits it.', {}, (): Prepare => invertSuitably),
  kroneckerInverse: row('Inverses of the damped factors.', {}, (): Prepare => invertFactors),
  eigen: row(
    'Exact damping in the eigenbasis.',
    {},
    (): Prepare => (backend, operator, lambda) =>
      pipe(
        invertInEigenbasis(backend, operator, lambda),
        TE.map((prepared) => prepared.operator),
      ),
  ),
  lowRank: row('Factors of low rank.', range, (options): Prepare => invertLowRank(options)),
  dense: row('Full inverses of the blocks.', {}, (): Prepare => invertDensely),
  tridiagonal: row('The block-tridiagonal inverse.', {}, (): Prepare => invertTridiagonal),
  classWise: row(
    'Two terms, or the nearest Kronecker product.',
    {},
    (): Prepare => (backend, operator, lambda) => invertClassWise(backend, operator, lambda),
  ),
};

const krylov = {
  preconditioner: optional<Prepare | null>(
    orNone(partIn('a preconditioner', () => preconditioners)),
    invertSuitably,
    'stands for the inverse',
    'suitable',
  ),
  maxIterations: optional(wholeFrom(1), 100, 'iterations per step at most'),
  tolerance: optional(notNegative, 1e-6, 'relative residual at which the iteration stops'),
  warmStart: optional(notNegative, 0.95, 'ζ, the part of the last direction that the iteration starts from'),
};

const krylovOf = (options: RefreshOptions, own: t.TypeOfProps<typeof krylov>) => {
  const { preconditioner, maxIterations, tolerance, warmStart } = own;
  return { ...options, prepare: preconditioner, maxIterations, tolerance, warmStart };
};

const iterating = (description: string, method: 'cg' | 'minres' | 'gmres' | 'bicgstab'): Row<Solving> =>
  preparing(description, forms, krylov, (options, own) => iterative(method, krylovOf(options, own)));

/** Every solver. */
export const solvers: Table<Solving> = {
  kroneckerInverse: preparing('Inverses of the damped factors.', byFactors, {}, (options) => kroneckerInverse(options)),
  choleskySolve: preparing('Cholesky factors of the damped factors, and triangular solves.', byFactors, {}, (options) =>
    choleskySolve(options),
  ),
  newtonSchulz: preparing(
    'Inverses by matrix products alone.',
    byFactors,
    {
      tolerance: optional(positive, 1e-6, 'residual at which the iteration ends'),
      iterations: optional(wholeFrom(1), 40, 'iterations for one factor at most'),
    },
    (options, own) => newtonSchulz({ ...options, ...own }),
  ),
  lowRank: preparing('Factors of low rank, applied by Woodbury’s formula.', byFactors, range, (options, own) =>
    lowRankInverse({ ...options, ...own }),
  ),
  eigen: preparing('Exact damping in the eigenbasis of the factors.', byFactors, {}, (options) => eigen(options)),
  ekfac: preparing(
    'Second moments in the eigenbasis, taken with every capture.',
    byFactors,
    { decay: optional(belowOne, 0.95, 'ρ of the average of the second moments') },
    (options, own) => ekfac({ ...options, ...own }),
  ),
  dense: preparing(
    'Each block as a full matrix: for small models.',
    [...byFactors, 'twoClasses', 'classes'],
    {},
    (options) => denseInverse(options),
  ),
  twoTerm: preparing('Sums of two Kronecker products by their factors.', [...byFactors, 'twoClasses'], {}, (options) =>
    twoTermSolver(options),
  ),
  classWise: preparing(
    'Sums of Kronecker products by conjugate gradients.',
    [...byFactors, 'twoClasses', 'classes'],
    {
      method: optional<ClassWiseMethod>(oneOf(methods), 'auto', 'how sums are solved'),
      tolerance: optional(notNegative, 1e-4, 'relative residual at which the iteration stops'),
      maxIterations: optional(wholeFrom(1), 20, 'iterations of a block at most'),
    },
    (options, own) => classWiseInverse({ ...options, ...own }),
  ),
  tridiagonal: preparing('The block-tridiagonal inverse.', ['chain', 'product', 'diagonal', 'full'], {}, (options) =>
    tridiagonalInverse(options),
  ),
  suitable: preparing('Each part of the curvature by the inverse that suits it.', forms, {}, (options) =>
    suitableInverse(options),
  ),
  cg: iterating('Conjugate gradients on the curvature.', 'cg'),
  minres: iterating('MINRES on the curvature.', 'minres'),
  gmres: iterating('Restarted GMRES on the curvature.', 'gmres'),
  bicgstab: iterating('BiCGSTAB on the curvature.', 'bicgstab'),
  hss: preparing(
    'Hermitian and skew-Hermitian splitting of the curvature.',
    forms,
    { ...krylov, alpha: optional(positive, 1, 'α, best between the extreme eigenvalues of the damped curvature') },
    (options, own) => hssSolver({ ...krylovOf(options, own), alpha: own.alpha }),
  ),
  kfacCg: preparing(
    'Conjugate gradients on the damped Gauss–Newton operator; the curvature makes the preconditioner.',
    forms,
    { ...krylov, progress: optional(notNegative, 5e-4, 'ε of Martens’ stopping rule; 0 switches it off') },
    (options, own) =>
      kfacCg({
        ...krylovOf(options, own),
        martens: own.progress === 0 ? null : { epsilon: own.progress },
      }),
  ),
  woodbury: row(
    'The captured batch inverted through itself, for layers wider than the batch; takes no curvature.',
    { damping, ...siteSettings },
    ({ damping: lambda, ...own }): Solving => ({ _tag: 'ofCapture', damping: lambda, solver: batchWoodbury(own) }),
  ),
  adam: row(
    'Adam’s direction; takes neither estimator nor curvature.',
    {
      beta1: optional(belowOne, 0.9, 'β₁ of the first moment'),
      beta2: optional(belowOne, 0.999, 'β₂ of the second moment'),
      epsilon: optional(positive, 1e-8, 'ε added to the root of the second moment'),
    },
    (own): Solving => ({ _tag: 'ofGradient', solver: adam(own) }),
  ),
  identity: row('The gradient itself; takes neither estimator nor curvature.', {}, (): Solving => ({
    _tag: 'ofGradient',
    solver: identity,
  })),
};
