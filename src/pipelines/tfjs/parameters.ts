/**
 * The weights of a network of TensorFlow.js as parameters of this library: names, layouts, and values in both directions.
 *
 * @module
 */
import type { Tensor as TfTensor, Variable } from '@tensorflow/tfjs-core';
import { concat, reshape, tensor as tfTensor, transpose, zeros } from '@tensorflow/tfjs-core';

import type { Ops } from '../../core/ops/ops.ts';
import type { Shape, Tensor } from '../../core/tensor.ts';
import { cast, generate, sizeOf } from '../../core/tensor.ts';
import { knownOf } from './known.ts';
import type { AnyLayer, Columns, Known, PathOf, Place, Weight } from './layers.ts';
import { leavesOf, partPath } from './layers.ts';

/** A weight that is trained. */
export interface Parameter {
  readonly path: string;
  readonly variable: Variable;
  /** Its shape in this library. */
  readonly shape: Shape;
  /** Whether it is the transpose of TF.js's, whose last axis (of a depthwise kernel, last two) are the outputs. */
  readonly transposed: boolean;
  /** The part of the variable's last axis that it is, or `null` for all of it. */
  readonly columns: Columns | null;
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
  weights.flatMap((weight): ReadonlyArray<Parameter> => {
    const path = pathOf(weight);
    const variable = weight.read();
    const sites = parts.flatMap(({ known }) => known.sites.filter((sited) => sited.weight === weight));
    const columns = sites.flatMap((sited) => sited.columns ?? []);
    if (columns.length > 0) {
      return columns.map((each) => ({
        path: partPath(path, each),
        variable,
        shape: [each.size, weight.shape[0]],
        transposed: true,
        columns: each,
      }));
    }
    const outputs = outputsOf(weight, parts);
    const shape = outputs === null ? weight.shape : [outputs, sizeOf(weight.shape) / outputs];
    return [{ path, variable, shape, transposed: outputs !== null, columns: null }];
  });

/** The variables of parameters, each once. */
export const variablesOf = (parameters: ReadonlyArray<Parameter>): ReadonlyArray<Variable> => [
  ...new Set(parameters.map(({ variable }) => variable)),
];

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

/** Some columns of a matrix. */
const columnsIn = ({ data, shape: [rows, all], dtype }: Tensor, { from, size }: Columns): Tensor =>
  generate([rows, size], (i) => data[Math.floor(i / size) * all + from + (i % size)], dtype);

/**
 * A value, a gradient or a tangent of a parameter as TF.js has it, in this library.
 *
 * @param ops - interpreter
 * @param parameter - which
 * @param values - in the order of TF.js
 */
export const arrived = (ops: Ops<Tensor>, { shape, transposed, columns }: Parameter, values: Tensor): Tensor => {
  const floats = cast(columns === null ? values : columnsIn(values, columns), 'f32');
  return transposed
    ? ops.transposed(ops.constant({ ...floats, shape: [shape[1], shape[0]] }))
    : ops.constant({ ...floats, shape });
};

/**
 * The same in the other direction: for a variable, of all parameters that it consists of.
 *
 * @param parameters - of a network
 * @param variable - which of its variables
 * @param values - as this library has them, by path; zeros for a part whose path is absent
 */
export const returned = (
  parameters: ReadonlyArray<Parameter>,
  variable: Variable,
  values: Readonly<Record<string, Tensor>>,
): TfTensor => {
  const parts = parameters
    .filter((parameter) => parameter.variable === variable)
    .map(({ path, shape, transposed }) => {
      const given = Object.hasOwn(values, path) ? lent(values[path]) : zeros([...shape]);
      return transposed ? transpose(given) : given;
    });
  return reshape(parts.length === 1 ? parts[0] : concat(parts, 1), variable.shape);
};
