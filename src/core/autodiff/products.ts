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
 * @example
 * ```ts
 * import type { Program } from 'kfac-ts/core';
 * import { hessianProduct, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const cubes: Program = (on, { w }) => on.dot(w, on.square(w));
 * // ∂²/∂w² of w³ is 6 w.
 * hessianProduct(ops, cubes, { w: tensor([1, 2], [2]) }, { w: tensor([1, 1], [2]) }, []).w.data; // => [6, 12]
 * ```
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
 * @example
 * ```ts
 * import type { Program } from 'kfac-ts/core';
 * import { gaussNewton, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const { ops } = referenceBackend();
 * const squares: Program = (on, { w }) => on.square(w);
 * // H = I, so that the product is JᵀJ v with J = diag(6, 8).
 * const product = gaussNewton(ops, squares, (_, v) => v, { w: tensor([3, 4], [2]) }, []);
 * product({ w: tensor([1, 1], [2]) }).w.data; // => [36, 64]
 * ```
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
 * @example
 * ```ts
 * import type { Program } from 'kfac-ts/core';
 * import { gaussNewtonProduct, referenceBackend, squaredError, tensor } from 'kfac-ts/core';
 *
 * // y = w · x: Jᵀ H J v with J = x and H = 1.
 * const { ops } = referenceBackend();
 * const linear: Program = (on, { w }, [x]) => on.affine(x, w, null);
 * const [w, x] = [tensor([1, 1], [1, 2]), tensor([1, 2], [1, 2])];
 * const hessian = (outputs: typeof w, v: typeof w) => squaredError.hessianProduct(ops, outputs, v);
 * gaussNewtonProduct(ops, linear, hessian, { w }, { w: tensor([1, 1], [1, 2]) }, [x]).w.data; // => [3, 6]
 * ```
 */
export const gaussNewtonProduct = <T extends Shaped>(
  ops: Ops<T>,
  program: Program,
  outputHessian: (outputs: T, v: T) => T,
  params: Params<T>,
  v: Params<T>,
  inputs: ReadonlyArray<T>,
): Params<T> => gaussNewton(ops, program, outputHessian, params, inputs)(v);
