/**
 * What comes of factorisations, from the ranks that have done them to the others of their rows, triangles where that is all there is to
 * know: large ones as soon as they are there, while others are done; then which have failed, in one message; and then from each rank all
 * else that it has made in one.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { KfacError } from '../../errors.ts';
import type { Shape, Tensor } from '../../tensor.ts';
import { sizeOf } from '../../tensor.ts';
import type { Collective, Posted } from '../collective.ts';
import { startsOf } from '../collective.ts';
import type { Part, Spread } from './array.ts';
import { copied, packedTriangle, runOf, triangleSize, unpackedLower, unpackedTriangle } from './layout.ts';
import { ranksInRow, rowOf } from './rows.ts';
import type { Workshop } from './workshop.ts';
import { spread } from './workshop.ts';

/** What is known of a result before it is there: of a matrix that is symmetric, or has nothing above its diagonal, a triangle is sent. */
export interface Result {
  readonly shape: Shape;
  readonly form: 'full' | 'symmetric' | 'lower';
}

/** A factorisation that its owner has done: `null` on the other ranks. */
export interface Made {
  readonly shop: Workshop;
  readonly owner: number;
  readonly results: ReadonlyArray<Result>;
  readonly outcome: E.Either<KfacError, ReadonlyArray<Tensor>> | null;
}

/** Text as whole numbers, one for each of its bytes. */
const encoded = (text: string): Int32Array => Int32Array.from(new TextEncoder().encode(text));
const decoded = (codes: Int32Array): string => new TextDecoder().decode(Uint8Array.from(codes));

/** How long the error of each is as text, 0 where there is none, told to all. */
const toldLengths = (collective: Collective, texts: ReadonlyArray<Int32Array>): Int32Array => {
  const own = Int32Array.from(texts, ({ length }) => length);
  const nothing = new Int32Array(own.length);
  const all = new Int32Array(own.length);
  collective
    .allReduce(
      collective.ranks.map((_, i) => (i === 0 ? own : nothing)),
      all,
    )
    .wait();
  return all;
};

/** The error of each factorisation, `null` where there is none, the same on all ranks. */
const errorsOf = (collective: Collective, made: ReadonlyArray<Made>): ReadonlyArray<KfacError | null> => {
  const texts = made.map(({ outcome }) =>
    outcome !== null && E.isLeft(outcome) ? encoded(JSON.stringify(outcome.left)) : new Int32Array(0),
  );
  const lengths = toldLengths(collective, texts);
  return made.map(({ owner }, i) => {
    if (lengths[i] === 0) return null;
    const message = texts[i].length === 0 ? new Int32Array(lengths[i]) : texts[i];
    collective.broadcast(owner, message).wait();
    // It was an error of this very program on another rank.
    return JSON.parse(decoded(message)) as KfacError;
  });
};

/** A result on its way. */
interface Piece extends Result {
  readonly shop: Workshop;
  readonly whole: Part;
}

const lengthOf = ({ shape, form }: Result): number => (form === 'full' ? sizeOf(shape) : triangleSize(shape[0]));

const pack = ({ form, shape, whole }: Piece, to: Tensor): void => {
  if (whole === null) return;
  if (form === 'full') copied(whole, to);
  else packedTriangle(shape[0], whole, to);
};

const unpack = ({ shop, shape, form }: Piece, from: Tensor): Tensor => {
  if (form === 'full') return copied(from, shop.room(shape));
  return form === 'symmetric'
    ? unpackedTriangle(shape[0], from, shop.room(shape))
    : unpackedLower(shape[0], from, shop.ops.full(shape, 0));
};

/** What a rank has made, on its way to the others of its row, if there are any; and then what there is of it here. */
interface Sent {
  readonly own: ReadonlyArray<Piece>;
  readonly posted: Posted | null;
  readonly arrived: () => ReadonlyArray<Part>;
}

const sent = ({ room, collective, rows }: Workshop, owner: number, pieces: ReadonlyArray<Piece>): Sent => {
  const row = ranksInRow(rows, rowOf(rows, owner));
  if (row.length === 1 || !collective.ranks.some((rank) => row.includes(rank))) {
    return { own: pieces, posted: null, arrived: () => pieces.map(({ whole }) => whole) };
  }
  const lengths = pieces.map(lengthOf);
  const starts = startsOf(lengths);
  const flat = room([lengths.reduce((sum, length) => sum + length, 0)]);
  const runs = pieces.map((_, i) => runOf(flat, starts[i], [lengths[i]]));
  pieces.forEach((piece, i) => {
    pack(piece, runs[i]);
  });
  return {
    own: pieces,
    posted: collective.broadcast(owner, flat.data, rows.count === 1 ? undefined : row),
    arrived: () => pieces.map((piece, i) => piece.whole ?? unpack(piece, runs[i])),
  };
};

/** The results of a factorisation, as far as they are here: nothing of one that has failed. */
const piecesOf = ({ shop, results, outcome }: Made): ReadonlyArray<Piece> => {
  const wholes = outcome !== null && E.isRight(outcome) ? outcome.right : [];
  return results.map((result, i) => ({ ...result, shop, whole: wholes.at(i) ?? null }));
};

const placed = (piece: Piece, owner: number, whole: Part): Spread => {
  const { shop, shape, form } = piece;
  return shop.rows.count === 1 && whole !== null
    ? spread(shop, shape, { kind: 'whole', whole, isSymmetric: form === 'symmetric' })
    : spread(shop, shape, { kind: 'owned', row: rowOf(shop.rows, owner), whole });
};

/**
 * Has what comes of a factorisation go its way, where it is worth a message of its own. One that has failed sends something too, since
 * the others do not know of that yet.
 *
 * @param made - done, if this rank is its owner
 */
export const begin = (made: Made): Sent | null => {
  const { shop, owner, results } = made;
  const length = results.reduce((sum, result) => sum + lengthOf(result), 0);
  return shop.collective.size > 1 && length > shop.small ? sent(shop, owner, piecesOf(made)) : null;
};

/**
 * Tells all ranks what has come of some factorisations.
 *
 * @param made - at least one; on every rank the same ones in the same order
 * @param begun - what is under way of each
 * @returns their results, or their errors, in that order
 */
export const exchanged = (
  made: ReadonlyArray<Made>,
  begun: ReadonlyArray<Sent | null>,
): ReadonlyArray<E.Either<KfacError, ReadonlyArray<Spread>>> => {
  const [{ shop }] = made;
  const errors = errorsOf(shop.collective, made);
  const pieces = made.map((each, i) => (errors[i] === null ? (begun[i]?.own ?? piecesOf(each)) : []));
  const isLeft = (i: number): boolean => errors[i] === null && begun[i] === null;
  const owners = [...new Set(made.map(({ owner }) => owner))].filter((owner) =>
    made.some((each, i) => each.owner === owner && isLeft(i)),
  );
  const together = owners.map((owner) =>
    sent(shop, owner, pieces.filter((_, i) => made[i].owner === owner && isLeft(i)).flat()),
  );
  const messages = [...begun.filter((message) => message !== null), ...together];
  messages.forEach(({ posted }) => posted?.wait());
  const arrays = new Map(
    messages.flatMap(({ own, arrived }) => arrived().map((whole, i): [Piece, Part] => [own[i], whole])),
  );
  return made.map(({ owner }, i) => {
    const error = errors[i];
    return error === null
      ? E.right(pieces[i].map((piece) => placed(piece, owner, arrays.get(piece) ?? null)))
      : E.left(error);
  });
};
