/**
 * The update stage that chooses learning rate and momentum by the quadratic model [MG15 §6.4, §7].
 *
 * It costs two J-products over the sample, about two forward passes each. Use it with large batches: on small ones the
 * model of the batch is too good and the steps are too long.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as RTE from 'fp-ts/lib/ReaderTaskEither.js';

import type { Ops } from '../../core/ops/ops.ts';
import type { Params } from '../../core/params.ts';
import { mapParams, zipParams } from '../../core/params.ts';
import { compute } from '../../core/pipeline/compute.ts';
import type { Context } from '../../core/pipeline/context.ts';
import type { Env } from '../../core/pipeline/env.ts';
import { meanLoss } from '../../core/pipeline/objective.ts';
import { readScalars } from '../../core/pipeline/read.ts';
import type { Stage } from '../../core/pipeline/stage.ts';
import { stage } from '../../core/pipeline/stage.ts';
import { positive } from '../../core/settings.ts';
import type { Shaped } from '../../core/tensor.ts';
import { lastUpdate, lastUpdateIn, modelCoefficients } from './coefficients.ts';
import type { QuadraticModel } from './quadraticModel.ts';
import { minimiseModel, modelChange, quadraticModelOf, updateNorm, withinSlope } from './quadraticModel.ts';
import { innerProduct } from '../../core/ops/innerProduct.ts';

type Needs = 'state' | 'objective' | 'sample' | 'blocks' | 'gradient' | 'direction' | 'damping';

/** The step that a model asks for. */
const takeStep = <T extends Shaped>(
  ops: Ops<T>,
  { state, gradient, direction, damping: lambda }: Context<T, Needs>,
  last: Params<T> | null,
  model: QuadraticModel,
  dtype: 'f32' | 'f64',
  most: number,
): Context<T, 'next' | 'predictedChange' | 'metrics'> => {
  const { at: minimum, scale } = withinSlope(model, minimiseModel(model, lambda, dtype), most);
  const { alpha, mu } = minimum;
  const delta =
    last === null
      ? mapParams(direction, (d) => ops.scale(-alpha, d))
      : zipParams(direction, last, (d, before) => ops.linearCombination(-alpha, d, mu, before));
  const predictedChange = modelChange(model, 0, minimum);
  return {
    next: {
      ...state,
      step: state.step + 1,
      params: zipParams(state.params, delta, (p, change) => ops.add(p, change)),
      rules: { ...state.rules, [lastUpdate.name]: { update: delta } },
    },
    predictedChange,
    metrics: {
      ...(most < Infinity ? { slopeScale: scale } : {}),
      learningRate: alpha,
      momentum: mu,
      predictedChange,
      gradientNorm: ops.sqrt(innerProduct(ops, gradient, gradient)),
      directionNorm: Math.sqrt(model.squares[0]),
      updateNorm: updateNorm(model, minimum),
    },
  };
};

type Updates = Stage<Needs, 'next' | 'predictedChange' | 'metrics'>;

const updateWithin = (kappa: number | null): Updates =>
  stage('update', <T extends Shaped>(context: Context<T, Needs>) => (env: Env<T>) => {
    const { objective, sample } = context;
    const last = lastUpdateIn(env.backend.ops, context);
    return pipe(
      compute((ops: Ops<T>) => [
        ...modelCoefficients(ops, objective.loss, { ...context, last }),
        ...(kappa === null ? [] : [meanLoss(ops, objective.loss, sample.outputs, sample)]),
      ]),
      RTE.chain((scalars) => RTE.fromTaskEither(readScalars(env.backend, scalars))),
      RTE.chain((values) => {
        const most = kappa === null ? Infinity : kappa * Math.abs(values[values.length - 1]);
        return compute((ops: Ops<T>) =>
          takeStep(ops, context, last, quadraticModelOf(values), env.backend.dtype, most),
        );
      }),
    )(env);
  });

/**
 * θ ← θ + α d + μ δ₀ with d the negative direction, δ₀ the last update and (α, μ) the minimum of the damped model, whose
 * products with F are taken over the sample and whose slopes are those of the whole batch. The predicted change is that
 * of the undamped model, which the Levenberg–Marquardt rule compares with the real one.
 */
export const quadraticUpdate: Updates = updateWithin(null);

/**
 * {@link quadraticUpdate} with a bound on what the gradient alone says that a step gains: |∇ᵀδ| ≤ κ |h(θ)|. A loss that is
 * never negative cannot fall by more than it is, whatever a curvature that has vanished (a saturated softmax, dead units)
 * makes of the model; a step that claims more is made shorter.
 *
 * @param kappa - κ, above 0; 1 is what the loss can fall by
 * @example
 * ```ts
 * import { quadraticUpdateWithin } from 'kfac-ts/solvers';
 *
 * quadraticUpdateWithin(1).name; // => 'update'
 * ```
 */
export const quadraticUpdateWithin = (kappa: number): Updates => updateWithin(positive('quadraticUpdate.bound', kappa));
