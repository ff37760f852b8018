/**
 * Where spread arrays are made and moved: the operations of each rank's own memory, and the messages between ranks.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import { newIORef } from 'fp-ts/lib/IORef.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Ops } from '../../ops/ops.ts';
import type { Parting } from '../parts/deferring.ts';
import type { DType, ReadonlyVector, Shape, Tensor } from '../../tensor.ts';
import { allocate, sizeOf } from '../../tensor.ts';
import type { Collective, Posted } from '../collective.ts';
import { evenBounds, startsOf } from '../collective.ts';
import type { Holding, Part, Place, Spread } from './array.ts';
import { aroundAxis, movesTo, placeOf, withExtent } from './array.ts';
import { joinedRuns, packedTriangle, runOf, triangleSize, unpackedTriangle, viewOf } from './layout.ts';
import type { Rows } from './rows.ts';
import type { Wire } from './wire.ts';
import { isRounded, roundedSum } from './wire.ts';
import { ranksInColumn, ranksInRow } from './rows.ts';

/** A scope's means. */
export interface Workshop {
  /** Of this process alone. */
  readonly ops: Ops<Tensor>;
  /** Memory for an array of floats, all of which is about to be written. */
  readonly room: (shape: Shape) => Tensor;
  readonly collective: Collective;
  /** In how many parts each rank takes its examples. */
  readonly parts: number;
  /** How it goes about them. */
  readonly parting: Parting;
  /** How sums travel. */
  readonly wire: Wire;
  /** Elements up to which they go in one message with others: sending that many takes about as long as a message takes to begin. */
  readonly small: number;
  /** Precision of floats. */
  readonly dtype: 'f32' | 'f64';
  /** Which ranks are sent what one has computed for all at once, and which when they need it. */
  readonly rows: Rows;
  /** The scope that arrays are born in. */
  readonly scope: object;
  /** Notes an array that was made here for one that was born in another scope, and has to outlive this one. */
  readonly outlives: (made: Tensor) => void;
  /** Notes an array that a message is under way for: its memory stays as it is until it has come. */
  readonly begun: (x: Spread) => void;
}

/** A new array, of floats unless its type is given. */
export const spread = (
  { scope, dtype: float }: Workshop,
  shape: Shape,
  place: Place,
  dtype: DType = float,
): Spread => ({
  shape,
  dtype,
  held: newIORef<Holding>({ place, former: [], coming: null })(),
  born: scope,
});

/** Puts an array in another place; what is there was made here. */
export const movedTo = (shop: Workshop, x: Spread, to: Place, made: ReadonlyArray<Tensor>): void => {
  movesTo(x, to);
  if (x.born !== shop.scope) made.forEach(shop.outlives);
};

/**
 * Notes that a message takes an array to another place. Whoever looks at it waits for that.
 *
 * @param arrays - of this process, that the message is read from and written to
 * @param arrive - waits; what it gives is among these arrays, since the scope may be over by then
 */
export const takesOff = (shop: Workshop, x: Spread, arrays: ReadonlyArray<Tensor>, arrive: () => Place): void => {
  const { place, former } = x.held.read();
  if (x.born !== shop.scope) arrays.forEach(shop.outlives);
  x.held.write({ place, former, coming: { arrays, arrive } })();
  shop.begun(x);
};

const moved = (shop: Workshop, x: Spread, whole: Tensor): Tensor => {
  const place = placeOf(x);
  movedTo(shop, x, { kind: 'whole', whole, isSymmetric: place.kind === 'sum' && place.isSymmetric }, [whole]);
  return whole;
};

/** Numbers that all ranks have, placed. */
const placed = ({ ops }: Workshop, shape: Shape, value: Tensor | number): Tensor =>
  typeof value === 'number' ? ops.full(shape, value) : ops.constant(value);

/** The runs that arrays in shards have here, by their number among those of all ranks: each part of a rank's examples is one. */
export const runsHere = ({ collective, parts }: Pick<Workshop, 'collective' | 'parts'>): ReadonlyArray<number> =>
  collective.ranks.flatMap((rank) => Array.from({ length: parts }, (_, part) => rank * parts + part));

/** Where runs begin when so many things are shared out evenly. */
export const evenRuns = (
  count: number,
  { collective, parts }: Pick<Workshop, 'collective' | 'parts'>,
): ReadonlyArray<number> => evenBounds(count, collective.size * parts);

/** What belongs to each rank here, of things that there is one of for each run. */
export const byRank = <A>({ collective, parts }: Workshop, ofRuns: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> =>
  collective.ranks.map((_, at) => ofRuns.slice(at * parts, (at + 1) * parts));

/** A message that makes an array whole: what is posted, and what it gives. */
interface Message {
  readonly posted: Pick<Posted, 'wait'>;
  readonly whole: () => Tensor;
}

export const zerosFor = ({ ops }: Workshop, shape: Shape, part: Part): Tensor => part ?? ops.full(shape, 0);

/** The sum of what ranks here and elsewhere have, on its way to `out`. */
const addedUp = (
  { collective, wire }: Workshop,
  parts: ReadonlyArray<ReadonlyVector>,
  out: Tensor,
): Message['posted'] =>
  isRounded(wire, sizeOf(out.shape))
    ? roundedSum(collective, parts, viewOf(out, 0, sizeOf(out.shape)))
    : collective.allReduce(parts, out.data);

const summing = (
  shop: Workshop,
  shape: Shape,
  { parts, isSymmetric }: Extract<Place, { readonly kind: 'sum' }>,
): Message => {
  const { ops, room } = shop;
  if (!isSymmetric || shape[0] < 2) {
    const out = room(shape);
    const all = parts.map((part) => zerosFor(shop, shape, part).data);
    return { posted: addedUp(shop, all, out), whole: () => out };
  }
  const order = shape[0];
  const triangle: Shape = [triangleSize(order)];
  const packed = parts.map((part) =>
    part === null ? ops.full(triangle, 0) : packedTriangle(order, part, room(triangle)),
  );
  const out = room(triangle);
  const all = packed.map(({ data }) => data);
  return { posted: addedUp(shop, all, out), whole: () => unpackedTriangle(order, out, room(shape)) };
};

/** Room for an array that a message brings. Whole numbers are no business of the pool's. */
const roomFor = ({ room }: Pick<Workshop, 'room'>, shape: Shape, dtype: DType): Tensor =>
  dtype === 'i32' ? { shape, dtype, data: allocate(dtype, sizeOf(shape)) } : room(shape);

/** Runs, one behind the other where `flat` is, on their way to be an array. */
const joining = (
  shop: Workshop,
  { shape, dtype }: Pick<Spread, 'shape' | 'dtype'>,
  { axis, bounds, parts }: Extract<Place, { readonly kind: 'shards' }>,
): Message & { readonly flat: Tensor } => {
  const { ops, collective } = shop;
  const [before, behind] = aroundAxis(shape, axis);
  const extents = bounds.slice(1).map((end, run) => end - bounds[run]);
  const lengths = extents.map((extent) => before * extent * behind);
  const total = sizeOf(shape);
  const flat = roomFor(shop, [total], dtype);
  const ofRanks = Array.from({ length: collective.size }, (_, rank) =>
    lengths.slice(rank * shop.parts, (rank + 1) * shop.parts).reduce((sum, length) => sum + length, 0),
  );
  const posted = collective.allGather(
    byRank(shop, parts).map((own) => joinedRuns(dtype, own)),
    ofRanks,
    flat.data,
  );
  if (before === 1) return { posted, flat, whole: () => ops.reshape(flat, shape) };
  const runs = (): ReadonlyArray<Tensor> =>
    extents.map((extent, run) =>
      ops.reshape(ops.slice(flat, [before * bounds[run] * behind], [lengths[run]]), withExtent(shape, axis, extent)),
    );
  return { posted, flat, whole: () => ops.concat(runs(), axis) };
};

/** Operations that were posted one after another, as one. */
const allPosted = (posted: ReadonlyArray<Posted>): Posted => ({
  wait: () => {
    for (const { wait } of posted) wait();
  },
  done: pipe(
    posted.map(({ done }) => done),
    TE.sequenceArray,
    TE.map(() => undefined),
  ),
});

/** Each rank of the row that has it sends it to its column. */
const handingOut = (
  { room, collective, rows }: Workshop,
  { shape, dtype }: Pick<Spread, 'shape' | 'dtype'>,
  { row, whole }: Extract<Place, { readonly kind: 'owned' }>,
): Message => {
  const array = whole ?? roomFor({ room }, shape, dtype);
  const columns = [...new Set(collective.ranks.map((rank) => rank % rows.workers))];
  const posted = columns.map((column) => {
    const among = rows.workers === 1 ? undefined : ranksInColumn(rows, column);
    return collective.broadcast(row * rows.workers + column, array.data, among);
  });
  return { posted: allPosted(posted), whole: () => array };
};

/** Places of which a message makes a whole. */
type Apart = Exclude<Place, { readonly kind: 'given' | 'whole' }>;

const isApart = (place: Place): place is Apart => place.kind !== 'given' && place.kind !== 'whole';

const messageFor = (shop: Workshop, x: Spread, place: Apart): Message => {
  switch (place.kind) {
    case 'sum':
      return summing(shop, x.shape, place);
    case 'shards':
      return joining(shop, x, place);
    case 'owned':
      return handingOut(shop, x, place);
  }
};

/** All of a sum where nobody else adds to it. */
const ownSum = ({ collective, parting }: Workshop, place: Apart): Tensor | null =>
  place.kind === 'sum' && collective.size === 1 && place.parts[0] !== null ? parting.look(place.parts[0]) : null;

/** All of an array, on every rank. */
export const wholeOf = (shop: Workshop, x: Spread): Tensor => {
  const place = placeOf(x);
  if (place.kind === 'whole') return place.whole;
  if (place.kind === 'given') return moved(shop, x, placed(shop, x.shape, place.value));
  const own = ownSum(shop, place);
  if (own !== null) return moved(shop, x, own);
  const { posted, whole } = messageFor(shop, x, place);
  posted.wait();
  return moved(shop, x, whole());
};

/** Makes several sums whole in one message. */
const sumTogether = (shop: Workshop, bucket: ReadonlyArray<Spread>): void => {
  const { ops, collective } = shop;
  const lengths = bucket.map(({ shape }) => sizeOf(shape));
  const starts = startsOf(lengths);
  const flatPart = (i: number): Part =>
    ops.concat(
      bucket.map((x) => {
        const place = placeOf(x);
        return ops.reshape(zerosFor(shop, x.shape, place.kind === 'sum' ? place.parts[i] : null), [sizeOf(x.shape)]);
      }),
      0,
    );
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const { posted, whole } = summing(shop, [total], {
    kind: 'sum',
    parts: collective.ranks.map((_, i) => flatPart(i)),
    isSymmetric: false,
  });
  posted.wait();
  const all = whole();
  bucket.forEach((x, i) => moved(shop, x, ops.reshape(ops.slice(all, [starts[i]], [lengths[i]]), x.shape)));
};

/**
 * Has arrays become whole: the messages of large ones that are in runs are only begun, and waited for by whoever looks at one of them; all
 * others are whole afterwards.
 */
export const beginWhole = (shop: Workshop, arrays: ReadonlyArray<Spread>): void => {
  const isLarge = (x: Spread): boolean => shop.collective.size > 1 && sizeOf(x.shape) > shop.small;
  const distinct = [...new Set(arrays)].filter(({ held }) => held.read().coming === null);
  const begun = distinct.filter((x) => {
    const place = placeOf(x);
    if (place.kind !== 'shards' || place.axis !== 0 || !isLarge(x)) return false;
    const { posted, flat } = joining(shop, x, place);
    takesOff(shop, x, [flat], () => {
      posted.wait();
      return { kind: 'whole', whole: runOf(flat, 0, x.shape) };
    });
    return true;
  });
  makeWhole(
    shop,
    distinct.filter((x) => !begun.includes(x)),
  );
};

/** Makes several arrays whole: small sums in one message, and all messages on their way at the same time. */
export const makeWhole = (shop: Workshop, arrays: ReadonlyArray<Spread>): void => {
  const distinct = [...new Set(arrays)];
  if (shop.collective.size === 1) {
    distinct.filter((x) => isApart(placeOf(x))).forEach((x) => wholeOf(shop, x));
    return;
  }
  const isSmallSum = (x: Spread): boolean => placeOf(x).kind === 'sum' && sizeOf(x.shape) <= shop.small;
  const isRoundedSum = (x: Spread): boolean => isRounded(shop.wire, sizeOf(x.shape));
  const sums = distinct.filter(isSmallSum);
  const buckets = [sums.filter((x) => !isRoundedSum(x)), sums.filter(isRoundedSum)].filter(({ length }) => length > 1);
  const inBuckets = new Set(buckets.flat());
  const messages = distinct.flatMap((x) => {
    const place = placeOf(x);
    return isApart(place) && !inBuckets.has(x) ? [[x, messageFor(shop, x, place)] as const] : [];
  });
  buckets.forEach((bucket) => {
    sumTogether(shop, bucket);
  });
  for (const [x, { posted, whole }] of messages) {
    posted.wait();
    moved(shop, x, whole());
  }
};

/** The runs of an array along an axis that are here. */
export const runsOf = (shop: Workshop, x: Spread, axis: number, bounds: ReadonlyArray<number>): ReadonlyArray<Part> => {
  const { ofPart } = shop.parting;
  const { shape, dtype } = x;
  const place = placeOf(x);
  return runsHere(shop).map((at) => {
    const [begin, extent] = [bounds[at], bounds[at + 1] - bounds[at]];
    if (extent === 0) return null;
    const run = withExtent(shape, axis, extent);
    const [before, behind] = aroundAxis(shape, axis);
    if (place.kind === 'given') {
      const { value } = place;
      if (typeof value === 'number') return ofPart(run, dtype, [], (ops) => ops.full(run, value));
      if (before === 1) return ofPart(run, dtype, [], (ops) => ops.constant(runOf(value, begin * behind, run)));
    }
    const from = shape.map((_, i) => (i === axis ? begin : 0));
    return ofPart(run, dtype, [wholeOf(shop, x)], (ops, [whole]) => ops.slice(whole, from, run));
  });
};

/** An array as what each rank adds to a sum: one that all have is what the first rank has. */
export const addendsOf = (shop: Workshop, x: Spread): ReadonlyArray<Part> => {
  const place = placeOf(x);
  const { ranks } = shop.collective;
  if (place.kind === 'sum') return place.parts;
  if (place.kind === 'owned') {
    const [first] = ranksInRow(shop.rows, place.row);
    return ranks.map((rank) => (rank === first ? place.whole : null));
  }
  const whole = wholeOf(shop, x);
  return ranks.map((rank) => (rank === 0 ? whole : null));
};
