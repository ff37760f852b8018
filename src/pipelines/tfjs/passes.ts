/**
 * Passes through a network of TensorFlow.js at any weights: outputs, what its sites see, cotangents of sites and parameters.
 *
 * Whatever a pass changes in the network (its weights, running averages of batch normalisation) is as before when it is done.
 *
 * @module
 */
import type { NamedTensorMap, Scalar, Tensor as TfTensor, Variable } from '@tensorflow/tfjs-core';
import { mul, sum, tidy, variableGrads } from '@tensorflow/tfjs-core';

import type { Circumstances } from '../../core/nn/layers/circumstances.ts';
import { arrayAt } from '../../core/nn/layers/circumstances.ts';
import type { Params } from '../../core/params.ts';
import type { Key } from '../../core/random/key.ts';
import type { Shape, Tensor } from '../../core/tensor.ts';
import { sizeOf } from '../../core/tensor.ts';
import type { Sited } from './layers.ts';
import type { Parameter } from './parameters.ts';
import { hosted, lent, returned, variablesOf } from './parameters.ts';
import type { Recorder, Recording, Use } from './taps.ts';
import { followed } from './tangents.ts';
import { discard, recording } from './taps.ts';

/** A site that was passed, in host memory. */
export interface Passed {
  readonly sited: Sited;
  readonly input: Tensor;
  /** As the loss's sum over examples sends them back; zeros where none came. */
  readonly cotangent: Tensor;
}

/** What a pass gave. */
export interface Seen {
  readonly outputs: Tensor;
  readonly sites: ReadonlyArray<Passed>;
}

/** A network as passes need it. */
export interface Network {
  /** The model, from inputs to outputs. */
  readonly apply: (inputs: Array<TfTensor>, training: boolean) => TfTensor;
  /** Names of the batch's arrays that go in, in order. */
  readonly inputs: ReadonlyArray<string>;
  readonly parameters: ReadonlyArray<Parameter>;
  /** Weights that are not trained by gradients. */
  readonly others: ReadonlyArray<Variable>;
  /** What regularisers add to the loss at the weights that there are; none where there are no regularisers. */
  readonly penalties: () => ReadonlyArray<TfTensor>;
  /** Whether the loss is a function of what goes into the last activation. */
  readonly wantsLogits: boolean;
  readonly recorder: Recorder;
  /** Kernels that tangents have been found not to pass; empty until a pass has met one. */
  readonly opaque: Set<string>;
}

/** What layers draw from with a key. */
export const seedOf = (key: Key | null): number => (key === null ? 0 : key.hi ^ key.lo);

/** Zeros in host memory. */
export const zeros = (shape: Shape): Tensor => ({ shape, dtype: 'f32', data: new Float32Array(sizeOf(shape)) });

/** The gradient of a variable in host memory; zeros for one that the value does not depend on. */
export const gradientOf = ({ name, shape }: Variable, grads: NamedTensorMap): Tensor =>
  grads[name] === undefined ? zeros(shape) : hosted(grads[name]);

const passed = ({ sited, input, shape, cotangent }: Use): Passed => ({
  sited,
  input: hosted(input),
  cotangent: cotangent === null ? zeros(shape) : { ...hosted(cotangent), shape },
});

/**
 * What a recording has seen, in host memory.
 *
 * @param recorded - a recording of uses
 */
export const passedIn = ({ uses }: Recording): ReadonlyArray<Passed> => (uses ?? []).map(passed);

/**
 * Runs while taps write into a recording, which is given back.
 *
 * @param network - the network
 * @param into - an empty recording
 * @param key - of the draws of its layers
 * @param run - what runs
 */
export const recorded = <A>(
  { recorder }: Pick<Network, 'recorder'>,
  into: Recording,
  key: Key | null,
  run: () => A,
): A => {
  const before = { current: recorder.current, seed: recorder.seed };
  Object.assign(recorder, { current: into, seed: seedOf(key) });
  try {
    return run();
  } finally {
    Object.assign(recorder, before);
    discard(into);
  }
};

/** Runs, and gives back the tensors that were made; the result holds none, and is not searched for any. */
export const tidily = <A>(work: () => A): A => {
  const found: Array<A> = [];
  tidy(() => {
    found.push(work());
  });
  return found[0];
};

/** Runs at some weights, and puts back all that was there. */
const at = <A>({ parameters, others }: Network, weights: Params<Tensor>, run: () => A): A =>
  tidily(() => {
    const trained = variablesOf(parameters);
    const variables = [...trained, ...others];
    const before = variables.map((variable) => variable.clone());
    try {
      trained.forEach((variable) => variable.assign(returned(parameters, variable, weights)));
      return run();
    } finally {
      variables.forEach((variable, i) => variable.assign(before[i]));
    }
  });

/**
 * The outputs that the loss is a function of.
 *
 * @param network - the network
 * @param recorded - of the pass
 * @param outputs - what the model gave
 */
export const outputsIn = (network: Network, { logits }: Recording, outputs: TfTensor): TfTensor =>
  network.wantsLogits ? (logits.at(-1) ?? outputs) : outputs;

const run = (network: Network, into: Recording, { arrays, key }: Circumstances<Tensor>): TfTensor => {
  const inputs = network.inputs.map((name) => lent(arrayAt(arrays, name, 'model.fit, fitDataset or trainOnBatch')));
  return outputsIn(network, into, network.apply(inputs, key !== null));
};

/**
 * The outputs at some weights.
 *
 * @param network - the network
 * @param weights - by path
 * @param circumstances - batch and key
 */
export const outputsAt = (network: Network, weights: Params<Tensor>, circumstances: Circumstances<Tensor>): Tensor => {
  const into = recording(false);
  return at(network, weights, () =>
    recorded(network, into, circumstances.key, () => hosted(run(network, into, circumstances))),
  );
};

/**
 * J u: which way the outputs move where the weights do. `null` where tangents do not pass, and then `opaque` says why.
 *
 * @param network - the network
 * @param weights - by path
 * @param circumstances - batch and key
 * @param tangents - by path; a weight whose path is absent does not move
 * @param outputs - the shape of the outputs
 */
export const movedAt = (
  network: Network,
  weights: Params<Tensor>,
  circumstances: Circumstances<Tensor>,
  tangents: Params<Tensor>,
  outputs: Shape,
): Tensor | null => {
  const into = recording(false);
  return at(network, weights, () =>
    recorded(network, into, circumstances.key, () => {
      const moving = network.parameters.filter(({ path }) => Object.hasOwn(tangents, path));
      const seeds = variablesOf(moving).map(
        (variable) => [variable, returned(network.parameters, variable, tangents)] as const,
      );
      const { tangent, opaque } = followed(seeds, () => run(network, into, circumstances));
      if (opaque !== null) {
        network.opaque.add(opaque);
        return null;
      }
      return tangent === null ? zeros(outputs) : hosted(tangent);
    }),
  );
};

/**
 * What regularisers add to the loss at some weights.
 *
 * @param network - the network
 * @param weights - by path
 */
export const penaltyAt = (network: Network, weights: Params<Tensor>): number =>
  at(network, weights, () => network.penalties().reduce((sum, each) => sum + each.dataSync()[0], 0));

/**
 * The outputs at some weights, and what the sites see.
 *
 * @param network - the network
 * @param weights - by path
 * @param circumstances - batch and key
 */
export const seenAt = (network: Network, weights: Params<Tensor>, circumstances: Circumstances<Tensor>): Seen => {
  const into = recording(true);
  return at(network, weights, () =>
    recorded(network, into, circumstances.key, () => {
      const outputs = hosted(run(network, into, circumstances));
      return { outputs, sites: passedIn(into) };
    }),
  );
};

/** Cotangents, in the layout of TF.js. */
export interface Pulled {
  readonly params: ReadonlyMap<string, Tensor>;
  readonly sites: ReadonlyArray<Tensor>;
}

/**
 * What a cotangent of the outputs becomes: a pass forwards and one backwards.
 *
 * @param network - the network
 * @param weights - by path
 * @param circumstances - batch and key
 * @param cotangent - in the shape of the outputs
 * @param paths - the parameters whose cotangents are wanted
 */
export const pulledBack = (
  network: Network,
  weights: Params<Tensor>,
  circumstances: Circumstances<Tensor>,
  cotangent: Tensor,
  paths: ReadonlyArray<string>,
): Pulled => {
  const into = recording(true);
  return at(network, weights, () =>
    recorded(network, into, circumstances.key, () => {
      const scaled = (): Scalar => sum(mul(run(network, into, circumstances), lent(cotangent)));
      // Of all parameters, as sites lie on the ways to them.
      const { grads } = variableGrads(scaled, [...variablesOf(network.parameters)]);
      const found = network.parameters.flatMap(({ path, variable }) =>
        paths.includes(path) ? [[path, gradientOf(variable, grads)] as const] : [],
      );
      return { params: new Map(found), sites: passedIn(into).map((each) => each.cotangent) };
    }),
  );
};
