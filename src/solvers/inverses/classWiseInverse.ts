/**
 * The inverse of class-wise K-FAC, whose blocks are sums of Kronecker products.
 *
 * Two terms are inverted as they are. More are not invertible by their factors: their place is taken by the nearest
 * Kronecker product, damped, which is near enough to precondition an iteration on the sum, or to be the cheap variant of
 * it.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import type { BlockOperator, Product } from '../../core/operators/blockOperator.ts';
import { kroneckerOf, productIn } from '../../core/operators/blockOperator.ts';
import type { LinearOperator } from '../../core/operators/linearOperator.ts';
import { blockDiagonal } from '../../core/operators/linearOperator.ts';
import { nearestKronecker } from '../../core/operators/nearestKronecker.ts';
import { mapParams } from '../../core/params.ts';
import type { Prepared } from '../../core/pipeline/prepared.ts';
import type { Shaped } from '../../core/tensor.ts';
import type { Preconditioner } from '../solver/inverse.ts';
import { calculate } from '../../core/pipeline/compute.ts';
import { unsupported } from '../solver/unsupported.ts';
import { byFactors, eachBlock } from './factors/blockwise.ts';
import type { MeanEigenvalues } from './factors/dampedFactors.ts';
import { dampedBy, meanEigenvalues } from './factors/dampedFactors.ts';
import type { Escalated } from './factors/escalation.ts';
import { escalating, raisedMetrics } from './factors/escalation.ts';
import { twoTermInverse } from './factors/twoTerm.ts';
import { kroneckerInverse } from './kroneckerInverse.ts';

const name = 'classWiseInverse';

/** Names of the ways in which sums are inverted. */
export const classWiseMethods = ['auto', 'nearest'] as const;

/** How sums are inverted. `auto`: two terms as they are, more by their nearest product. `nearest`: all by that. */
export type ClassWiseMethod = (typeof classWiseMethods)[number];

/** The terms of a sum of Kronecker products of matrices; `null` for any other operator. */
export const termsOf = <T>(block: BlockOperator<T>): ReadonlyArray<Product<T>> | null => {
  if (block._tag !== 'sum') return null;
  const terms = block.operators.flatMap((term) => productIn(term) ?? []);
  return terms.length === block.operators.length ? terms : null;
};

const byTwoTerms = (terms: ReadonlyArray<unknown> | null, method: ClassWiseMethod): boolean =>
  terms?.length === 2 && method === 'auto';

const size = ({ ofA, ofG }: MeanEigenvalues): number => Math.max(ofA * ofG, 0);

/**
 * ((A₁ + π₁√λ₁ I) ⊗ (G₁ + π₁⁻¹√λ₁ I) + the same of the second)⁻¹. λ is shared in proportion to the mean eigenvalues of
 * the terms: where the two are multiples of one product this is K-FAC's factored damping of that product. The larger
 * term comes first, which is the one that must be positive definite by itself.
 */
const invertTwo = <T extends Shaped>(
  backend: Backend<T>,
  at: string,
  terms: ReadonlyArray<Product<T>>,
  lambda: number,
): TE.TaskEither<KfacError, BlockOperator<T>> =>
  pipe(
    meanEigenvalues(
      backend,
      terms.map(({ A, G }) => kroneckerOf(A, G)),
    ),
    TE.chain((means) =>
      calculate(() => {
        const sizes = means.map(size);
        const total = sizes[0] + sizes[1];
        const shares = total > 0 ? sizes.map((each) => each / total) : [0.5, 0.5];
        const damped = terms.map((term, i) => dampedBy(backend.ops, term, means[i], lambda * shares[i]));
        return sizes[0] >= sizes[1] ? damped : [damped[1], damped[0]];
      }),
    ),
    TE.chain(([first, second]) => twoTermInverse(backend, first, second, 1, at)),
  );

/** A block's inverse where it has two terms; else what is to be inverted by its factors in its place. */
type Split<T> = { readonly inverse: Escalated<BlockOperator<T>> } | { readonly remaining: BlockOperator<T> };

const split = <T extends Shaped>(
  backend: Backend<T>,
  at: string,
  block: BlockOperator<T>,
  lambda: number,
  method: ClassWiseMethod,
): TE.TaskEither<KfacError, Split<T>> => {
  const terms = termsOf(block);
  if (terms !== null && byTwoTerms(terms, method)) {
    return pipe(
      escalating(lambda, (raised) => invertTwo(backend, at, terms, raised)),
      TE.map((inverse) => ({ inverse })),
    );
  }
  if (terms !== null) {
    return calculate(() => {
      const { A, G } = nearestKronecker(backend.ops, terms);
      return { remaining: kroneckerOf(A, G) };
    });
  }
  switch (block._tag) {
    case 'kronecker':
    case 'dense':
    case 'diagonal':
      return TE.right({ remaining: block });
    default:
      return TE.left(unsupported(name, at, `sums of Kronecker products, or ${byFactors}`, block._tag));
  }
};

/** Settings of {@link classWiseInverse}. */
export interface ClassWiseInverseOptions {
  /** `auto` unless given. */
  readonly method?: ClassWiseMethod;
}

/**
 * Inverses of block-diagonal curvature with sums of Kronecker products, such products, dense and diagonal blocks: two-term
 * solves, and damped inverses of products, the nearest where a block is a sum.
 *
 * @param options - how sums are inverted
 *
 * @example
 * ```ts
 * import { classWiseInverse, iterative } from 'kfac-ts/solvers';
 *
 * const solver = iterative('cg', { preconditioner: classWiseInverse({ method: 'nearest' }) });
 * ```
 */
export const classWiseInverse = ({ method = 'auto' }: ClassWiseInverseOptions = {}): Preconditioner => ({
  name,
  prepare: <T extends Shaped>(
    backend: Backend<T>,
    curvature: LinearOperator<T>,
    lambda: number,
  ): TE.TaskEither<KfacError, Prepared<T>> =>
    classWiseMethods.includes(method)
      ? pipe(
          eachBlock(name, curvature, (at, block) => split(backend, at, block, lambda, method)),
          TE.chain((blocks) => {
            const inverted = Object.fromEntries(
              Object.entries(blocks).flatMap(([at, block]) => ('inverse' in block ? [[at, block.inverse]] : [])),
            );
            const remaining = Object.fromEntries(
              Object.entries(blocks).flatMap(([at, block]) => ('remaining' in block ? [[at, block.remaining]] : [])),
            );
            return pipe(
              kroneckerInverse.prepare(backend, blockDiagonal(remaining), lambda, null),
              TE.map(({ operator, metrics }) => ({
                operator: blockDiagonal({
                  ...mapParams(inverted, ({ found }) => found),
                  ...(operator._tag === 'blockDiagonal' ? operator.blocks : {}),
                }),
                metrics: { ...metrics, ...raisedMetrics(lambda, inverted) },
              })),
            );
          }),
        )
      : TE.left(unsupported(name, 'method', `one of ${classWiseMethods.join(', ')}`, method)),
});
