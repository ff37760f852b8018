/**
 * The part of a loss that is no sum over outputs: a penalty on the parameters, on the length of a gradient.
 *
 * @module
 */
import type { Program } from '../autodiff/program.ts';
import { vjp } from '../autodiff/reverse.ts';
import { listed, relisted } from '../nn/layers/circumstances.ts';
import type { ModelProgram } from '../nn/model.ts';
import type { Ops } from '../ops/ops.ts';
import type { Params } from '../params.ts';
import type { Shaped } from '../tensor.ts';
import type { Placed } from './linearise.ts';
import type { Judging, Objective } from './objective.ts';
import { meanLoss } from './objective.ts';

/** Parameters that are trained and held, and where they are applied. */
type Applied<T> = Omit<Placed<T>, 'model'>;

/** A penalty with its gradient. */
export interface LinearisedPenalty<T> {
  /** Shape `[]`. */
  readonly value: T;
  /** In the parameters that are trained. */
  readonly gradient: Params<T>;
}

/**
 * A penalty and its gradient in the parameters that are trained; all else is constant.
 *
 * @param ops - interpreter that computes
 * @param penalty - of all parameters
 * @param applied - parameters, circumstances
 */
export const linearisedPenalty = <T extends Shaped>(
  ops: Ops<T>,
  penalty: ModelProgram,
  { params, held, at }: Applied<T>,
): LinearisedPenalty<T> => {
  const paths = Object.keys(held);
  const constants = listed(at);
  const program: Program = (on, mine, given) => {
    const theirs = Object.fromEntries(paths.map((path, i) => [path, given[constants.length + i]]));
    return penalty(on, { ...theirs, ...mine }, relisted(at, given));
  };
  const { outputs, pullback } = vjp(ops, program, params, [...constants, ...Object.values(held)], () => null);
  return { value: outputs, gradient: pullback(ops.full([], 1)).params };
};

/**
 * The mean loss over examples, with the objective's penalty where it has one: shape `[]`.
 *
 * @param ops - interpreter
 * @param objective - what is learned
 * @param outputs - of its model, `[n, …]`
 * @param judging - targets and weights
 * @param applied - the parameters that the outputs are of, and where they are applied
 */
export const wholeLoss = <T extends Shaped>(
  ops: Ops<T>,
  { loss, penalty }: Objective,
  outputs: T,
  judging: Judging<T>,
  { params, held, at }: Applied<T>,
): T => {
  const mean = meanLoss(ops, loss, outputs, judging);
  return penalty === undefined ? mean : ops.add(mean, penalty(ops, { ...held, ...params }, at));
};
