/**
 * How tangents pass the kernels of TensorFlow.js, which has rules for cotangents only.
 *
 * What is linear in its inputs is run on their tangents; what is linear in each of them, on one tangent at a time. Where the
 * Jacobian is its own transpose, the rule for cotangents is the one for tangents. Anything else is transposed: that rule is linear
 * in the cotangent, so J u is the gradient of ⟨Jᵀ v, u⟩ in v.
 *
 * @module
 */
import type { GradConfig, NamedAttrMap, NamedTensorMap, Tensor as TfTensor, Tensor4D } from '@tensorflow/tfjs-core';
import { add, addN, avgPool, engine, gather, getGradient, grad, maxPoolWithArgmax, mul } from '@tensorflow/tfjs-core';
import { ones, reshape, sum, zeros, zerosLike } from '@tensorflow/tfjs-core';

/** A kernel that has run. */
export interface Ran {
  readonly name: string;
  /** Named, or in a list. */
  readonly inputs: NamedTensorMap | ReadonlyArray<TfTensor>;
  readonly attrs: NamedAttrMap;
  readonly outputs: ReadonlyArray<TfTensor>;
}

/** Tangents of those inputs that move. */
export type Moved = ReadonlyMap<string, TfTensor>;

/** Linear in all inputs together; whole numbers and truth values among them say which and where. */
const linear: ReadonlySet<string> = new Set([
  ...[
    'Identity',
    'Cast',
    'Reshape',
    'ExpandDims',
    'Transpose',
    'Reverse',
    'Tile',
    'BroadcastTo',
    'Slice',
    'StridedSlice',
  ],
  ...['PadV2', 'MirrorPad', 'Concat', 'Pack', 'Unpack', 'SplitV', 'GatherV2', 'UnsortedSegmentSum', 'Select'],
  ...['Add', 'AddN', 'Sub', 'Neg', 'Sum', 'Mean', 'Cumsum', 'AvgPool', 'AvgPool3D', 'ResizeBilinear'],
  ...['ResizeNearestNeighbor', 'BatchToSpaceND', 'SpaceToBatchND', 'DepthToSpace'],
]);

/** Linear in each input alone. */
const multilinear: ReadonlySet<string> = new Set([
  ...['Multiply', 'BatchMatMul', 'Conv2D', 'Conv2DBackpropInput', 'Conv3D', 'Conv3DBackpropInputV2'],
  'DepthwiseConv2dNative',
]);

/** Linear in each of two inputs, with a bias that is added, where nothing follows. */
const fused: ReadonlySet<string> = new Set(['_FusedMatMul', 'FusedConv2D', 'FusedDepthwiseConv2D']);

/** Of each entry by itself, or a softmax. */
const symmetric: ReadonlySet<string> = new Set([
  ...[
    'Abs',
    'ClipByValue',
    'Elu',
    'Exp',
    'LeakyRelu',
    'Log',
    'Reciprocal',
    'Relu',
    'Relu6',
    'Rsqrt',
    'Selu',
    'Sigmoid',
  ],
  ...['Softmax', 'Softplus', 'Sqrt', 'Square', 'Tanh'],
]);

const again = (name: string, inputs: Ran['inputs'], attrs: NamedAttrMap): ReadonlyArray<TfTensor> => {
  const found = engine().runKernel<TfTensor | Array<TfTensor>>(name, inputs as NamedTensorMap, attrs);
  return Array.isArray(found) ? found : [found];
};

/** Other inputs, in the same form: named, or in a list. */
const mapInputs = (
  inputs: Ran['inputs'],
  of: (input: TfTensor, name: string) => TfTensor | undefined,
): Ran['inputs'] => {
  const found = Object.entries(inputs).map(([name, input]) => [name, of(input, name)] as const);
  return Array.isArray(inputs) ? found.flatMap(([, x]) => x ?? []) : (Object.fromEntries(found) as NamedTensorMap);
};

/** An input that is absent stays so. */
const alongAll = ({ name, inputs, attrs }: Ran, moved: Moved): ReadonlyArray<TfTensor> =>
  again(
    name,
    mapInputs(inputs, (input: TfTensor | undefined, at) =>
      input?.dtype === 'float32' ? (moved.get(at) ?? zerosLike(input)) : input,
    ),
    name === 'PadV2' ? { ...attrs, constantValue: 0 } : attrs,
  );

const total = (parts: ReadonlyArray<ReadonlyArray<TfTensor>>): ReadonlyArray<TfTensor> =>
  parts[0].map((first, i) => (parts.length === 1 ? first : addN(parts.map((part) => part[i]))));

const alongEach = ({ name, inputs, attrs }: Ran, moved: Moved): ReadonlyArray<TfTensor> =>
  total(
    [...moved].map(([at, tangent]) =>
      again(
        name,
        mapInputs(inputs, (input, other) => (other === at ? tangent : input)),
        attrs,
      ),
    ),
  );

/** The bias has a tangent of its own, which goes with the first of the products. */
const alongFused = ({ name, inputs, attrs, outputs }: Ran, moved: Moved): ReadonlyArray<TfTensor> | null => {
  if (attrs['activation'] !== 'linear') return null;
  const bias = moved.get('bias');
  const [first, ...others] = [...moved].filter(([at]) => at !== 'bias');
  if (first === undefined) return bias === undefined ? null : [add(zeros(outputs[0].shape), bias)];
  const along = ([at, tangent]: readonly [string, TfTensor], shift: TfTensor | undefined): ReadonlyArray<TfTensor> =>
    again(
      name,
      mapInputs(inputs, (input, other) => (other === at ? tangent : other === 'bias' ? shift : input)),
      attrs,
    );
  return total([along(first, bias), ...others.map((other) => along(other, undefined))]);
};

/** What the rule for cotangents has been given, for a kernel that was not recorded. */
const savedFor = (
  { inputsToSave, saveAllInputs, outputsToSave }: GradConfig,
  { inputs, outputs }: Ran,
): Array<TfTensor> => [
  ...(saveAllInputs === true
    ? (Object.values(inputs) as ReadonlyArray<TfTensor>)
    : (inputsToSave ?? []).map((at) => (inputs as NamedTensorMap)[at])),
  ...outputs.filter((_, i) => outputsToSave?.[i] === true),
];

/** Jᵀ v of one input. */
const pulled = (config: GradConfig, ran: Ran, v: TfTensor, at: string): TfTensor =>
  config.gradFunc(v, savedFor(config, ran), ran.attrs)[at]();

const transposed = (config: GradConfig, ran: Ran, moved: Moved): TfTensor =>
  grad((v: TfTensor) => addN([...moved].map(([at, tangent]) => sum(mul(pulled(config, ran, v, at), tangent)))))(
    zeros(ran.outputs[0].shape),
  );

type Sides = readonly [number, number];

const sides = (given: unknown): Sides => (typeof given === 'number' ? [given, given] : (given as Sides));

/** Windows apart from each other: the places of the largest are where a cotangent of ones goes, one in each window. */
const alongApart = (ran: Ran, tangent: TfTensor, window: Sides, strides: Sides): TfTensor | null => {
  const config = getGradient(ran.name) as GradConfig | undefined;
  if (config === undefined) return null;
  const places = pulled(config, ran, ones(ran.outputs[0].shape), 'x');
  const means = avgPool(mul<Tensor4D>(places, tangent), [...window], [...strides], 'valid');
  return mul(means, window[0] * window[1]);
};

/** The tangent of the largest is that of the entry which is the largest. */
const alongLargest = (ran: Ran, moved: Moved): ReadonlyArray<TfTensor> | null => {
  const { filterSize, strides: given, pad, dimRoundingMode } = ran.attrs;
  const tangent = moved.get('x');
  if (tangent === undefined || dimRoundingMode !== undefined) return null;
  const [window, strides] = [sides(filterSize), sides(given)];
  if (pad === 'valid' && window.every((side, i) => side <= strides[i])) {
    const apart = alongApart(ran, tangent, window, strides);
    return apart === null ? null : [apart];
  }
  const { x } = ran.inputs as NamedTensorMap;
  const found = maxPoolWithArgmax(x as Tensor4D, [...window], [...strides], pad as 'valid' | 'same');
  const [n] = x.shape;
  const each = gather(reshape(tangent, [n, -1]), reshape(found['indexes'], [n, -1]), 1, 1);
  return [reshape(each, ran.outputs[0].shape)];
};

/**
 * The tangents of a kernel's outputs, or `null` where no rule is known.
 *
 * @param ran - a kernel with its inputs and outputs
 * @param moved - tangents of its inputs, one of them at least
 */
export const tangentsOf = (ran: Ran, moved: Moved): ReadonlyArray<TfTensor> | null => {
  const { name, outputs } = ran;
  if (linear.has(name)) return alongAll(ran, moved);
  if (multilinear.has(name)) return alongEach(ran, moved);
  if (fused.has(name)) return alongFused(ran, moved);
  if (name === 'MaxPool') return alongLargest(ran, moved);
  const config = getGradient(name) as GradConfig | undefined;
  if (config === undefined || outputs.length > 1) return null;
  if (!symmetric.has(name)) return [transposed(config, ran, moved)];
  return [...moved].map(([at, tangent]) => pulled(config, ran, tangent, at));
};
