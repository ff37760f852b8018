/**
 * Products with block-tridiagonal operators and their inverses: a diagonal of blocks, and links between neighbours.
 *
 * @module
 */
import type { Ops } from '../ops/ops.ts';
import type { Params } from '../params.ts';
import { mapParams } from '../params.ts';
import type { Shaped } from '../tensor.ts';
import type { BlockOperator } from './blockOperator.ts';
import type { BlockTridiagonal, BlockTridiagonalInverse, Link } from './linearOperator.ts';

/** How a block on the diagonal acts: as it is, or transposed. */
type ActOfBlock<T> = (block: BlockOperator<T>, x: T) => T;

/** (A ⊗ G) x. */
const through = <T extends Shaped>(ops: Ops<T>, { A, G }: Link<T>, x: T): T =>
  ops.matmul(ops.matmul(G, x), A, { transposeB: true });

/** (A ⊗ G)ᵀ x. */
const back = <T extends Shaped>(ops: Ops<T>, { A, G }: Link<T>, x: T): T =>
  ops.matmul(ops.matmul(G, x, { transposeA: true }), A);

/** y with c x added to one of its blocks. */
const addedTo = <T extends Shaped>(ops: Ops<T>, y: Params<T>, name: string, c: number, x: T): Params<T> => ({
  ...y,
  [name]: ops.linearCombination(1, y[name], c, x),
});

/**
 * (⊕ blocks + Σ link + Σ linkᵀ) v.
 *
 * @param ops - interpreter
 * @param op - operator
 * @param v - arrays by block
 * @param act - how a block on the diagonal acts
 */
export const applyTridiagonal = <T extends Shaped>(
  ops: Ops<T>,
  op: BlockTridiagonal<T>,
  v: Params<T>,
  act: ActOfBlock<T>,
): Params<T> =>
  op.links.reduce(
    (y: Params<T>, link) => {
      const above = addedTo(ops, y, link.to, 1, through(ops, link, v[link.from]));
      return addedTo(ops, above, link.from, 1, back(ops, link, v[link.to]));
    },
    mapParams(op.blocks, (block, name) => act(block, v[name])),
  );

/**
 * Ξᵀ Λ Ξ v.
 *
 * @param ops - interpreter
 * @param op - operator
 * @param v - arrays by block
 * @param act - how a block of Λ acts
 */
export const applyTridiagonalInverse = <T extends Shaped>(
  ops: Ops<T>,
  op: BlockTridiagonalInverse<T>,
  v: Params<T>,
  act: ActOfBlock<T>,
): Params<T> => {
  const xi = op.links.reduce((y, link) => addedTo(ops, y, link.to, -1, through(ops, link, v[link.from])), v);
  const weighted = mapParams(op.blocks, (block, name) => act(block, xi[name]));
  return op.links.reduce((y, link) => addedTo(ops, y, link.from, -1, back(ops, link, weighted[link.to])), weighted);
};
