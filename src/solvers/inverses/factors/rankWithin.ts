/**
 * How many eigenvectors of each factor an inverse can afford, told from shapes.
 *
 * Products with the inverse of a factor of order n take 2 n² operations a row; with one of rank r, 4 n r. One rank serves all
 * factors, so the wider ones give way first.
 *
 * @module
 */
import type { BlockOperator } from '../../../core/operators/blockOperator.ts';
import type { Factor } from '../../../core/operators/factors/factor.ts';
import { orderOf, partsOf } from '../../../core/operators/factors/factor.ts';
import type { LinearOperator } from '../../../core/operators/linearOperator.ts';
import type { Allowance } from '../../../core/pipeline/trainState.ts';
import type { Shaped } from '../../../core/tensor.ts';
import { columnsFor, operationsOfTracking } from './trackedEigen.ts';

/**
 * The rank that a factor has where all have one; `null` where its inverse is better: products with it take no more, or the factor
 * is so small that even one eigenvector takes more to make.
 *
 * @param order - n
 * @param rank - r of all
 */
export const rankOf = (order: number, rank: number): number | null =>
  2 * rank + 1 < order && columnsFor(rank) <= order && operationsOfTracking(order, 1) <= order ** 3 ? rank : null;

/** Operations of a factor's inverse in a step: products with so many rows, and what making it every so many steps comes to. */
const ofFactor = (factor: Factor<Shaped>, rows: number, rank: number, every: number): number =>
  partsOf(factor).reduce((sum, part) => {
    const n = orderOf(part);
    if (part._tag !== 'dense') return sum + n * rows;
    const r = rankOf(n, rank);
    return r === null
      ? sum + 2 * n * n * rows + n ** 3 / every
      : sum + n * (4 * r + 2) * rows + operationsOfTracking(n, r) / every;
  }, 0);

const ofBlock = (block: BlockOperator<Shaped>, rank: number, every: number): number => {
  switch (block._tag) {
    case 'kronecker':
      return ofFactor(block.A, orderOf(block.G), rank, every) + ofFactor(block.G, orderOf(block.A), rank, every);
    case 'dense':
    case 'diagonal':
      return ofFactor(block, 1, rank, every);
    default:
      return 0;
  }
};

const widestOf = (block: BlockOperator<Shaped>): number => {
  switch (block._tag) {
    case 'kronecker':
      return Math.max(orderOf(block.A), orderOf(block.G));
    case 'dense':
      return orderOf(block);
    default:
      return 1;
  }
};

/**
 * The greatest rank with which the inverses of a curvature's factors cost no more than they may; `null` where they need none.
 *
 * @param curvature - with the blocks that there are
 * @param allowance - operations by block, of which the sum counts
 * @returns at least 1
 */
export const rankWithin = (curvature: LinearOperator<Shaped>, { operations, every }: Allowance): number | null => {
  if (curvature._tag !== 'blockDiagonal') return null;
  const blocks = Object.entries(curvature.blocks);
  const budget = blocks.reduce((sum, [name]) => sum + (operations[name] ?? 0), 0);
  const isAffordable = (rank: number): boolean =>
    blocks.reduce((sum, [, block]) => sum + ofBlock(block, rank, every), 0) <= budget;
  const most = Math.max(1, ...blocks.map(([, block]) => Math.ceil(widestOf(block) / 2)));
  if (isAffordable(most)) return null;
  const ranks = Array.from({ length: most - 1 }, (_, i) => most - 1 - i);
  return ranks.find(isAffordable) ?? 1;
};
