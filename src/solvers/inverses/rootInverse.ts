/**
 * Shampoo's preconditioner: inverse roots of the factors of gradients, L^(−1/4) G R^(−1/4) [GKS18, algorithm 1].
 *
 * The power is −1/(2k) for k factors, −1/2 for the one of a vector, so that what is preconditioned is as large as a sign
 * whatever the scale of the gradients. Damping is relative: each factor gains that multiple of its own largest eigenvalue
 * [AGK20].
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import type { BlockOperator } from '../../core/operators/blockOperator.ts';
import { kronecker } from '../../core/operators/blockOperator.ts';
import type { Factor } from '../../core/operators/factors/factor.ts';
import { dense, diagonal } from '../../core/operators/factors/factor.ts';
import { matrixOf } from '../../core/operators/factors/measures.ts';
import { blockDiagonal } from '../../core/operators/linearOperator.ts';
import { calculate } from '../../core/pipeline/compute.ts';
import type { Ops } from '../../core/ops/ops.ts';
import { axesOf } from '../../core/ops/shapes.ts';
import type { Shaped } from '../../core/tensor.ts';
import type { Preconditioner } from '../solver/inverse.ts';
import { unsupported } from '../solver/unsupported.ts';
import { byFactors, eachBlock } from './factors/blockwise.ts';

const name = 'rootInverse';

/** 1 / √ as often as the power asks: once for −1/2, twice for −1/4. */
type Power = 'half' | 'quarter';

/** What 32 bits hold, under the roots of statistics that are zero. */
const leastEigenvalue = 1e-36;

/** (x + ε max x)^(−1/2) or its root, with what rounding made negative taken as 0. */
const rootsOf = <T extends Shaped>(ops: Ops<T>, values: T, epsilon: number, power: Power): T => {
  const clipped = ops.maximum(values, ops.full([], 0));
  const floor = ops.add(ops.scale(epsilon, ops.max(clipped, axesOf(values.shape))), ops.full([], leastEigenvalue));
  const root = ops.sqrt(ops.add(clipped, floor));
  return ops.div(ops.full([], 1), power === 'half' ? root : ops.sqrt(root));
};

/** U diag(x) Uᵀ for x above 0, exactly symmetric. */
const composed = <T extends Shaped>(ops: Ops<T>, vectors: T, values: T): T =>
  ops.gram(ops.transposed(ops.mul(vectors, ops.sqrt(values))));

const rootOf = <T extends Shaped>(
  backend: Backend<T>,
  factor: Factor<T>,
  epsilon: number,
  power: Power,
): TE.TaskEither<KfacError, Factor<T>> => {
  const { ops, linearAlgebra } = backend;
  if (factor._tag === 'diagonal') return calculate(() => diagonal(rootsOf(ops, factor.values, epsilon, power)));
  return pipe(
    calculate(() => matrixOf(ops, factor)),
    TE.chain((m) => linearAlgebra.eigh(m)),
    TE.chain(({ values, vectors }) =>
      calculate(() => dense(composed(ops, vectors, rootsOf(ops, values, epsilon, power)))),
    ),
  );
};

const rootOfBlock = <T extends Shaped>(
  backend: Backend<T>,
  at: string,
  block: BlockOperator<T>,
  epsilon: number,
): TE.TaskEither<KfacError, BlockOperator<T>> => {
  switch (block._tag) {
    case 'kronecker':
      return pipe(
        TE.Do,
        TE.apS('A', rootOf(backend, block.A, epsilon, 'quarter')),
        TE.apS('G', rootOf(backend, block.G, epsilon, 'quarter')),
        TE.map(({ A, G }) => kronecker(A, G)),
      );
    case 'dense':
    case 'diagonal':
      return rootOf(backend, block, epsilon, 'half');
    default:
      return TE.left(unsupported(name, at, byFactors, block._tag));
  }
};

/**
 * (R + ε_R I)^(−1/4) ⊗ (L + ε_L I)^(−1/4) of block-diagonal curvature, (F + ε_F I)^(−1/2) of blocks with one factor; ε is the
 * damping times the largest eigenvalue. It is no inverse of the damped curvature, but a root of it.
 *
 * @example
 * ```ts
 * import { preconditioned, rootInverse } from 'kfac-ts/solvers';
 *
 * const solver = preconditioned(rootInverse, { every: 10 });
 * ```
 */
export const rootInverse: Preconditioner = {
  name,
  prepare: (backend, curvature, epsilon) =>
    pipe(
      eachBlock(name, curvature, (at, block) => rootOfBlock(backend, at, block, epsilon)),
      TE.map((blocks) => ({ operator: blockDiagonal(blocks), metrics: {} })),
    ),
};
