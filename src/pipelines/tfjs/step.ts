/**
 * One step of a network of TensorFlow.js: TF.js's own pass with its gradient, recorded; then the optimizer's stages from the
 * gradient on.
 *
 * @module
 */
import type { Scalar, Tensor as TfTensor, Variable } from '@tensorflow/tfjs-core';
import { dispose, keep, variableGrads } from '@tensorflow/tfjs-core';

import { multiplied } from '../../core/nn/losses/multiplied.ts';
import type { Loss } from '../../core/nn/losses/loss.ts';
import type { Params } from '../../core/params.ts';
import type { Batch } from '../../core/pipeline/context.ts';
import type { Objective } from '../../core/pipeline/objective.ts';
import type { Key } from '../../core/random/key.ts';
import type { Tensor } from '../../core/tensor.ts';
import { sizeOf } from '../../core/tensor.ts';
import { foreignModel, penaltyOf } from './foreign.ts';
import type { Judged } from './losses.ts';
import { unknownLoss } from './losses.ts';
import type { Measured } from './measured.ts';
import type { AnyModel, Tapped } from './network.ts';
import { inputAt } from './network.ts';
import { hosted, variablesOf } from './parameters.ts';
import { gradientOf, outputsIn, passedIn, recorded, zeros } from './passes.ts';
import { recording, watched } from './taps.ts';

/** A step as TF.js has computed it. */
export interface Taken {
  /** Of TF.js; whoever has it disposes of it. */
  readonly cost: Scalar;
  readonly measured: Measured;
  readonly batch: Batch<Tensor>;
  readonly objective: Objective;
}

/** What the model's loss function was given, and what came back to it. */
interface Judging {
  outputs: TfTensor | null;
  targets: TfTensor | null;
  weights: TfTensor | null;
}

/** Runs while the model's only loss function is looked at. */
const judging = <A>(model: AnyModel, found: Judging, outputsOf: (outputs: TfTensor) => TfTensor, run: () => A): A => {
  const before = model.lossFunctions;
  if (before?.length !== 1) return run();
  model.lossFunctions = [
    (targets, outputs) => {
      found.outputs ??= keep(outputsOf(outputs).clone());
      found.targets ??= keep(targets.clone());
      return watched(before[0](targets, outputs), (cotangent) => {
        found.weights = cotangent;
      });
    },
  ];
  try {
    return run();
  } finally {
    model.lossFunctions = before;
  }
};

/** Weights as they are relative to a mean of 1, and that mean; `null` where all weigh alike. */
const weighing = (cotangent: Tensor): { readonly weights: Tensor | null; readonly mean: number } => {
  const { data, shape } = cotangent;
  const size = sizeOf(shape);
  const sum = Array.from(data).reduce((total, x) => total + x, 0);
  const isEven = shape.length === 0 || Array.from(data).every((x) => Math.abs(x * size - sum) <= 1e-5 * Math.abs(sum));
  return { weights: isEven ? null : cotangent, mean: shape.length === 0 ? 1 : sum };
};

/** A loss of examples whose weights have any mean. */
const inUnits = (loss: Loss, mean: number): Loss =>
  mean > 0 && Math.abs(mean - 1) > 1e-5 ? multiplied(mean, loss) : loss;

/**
 * Takes TF.js's part of a step.
 *
 * @param network - tapped
 * @param model - the model whose loss function the cost calls
 * @param judged - what is known of its loss
 * @param lossName - for errors
 * @param cost - the mean loss
 * @param key - of the step's layers
 */
export const taken = (
  network: Tapped,
  model: AnyModel,
  judged: Judged | null,
  lossName: string,
  cost: () => Scalar,
  key: Key,
): Taken => {
  const into = recording(true, true);
  const found: Judging = { outputs: null, targets: null, weights: null };
  try {
    return recorded(network, into, key, () => {
      const variables: Array<Variable> = [...variablesOf(network.parameters)];
      const { value, grads } = judging(
        model,
        found,
        (outputs) => outputsIn(network, into, outputs),
        () => variableGrads(cost, variables),
      );
      const gradient: Params<Tensor> = Object.fromEntries(
        network.parameters.map(({ path, variable }) => [path, gradientOf(variable, grads)]),
      );
      dispose(grads);
      const sites = passedIn(into);
      const examples = found.outputs?.shape[0] ?? sites[0]?.input.shape[0] ?? 1;
      // Without known outputs their first axis still counts examples.
      const outputs = found.outputs === null ? zeros([examples, 1]) : hosted(found.outputs);
      const { weights, mean } = weighing(
        found.weights === null ? { shape: [], dtype: 'f32', data: Float32Array.of(1) } : hosted(found.weights),
      );
      const inputs = (into.inputs ?? []).map((input, i) => [inputAt(i), hosted(input)] as const);
      const loss = judged === null ? unknownLoss(lossName) : inUnits(judged.lossFor(outputs.shape), mean);
      const targets =
        judged === null || found.targets === null
          ? zeros([examples])
          : judged.targets(hosted(found.targets), outputs.shape);
      return {
        cost: value,
        measured: { loss: value.dataSync()[0], gradient, seen: { outputs, sites } },
        batch: { ...Object.fromEntries(inputs), targets, ...(weights === null ? {} : { weights }) },
        objective: { model: foreignModel(network.name, network), loss, ...penaltyOf(network) },
      };
    });
  } finally {
    [found.outputs, found.targets, found.weights].forEach((kept) => kept?.dispose());
  }
};
