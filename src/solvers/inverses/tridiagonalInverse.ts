/**
 * The inverse of block-tridiagonal K-FAC [MG15 §4.3]: F̂⁻¹ = Ξᵀ Λ Ξ.
 *
 * Ψ_(i,i+1) = (Ā_(i−1,i) Ā_(i,i)⁻¹) ⊗ (G_(i,i+1) G_(i+1,i+1)⁻¹) predicts block i from block i + 1, Ξ subtracts the
 * prediction, and Λ is the inverse of what is left over, Σ_(i|i+1) = F_(i,i) − Ψ F_(i+1,i+1) Ψᵀ, a difference of two
 * Kronecker products. F̂ has the blocks of the curvature on and beside its diagonal. The factors on the diagonal are
 * damped, those beside it are not, so Σ stays positive definite.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import type { BlockOperator, Product } from '../../core/operators/blockOperator.ts';
import { kroneckerOf, productIn } from '../../core/operators/blockOperator.ts';
import type { Link } from '../../core/operators/linearOperator.ts';
import { blockDiagonal, blockTridiagonalInverse } from '../../core/operators/linearOperator.ts';
import type { Params } from '../../core/params.ts';
import { mapParams } from '../../core/params.ts';
import type { Prepared } from '../../core/pipeline/prepared.ts';
import type { Shaped } from '../../core/tensor.ts';
import { calculate } from '../../core/pipeline/compute.ts';
import { unsupported } from '../solver/unsupported.ts';
import { dampedFactors, inverseFactors } from './factors/dampedFactors.ts';
import { escalating, inBlock, raisedMetrics } from './factors/escalation.ts';
import type { Preconditioner } from '../solver/inverse.ts';
import { kroneckerInverse } from './kroneckerInverse.ts';
import { twoTermInverse } from './factors/twoTerm.ts';

const name = 'tridiagonalInverse';

type Blocks<T> = Readonly<Record<string, BlockOperator<T>>>;
type Named<A> = readonly [string, A];

/** The blocks that are Kronecker products of matrices, and the others inverted. */
interface Sorted<T> {
  readonly products: ReadonlyArray<Named<Product<T>>>;
  readonly others: ReadonlyArray<Named<BlockOperator<T>>>;
  readonly metrics: Prepared<T>['metrics'];
}

/** Kinds of blocks that can be taken. */
const accepted: ReadonlyArray<BlockOperator<unknown>['_tag']> = ['kronecker', 'dense', 'diagonal'];

/** Blocks that are not Kronecker products of matrices have no neighbours, and are inverted by themselves. */
const sorted = <T extends Shaped>(
  backend: Backend<T>,
  blocks: Blocks<T>,
  links: ReadonlyArray<Link<T>>,
  lambda: number,
): TE.TaskEither<KfacError, Sorted<T>> => {
  const entries = Object.entries(blocks);
  const wrong = entries.find(([, block]) => !accepted.includes(block._tag));
  if (wrong !== undefined) {
    return TE.left(unsupported(name, wrong[0], `blocks of kind ${accepted.join(', ')}`, wrong[1]._tag));
  }
  const products = entries.flatMap(([name, block]) => {
    const product = productIn(block);
    return product === null ? [] : [[name, product] as const];
  });
  const rest = entries.filter(([, block]) => productIn(block) === null);
  const linked = rest.find(([name]) => links.some(({ from, to }) => from === name || to === name));
  if (linked !== undefined) {
    return TE.left(
      unsupported(name, linked[0], 'a Kronecker product of matrices in a block with neighbours', 'another'),
    );
  }
  return pipe(
    kroneckerInverse.prepare(backend, blockDiagonal(Object.fromEntries(rest)), lambda, null),
    TE.map(({ operator, metrics }) => ({
      products,
      others: operator._tag === 'blockDiagonal' ? Object.entries(operator.blocks) : [],
      metrics,
    })),
  );
};

const named = <T extends Shaped>(
  backend: Backend<T>,
  products: Sorted<T>['products'],
  lambda: number,
): TE.TaskEither<KfacError, Params<Product<T>>> =>
  products.length === 0
    ? TE.right({})
    : pipe(
        dampedFactors(
          backend,
          products.map(([, factors]) => factors),
          lambda,
        ),
        TE.map((damped) => Object.fromEntries(products.map(([name], i) => [name, damped[i]]))),
      );

/** Inverses by name. */
const inverses = <T extends Shaped>(
  backend: Backend<T>,
  damped: Params<Product<T>>,
  names: ReadonlyArray<string>,
): TE.TaskEither<KfacError, Params<Product<T>>> =>
  pipe(
    names,
    TE.traverseArray((name) =>
      pipe(
        inverseFactors(backend, name, damped[name]),
        TE.map((inverse): Named<Product<T>> => [name, inverse]),
      ),
    ),
    TE.map((all) => Object.fromEntries(all)),
  );

/** Ψ of one link, and the inverse of what it does not predict. */
interface Predicted<T> {
  readonly psi: Link<T>;
  readonly inverse: BlockOperator<T>;
}

const predicted = <T extends Shaped>(
  backend: Backend<T>,
  link: Link<T>,
  damped: Params<Product<T>>,
  inverse: Params<Product<T>>,
): TE.TaskEither<KfacError, Predicted<T>> => {
  const { ops } = backend;
  return pipe(
    calculate(() => {
      const { A, G } = inverse[link.from];
      const psi = { ...link, A: ops.matmul(link.A, A), G: ops.matmul(link.G, G) };
      const explained = {
        A: ops.matmul(psi.A, link.A, { transposeB: true }),
        G: ops.matmul(psi.G, link.G, { transposeB: true }),
      };
      return { psi, explained };
    }),
    TE.chain(({ psi, explained }) =>
      pipe(
        twoTermInverse(backend, damped[link.to], explained, -1),
        TE.bimap(inBlock(link.to), (left) => ({ psi, inverse: left })),
      ),
    ),
  );
};

const invertChain = <T extends Shaped>(
  backend: Backend<T>,
  blocks: Blocks<T>,
  links: ReadonlyArray<Link<T>>,
  lambda: number,
): TE.TaskEither<KfacError, Prepared<T>> =>
  pipe(
    sorted(backend, blocks, links, lambda),
    TE.bindTo('sorted'),
    TE.bind('damped', (found) => named(backend, found.sorted.products, lambda)),
    TE.bind('inverse', ({ damped }) => {
      // Every block but the first of the chain: those that predict, and those that nothing predicts.
      const names = Object.keys(damped).filter(
        (name) => links.some(({ from }) => from === name) || !links.some(({ to }) => to === name),
      );
      return inverses(backend, damped, names);
    }),
    TE.bind('predictions', ({ damped, inverse }) =>
      pipe(
        links,
        TE.traverseArray((link) => predicted(backend, link, damped, inverse)),
      ),
    ),
    TE.map(({ sorted: { others, metrics }, inverse, predictions }) => ({
      metrics,
      operator: blockTridiagonalInverse(
        {
          ...Object.fromEntries(others),
          ...Object.fromEntries(Object.entries(inverse).map(([name, { A, G }]) => [name, kroneckerOf(A, G)])),
          ...Object.fromEntries(predictions.map(({ psi, inverse: left }) => [psi.to, left])),
        },
        predictions.map(({ psi }) => psi),
      ),
    })),
  );

/** The chain with λ where that is enough, else with a risen one, which is reported for every block. */
const escalated = <T extends Shaped>(
  backend: Backend<T>,
  blocks: Blocks<T>,
  links: ReadonlyArray<Link<T>>,
  lambda: number,
): TE.TaskEither<KfacError, Prepared<T>> =>
  pipe(
    escalating(lambda, (raised) => invertChain(backend, blocks, links, raised)),
    TE.map(({ found, lambda: raised }) => ({
      ...found,
      metrics: {
        ...found.metrics,
        ...raisedMetrics(
          lambda,
          mapParams(blocks, () => ({ lambda: raised })),
        ),
      },
    })),
  );

/**
 * F̂⁻¹ of a block-tridiagonal or block-diagonal curvature with Kronecker, dense and diagonal blocks, with factored Tikhonov
 * damping. Where a factor or a Σ is not positive definite λ of the whole chain rises by 10, at most 6 times, which is
 * reported; then the error names the block.
 */
export const tridiagonalInverse: Preconditioner = {
  name,
  prepare: (backend, curvature, lambda) => {
    switch (curvature._tag) {
      case 'blockTridiagonal':
        return escalated(backend, curvature.blocks, curvature.links, lambda);
      case 'blockDiagonal':
        return escalated(backend, curvature.blocks, [], lambda);
      default:
        return TE.left(unsupported(name, 'operator', 'a block-tridiagonal operator', curvature._tag));
    }
  },
};
