/**
 * The weights of a network of TensorFlow.js as parameters of this library: names, layouts, and values in both directions.
 *
 * @module
 */
import type { Tensor as TfTensor, Variable } from '@tensorflow/tfjs-core';
import { reshape, tensor as tfTensor, transpose } from '@tensorflow/tfjs-core';

import type { Ops } from '../../core/ops/ops.ts';
import type { Shape, Tensor } from '../../core/tensor.ts';
import { cast, sizeOf } from '../../core/tensor.ts';
import type { AnyLayer, Known, PathOf, Place, Weight } from './layers.ts';
import { knownOf, leavesOf } from './layers.ts';

/** A weight that is trained. */
export interface Parameter {
  readonly path: string;
  readonly variable: Variable;
  /** Its shape in this library. */
  readonly shape: Shape;
  /** Whether it is the transpose of TF.js's, whose last axis (of a depthwise kernel, last two) are the outputs. */
  readonly transposed: boolean;
}

/**
 * Paths of weights: the names that they are saved under, numbered where several have one.
 *
 * @param weights - all weights of a model
 */
export const pathsOf = (weights: ReadonlyArray<Weight>): PathOf => {
  const seen = new Map<string, number>();
  const paths = new Map(
    weights.map(({ id, originalName }) => {
      const count = (seen.get(originalName) ?? 0) + 1;
      seen.set(originalName, count);
      return [id, count === 1 ? originalName : `${originalName}#${count}`] as const;
    }),
  );
  return ({ id, originalName }) => paths.get(id) ?? originalName;
};

/** A layer that does arithmetic, and what is known of it. */
export interface Part {
  readonly layer: AnyLayer;
  readonly known: Known;
}

/**
 * The layers of a model of which something is known.
 *
 * @param model - a model that is built
 * @param pathOf - paths of its weights
 */
export const partsOf = (model: AnyLayer, pathOf: PathOf): ReadonlyArray<Part> =>
  leavesOf(model).flatMap((layer) => {
    const known = knownOf(layer, pathOf);
    return known === null ? [] : [{ layer, known }];
  });

/** Places where weights are kernels. */
const kernels: ReadonlyArray<Place> = ['beforeActivation', 'separable', 'gates'];

/** Number of outputs of a kernel (of a transposed one, of inputs), or `null` for a weight that is laid out alike in both libraries. */
const outputsOf = (weight: Weight, parts: ReadonlyArray<Part>): number | null => {
  const part = parts.find(({ known }) => known.sites.some((sited) => sited.weight === weight));
  if (part === undefined || weight.shape.length === 1 || !kernels.includes(part.known.place)) return null;
  return weight === part.layer.depthwiseKernel ? sizeOf(weight.shape.slice(-2)) : weight.shape[weight.shape.length - 1];
};

/**
 * Weights as parameters.
 *
 * @param weights - those that are trained
 * @param parts - of their model
 * @param pathOf - their paths
 */
export const parametersOf = (
  weights: ReadonlyArray<Weight>,
  parts: ReadonlyArray<Part>,
  pathOf: PathOf,
): ReadonlyArray<Parameter> =>
  weights.map((weight) => {
    const outputs = outputsOf(weight, parts);
    return {
      path: pathOf(weight),
      variable: weight.read(),
      shape: outputs === null ? weight.shape : [outputs, sizeOf(weight.shape) / outputs],
      transposed: outputs !== null,
    };
  });

const isOf = (data: object, name: string): boolean => Object.prototype.toString.call(data) === `[object ${name}]`;

/** A tensor of TF.js in host memory; its processor backend has floats in arrays of whole numbers where they came from such. */
export const hosted = (x: TfTensor): Tensor => {
  const data = x.dataSync<'float32' | 'int32'>();
  return x.dtype === 'int32'
    ? { shape: x.shape, dtype: 'i32', data: isOf(data, 'Int32Array') ? data : Int32Array.from(data) }
    : { shape: x.shape, dtype: 'f32', data: isOf(data, 'Float32Array') ? data : Float32Array.from(data) };
};

/** A tensor of host memory in TF.js: a copy, since either library may use its memory again. */
export const lent = ({ data, shape, dtype }: Tensor): TfTensor =>
  dtype === 'i32'
    ? tfTensor(Int32Array.from(data), [...shape], 'int32')
    : tfTensor(Float32Array.from(data), [...shape], 'float32');

/**
 * A value, a gradient or a tangent of a parameter as TF.js has it, in this library.
 *
 * @param ops - interpreter
 * @param parameter - which
 * @param values - in the order of TF.js
 */
export const arrived = (ops: Ops<Tensor>, { shape, transposed }: Parameter, values: Tensor): Tensor => {
  const floats = cast(values, 'f32');
  return transposed
    ? ops.transposed(ops.constant({ ...floats, shape: [shape[1], shape[0]] }))
    : ops.constant({ ...floats, shape });
};

/**
 * The same in the other direction.
 *
 * @param parameter - which
 * @param values - as this library has them
 */
export const returned = ({ variable, transposed }: Parameter, values: Tensor): TfTensor => {
  const given = lent(values);
  return transposed ? reshape(transpose(given), variable.shape) : given;
};
