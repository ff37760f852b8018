/**
 * The update stage that chooses learning rate and momentum by the quadratic model [MG15 §6.4, §7].
 *
 * It costs two J-products, about two forward passes each. Use it with large batches: on small ones the model of the
 * batch is too good and the steps are too long.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as RTE from 'fp-ts/lib/ReaderTaskEither.js';

import { jvp } from '../core/autodiff/forward.ts';
import type { Ops } from '../core/ops/ops.ts';
import type { Params } from '../core/params.ts';
import { mapParams, zipParams } from '../core/params.ts';
import { compute } from '../core/pipeline/compute.ts';
import type { Context } from '../core/pipeline/context.ts';
import type { Env } from '../core/pipeline/env.ts';
import type { Objective } from '../core/pipeline/forward.ts';
import { readScalars } from '../core/pipeline/read.ts';
import type { Stage } from '../core/pipeline/stage.ts';
import { stage } from '../core/pipeline/stage.ts';
import type { Shaped } from '../core/tensor.ts';
import { dampingAt } from './solver.ts';
import type { QuadraticModel } from './quadraticModel.ts';
import { minimiseModel, modelChange, quadraticModelOf, updateNorm } from './quadraticModel.ts';
import { innerProduct } from './rules/innerProduct.ts';
import type { Schedule } from './schedules.ts';

/** Settings of {@link quadraticUpdate}. */
export interface QuadraticUpdateOptions {
  /** λ of the model: the solver's damping, so that both see the same adapted value. */
  readonly damping: number | Schedule;
  /**
   * Fraction of the batch that products with F are taken over, in (0, 1], 1 unless given: the first examples, since
   * batches come in random order. Slopes are always those of the whole batch.
   */
  readonly fraction?: number;
}

type Needs = 'state' | 'batch' | 'gradient' | 'direction' | 'metrics';

/** Name of the rule memory that holds the last update δ₀. */
const lastUpdate = 'lastUpdate';

/** A fraction of the rows, at least one. */
const firstRows = <T extends Shaped>(ops: Ops<T>, x: T, fraction: number): T => {
  const [n, ...row] = x.shape;
  const count = Math.min(n, Math.max(1, Math.round(fraction * n)));
  if (count === n) return x;
  return ops.slice(
    x,
    x.shape.map(() => 0),
    [count, ...row],
  );
};

/** The eight coefficients of the model as scalars. */
const coefficients = <T extends Shaped>(
  ops: Ops<T>,
  objective: Objective,
  context: Context<T, Needs>,
  fraction: number,
  d: Params<T>,
  last: Params<T>,
): ReadonlyArray<T> => {
  const { state, batch, gradient } = context;
  const inputs = firstRows(ops, batch.inputs, fraction);
  const pushed = [d, last].map((v) => jvp(ops, objective.model.program, state.params, v, [inputs]));
  const [image, imageOfLast] = pushed.map(({ tangent }) => tangent);
  const curved = objective.loss.hessianProduct(ops, pushed[0].value, image);
  const curvedLast = objective.loss.hessianProduct(ops, pushed[0].value, imageOfLast);
  const n = inputs.shape[0];
  return [
    ops.scale(1 / n, ops.dot(image, curved)),
    ops.scale(1 / n, ops.dot(imageOfLast, curved)),
    ops.scale(1 / n, ops.dot(imageOfLast, curvedLast)),
    innerProduct(ops, d, d),
    innerProduct(ops, d, last),
    innerProduct(ops, last, last),
    innerProduct(ops, gradient, d),
    innerProduct(ops, gradient, last),
  ];
};

/** The step that a model asks for. */
const takeStep = <T extends Shaped>(
  ops: Ops<T>,
  context: Context<T, Needs>,
  basis: readonly [Params<T>, Params<T>],
  model: QuadraticModel,
  lambda: number,
): Context<T, 'next' | 'predictedChange' | 'metrics'> => {
  const { state, gradient, metrics } = context;
  const minimum = minimiseModel(model, lambda);
  const delta = zipParams(basis[0], basis[1], (d, last) => ops.linearCombination(minimum.alpha, d, minimum.mu, last));
  const predictedChange = modelChange(model, 0, minimum);
  return {
    next: {
      ...state,
      step: state.step + 1,
      params: zipParams(state.params, delta, (p, change) => ops.add(p, change)),
      rules: { ...state.rules, [lastUpdate]: delta },
    },
    predictedChange,
    metrics: {
      ...metrics,
      learningRate: minimum.alpha,
      momentum: minimum.mu,
      predictedChange,
      gradientNorm: ops.sqrt(innerProduct(ops, gradient, gradient)),
      directionNorm: Math.sqrt(model.squares[0]),
      updateNorm: updateNorm(model, minimum),
    },
  };
};

/**
 * θ ← θ + α d + μ δ₀ with d the negative direction, δ₀ the last update and (α, μ) the minimum of the damped model. The
 * predicted change is that of the undamped model, which the Levenberg–Marquardt rule compares with the real one.
 *
 * @param objective - model and loss
 * @param options - damping
 */
export const quadraticUpdate = (
  objective: Objective,
  options: QuadraticUpdateOptions,
): Stage<Needs, 'next' | 'predictedChange' | 'metrics'> =>
  stage('update', <T extends Shaped>(context: Context<T, Needs>) => (env: Env<T>) => {
    const { state, direction } = context;
    const lambda = dampingAt(state, options.damping);
    return pipe(
      compute((ops: Ops<T>) => {
        const d = mapParams(direction, (x) => ops.scale(-1, x));
        const last = state.rules[lastUpdate] ?? mapParams(direction, (x) => ops.full(x.shape, 0));
        return {
          basis: [d, last] as const,
          scalars: coefficients(ops, objective, context, options.fraction ?? 1, d, last),
        };
      }),
      RTE.bind('values', ({ scalars }) => RTE.fromTaskEither(readScalars(env.backend, scalars))),
      RTE.chain(({ basis, values }) =>
        compute((ops: Ops<T>) => takeStep(ops, context, basis, quadraticModelOf(values), lambda)),
      ),
    )(env);
  });
