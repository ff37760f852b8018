/**
 * An optimizer from configuration: estimator, curvature, solver and update put together into a training step.
 *
 * What does not go together (a solver that does not take the curvature, Levenberg–Marquardt without a quadratic model) is
 * refused here, before anything runs, with the setting that would have to change.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as t from 'io-ts';

import type { Descent, FromGradient } from '../../../core/pipeline/descent.ts';
import { descent } from '../../../core/pipeline/descent.ts';
import type { Stage } from '../../../core/pipeline/stage.ts';
import { capture } from '../../../curvature/capture.ts';
import { captureGradient } from '../../../curvature/captureGradient.ts';
import { updateFactors } from '../../../curvature/curvature.ts';
import type { Equilibration } from '../../../curvature/equilibrate.ts';
import { equilibrate, equilibrations } from '../../../curvature/equilibrate.ts';
import { sample } from '../../../curvature/sample.ts';
import { burnIn } from '../../../solvers/update/burnIn.ts';
import { averageIterates } from '../../../solvers/update/iterateAveraging.ts';
import { crossBatchDamping } from '../../../solvers/quadraticModel/crossBatchDamping.ts';
import { levenbergMarquardt } from '../../../solvers/quadraticModel/levenbergMarquardt.ts';
import { normConstraint } from '../../../solvers/update/normConstraint.ts';
import type { GradientOptimizer } from '../../../solvers/presets/optimizer.ts';
import { gradientOptimizer } from '../../../solvers/presets/optimizer.ts';
import { quadraticUpdateWithin, updateByModel } from '../../../solvers/quadraticModel/quadraticUpdate.ts';
import { damp } from '../../../solvers/solver/damp.ts';
import { solve } from '../../../solvers/solver/solver.ts';
import { update } from '../../../solvers/update/update.ts';
import { decoder, named, nameText, oneOf } from '../codecs/codecs.ts';
import type { Curved, Form, Looking } from './curvatures.ts';
import { curvatures, estimators } from './curvatures.ts';
import type { Row, Table } from './setting.ts';
import { group, optional, orNone, partIn, record, required, row } from './setting.ts';
import type { Inverting, Solving } from './solvers.ts';
import { inverses, solvers } from './solvers.ts';
import type { Updating } from './updates.ts';
import { updating } from './updates.ts';

/** Parts of an optimizer, as they were given. */
export interface Composition {
  readonly name: string;
  readonly estimator: Looking | null;
  readonly curvature: Curved | null;
  /** What shares a unit of curvature. */
  readonly equilibrate: Equilibration;
  readonly solver: Solving;
  readonly update: Updating;
}

/** A composition. */
export const composition: Row<Composition> = row(
  'An optimizer of parts.',
  {
    name: optional(nameText, 'composed', 'what reports call it'),
    estimator: optional(
      orNone(partIn('an estimator', () => estimators)),
      null,
      'which cotangents feed the statistics',
      'none',
    ),
    curvature: optional(
      orNone(partIn('a curvature', () => curvatures)),
      null,
      'what is made of the statistics',
      'none',
    ),
    equilibrate: optional<Equilibration>(
      oneOf(equilibrations),
      'none',
      'parameters that share a unit of curvature, of which λ is then a fraction; needs an estimator and a curvature',
    ),
    solver: required(
      partIn('a solver', () => solvers),
      'from the gradient to a direction',
    ),
    update: group(updating, 'a learning rate of 1'),
  },
  (parts) => parts,
);

/** Parts that go together. */
type Fitting =
  | { readonly _tag: 'ofCurvature'; readonly looking: Looking; readonly curved: Curved; readonly solving: OfCurvature }
  | { readonly _tag: 'ofGradients'; readonly curved: OfGradients; readonly solving: OfCurvature }
  | { readonly _tag: 'undamped'; readonly curved: OfGradients; readonly solving: Undamped }
  | { readonly _tag: 'ofCapture'; readonly looking: Looking; readonly solving: OfCapture }
  | { readonly _tag: 'ofGradient'; readonly solving: OfGradient };

type OfGradients = Extract<Curved, { readonly form: 'gradient' }>;
type OfCurvature = Extract<Solving, { readonly _tag: 'ofCurvature' }>;
type Undamped = Extract<Solving, { readonly _tag: 'ofGradients' }>;
type OfCapture = Extract<Solving, { readonly _tag: 'ofCapture' }>;
type OfGradient = Extract<Solving, { readonly _tag: 'ofGradient' }>;

/** A setting that does not go with the others: its path, and what would. */
interface Refusal {
  readonly path: string;
  readonly expected: string;
}

const refuse = (path: string, expected: string): E.Either<Refusal, never> => E.left({ path, expected });

/** Names of the solvers, or of the preconditioners, that take a form of curvature. */
const takersOf = (by: OfCurvature['by'], form: Form): ReadonlyArray<string> => {
  const table: Table<Solving | Inverting> = by === 'solver' ? solvers : inverses;
  return Object.entries(table)
    .filter(([, { validate }]) =>
      pipe(
        validate({}, []),
        E.exists((made) => 'takes' in made && made.takes.includes(form)),
      ),
    )
    .map(([name]) => name);
};

/** What would take a curvature in the place of a solver that does not: a preconditioner, or where there is none a solver. */
const refuseTaker = (by: OfCurvature['by'], form: Form): E.Either<Refusal, never> => {
  const place = takersOf(by, form).length === 0 ? 'solver' : by;
  return refuse(place, `one of ${takersOf(place, form).join(', ')} with this curvature`);
};

/** Estimator, curvature and solver, if they go together. */
const fitting = ({ estimator, curvature, solver }: Composition): E.Either<Refusal, Fitting> => {
  switch (solver._tag) {
    case 'ofCurvature':
      if (curvature === null) return refuse('curvature', `one of ${Object.keys(curvatures).join(', ')}`);
      if (!solver.takes.includes(curvature.form)) return refuseTaker(solver.by, curvature.form);
      if (curvature.form === 'gradient') {
        return estimator === null
          ? E.right({ _tag: 'ofGradients', curved: curvature, solving: solver })
          : refuse('estimator', 'none with this curvature');
      }
      return estimator === null
        ? refuse('estimator', `one of ${Object.keys(estimators).join(', ')}`)
        : E.right({ _tag: solver._tag, looking: estimator, curved: curvature, solving: solver });
    case 'ofGradients':
      if (curvature === null) return refuse('curvature', 'gradientFactors with this solver');
      if (curvature.form !== 'gradient') return refuseTaker('solver', curvature.form);
      return estimator === null
        ? E.right({ _tag: 'undamped', curved: curvature, solving: solver })
        : refuse('estimator', 'none with this solver');
    case 'ofCapture':
      if (estimator === null) return refuse('estimator', `one of ${Object.keys(estimators).join(', ')}`);
      return curvature === null
        ? E.right({ _tag: solver._tag, looking: estimator, solving: solver })
        : refuse('curvature', 'none with this solver');
    case 'ofGradient':
      if (curvature !== null) return refuse('curvature', 'none with this solver');
      return estimator === null
        ? E.right({ _tag: solver._tag, solving: solver })
        : refuse('estimator', 'none with this solver');
  }
};

/** What is wrong with units or an update after a curvature and a solver, or `null`. */
const wrongUpdate = ({ curvature, equilibrate: by, solver, update: own }: Composition): Refusal | null => {
  const {
    quadraticModel,
    levenbergMarquardt: adapting,
    crossBatchDamping: judging,
    rules,
    normConstraint: bound,
  } = own;
  if (by !== 'none' && (curvature === null || curvature.form === 'gradient')) {
    return { path: 'equilibrate', expected: 'none without a curvature of captured statistics' };
  }
  if (adapting !== null && quadraticModel === null) {
    return { path: 'update.levenbergMarquardt', expected: 'false without quadraticModel' };
  }
  const { minimum = 0, maximum = Infinity } = adapting ?? {};
  if (minimum > maximum) {
    return { path: 'update.levenbergMarquardt.minimum', expected: `at most the maximum, ${maximum}` };
  }
  if (judging !== null && quadraticModel === null) {
    return { path: 'update.crossBatchDamping', expected: 'false without quadraticModel' };
  }
  if (judging !== null && adapting !== null) {
    return { path: 'update.crossBatchDamping', expected: 'false with levenbergMarquardt' };
  }
  const { minimum: least = 0, maximum: most = Infinity } = judging ?? {};
  if (least > most) return { path: 'update.crossBatchDamping.minimum', expected: `at most the maximum, ${most}` };
  const { low = 0, high = Infinity } = judging ?? {};
  if (low > high) return { path: 'update.crossBatchDamping.low', expected: `at most the high, ${high}` };
  if (quadraticModel?.momentum === 'model' && rules.length > 0) {
    return { path: 'update.rules', expected: 'no rules with quadraticModel, unless its momentum is rules' };
  }
  if (new Set(rules.map(({ name }) => name)).size < rules.length) {
    return { path: 'update.rules', expected: 'rules whose names differ; name tells two of one kind apart' };
  }
  if (quadraticModel !== null && (solver._tag === 'ofGradient' || solver._tag === 'ofGradients')) {
    return { path: 'update.quadraticModel', expected: 'false with a solver that has no damping' };
  }
  return bound !== null && solver._tag !== 'ofCurvature'
    ? { path: 'update.normConstraint', expected: 'false without a curvature' }
    : null;
};

/** A stage from which every update can go on. */
type Directed = Stage<FromGradient, FromGradient | 'direction'>;

/** One that has a damping, too. */
type Damped = Stage<FromGradient, FromGradient | 'damping' | 'direction'>;

/** λ of a step: the schedule's, or from it on the adapted one. */
const lambdaOf = (
  { damping }: OfCurvature | OfCapture,
  { levenbergMarquardt: adapting, crossBatchDamping: judging }: Updating,
) => damp(adapting === null && judging === null ? damping : damping(0));

/** From the gradient to a direction by statistics of gradients. */
const dampedOfGradients = (
  { curved: { curvature, every }, solving }: Extract<Fitting, { readonly _tag: 'ofGradients' }>,
  own: Updating,
): Damped => {
  const { normConstraint: bound, learningRate } = own;
  const solved = descent(
    captureGradient({ every }),
    updateFactors(curvature),
    lambdaOf(solving, own),
    solve(solving.solver),
  );
  return bound === null ? solved : descent(solved, normConstraint({ bound, learningRate }));
};

/** From the gradient to a direction with curvature. */
const damped = (
  fit: Exclude<Fitting, { readonly _tag: 'ofGradient' | 'undamped' }>,
  own: Updating,
  by: Equilibration,
): Damped => {
  if (fit._tag === 'ofGradients') return dampedOfGradients(fit, own);
  const { normConstraint: bound, learningRate } = own;
  const { every, fraction, estimator, ...holding } = fit.looking;
  const captured = descent(
    sample({ fraction, every }),
    capture(estimator, { every, ...holding }),
    lambdaOf(fit.solving, own),
  );
  if (fit._tag === 'ofCapture') return descent(captured, solve(fit.solving.solver));
  const { curvature } = fit.curved;
  const { every: period, solver } = fit.solving;
  const solved =
    by === 'none'
      ? descent(captured, updateFactors(curvature), solve(solver))
      : descent(captured, updateFactors(curvature), equilibrate({ by, every: period }), solve(solver));
  return bound === null ? solved : descent(solved, normConstraint({ bound, learningRate }));
};

const directed = (fit: Fitting, own: Updating, by: Equilibration): Directed => {
  if (fit._tag === 'ofGradient') return descent(solve(fit.solving.solver));
  if (fit._tag !== 'undamped') return damped(fit, own, by);
  const { curvature, every } = fit.curved;
  return descent(captureGradient({ every }), updateFactors(curvature), solve(fit.solving.solver));
};

/** From a direction to the next state. */
const updated = (fit: Fitting, own: Updating, by: Equilibration): Descent => {
  const { learningRate, rules, quadraticModel, levenbergMarquardt: adapting, crossBatchDamping: judging } = own;
  if (quadraticModel === null || fit._tag === 'ofGradient' || fit._tag === 'undamped') {
    return descent(directed(fit, own, by), update({ learningRate, rules }));
  }
  const { fraction, bound, every, momentum } = quadraticModel;
  const taken =
    momentum === 'rules'
      ? updateByModel({ learningRate, rules, lossBound: bound ?? Infinity, every })
      : quadraticUpdateWithin(bound, every);
  // Where all that look at the sample do so in the same steps, there is none to be drawn in the others.
  const shared = (judging ?? adapting ?? { every }).every === every;
  const moved = descent(damped(fit, own, by), sample({ fraction, every: shared ? every : 1 }), taken);
  if (judging !== null) return descent(moved, crossBatchDamping(judging));
  return adapting === null ? moved : descent(moved, levenbergMarquardt(adapting));
};

const descentOf = (fit: Fitting, own: Updating, by: Equilibration): Descent => {
  const moved = updated(fit, own, by);
  const { burnIn: steps, iterateAveraging: averaging } = own;
  const burnt = steps === 0 ? moved : descent(moved, burnIn(steps));
  return averaging === null ? burnt : descent(burnt, averageIterates(averaging));
};

/** Settings as they were given, by path. */
const flattened = (value: unknown, path = ''): ReadonlyArray<readonly [string, number | string | boolean]> => {
  if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean') return [[path, value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => flattened(inner, path === '' ? key : `${path}.${key}`));
};

const optimizerOf = (parts: Composition, given: unknown): E.Either<Refusal, GradientOptimizer> => {
  const wrong = wrongUpdate(parts);
  return pipe(
    fitting(parts),
    E.chain((fit) => (wrong === null ? E.right(fit) : E.left(wrong))),
    E.map((fit) =>
      gradientOptimizer({
        name: parts.name,
        hyperparameters: Object.fromEntries(flattened(given)),
        parts: given,
        descent: descentOf(fit, parts.update, parts.equilibrate),
      }),
    ),
  );
};

const parts = record('a record with a solver', composition);

/** The value at a path of records. */
const valueAt = (value: unknown, path: string): unknown =>
  path.split('.').reduce((inner: unknown, key) => (t.UnknownRecord.is(inner) ? inner[key] : undefined), value);

/** A composition as an optimizer. */
export const composed: t.Type<GradientOptimizer> = decoder(parts.name, (value, context) =>
  pipe(
    parts.validate(value, context),
    E.chain((made) =>
      pipe(
        optimizerOf(made, value),
        E.orElse(({ path, expected }) =>
          t.failure<GradientOptimizer>(valueAt(value, path), t.appendContext(context, path, named(expected))),
        ),
      ),
    ),
  ),
);
