/**
 * Curvature–vector products without a curvature matrix, by stacking the two modes.
 *
 * Forward over reverse, not reverse over reverse: it costs the same operations and keeps no second tape.
 *
 * @module
 */
import type { Ops } from '../ops/ops.ts';
import type { Params } from '../params.ts';
import type { Shaped } from '../tensor.ts';
import { jvpTree } from './forward.ts';
import type { Program } from './program.ts';
import { gradientOf, vjp } from './reverse.ts';

/**
 * Hessian–vector product H v = ∂/∂t ∇f(θ + t v) at t = 0.
 *
 * @param ops - interpreter that computes
 * @param program - f, with an output of shape `[]`
 * @param params - θ
 * @param v - direction; a parameter whose path it lacks does not move
 * @param inputs - constants of f
 * @returns H v, for every parameter
 */
export const hessianProduct = <T extends Shaped>(
  ops: Ops<T>,
  program: Program,
  params: Params<T>,
  v: Params<T>,
  inputs: ReadonlyArray<T>,
): Params<T> => jvpTree(ops, gradientOf(program), params, v, inputs).tangent;

/**
 * Gauss–Newton products at one point: v ↦ Jᵀ H J v, with J the Jacobian of the program.
 *
 * The program runs once and serves every product.
 *
 * @param ops - interpreter that computes
 * @param program - the model, from parameters to outputs
 * @param outputHessian - H v for the loss, from outputs and a v in their shape
 * @param params - where to linearise
 * @param inputs - constants of the program
 */
export const gaussNewton = <T extends Shaped>(
  ops: Ops<T>,
  program: Program,
  outputHessian: (outputs: T, v: T) => T,
  params: Params<T>,
  inputs: ReadonlyArray<T>,
): ((v: Params<T>) => Params<T>) => {
  const { outputs, pullback, pushforward } = vjp(ops, program, params, inputs);
  return (v) => pullback(outputHessian(outputs, pushforward(v))).params;
};

/**
 * One Gauss–Newton product Jᵀ H J v.
 *
 * @param ops - interpreter that computes
 * @param program - the model, from parameters to outputs
 * @param outputHessian - H v for the loss, from outputs and a v in their shape
 * @param params - where to linearise
 * @param v - direction; a parameter whose path it lacks does not move
 * @param inputs - constants of the program
 * @returns Jᵀ H J v, for every parameter
 */
export const gaussNewtonProduct = <T extends Shaped>(
  ops: Ops<T>,
  program: Program,
  outputHessian: (outputs: T, v: T) => T,
  params: Params<T>,
  v: Params<T>,
  inputs: ReadonlyArray<T>,
): Params<T> => gaussNewton(ops, program, outputHessian, params, inputs)(v);
