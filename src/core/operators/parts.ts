/**
 * Products with block-diagonal matrices whose blocks lie side by side: factors of partitioned operators.
 *
 * @module
 */
import type { Ops } from '../ops/ops.ts';
import type { Shaped } from '../tensor.ts';

/** Where each part begins. */
const beginsOf = (orders: ReadonlyArray<number>): ReadonlyArray<number> =>
  orders.map((_, i) => orders.slice(0, i).reduce((sum, order) => sum + order, 0));

/**
 * The parts of V's rows, each changed by itself, one below the other; V where there are no parts.
 *
 * @param ops - interpreter
 * @param orders - rows of each part, which add up to V's
 * @param v - V `[rows, columns]`
 * @param change - from part i to what takes its place
 */
export const mapRows = <T extends Shaped>(
  ops: Ops<T>,
  orders: ReadonlyArray<number>,
  v: T,
  change: (part: T, i: number) => T,
): T => {
  if (orders.length < 2) return orders.length === 0 ? v : change(v, 0);
  const begins = beginsOf(orders);
  return ops.concat(
    orders.map((order, i) => change(ops.slice(v, [begins[i], 0], [order, v.shape[1]]), i)),
    0,
  );
};

/** The parts of V's columns, each changed by itself, side by side; like {@link mapRows}. */
export const mapColumns = <T extends Shaped>(
  ops: Ops<T>,
  orders: ReadonlyArray<number>,
  v: T,
  change: (part: T, i: number) => T,
): T => {
  if (orders.length < 2) return orders.length === 0 ? v : change(v, 0);
  const begins = beginsOf(orders);
  return ops.concat(
    orders.map((order, i) => change(ops.slice(v, [0, begins[i]], [v.shape[0], order]), i)),
    1,
  );
};

/** Number of rows of each block. */
const ordersOf = <T extends Shaped>(blocks: ReadonlyArray<T>): ReadonlyArray<number> =>
  blocks.map(({ shape }) => shape[0]);

/**
 * (⊕ B_i) V, or (⊕ B_iᵀ) V.
 *
 * @param ops - interpreter
 * @param blocks - square matrices whose orders add up to V's rows
 * @param v - V `[rows, columns]`
 * @param transposed - whether the transposes act
 */
export const blocksTimes = <T extends Shaped>(ops: Ops<T>, blocks: ReadonlyArray<T>, v: T, transposed = false): T =>
  mapRows(ops, ordersOf(blocks), v, (part, i) => ops.matmul(blocks[i], part, { transposeA: transposed }));

/**
 * V (⊕ B_i), or V (⊕ B_iᵀ).
 *
 * @param ops - interpreter
 * @param v - V `[rows, columns]`
 * @param blocks - square matrices whose orders add up to V's columns
 * @param transposed - whether the transposes act
 */
export const timesBlocks = <T extends Shaped>(ops: Ops<T>, v: T, blocks: ReadonlyArray<T>, transposed = false): T =>
  mapColumns(ops, ordersOf(blocks), v, (part, i) => ops.matmul(part, blocks[i], { transposeB: transposed }));
