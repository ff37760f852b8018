/**
 * Operations on spread arrays, by the names of their axes.
 *
 * Nearly every operation is a product in the sense of Einstein's convention: axes of one name run together. If an operand is in
 * shards along a name, each rank computes with its run of every operand that has the name; the result is in shards where it has
 * the name too, and a sum over ranks where it has not. That one rule is all that data-parallel training needs.
 *
 * @module
 */
import type { Ops } from '../../ops/ops.ts';
import type { DType, Shape, Tensor } from '../../tensor.ts';
import { sameShape, sizeOf } from '../../tensor.ts';
import type { Part, Spread } from './array.ts';
import { placeOf, sameBounds, withExtent } from './array.ts';
import { isSymmetric } from './layout.ts';
import { rowOf } from './rows.ts';
import type { Workshop } from './workshop.ts';
import { addendsOf, byRank, evenRuns, runsHere, runsOf, spread, wholeOf } from './workshop.ts';

/** Names of the axes of an array, in order; an axis with the empty name is never cut. */
export type Names = ReadonlyArray<string>;

/** An operation by the names of its axes. */
export interface Application {
  readonly operands: ReadonlyArray<readonly [array: Spread, names: Names]>;
  readonly names: Names;
  /** Shape of the result. */
  readonly shape: Shape;
  /** Type of its elements, floats unless given. */
  readonly dtype?: DType;
  /** Computes with the ranks' own arrays; the shape is that of their result. */
  readonly run: (ops: Ops<Tensor>, operands: ReadonlyArray<Tensor>, shape: Shape) => Tensor;
  /** Whether a rank's result is symmetric wherever it is a sum; no unless given. */
  readonly isSymmetric?: boolean;
  /** An axis of the result along which the work is shared out where every rank has all operands; it is not unless given. */
  readonly shared?: string;
}

/** A way to cut an operation. */
interface Cut {
  readonly name: string;
  /** Extent of the axis in the array that is in shards already, and where each run begins there. */
  readonly extent: number;
  readonly bounds: ReadonlyArray<number>;
}

/** The cut of an axis of another extent, for example of rows with several positions each; `null` where it would cut one. */
const scaledTo = ({ extent, bounds }: Cut, other: number): ReadonlyArray<number> | null => {
  if (other === extent) return bounds;
  const scaled = bounds.map((bound) => (bound * other) / extent);
  return scaled.every((bound) => Number.isInteger(bound)) ? scaled : null;
};

const cutOf = ([x, names]: Application['operands'][number]): Cut | null => {
  const place = placeOf(x);
  const { shape } = x;
  // There is nothing to share out of an axis without extent.
  return place.kind === 'shards' && names[place.axis] !== '' && shape[place.axis] > 0
    ? { name: names[place.axis], extent: shape[place.axis], bounds: place.bounds }
    : null;
};

/** Whether every axis of the name can be cut like that. */
const fits = ({ operands, names, shape }: Application, cut: Cut): boolean =>
  [...operands.map(([x, own]) => [x.shape, own] as const), [shape, names] as const].every(([extents, own]) => {
    const axis = own.indexOf(cut.name);
    return axis < 0 || scaledTo(cut, extents[axis]) !== null;
  });

const partsFor = (
  shop: Workshop,
  [x, names]: Application['operands'][number],
  cut: Cut,
): ReadonlyArray<Part> | Tensor => {
  const axis = names.indexOf(cut.name);
  if (axis < 0) return wholeOf(shop, x);
  const bounds = scaledTo(cut, x.shape[axis]) ?? cut.bounds;
  const place = placeOf(x);
  if (place.kind === 'shards' && place.axis === axis && sameBounds(place.bounds, bounds)) return place.parts;
  if (place.kind !== 'given') wholeOf(shop, x);
  return runsOf(shop, x, axis, bounds);
};

const isList = (parts: ReadonlyArray<Part> | Tensor): parts is ReadonlyArray<Part> => Array.isArray(parts);

/** Parts that meet a sum over all of them stay: what follows begins from them, and not from the examples. */
const holdBeside = (shop: Workshop, operands: Application['operands']): void => {
  const places = operands.map(([x]) => placeOf(x));
  if (!places.some(({ kind }) => kind === 'sum')) return;
  for (const place of places) if (place.kind === 'shards') shop.parting.hold(place.parts);
};

/** Where each rank has a run of some operand. */
const cutApplied = (shop: Workshop, application: Application, cut: Cut): Spread => {
  const { operands, names, shape, dtype, run } = application;
  const { ops } = shop;
  const axis = names.indexOf(cut.name);
  const bounds = axis < 0 ? null : scaledTo(cut, shape[axis]);
  holdBeside(shop, operands);
  const all = operands.map((operand) => partsFor(shop, operand, cut));
  const parts = runsHere(shop).map((at, i): Part => {
    const own = all.flatMap((each) => (isList(each) ? (each[i] ?? []) : each));
    if (own.length < all.length) return null;
    const shapeHere = bounds === null ? shape : withExtent(shape, axis, bounds[at + 1] - bounds[at]);
    return run(ops, own, shapeHere);
  });
  return spread(
    shop,
    shape,
    bounds === null
      ? {
          kind: 'sum',
          parts: byRank(shop, parts).map((own) => shop.parting.total(own)),
          isSymmetric: application.isSymmetric === true,
        }
      : { kind: 'shards', axis, bounds, parts },
    dtype,
  );
};

/**
 * The row that computes for all, where some operands belong to the ranks of one row and all ranks have the others: the one that has
 * the largest, so that what is sent is small.
 */
const rowAmong = (operands: Application['operands']): number | null => {
  const places = operands.map(([x]) => ({ place: placeOf(x), size: sizeOf(x.shape) }));
  if (!places.every(({ place: { kind } }) => kind === 'owned' || kind === 'whole' || kind === 'given')) return null;
  const owned = places.flatMap(({ place, size }) => (place.kind === 'owned' ? [{ row: place.row, size }] : []));
  return owned.toSorted((x, y) => y.size - x.size).at(0)?.row ?? null;
};

/** The cut of an operation that every rank could do alone, where it is worth sharing out: an even one. */
const sharedCut = (shop: Workshop, { operands, names, shape, shared }: Application): Cut | null => {
  if (shared === undefined || shop.collective.size === 1) return null;
  if (!operands.every(([x]) => ['given', 'whole'].includes(placeOf(x).kind))) return null;
  const extent = shape[names.indexOf(shared)];
  return { name: shared, extent, bounds: evenRuns(extent, shop) };
};

/**
 * Computes an operation where its operands are: by runs, on the ranks that own them, or on every rank.
 *
 * @param shop - the scope's means
 * @param application - the operation
 */
export const apply = (shop: Workshop, application: Application): Spread => {
  const { operands, shape, dtype, run } = application;
  const { ops, collective } = shop;
  collective.progress();
  const row = rowAmong(operands);
  if (row !== null) {
    const isElsewhere = (x: Spread): boolean => {
      const place = placeOf(x);
      return place.kind === 'owned' && place.row !== row;
    };
    operands.forEach(([x]) => (isElsewhere(x) ? wholeOf(shop, x) : null));
    const own = (x: Spread): Tensor => {
      const place = placeOf(x);
      return place.kind === 'owned' && place.whole !== null ? place.whole : wholeOf(shop, x);
    };
    const isHere = collective.ranks.some((rank) => rowOf(shop.rows, rank) === row);
    const mine = isHere ? operands.map(([x]) => own(x)) : null;
    return spread(shop, shape, { kind: 'owned', row, whole: mine === null ? null : run(ops, mine, shape) }, dtype);
  }
  for (const operand of operands) {
    const cut = cutOf(operand);
    if (cut !== null && fits(application, cut)) return cutApplied(shop, application, cut);
  }
  const sharing = sharedCut(shop, application);
  if (sharing !== null) return cutApplied(shop, application, sharing);
  const wholes = operands.map(([x]) => wholeOf(shop, x));
  const whole = run(ops, wholes, shape);
  return spread(shop, shape, { kind: 'whole', whole, isSymmetric: application.isSymmetric === true }, dtype);
};

/** The same linear operation on what each rank adds to a sum; `null` where the array is no sum. */
export const linearly = (
  shop: Workshop,
  x: Spread,
  shape: Shape,
  run: (ops: Ops<Tensor>, part: Tensor) => Tensor,
  keepsSymmetry = false,
): Spread | null => {
  const place = placeOf(x);
  if (place.kind !== 'sum') return null;
  const parts = place.parts.map((part) => (part === null ? null : run(shop.ops, part)));
  return spread(shop, shape, { kind: 'sum', parts, isSymmetric: keepsSymmetry && place.isSymmetric });
};

/** Whether an array is spread so that adding to it needs no message. */
export const isAddend = (x: Spread): boolean => ['sum', 'owned'].includes(placeOf(x).kind);

/** Whether what an array adds to a sum is symmetric: known of sums, looked for in what is no sum. */
const addsSymmetry = (x: Spread): boolean => {
  const place = placeOf(x);
  const { shape } = x;
  if (place.kind === 'sum') return place.isSymmetric;
  if (place.kind !== 'whole' || shape.length !== 2 || shape[0] !== shape[1]) return false;
  return place.isSymmetric === true || isSymmetric(place.whole);
};

/**
 * A combination of two arrays of one shape where one is a sum over ranks, or each belongs to a row of its own; `null` elsewhere.
 *
 * @param shop - the scope's means
 * @param x - an array
 * @param y - an array of the same shape
 * @param both - combines two parts
 * @param left - what is left of it without y
 * @param right - what is left of it without x
 */
export const combinedSums = (
  shop: Workshop,
  x: Spread,
  y: Spread,
  both: (ops: Ops<Tensor>, a: Tensor, b: Tensor) => Tensor,
  left: (ops: Ops<Tensor>, a: Tensor) => Tensor,
  right: (ops: Ops<Tensor>, b: Tensor) => Tensor,
): Spread | null => {
  const [p, q] = [placeOf(x), placeOf(y)];
  const isSum = p.kind === 'sum' || q.kind === 'sum';
  const isOfTwo = p.kind === 'owned' && q.kind === 'owned' && p.row !== q.row;
  if (!(isSum || isOfTwo) || !sameShape(x.shape, y.shape)) return null;
  if (p.kind === 'shards' || q.kind === 'shards') return null;
  const [xs, ys] = [addendsOf(shop, x), addendsOf(shop, y)];
  const parts = xs.map((a, i): Part => {
    const b = ys[i];
    if (a === null) return b === null ? null : right(shop.ops, b);
    return b === null ? left(shop.ops, a) : both(shop.ops, a, b);
  });
  const [first, second] = p.kind === 'sum' ? [x, y] : [y, x];
  return spread(shop, x.shape, { kind: 'sum', parts, isSymmetric: addsSymmetry(first) && addsSymmetry(second) });
};
