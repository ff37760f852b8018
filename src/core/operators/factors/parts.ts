/**
 * Rows or columns in parts, each changed by itself: how direct sums act.
 *
 * @module
 */
import type { Ops } from '../../ops/ops.ts';
import type { Shaped } from '../../tensor.ts';

/** Where each part begins. */
const beginsOf = (orders: ReadonlyArray<number>): ReadonlyArray<number> =>
  orders.map((_, i) => orders.slice(0, i).reduce((sum, order) => sum + order, 0));

/**
 * V's rows cut into parts; V itself where there is one.
 *
 * @param ops - interpreter
 * @param orders - rows of each part, which add up to V's; at least one
 * @param v - V `[rows, columns]`
 */
export const rowsIn = <T extends Shaped>(ops: Ops<T>, orders: ReadonlyArray<number>, v: T): ReadonlyArray<T> => {
  const begins = beginsOf(orders);
  return orders.length === 1 ? [v] : orders.map((order, i) => ops.slice(v, [begins[i], 0], [order, v.shape[1]]));
};

/**
 * The parts of V's rows, each changed by itself, one below the other.
 *
 * @param ops - interpreter
 * @param orders - rows of each part, which add up to V's; at least one
 * @param v - V `[rows, columns]`
 * @param change - from part i to what takes its place
 */
export const mapRows = <T extends Shaped>(
  ops: Ops<T>,
  orders: ReadonlyArray<number>,
  v: T,
  change: (part: T, i: number) => T,
): T => (orders.length === 1 ? change(v, 0) : ops.concat(rowsIn(ops, orders, v).map(change), 0));

/** The parts of V's columns, each changed by itself, side by side; like {@link mapRows}. */
export const mapColumns = <T extends Shaped>(
  ops: Ops<T>,
  orders: ReadonlyArray<number>,
  v: T,
  change: (part: T, i: number) => T,
): T => {
  if (orders.length === 1) return change(v, 0);
  const begins = beginsOf(orders);
  return ops.concat(
    orders.map((order, i) => change(ops.slice(v, [0, begins[i]], [v.shape[0], order]), i)),
    1,
  );
};
