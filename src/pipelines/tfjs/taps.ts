/**
 * Taps: what goes into the sites of a network of TensorFlow.js, and the cotangents that come back through them.
 *
 * A layer's `call` is replaced by one that does the same arithmetic and lets a tensor pass through a function whose gradient is
 * the identity and which remembers what passes. While nothing is recorded the layer's own `call` is all that runs.
 *
 * @module
 */
import type { Tensor as TfTensor, Tensor4D } from '@tensorflow/tfjs-core';
import {
  add,
  conv2d,
  customGrad,
  depthwiseConv2d,
  keep,
  mul,
  ones,
  slice,
  sum as reduceSum,
  zeros,
} from '@tensorflow/tfjs-core';

import type { Shape } from '../../core/tensor.ts';
import type { Activation, AnyLayer, Call, Known, Sited, Weight } from './layers.ts';
import { isAlongLast } from './layers.ts';

/** A site that was passed. Its tensors are kept until {@link discard}. */
export interface Use {
  readonly sited: Sited;
  readonly input: TfTensor;
  readonly shape: Shape;
  cotangent: TfTensor | null;
}

/** What one pass leaves behind. */
export interface Recording {
  /** In the order of the pass; `null` where only the outputs matter. */
  readonly uses: Array<Use> | null;
  /** What went into the last activation each time it ran; kept, as the uses are. */
  readonly logits: Array<TfTensor>;
  /** What went into the network, in order, where that is not known; kept, too. */
  readonly inputs: Array<TfTensor> | null;
}

/** Where taps write. */
export interface Recorder {
  current: Recording | null;
  /** What layers draw from in this step. */
  seed: number;
}

/**
 * An empty recording.
 *
 * @param uses - whether sites are looked at
 * @param inputs - whether what goes in is
 */
export const recording = (uses: boolean, inputs = false): Recording => ({
  uses: uses ? [] : null,
  logits: [],
  inputs: inputs ? [] : null,
});

/** Gives back what a recording has kept. */
export const discard = ({ uses, logits, inputs }: Recording): void => {
  logits.forEach((kept) => kept.dispose());
  inputs?.forEach((input) => input.dispose());
  uses?.forEach(({ input, cotangent }) => {
    input.dispose();
    cotangent?.dispose();
  });
};

const single = (inputs: TfTensor | Array<TfTensor>): TfTensor => (Array.isArray(inputs) ? inputs[0] : inputs);

/**
 * The same values, with a look at the cotangent that comes back.
 *
 * @param x - any tensor
 * @param look - is given a copy, and disposes of it
 */
export const watched = (x: TfTensor, look: (cotangent: TfTensor) => void): TfTensor => {
  const identity = (given: unknown): { value: TfTensor; gradFunc: (cotangent: TfTensor) => TfTensor } => ({
    value: (given as TfTensor).clone(),
    gradFunc: (cotangent) => {
      look(keep(cotangent.clone()));
      return cotangent;
    },
  });
  return customGrad(identity)(x);
};

/** A site that has met its input, whose output has a shape. */
const met = (sited: Sited, input: TfTensor, output: TfTensor): Use => ({
  sited,
  input: keep(sited.arranged(input).clone()),
  shape: sited.outputs(output.shape),
  cotangent: null,
});

/** Gives uses their part of a cotangent: where products are summed, each has it. */
const given = (uses: ReadonlyArray<Use>, cotangent: TfTensor): void => {
  uses.forEach((use) => {
    const { columns } = use.sited;
    const part = columns === undefined ? cotangent.clone() : slice(cotangent, [0, columns.from], [-1, columns.size]);
    use.cotangent = keep(part);
  });
  cotangent.dispose();
};

/** Lets the output of some sites pass, which have met their inputs. */
const pass = ({ uses }: Recording, sites: ReadonlyArray<Sited>, input: TfTensor, output: TfTensor): TfTensor => {
  if (uses === null || sites.length === 0) return output;
  const found = sites.map((sited) => met(sited, input, output));
  uses.push(...found);
  return watched(output, (cotangent) => given(found, cotangent));
};

const linear: Activation = { apply: (x) => x, getClassName: () => 'linear' };

/** Runs with some fields of a layer replaced. */
const replacing = <A>(layer: AnyLayer, fields: Partial<AnyLayer>, run: () => A): A => {
  const before = Object.fromEntries(Object.keys(fields).map((name) => [name, layer[name as keyof AnyLayer]]));
  Object.assign(layer, fields);
  try {
    return run();
  } finally {
    Object.assign(layer, before);
  }
};

/** An activation that notes what it gives. */
const noting = (
  given: Activation | undefined,
): { readonly noted: ReadonlyArray<TfTensor>; readonly activation: Pick<AnyLayer, 'recurrentActivation'> } => {
  const noted: Array<TfTensor> = [];
  if (given === undefined) return { noted, activation: {} };
  const apply = (x: TfTensor): TfTensor => {
    const found = given.apply(x);
    noted.push(found);
    return found;
  };
  return { noted, activation: { recurrentActivation: { apply, getClassName: () => given.getClassName() } } };
};

/** A weight that is read as a tensor. */
const reading = (value: TfTensor): Weight => ({ read: () => value }) as unknown as Weight;

/** A number for each layer and step. */
const seedOf = (seed: number, layer: number): number => Math.imul(seed + 1, 0x9e3779b1) + layer;

/** Where in a network a layer is. */
export interface Standing {
  /** Tells its draws from those of others. */
  readonly number: number;
  /** Whether what goes into its activation goes into the network's last. */
  readonly isLast: boolean;
}

type Tap = (layer: AnyLayer, call: Call, known: Known, standing: Standing) => (r: Recording, seed: number) => Call;

/** What a layer gives for what goes into its activation. */
const activated = ({ activation }: AnyLayer, { isLast }: Standing, { logits }: Recording, sum: TfTensor): TfTensor => {
  if (isLast) logits.push(keep(sum));
  return activation === null || activation === undefined ? sum : activation.apply(sum);
};

const taps: Readonly<Record<Known['place'], Tap>> = {
  beforeActivation:
    (layer, call, { sites }, standing) =>
    (r) =>
    (inputs, keywords) => {
      const sum = single(replacing(layer, { activation: linear }, () => call(inputs, keywords)));
      return activated(layer, standing, r, pass(r, sites, single(inputs), sum));
    },
  separable:
    (layer, call, { sites }, standing) =>
    (r) =>
    (inputs, keywords) => {
      const { depthwiseKernel, pointwiseKernel, bias } = layer;
      if (sites.length === 0 || depthwiseKernel === undefined || pointwiseKernel === undefined) {
        return call(inputs, keywords);
      }
      const through = (weight: Weight, x: TfTensor, output: TfTensor): Tensor4D => {
        const own = sites.filter((sited) => sited.weight === weight);
        return pass(r, own, x, output) as Tensor4D;
      };
      const x = single(inputs) as Tensor4D;
      const [first, second] = [depthwiseKernel, pointwiseKernel].map((each) => each.read() as unknown as Tensor4D);
      const pair = layer.strides as [number, number];
      const rate = layer.dilationRate as [number, number];
      const padding = layer.padding as 'same' | 'valid';
      const between = through(depthwiseKernel, x, depthwiseConv2d(x, first, pair, padding, 'NHWC', rate));
      const product = conv2d(between, second, 1, 'valid');
      const sum = bias === null || bias === undefined ? product : add(product, bias.read());
      return activated(layer, standing, r, through(pointwiseKernel, between, sum));
    },
  lookup:
    (_, call, { sites }) =>
    (r) =>
    (inputs, keywords) =>
      pass(r, sites, single(inputs), single(call(inputs, keywords))),
  normalised:
    (layer, call, { sites }) =>
    (r) =>
    (inputs, keywords) => {
      const x = single(inputs);
      if (sites.length === 0 || !isAlongLast(layer, x.shape.length)) return call(inputs, keywords);
      const { gamma, beta } = layer;
      const like = [...sites[0].weight.shape];
      // Not without them: TF.js has no gradient of a normalisation that has no gain.
      const plain = {
        scale: true,
        center: true,
        gamma: reading(ones(like)),
        beta: reading(zeros(like)),
      };
      const normalised = single(replacing(layer, plain, () => call(inputs, keywords)));
      const scaled = gamma === null || gamma === undefined ? normalised : mul(normalised, gamma.read());
      const shifted = beta === null || beta === undefined ? scaled : add(scaled, beta.read());
      return pass(r, sites, normalised, shifted);
    },
  // A bias is the last that is added to what the gates are made of, and may be one for each example: there the tap is.
  gates:
    (cell, call, { sites }) =>
    (r) =>
    (inputs, keywords) => {
      if (sites.length === 0 || !Array.isArray(inputs)) return call(inputs, keywords);
      const [x, h] = inputs;
      const [{ weight, bias: trained }] = sites;
      const nothing = zeros([x.shape[0], weight.shape[1]]);
      const sum = cell.bias === null || cell.bias === undefined ? nothing : add(nothing, cell.bias.read());
      // Cotangents come back on ways to parameters only: without one of its own the bias has a way to the weight.
      const bias = trained === null ? add(sum, mul(reduceSum(weight.read()), 0)) : sum;
      if (r.uses === null) return replacing(cell, { useBias: true, bias: reading(bias) }, () => call(inputs, keywords));
      const uses: Array<Use> = [];
      const tapped = watched(bias, (cotangent) => given(uses, cotangent));
      const { noted, activation } = noting(cell.recurrentActivation);
      const fields = { useBias: true, bias: reading(tapped), ...activation };
      const result = replacing(cell, fields, () => call(inputs, keywords));
      // Of gated units the second gate is by which the state is multiplied for the candidate.
      const [, reset] = noted;
      const entered = sites.map((_, i) => (i === 0 ? x : i === 1 ? h : mul(reset, h)));
      uses.push(...sites.map((sited, i) => met(sited, entered[i], bias)));
      r.uses.push(...uses);
      return result;
    },
  activation:
    (_, call, _known, { isLast }) =>
    (r) =>
    (inputs, keywords) => {
      if (isLast) r.logits.push(keep(single(inputs)));
      return call(inputs, keywords);
    },
  // The same draws in every pass of one step.
  draws:
    (layer, call, _, { number }) =>
    (_r, seed) =>
    (inputs, keywords) =>
      layer.seed === undefined || layer.seed === null
        ? replacing(layer, { seed: seedOf(seed, number) }, () => call(inputs, keywords))
        : call(inputs, keywords),
};

/**
 * Notes what goes into a network where it goes into one of its layers.
 *
 * @param layer - its `apply` is replaced
 * @param at - which of its inputs
 * @param number - which of the network's
 * @param recorder - where to write
 * @returns how to undo it
 */
export const tapInput = (layer: AnyLayer, at: number, number: number, recorder: Recorder): (() => void) => {
  const apply = layer.apply.bind(layer);
  const own = Object.hasOwn(layer, 'apply') ? layer.apply : null;
  layer.apply = (inputs, keywords) => {
    const given = Array.isArray(inputs) ? (inputs as ReadonlyArray<TfTensor>) : [inputs as TfTensor];
    const noted = recorder.current?.inputs;
    if (noted !== null && noted !== undefined) noted[number] ??= keep(given[at].clone());
    return apply(inputs, keywords);
  };
  return () => {
    if (own === null) delete (layer as Partial<AnyLayer>).apply;
    else layer.apply = own;
  };
};

/**
 * Taps a layer.
 *
 * @param layer - its `call` is replaced
 * @param known - what is known of it
 * @param standing - where it is
 * @param recorder - where to write
 * @returns how to take the tap out again
 */
export const tap = (layer: AnyLayer, known: Known, standing: Standing, recorder: Recorder): (() => void) => {
  const own = Object.hasOwn(layer, 'call') ? layer.call : null;
  const call: Call = layer.call.bind(layer);
  const recorded = taps[known.place](layer, call, known, standing);
  layer.call = (inputs, keywords) =>
    recorder.current === null ? call(inputs, keywords) : recorded(recorder.current, recorder.seed)(inputs, keywords);
  return () => {
    if (own === null) delete (layer as Partial<AnyLayer>).call;
    else layer.call = own;
  };
};
