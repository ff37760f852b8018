/**
 * Layers of TensorFlow.js as far as they are looked at.
 *
 * TF.js declares the fields of its layers to be its own; their names are those of the saved format, which has not changed since
 * its first version.
 *
 * @module
 */
import type { Tensor as TfTensor, Variable } from '@tensorflow/tfjs-core';

import type { Site } from '../../core/ops/site.ts';
import type { Shape } from '../../core/tensor.ts';

/** A weight of a layer. */
export interface Weight {
  readonly id: number;
  readonly originalName: string;
  readonly shape: Shape;
  readonly trainable: boolean;
  readonly read: () => Variable;
}

/** A function between two layers' worth of arithmetic. */
export interface Activation {
  readonly apply: (x: TfTensor) => TfTensor;
  readonly getClassName: () => string;
}

/** What a layer is called with besides its inputs. */
export type Keywords = Readonly<Record<string, unknown>>;

/** What a layer gives for what it is given. */
export type Call = (inputs: TfTensor | Array<TfTensor>, keywords: Keywords) => TfTensor | Array<TfTensor>;

/** A layer, as far as it is looked at; a field that its class does not have is absent. */
export interface AnyLayer {
  readonly name: string;
  readonly getClassName: () => string;
  call: Call;
  apply: (inputs: unknown, keywords?: Keywords) => unknown;
  activation?: Activation | null;
  readonly kernel?: Weight;
  readonly depthwiseKernel?: Weight;
  readonly pointwiseKernel?: Weight;
  readonly recurrentKernel?: Weight;
  recurrentActivation?: Activation;
  readonly embeddings?: Weight;
  bias?: Weight | null;
  useBias?: boolean;
  gamma?: Weight | null;
  beta?: Weight | null;
  scale?: boolean;
  center?: boolean;
  seed?: number | undefined;
  readonly axis?: number | ReadonlyArray<number>;
  readonly inputDim?: number;
  readonly units?: number;
  readonly kernelSize?: ReadonlyArray<number>;
  readonly strides?: ReadonlyArray<number>;
  readonly dilationRate?: ReadonlyArray<number> | number;
  readonly padding?: string;
  readonly dataFormat?: string;
  readonly dropout?: number;
  readonly recurrentDropout?: number;
  readonly stateful?: boolean;
  readonly inboundNodes?: ReadonlyArray<{ readonly inputTensors: ReadonlyArray<unknown> }>;
  /** Parts: of models, wrappers, recurrent layers. */
  readonly layers?: ReadonlyArray<AnyLayer>;
  readonly layer?: AnyLayer;
  readonly forwardLayer?: AnyLayer;
  readonly backwardLayer?: AnyLayer;
  readonly cell?: AnyLayer;
  readonly cells?: ReadonlyArray<AnyLayer>;
}

/** A place where weights of a layer meet data. */
export interface Sited {
  readonly weight: Weight;
  readonly bias: Weight | null;
  /** The site, for data of a shape. */
  readonly siteOf: (input: Shape) => Site;
  /** What goes in, as a site has it. */
  readonly arranged: (input: TfTensor) => TfTensor;
  /** The shape of the cotangents, as a site has them. */
  readonly outputs: (cotangent: Shape) => Shape;
  /** Where only some columns of the weight meet these data: their name, the first of them, and how many; they are a parameter. */
  readonly columns?: Columns;
}

/** Neighbouring columns of a weight. */
export interface Columns {
  readonly name: string;
  readonly from: number;
  readonly size: number;
}

/** Where in a layer its sites are: see `taps.ts`. */
export type Place = 'beforeActivation' | 'separable' | 'lookup' | 'normalised' | 'gates' | 'activation' | 'draws';

/** What is known of a layer. */
export interface Known {
  readonly place: Place;
  /** None where the layer is set up in a way that is no site. */
  readonly sites: ReadonlyArray<Sited>;
}

/** The path of each weight among the parameters. */
export type PathOf = (weight: Weight) => string;

/** The path of some columns of a weight. */
export const partPath = (path: string, { name }: Columns): string => `${path}/${name}`;

/** Whether a normalisation is along the last of so many axes; TF.js makes a list of one axis when it builds the layer. */
export const isAlongLast = ({ axis }: AnyLayer, axes: number): boolean => {
  const [along, ...others] = typeof axis === 'number' ? [axis] : (axis ?? [-1]);
  return others.length === 0 && (along === -1 || along === axes - 1);
};

/**
 * The layers that do the arithmetic, those inside of models, wrappers and recurrent layers too; each once.
 *
 * @param layer - a model or a layer
 */
export const leavesOf = (layer: AnyLayer): ReadonlyArray<AnyLayer> => {
  const parts = [
    ...(layer.layers ?? []),
    ...[layer.layer, layer.forwardLayer, layer.backwardLayer, layer.cell].flatMap((part) => part ?? []),
    ...(layer.cells ?? []),
  ];
  return parts.length === 0 ? [layer] : [...new Set(parts.flatMap(leavesOf))];
};

/**
 * The layer that a model ends with, where it sees the whole of what comes out; `null` where a wrapper runs it part by part.
 *
 * @param layer - a model or a layer
 */
export const lastOf = (layer: AnyLayer): AnyLayer | null => {
  const last = layer.layers?.at(-1);
  if (last !== undefined) return lastOf(last);
  return layer.layer === undefined ? layer : null;
};
