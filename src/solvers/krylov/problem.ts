/**
 * What all iterative solvers are given, and how they begin.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import type { Params } from '../../core/params.ts';
import type { Shaped } from '../../core/tensor.ts';
import { innerProduct } from '../../core/ops/innerProduct.ts';
import type { Applicable } from '../../core/operators/action.ts';
import { act } from '../../core/operators/action.ts';
import { combine, computing, copyOf, readFinite, zerosLike } from './vectors.ts';

/** Settings that all iterative solvers share. */
export interface KrylovOptions<T extends Shaped> {
  /** Approximates A⁻¹; none unless given. */
  readonly preconditioner?: Applicable<T>;
  /** Where to start; 0 unless given. */
  readonly initial?: Params<T>;
  /** Stop when ‖b − A x‖ ≤ tolerance · ‖b‖; 1e-10 unless given. */
  readonly tolerance?: number;
  /** Stop after this many iterations; 1000 unless given. */
  readonly maxIterations?: number;
}

/** Options with every value. */
export const settingsOf = <T extends Shaped>(
  options: KrylovOptions<T>,
): { readonly tolerance: number; readonly maxIterations: number; readonly M: Applicable<T> } => ({
  tolerance: options.tolerance ?? 1e-10,
  maxIterations: options.maxIterations ?? 1000,
  M: options.preconditioner ?? ((_, v) => v),
});

/** The beginning of an iteration, in arrays of its own. */
export interface Start<T> {
  readonly x: Params<T>;
  /** b − A x. */
  readonly r: Params<T>;
  /** ‖b‖. */
  readonly normB: number;
  /** ‖r‖. */
  readonly normR: number;
}

/**
 * x and r = b − A x. A right-hand side of 0 starts, and ends, at 0.
 *
 * @param where - the solver, for errors
 * @param backend - where to compute
 * @param operator - A
 * @param b - right-hand side
 * @param initial - where to start, or `undefined` for 0
 */
export const startOf = <T extends Shaped>(
  where: string,
  backend: Backend<T>,
  operator: Applicable<T>,
  b: Params<T>,
  initial: Params<T> | undefined,
): TE.TaskEither<KfacError, Start<T>> => {
  const { ops } = backend;
  const fromZero = computing(() => ({ x: zerosLike(ops, b), r: copyOf(ops, b) }));
  const normOf = (v: Params<T>): TE.TaskEither<KfacError, number> =>
    pipe(
      computing(() => innerProduct(ops, v, v)),
      TE.chain((square) => readFinite(backend, where, [square])),
      TE.map(([square]) => Math.sqrt(square)),
    );
  return pipe(
    normOf(b),
    TE.chain((normB) => {
      if (initial === undefined || normB === 0) {
        return pipe(
          fromZero,
          TE.map((start) => ({ ...start, normB, normR: normB })),
        );
      }
      return pipe(
        computing(() => ({ x: copyOf(ops, initial), r: combine(ops, 1, b, -1, act(ops, operator, initial)) })),
        TE.bind('normR', ({ r }) => normOf(r)),
        TE.map((start) => ({ ...start, normB })),
      );
    }),
  );
};

/** ‖r‖ / ‖b‖, and 0 for a right-hand side of 0. */
export const relative = (normR: number, normB: number): number => (normB === 0 ? 0 : normR / normB);
