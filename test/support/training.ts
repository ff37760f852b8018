/**
 * Small networks and single steps on the reference interpreter.
 *
 * @module
 */
import { evaluating } from '../../src/core/nn/layers/circumstances.ts';
import * as E from 'fp-ts/lib/Either.js';

import type { Backend } from '../../src/core/backends/backend.ts';
import { referenceBackend } from '../../src/core/backends/reference/backend.ts';
import type { KfacError } from '../../src/core/errors.ts';
import { describeError } from '../../src/core/errors.ts';
import { activation } from '../../src/core/nn/layers/activation.ts';
import { dense } from '../../src/core/nn/layers/dense.ts';
import type { Model } from '../../src/core/nn/model.ts';
import { initialParams, model } from '../../src/core/nn/model.ts';
import { sequential } from '../../src/core/nn/layers/sequential.ts';
import type { Objective } from '../../src/core/pipeline/objective.ts';
import { squaredError } from '../../src/core/nn/losses/squaredError.ts';
import type { Batch, Context, Given } from '../../src/core/pipeline/context.ts';
import type { Env } from '../../src/core/pipeline/env.ts';
import type { Field } from '../../src/core/pipeline/context.ts';
import type { Stage } from '../../src/core/pipeline/stage.ts';
import type { TrainState } from '../../src/core/pipeline/trainState.ts';
import { initialState } from '../../src/core/pipeline/trainState.ts';
import { keyOf } from '../../src/core/random/key.ts';
import { normal } from '../../src/core/random/normal.ts';
import type { Tensor } from '../../src/core/tensor.ts';

/** The value of a computation that must succeed. */
export const orThrow = <A>(result: E.Either<KfacError, A>): A => {
  if (E.isLeft(result)) throw new Error(describeError(result.left));
  return result.right;
};

/** An environment on the reference interpreter, with a clock that stands still. */
export const referenceEnv = (): Env<Tensor> => ({ backend: referenceBackend(), clock: () => 0 });

/** A multilayer perceptron with an activation between its dense layers. */
export const mlp = (widths: ReadonlyArray<number>, kind: 'tanh' | 'identity' | 'relu' = 'tanh', bias = true): Model =>
  model(
    'mlp',
    [widths[0]],
    sequential(
      widths.slice(1).flatMap((out, i) => {
        const layer = dense({ in: widths[i], out, bias });
        return i === widths.length - 2 ? [layer] : [layer, activation(kind)];
      }),
    ),
  );

/** Normal draws `[n, d]` in f64. */
export const gaussian = (seed: number, shape: ReadonlyArray<number>): Tensor => normal(keyOf(seed), shape, 'f64');

/** Initial state of a model, in f64, with small random biases so that nothing is zero by accident. */
export const stateOf = (m: Model, seed: number): TrainState<Tensor> => {
  const params = initialParams(m, keyOf(seed), 'f64');
  const noisy = Object.entries(params).map(([path, p], i): readonly [string, Tensor] => [
    path,
    path.endsWith('bias') ? normal(keyOf(seed + i + 1), p.shape, 'f64') : p,
  ]);
  return initialState(Object.fromEntries(noisy), keyOf(seed));
};

/** What a step is given that brings its own objective. */
export const none: Objective = {
  model: mlp([1, 1]),
  loss: squaredError,
};

/** Runs a stage that brings its own objective, from the given fields, and expects success. */
export const runStage = async <Adds extends Field>(
  stage: Stage<Given, Adds>,
  state: TrainState<Tensor>,
  batch: Batch<Tensor>,
  env: Env<Tensor> = referenceEnv(),
): Promise<Context<Tensor, Adds>> => orThrow(await stage.run<Tensor>({ state, batch, objective: none })(env)());

/** Like {@link runStage}, without the expectation. */
export const tryStage = <Adds extends Field>(
  stage: Stage<Given, Adds>,
  state: TrainState<Tensor>,
  batch: Batch<Tensor>,
  env: Env<Tensor> = referenceEnv(),
): Promise<E.Either<KfacError, Context<Tensor, Adds>>> => stage.run<Tensor>({ state, batch, objective: none })(env)();

/** Outputs of a model. */
export const outputsOf = (
  backend: Backend<Tensor>,
  objective: Objective,
  state: TrainState<Tensor>,
  x: Tensor,
): Tensor => objective.model.program(backend.ops, state.params, evaluating({ inputs: x }));
