/**
 * A model: a layer with a name and the shape of what goes in.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { Linearised } from '../autodiff/reverse.ts';
import type { KfacError } from '../errors.ts';
import { raise } from '../errors.ts';
import type { Ops } from '../ops/ops.ts';
import type { Params } from '../params.ts';
import { mapParams } from '../params.ts';
import type { Key } from '../random/key.ts';
import { split } from '../random/split.ts';
import type { FloatType } from '../random/uniform.ts';
import type { Shape, Shaped, Tensor } from '../tensor.ts';
import { checkShape, checkTensor, sameShape, showShape } from '../tensor.ts';
import type { Circumstances } from './layers/circumstances.ts';
import { arrayAt } from './layers/circumstances.ts';
import type { Layer } from './layers/layer.ts';
import type { Summary } from './summary.ts';
import { summariseLayer } from './summary.ts';

/** A model's function: of its parameters, and of the batch and all else that it is applied to. */
export type ModelProgram = <T extends Shaped>(ops: Ops<T>, params: Params<T>, at: Circumstances<T>) => T;

/** A layer ready to be trained. */
export interface Model {
  readonly name: string;
  /** Shapes of one example's arrays by name, without the batch axis; the first is what the layer is applied to. */
  readonly inputs: Readonly<Record<string, Shape>>;
  readonly layer: Layer;
  readonly program: ModelProgram;
  /**
   * How it is linearised, where another library computes it and no interpreter of ours sees its operations; `program` then
   * gives its outputs alone. Derivatives are those of the program unless given.
   */
  readonly linearise?: <T extends Shaped>(ops: Ops<T>, params: Params<T>, at: Circumstances<T>) => Linearised<T>;
}

const isShape = (inputs: Shape | Readonly<Record<string, Shape>>): inputs is Shape => Array.isArray(inputs);

/**
 * A model from its outermost layer, which stands at the empty path.
 *
 * @param name - a word for reports
 * @param inputs - shape of one example, whose array is called `inputs`; or the shapes of several arrays by name, of which the
 *   layer is applied to the first and finds the others in its circumstances
 * @param layer - what the model does
 * @example
 * ```ts
 * import { activation, dense, initialParams, keyOf, model, sequential } from 'kfac-ts/core';
 *
 * const layers = [dense({ in: 784, out: 100 }), activation('relu'), dense({ in: 100, out: 10 })];
 * const net = model('perceptron', [784], sequential(layers));
 * Object.keys(initialParams(net, keyOf(1), 'f32')); // => ['0.weight', '0.bias', '2.weight', '2.bias']
 * ```
 */
export const model = (name: string, inputs: Shape | Readonly<Record<string, Shape>>, layer: Layer): Model => {
  const shapes: Readonly<Record<string, Shape>> = isShape(inputs) ? { inputs } : inputs;
  const [first] = Object.keys(shapes);
  return {
    name,
    inputs: mapParams(shapes, (shape) => checkShape('model', shape)),
    layer,
    program: (ops, params, at) => layer.apply(ops, params, '', arrayAt(at.arrays, first, `model ${name}`), at),
  };
};

const wrongShape = (where: string, expected: Shape, actual: Shape): never =>
  raise({ _tag: 'ShapeMismatch', where, expected: `shape ${showShape(expected)}`, actual: showShape(actual) });

/**
 * Initial parameters, drawn by the initialiser of each.
 *
 * @param described - the model
 * @param key - randomness; equal keys give equal values in either precision, up to rounding
 * @param dtype - element type
 * @returns one tensor per parameter, in the order of the layers
 * @example
 * ```ts
 * import { dense, initialParams, keyOf, model } from 'kfac-ts/core';
 *
 * const params = initialParams(model('linear', [3], dense({ in: 3, out: 2 })), keyOf(1), 'f32');
 * params.weight.shape; // => [2, 3]
 * params.bias.data; // => [0, 0]
 * ```
 */
export const initialParams = (described: Model, key: Key, dtype: FloatType): Params<Tensor> => {
  const specs = described.layer.parameters('');
  const keys = split(key, specs.length);
  return Object.fromEntries(
    specs.map(({ path, shape, initialiser }, i) => {
      const where = `initial value of ${path}`;
      const drawn = checkTensor(where, initialiser(keys[i], shape, dtype));
      return [path, sameShape(drawn.shape, shape) ? drawn : wrongShape(where, shape, drawn.shape)];
    }),
  );
};

/**
 * Parameters from outside, if they are those of some network: one at each of its paths, of its shape, and no others.
 *
 * @param name - of the network or the task
 * @param expected - an array of the right shape at each path
 * @param params - parameters, for example from a file
 * @returns the parameters, or the first that does not fit
 */
export const checkPaths = <T extends Shaped>(
  name: string,
  expected: Params<Shaped>,
  params: Params<T>,
): E.Either<KfacError, Params<T>> => {
  const paths = Object.keys(expected);
  const misfit = (wanted: string, actual: string): E.Either<KfacError, never> =>
    E.left({ _tag: 'ShapeMismatch', where: `parameters of ${name}`, expected: wanted, actual });
  const wrong = paths.find(
    (path) => !Object.hasOwn(params, path) || !sameShape(params[path].shape, expected[path].shape),
  );
  if (wrong !== undefined) {
    const given = Object.keys(params).join(', ');
    return misfit(
      `${wrong} of shape ${showShape(expected[wrong].shape)}`,
      Object.hasOwn(params, wrong) ? showShape(params[wrong].shape) : given === '' ? 'no parameters' : `only ${given}`,
    );
  }
  const other = Object.keys(params).find((path) => !Object.hasOwn(expected, path));
  return other === undefined ? E.right(params) : misfit(`only ${paths.join(', ')}`, `${other} as well`);
};

/**
 * Parameters from outside, if they are this model's.
 *
 * @param described - the model
 * @param params - parameters, for example from a file
 * @returns the parameters, or the first that does not fit
 */
export const checkParams = <T extends Shaped>(described: Model, params: Params<T>): E.Either<KfacError, Params<T>> =>
  checkPaths(
    described.name,
    Object.fromEntries(described.layer.parameters('').map((spec) => [spec.path, spec])),
    params,
  );

/**
 * What each layer makes and costs for a batch, without computing anything.
 *
 * @param described - the model
 * @param batch - number of examples
 * @returns a row per layer and the totals, or the `ShapeMismatch` that the model would run into
 * @example
 * ```ts
 * import * as E from 'fp-ts/lib/Either.js';
 * import { dense, model, summarise } from 'kfac-ts/core';
 *
 * const summary = summarise(model('linear', [784], dense({ in: 784, out: 10 })), 100);
 * E.isRight(summary) ? summary.right.parameters : null; // => 7850
 * ```
 */
export const summarise = (described: Model, batch: number): E.Either<KfacError, Summary> =>
  summariseLayer(
    described.name,
    described.layer,
    mapParams(described.inputs, (shape) => [batch, ...shape]),
  );
