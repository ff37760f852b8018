/**
 * What is known of the layers of TensorFlow.js: which of their weights meet data, at what kind of site, and where in a layer's
 * arithmetic that is. Whatever is not in the table here is no site: its parameters have a diagonal, and the coverage says so.
 *
 * @module
 */
import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import { cast, reshape } from '@tensorflow/tfjs-core';

import { windowOn } from '../../core/nn/layers/windows.ts';
import type { Site } from '../../core/ops/site.ts';
import type { Window } from '../../core/ops/window.ts';
import type { Shape } from '../../core/tensor.ts';
import type { AnyLayer, Columns, Known, PathOf, Sited, Weight } from './layers.ts';
import { partPath } from './layers.ts';

const asItIs = (x: TfTensor): TfTensor => x;
const sameShape = (shape: Shape): Shape => shape;

const site = (
  pathOf: PathOf,
  weight: Weight | null | undefined,
  bias: Weight | null | undefined,
  siteOf: (
    paths: { readonly path: string; readonly weight: string; readonly bias: string | null },
    input: Shape,
  ) => Site,
  arrange: Partial<Pick<Sited, 'arranged' | 'outputs'>> = {},
): ReadonlyArray<Sited> => {
  // A bias whose weight is held fixed meets a constant.
  if (weight?.trainable !== true) return [];
  const trained = bias?.trainable === true ? bias : null;
  const paths = { path: pathOf(weight), weight: pathOf(weight), bias: trained === null ? null : pathOf(trained) };
  return [
    {
      weight,
      bias: trained,
      siteOf: (input) => siteOf(paths, input),
      arranged: asItIs,
      outputs: sameShape,
      ...arrange,
    },
  ];
};

const dense = (pathOf: PathOf, weight: Weight | undefined, bias: Weight | null | undefined): ReadonlyArray<Sited> =>
  site(pathOf, weight, bias, (paths) => ({ kind: 'dense', ...paths }));

const pair = (given: ReadonlyArray<number> | number | undefined): readonly [number, number] =>
  typeof given === 'number' ? [given, given] : [given?.[0] ?? 1, given?.[1] ?? 1];

/** The window of a layer on images. */
const windowOf = (layer: AnyLayer, dilation: readonly [number, number]): ((images: Shape) => Window) =>
  windowOn(layer.name, {
    kernel: pair(layer.kernelSize),
    stride: pair(layer.strides),
    dilation,
    padding: layer.padding === 'same' ? 'same' : 'valid',
  });

const ones = [1, 1] as const;

/** Convolutions of images. */
const images = (layer: AnyLayer, pathOf: PathOf): ReadonlyArray<Sited> => {
  if (layer.dataFormat !== 'channelsLast') return [];
  const window = windowOf(layer, pair(layer.dilationRate));
  return site(pathOf, layer.kernel, layer.bias, (paths, input) => ({
    kind: 'convolution',
    ...paths,
    window: window(input),
    groups: 1,
  }));
};

/** Convolutions with a group for each channel. */
const byChannel = (
  layer: AnyLayer,
  pathOf: PathOf,
  bias: Weight | null | undefined,
  dilation: readonly [number, number],
): ReadonlyArray<Sited> => {
  if (layer.dataFormat !== 'channelsLast') return [];
  const window = windowOf(layer, dilation);
  return site(pathOf, layer.depthwiseKernel, bias, (paths, input) => ({
    kind: 'convolution',
    ...paths,
    window: window(input),
    groups: input[3],
  }));
};

/** A convolution by channel, then one of single pixels, which has the bias. */
const inTwo = (layer: AnyLayer, pathOf: PathOf): ReadonlyArray<Sited> =>
  layer.dataFormat === 'channelsLast'
    ? [...byChannel(layer, pathOf, null, pair(layer.dilationRate)), ...dense(pathOf, layer.pointwiseKernel, layer.bias)]
    : [];

/** Transposed convolutions. A bias is added to pixels of the result, and is a site of its own. */
const spreads = (layer: AnyLayer, pathOf: PathOf): ReadonlyArray<Sited> => {
  if (layer.dataFormat !== 'channelsLast') return [];
  const [kernel, stride] = [pair(layer.kernelSize), pair(layer.strides)];
  const window = windowOf(layer, ones);
  /** As TF.js has the extents of the result. */
  const along = (size: number, axis: 0 | 1): number =>
    size * stride[axis] + (layer.padding === 'same' ? 0 : Math.max(kernel[axis] - stride[axis], 0));
  const weights = site(pathOf, layer.kernel, null, (paths, [n, h, w, c]) => {
    const extents = [along(h, 0), along(w, 1)] as const;
    return {
      kind: 'transposedConvolution',
      ...paths,
      bias: null,
      window: window([n, ...extents, c]),
      groups: 1,
      extents,
    };
  });
  return [...weights, ...site(pathOf, layer.bias, null, (paths) => ({ kind: 'shift', ...paths, bias: null }))];
};

/** Convolutions of sequences, which are images of width 1. */
const sequences = (layer: AnyLayer, pathOf: PathOf): ReadonlyArray<Sited> => {
  const [kernel, stride, dilation] = [layer.kernelSize, layer.strides, layer.dilationRate].map((each) => pair(each)[0]);
  if (layer.dataFormat !== 'channelsLast') return [];
  const window = windowOn(layer.name, {
    kernel: [kernel, 1],
    stride: [stride, 1],
    dilation: [dilation, 1],
    padding: layer.padding === 'same' ? 'same' : 'valid',
  });
  const asImages = ([n, t, c]: Shape): Shape => [n, t, 1, c];
  return site(
    pathOf,
    layer.kernel,
    layer.bias,
    (paths, input) => ({ kind: 'convolution', ...paths, window: window(input), groups: 1 }),
    { arranged: (x) => reshape(x, [...asImages(x.shape)]), outputs: asImages },
  );
};

/** Gain and shift of a normalisation along the last axis. */
const affine = (layer: AnyLayer, pathOf: PathOf): ReadonlyArray<Sited> => {
  const last = (layer.gamma ?? layer.beta)?.shape.length === 1;
  if (!last) return [];
  return layer.gamma === null || layer.gamma === undefined
    ? site(pathOf, layer.beta, null, (paths) => ({ kind: 'shift', ...paths, bias: null }))
    : site(pathOf, layer.gamma, layer.beta, (paths) => ({ kind: 'scaleShift', ...paths }));
};

const lookups = (layer: AnyLayer, pathOf: PathOf): ReadonlyArray<Sited> =>
  site(
    pathOf,
    layer.embeddings,
    null,
    (paths) => ({ kind: 'embedding', ...paths, bias: null, vocabulary: layer.inputDim ?? 0 }),
    { arranged: (x) => cast(x, 'int32') },
  );

/** Whether what a cell's weights meet is its input and its state, with nothing dropped. */
const isWhole = ({ dropout = 0, recurrentDropout = 0 }: AnyLayer): boolean => dropout === 0 && recurrentDropout === 0;

/** The input's weight, then the state's. Both products are summed, and have one cotangent; a bias goes with the first. */
const gates = (layer: AnyLayer, pathOf: PathOf): ReadonlyArray<Sited> =>
  isWhole(layer) && layer.kernel?.trainable === true && layer.recurrentKernel?.trainable === true
    ? [...dense(pathOf, layer.kernel, layer.bias), ...dense(pathOf, layer.recurrentKernel, null)]
    : [];

/** Some columns of a weight without a bias. */
const columnsOf = (layer: AnyLayer, pathOf: PathOf, columns: Columns): ReadonlyArray<Sited> =>
  dense((weight) => partPath(pathOf(weight), columns), layer.recurrentKernel, null).map((sited) => ({
    ...sited,
    columns,
    outputs: (shape) => [...shape.slice(0, -1), columns.size],
  }));

/** As {@link gates}, but that the candidate's columns meet the state times a gate, and so are a site apart. */
const gatesOfGru = (layer: AnyLayer, pathOf: PathOf): ReadonlyArray<Sited> => {
  const [input, state] = gates(layer, pathOf);
  const { units } = layer;
  return input === undefined || state === undefined || units === undefined
    ? []
    : [
        input,
        ...columnsOf(layer, pathOf, { name: 'gates', from: 0, size: 2 * units }),
        ...columnsOf(layer, pathOf, { name: 'candidate', from: 2 * units, size: units }),
      ];
};

const table: Readonly<Record<string, (layer: AnyLayer, pathOf: PathOf) => Known>> = {
  Dense: (layer, pathOf) => ({ place: 'beforeActivation', sites: dense(pathOf, layer.kernel, layer.bias) }),
  Conv2D: (layer, pathOf) => ({ place: 'beforeActivation', sites: images(layer, pathOf) }),
  Conv2DTranspose: (layer, pathOf) => ({ place: 'beforeActivation', sites: spreads(layer, pathOf) }),
  // TF.js does not pass the dilation of depthwise convolutions on.
  DepthwiseConv2D: (layer, pathOf) => ({
    place: 'beforeActivation',
    sites: byChannel(layer, pathOf, layer.bias, ones),
  }),
  SeparableConv2D: (layer, pathOf) => ({ place: 'separable', sites: inTwo(layer, pathOf) }),
  Conv1D: (layer, pathOf) => ({ place: 'beforeActivation', sites: sequences(layer, pathOf) }),
  Embedding: (layer, pathOf) => ({ place: 'lookup', sites: lookups(layer, pathOf) }),
  BatchNormalization: (layer, pathOf) => ({ place: 'normalised', sites: affine(layer, pathOf) }),
  LayerNormalization: (layer, pathOf) => ({ place: 'normalised', sites: affine(layer, pathOf) }),
  SimpleRNNCell: (layer, pathOf) => ({ place: 'gates', sites: gates(layer, pathOf) }),
  LSTMCell: (layer, pathOf) => ({ place: 'gates', sites: gates(layer, pathOf) }),
  GRUCell: (layer, pathOf) => ({ place: 'gates', sites: gatesOfGru(layer, pathOf) }),
  Activation: () => ({ place: 'activation', sites: [] }),
  Softmax: () => ({ place: 'activation', sites: [] }),
  Dropout: () => ({ place: 'draws', sites: [] }),
  SpatialDropout1D: () => ({ place: 'draws', sites: [] }),
};

/**
 * What is known of a layer, or `null`.
 *
 * @param layer - a layer that is built
 * @param pathOf - paths of the weights
 */
export const knownOf = (layer: AnyLayer, pathOf: PathOf): Known | null => {
  const name = layer.getClassName();
  return Object.hasOwn(table, name) ? table[name](layer, pathOf) : null;
};
