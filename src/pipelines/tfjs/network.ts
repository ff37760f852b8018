/**
 * The network of a `tf.LayersModel`: its layers tapped, its weights as parameters.
 *
 * @module
 */
import type { Tensor as TfTensor, Variable } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';

import type { KfacError } from '../../core/errors.ts';
import { raise } from '../../core/errors.ts';
import type { AnyLayer, Weight } from './layers.ts';
import { lastOf, leavesOf } from './layers.ts';
import type { Parameter, Part } from './parameters.ts';
import { parametersOf, partsOf, pathsOf } from './parameters.ts';
import type { Network } from './passes.ts';
import type { Recorder } from './taps.ts';
import { tap, tapInput } from './taps.ts';

/** A model, as far as it is looked at. */
export interface AnyModel extends AnyLayer {
  readonly weights: ReadonlyArray<Weight>;
  readonly trainableWeights: ReadonlyArray<Weight>;
  readonly inputs: ReadonlyArray<unknown> | undefined;
  readonly outputs: ReadonlyArray<unknown> | undefined;
  readonly loss: unknown;
  lossFunctions: ReadonlyArray<(targets: TfTensor, outputs: TfTensor) => TfTensor>;
  readonly calculateLosses: () => ReadonlyArray<TfTensor>;
  /** What a sequential model leaves its work to. */
  readonly model?: AnyModel;
  readonly optimizer: unknown;
  trainOnBatch: (...given: ReadonlyArray<unknown>) => Promise<unknown>;
}

/** A model with the fields that TF.js declares to be its own. */
export const opened = (model: LayersModel): AnyModel => model as unknown as AnyModel;

/** The model that does the work: a sequential one makes another whenever it is compiled. */
export const working = (model: AnyModel): AnyModel => model.model ?? model;

/** How to take out the taps that a model has: one optimizer at a time has them. */
const taps = new WeakMap<AnyModel, () => void>();

/** A tapped network, and how to take the taps out again. */
export interface Tapped extends Network {
  readonly name: string;
  readonly parts: ReadonlyArray<Part>;
  /** Whether nobody else has tapped the model since. */
  readonly isTapped: () => boolean;
  readonly untap: () => void;
}

/** Layers whose draws a second pass over a batch would not find again. */
const unrepeatable: ReadonlyArray<string> = ['GaussianNoise', 'GaussianDropout', 'AlphaDropout'];

/** Layers with a state of their own, which a second pass would move on. */
const stateful = (layer: AnyLayer): ReadonlyArray<AnyLayer> => [
  ...(layer.stateful === true && layer.cell !== undefined ? [layer] : []),
  ...[...(layer.layers ?? []), layer.layer, layer.forwardLayer, layer.backwardLayer].flatMap((part) =>
    part === undefined ? [] : stateful(part),
  ),
];

/**
 * Why a model cannot be trained, or `null`.
 *
 * @param model - what was given for one
 */
export const modelError = (model: unknown): KfacError | null => {
  const given = model as Partial<AnyModel> | null | undefined;
  if (typeof given !== 'object' || given === null || typeof given.getClassName !== 'function' || !('layers' in given)) {
    return {
      _tag: 'BadConfig',
      path: 'model',
      expected: 'a tf.LayersModel, the one that is compiled with this optimizer',
      actual: given === null ? 'null' : typeof given,
    };
  }
  const all = given as AnyModel;
  const [remembering] = stateful(all);
  if (remembering !== undefined) {
    const expected = 'a recurrent layer that begins each batch anew, stateful: false';
    return { _tag: 'BadConfig', path: `model.${remembering.name}`, expected, actual: 'stateful: true' };
  }
  const drawing = leavesOf(all).find((layer) => unrepeatable.includes(layer.getClassName()));
  if (drawing === undefined) return null;
  const expected = 'Dropout, whose draws are the same in every pass of a step';
  return { _tag: 'BadConfig', path: `model.${drawing.name}`, expected, actual: drawing.getClassName() };
};

/** Where each input of a model goes in first: a layer, and which of its inputs it is. */
const entrances = (model: AnyModel): ReadonlyArray<readonly [AnyLayer, number] | null> =>
  (model.inputs ?? []).map((input) => {
    const [found] = (model.layers ?? []).flatMap((layer) =>
      (layer.inboundNodes ?? []).flatMap(({ inputTensors }) => {
        const at = inputTensors.indexOf(input);
        return at < 0 || layer.getClassName() === 'InputLayer' ? [] : [[layer, at] as const];
      }),
    );
    return found ?? null;
  });

/** Parameters of a model, whichever of its weights are trained. */
export interface Described {
  readonly parts: ReadonlyArray<Part>;
  readonly parameters: ReadonlyArray<Parameter>;
  readonly others: ReadonlyArray<Variable>;
}

/**
 * What a model consists of.
 *
 * @param model - the model
 * @param trained - the variables that are trained; those that the model says are trainable unless given
 */
export const described = (model: AnyModel, trained?: ReadonlyArray<Variable>): Described => {
  if (model.weights.length === 0) {
    return raise({
      _tag: 'BadConfig',
      path: 'model',
      expected: 'a model that is built: give its first layer an inputShape',
      actual: 'a model without weights',
    });
  }
  const pathOf = pathsOf(model.weights);
  const isTrained = (weight: Weight): boolean =>
    trained === undefined ? model.trainableWeights.includes(weight) : trained.includes(weight.read());
  const parts = partsOf(model, pathOf);
  return {
    parts,
    parameters: parametersOf(model.weights.filter(isTrained), parts, pathOf),
    others: model.weights.filter((weight) => !isTrained(weight)).map((weight) => weight.read()),
  };
};

/** Name of an input in a batch. */
export const inputAt = (i: number): string => (i === 0 ? 'inputs' : `inputs ${i + 1}`);

/**
 * Taps a model; the taps of whoever had it before are taken out.
 *
 * @param model - the model
 * @param trained - the variables that are trained
 * @param wantsLogits - whether its outputs are what goes into its last activation
 * @param recorder - where taps write
 */
export const tappedNetwork = (
  model: AnyModel,
  trained: ReadonlyArray<Variable>,
  wantsLogits: boolean,
  recorder: Recorder,
): Tapped => {
  const { parts, parameters, others } = described(model, trained);
  taps.get(model)?.();
  const last = lastOf(model);
  const undo = [
    ...parts.map(({ layer, known }, number) => tap(layer, known, { number, isLast: layer === last }, recorder)),
    ...entrances(model).flatMap((entrance, i) =>
      entrance === null ? [] : [tapInput(entrance[0], entrance[1], i, recorder)],
    ),
  ];
  const untap = (): void => {
    if (taps.get(model) !== untap) return;
    taps.delete(model);
    undo.toReversed().forEach((undone) => undone());
  };
  taps.set(model, untap);
  return {
    name: model.name,
    apply: (inputs, training) => {
      const found = model.apply(inputs.length === 1 ? inputs[0] : inputs, { training }) as TfTensor | Array<TfTensor>;
      return Array.isArray(found) ? found[0] : found;
    },
    inputs: (model.inputs ?? []).map((_, i) => inputAt(i)),
    parameters,
    others,
    penalties: () => model.calculateLosses(),
    wantsLogits,
    recorder,
    opaque: new Set(),
    parts,
    isTapped: () => taps.get(model) === untap,
    untap,
  };
};
