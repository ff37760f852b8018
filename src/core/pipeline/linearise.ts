/**
 * A model linearised at the parameters that are trained.
 *
 * Parameters that are held fixed, the arrays of the batch and running state are constants of the program, so gradients,
 * sites and blocks are those of the trained parameters alone, and nothing that follows needs to know of the others.
 *
 * @module
 */
import type { Program } from '../autodiff/program.ts';
import type { Linearised } from '../autodiff/reverse.ts';
import { vjp } from '../autodiff/reverse.ts';
import type { Circumstances } from '../nn/layers/circumstances.ts';
import { listed, relisted } from '../nn/layers/circumstances.ts';
import type { Model } from '../nn/model.ts';
import type { Ops } from '../ops/ops.ts';
import { narrowSite } from '../ops/site.ts';
import type { Params } from '../params.ts';
import type { Shaped } from '../tensor.ts';

/** A model with its parameters, in circumstances. */
export interface Placed<T> {
  readonly model: Model;
  readonly params: Params<T>;
  /** Parameters that are held fixed. */
  readonly held: Params<T>;
  readonly at: Circumstances<T>;
}

/** A program whose parameters are the trained ones, and the list of its constants. */
export interface PositionalProgram<T> {
  readonly program: Program;
  readonly inputs: ReadonlyArray<T>;
}

/**
 * The model as a function of its trained parameters alone, with everything else as constants.
 *
 * @param placed - model, parameters, circumstances
 */
export const trainedProgram = <T>({ model, held, at }: Placed<T>): PositionalProgram<T> => {
  const [paths, constants] = [Object.keys(held), Object.values(held)];
  return {
    inputs: [...listed(at), ...constants],
    program: (ops, params, inputs) => {
      const theirs = inputs.slice(inputs.length - paths.length);
      const all = { ...params, ...Object.fromEntries(paths.map((path, i) => [path, theirs[i]])) };
      return model.program(ops, all, relisted(at, inputs));
    },
  };
};

/**
 * Runs the model and linearises it at its trained parameters.
 *
 * @param ops - interpreter that computes
 * @param placed - model, parameters, circumstances
 * @example
 * ```ts
 * import { dense, evaluating, linearise, model, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const net = model('linear', [2], dense({ in: 2, out: 1 }));
 * const [weight, bias] = [tensor([3, 4], [1, 2]), tensor([0], [1])];
 * const at = evaluating({ inputs: tensor([1, 2], [1, 2]) });
 * // The bias is held fixed: it has no gradient, and the site has no homogeneous coordinate.
 * const { pullback, sites } = linearise(ops, { model: net, params: { weight }, held: { bias }, at });
 * Object.keys(pullback(tensor([1], [1, 1])).params); // => ['weight']
 * sites[0].site.bias; // => null
 * ```
 */
export const linearise = <T extends Shaped>(ops: Ops<T>, placed: Placed<T>): Linearised<T> => {
  const { model, params, held, at } = placed;
  ops.whole([...Object.values(params), ...Object.values(held)]);
  if (model.linearise !== undefined) return model.linearise(ops, params, at);
  const { program, inputs } = trainedProgram(placed);
  const isTrained = (path: string): boolean => Object.hasOwn(params, path);
  return vjp(ops, program, params, inputs, (site) => narrowSite(site, isTrained));
};

/**
 * The model's outputs alone.
 *
 * @param ops - interpreter that computes
 * @param placed - model, parameters, circumstances
 * @example
 * ```ts
 * import { dense, evaluating, model, outputsAt, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const net = model('linear', [2], dense({ in: 2, out: 1 }));
 * const [weight, bias] = [tensor([3, 4], [1, 2]), tensor([1], [1])];
 * const at = evaluating({ inputs: tensor([1, 2], [1, 2]) });
 * outputsAt(ops, { model: net, params: { weight }, held: { bias }, at }).data; // => [12]
 * ```
 */
export const outputsAt = <T extends Shaped>(ops: Ops<T>, { model, params, held, at }: Placed<T>): T => {
  const all = { ...held, ...params };
  ops.whole(Object.values(all));
  return model.program(ops, all, at);
};
