/**
 * Layer-sequential unit variance [MM16, algorithm 1].
 *
 * One forward pass under an interpreter whose sites rescale: a site measures the variance of its output, divides the
 * weight by its root and hands on the output of the new weight, so that later layers see unit variance already. The
 * paper iterates until a tolerance is met; here the number of passes is fixed, because reading a variance back would
 * make every layer wait for the device. Without a bias one pass is exact.
 *
 * @module
 */
import type { Ops } from '../ops/ops.ts';
import { axesOf } from '../ops/shapes.ts';
import type { Site } from '../ops/site.ts';
import type { Params } from '../params.ts';
import type { Shaped } from '../tensor.ts';
import { evaluating } from './layers/circumstances.ts';
import { affineOfLast } from './layers/dense.ts';
import type { Model } from './model.ts';

/** Variance over all elements, shape `[]`. */
const varianceOf = <T extends Shaped>(ops: Ops<T>, x: T): T => ops.standardised(x, axesOf(x.shape), 1).variance;

/** 1/√v, and 1 where v is 0: a dead layer is left as it is. */
const inverseRoot = <T extends Shaped>(ops: Ops<T>, variance: T): T => {
  const one = ops.full([], 1);
  const positive = ops.greater(variance, ops.full([], 0));
  return ops.div(one, ops.sqrt(ops.select(positive, variance, one)));
};

/**
 * Scales each weight of a dense site so that its outputs have variance 1 over the batch and the units. Other sites stay as
 * they are: what a normalisation or a table gives out has a variance of its own.
 *
 * @param ops - interpreter
 * @param model - the model
 * @param params - its parameters; the paper starts from orthogonal weights
 * @param arrays - a batch: the model's arrays by name, each `[n, …]`
 * @param passes - how often a weight is rescaled, 4 unless given; with a bias of small variance v the remaining error
 *   shrinks by about v per pass
 * @returns parameters with rescaled weights
 * @example
 * ```ts
 * import { activation, dense, initialParams, keyOf, lsuv, model, normal, orthogonal, referenceBackend, sequential } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const hidden = dense({ in: 8, out: 8, initialiser: orthogonal() });
 * const net = model('deep', [8], sequential([hidden, activation('tanh'), hidden]));
 * const params = initialParams(net, keyOf(1), 'f64');
 * const scaled = lsuv(ops, net, params, { inputs: normal(keyOf(2), [100, 8], 'f64') });
 * Object.keys(scaled).length; // => 4
 * ```
 */
export const lsuv = <T extends Shaped>(
  ops: Ops<T>,
  model: Model,
  params: Params<T>,
  arrays: Params<T>,
  passes = 4,
): Params<T> => {
  const weights = new Map<string, T>();
  const site = (place: Site, input: T, given: T): T => {
    if (place.kind !== 'dense') return given;
    const bias = place.bias === null ? null : params[place.bias];
    let weight = weights.get(place.weight) ?? params[place.weight];
    let output = affineOfLast(ops, input, weight, bias);
    // A weight that is used at several sites is scaled at the first.
    for (let pass = 0; pass < passes && !weights.has(place.weight); pass += 1) {
      weight = ops.mul(weight, inverseRoot(ops, varianceOf(ops, output)));
      output = affineOfLast(ops, input, weight, bias);
    }
    weights.set(place.weight, weight);
    return output;
  };
  model.program({ ...ops, site }, params, evaluating(arrays));
  return { ...params, ...Object.fromEntries(weights) };
};
