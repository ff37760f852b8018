/**
 * Factorisations shared out over ranks.
 *
 * Each goes to the rank that has the least to do, by the operations that were asked for so far, so that all ranks agree without a
 * word. What comes of it is handed out to the others of its row, and stays there until somebody else needs it [P21].
 *
 * Outcomes arrive in the order in which factorisations were asked for, on every rank, and whatever follows from one is under way before
 * the next arrives: all ranks then send the same messages in the same order, however long each factorisation takes.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { LinearAlgebra } from '../../backends/backend.ts';
import { factorisationOperations as operationsOf } from '../../backends/factorisationOperations.ts';
import type { KfacError } from '../../errors.ts';
import { attempt } from '../../errors.ts';
import type { Shape, Tensor } from '../../tensor.ts';
import type { Part, Spread } from './array.ts';
import { rowOf } from './rows.ts';
import type { Workshop } from './workshop.ts';
import { sentAlongRow, spread, wholeOf } from './workshop.ts';

/** What all factorisations of a process share: whose turn it is, and how much each rank has had to do. */
export interface Queue {
  /** Runs a task once all that was queued before has arrived. */
  readonly inTurn: <A>(arrive: () => Promise<A>) => Promise<A>;
  /** The rank for so many operations. */
  readonly assign: (operations: number) => number;
}

/** Lets everything go on that waits for what has just arrived. */
const settled = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

/**
 * A queue before its first task.
 *
 * @param size - number of ranks
 * @param assigned - told of each task
 */
export const createQueue = (size: number, assigned?: (rank: number, operations: number) => void): Queue => {
  let last: Promise<unknown> = Promise.resolve();
  const load = Array.from({ length: size }, () => 0);
  return {
    inTurn: (arrive) => {
      const before = last;
      const arrived = (async () => {
        await before;
        await settled();
        return arrive();
      })();
      last = arrived.catch(() => undefined);
      return arrived;
    },
    assign: (operations) => {
      const least = load.indexOf(Math.min(...load));
      load[least] += operations;
      assigned?.(least, operations);
      return least;
    },
  };
};

/** A factorisation: what each rank would do, what it costs, the shapes that come of it. */
interface Factorisation {
  readonly operations: number;
  readonly shapes: ReadonlyArray<Shape>;
  readonly run: () => TE.TaskEither<KfacError, ReadonlyArray<Tensor>>;
}

/** Text as whole numbers, one for each of its bytes. */
const encoded = (text: string): Int32Array => Int32Array.from(new TextEncoder().encode(text));
const decoded = (codes: Int32Array): string => new TextDecoder().decode(Uint8Array.from(codes));

/** The error of a factorisation on its owner, told to all: how long it is as text, 0 where there is none, then the text. */
const told = (
  { collective }: Workshop,
  owner: number,
  outcome: E.Either<KfacError, unknown> | null,
): KfacError | null => {
  const text = outcome !== null && E.isLeft(outcome) ? encoded(JSON.stringify(outcome.left)) : new Int32Array(0);
  const length = Int32Array.of(text.length);
  collective.broadcast(owner, length).wait();
  if (length[0] === 0) return null;
  const message = text.length === 0 ? new Int32Array(length[0]) : text;
  collective.broadcast(owner, message).wait();
  // It was an error of this very program on another rank.
  return JSON.parse(decoded(message)) as KfacError;
};

const sharedOut =
  (shop: Workshop, queue: Queue, { operations, shapes, run }: Factorisation) =>
  async (): Promise<E.Either<KfacError, ReadonlyArray<Spread>>> => {
    const { collective } = shop;
    const owner = queue.assign(operations);
    // Begun at once, beside those of other layers, and beside those of other ranks.
    const own = collective.ranks.includes(owner) ? run()() : null;
    own?.catch(() => undefined); // a defect surfaces where the outcome is awaited
    return queue.inTurn(async () => {
      const outcome = own === null ? null : await own;
      const message = attempt(() => told(shop, owner, outcome));
      if (E.isLeft(message)) return message;
      if (message.right !== null) return E.left(message.right);
      const wholes: ReadonlyArray<Part> = outcome !== null && E.isRight(outcome) ? outcome.right : [];
      return attempt(() =>
        shapes.map((shape, i) => {
          const whole = sentAlongRow(shop, shape, owner, wholes[i] ?? null);
          return shop.rows.count === 1 && whole !== null
            ? spread(shop, shape, { kind: 'whole', whole })
            : spread(shop, shape, { kind: 'owned', row: rowOf(shop.rows, owner), whole });
        }),
      );
    });
  };

/**
 * Factorisations on spread arrays.
 *
 * @param shop - the scope's means
 * @param queue - that of the process
 * @param own - factorisations of this process alone
 */
export const sharedLinearAlgebra = (
  shop: Workshop,
  queue: Queue,
  own: LinearAlgebra<Tensor>,
): LinearAlgebra<Spread> => {
  const one = (
    operations: number,
    shape: Shape,
    run: () => TE.TaskEither<KfacError, Tensor>,
  ): TE.TaskEither<KfacError, Spread> =>
    pipe(
      sharedOut(shop, queue, { operations, shapes: [shape], run: () => TE.map((x: Tensor) => [x])(run()) }),
      TE.map(([x]) => x),
    );
  /** Operands are made whole when the task begins, in the order in which tasks do. */
  const whole =
    <A>(
      operands: ReadonlyArray<Spread>,
      then: (wholes: ReadonlyArray<Tensor>) => TE.TaskEither<KfacError, A>,
    ): TE.TaskEither<KfacError, A> =>
    () => {
      const wholes = attempt(() => operands.map((x) => wholeOf(shop, x)));
      return E.isLeft(wholes) ? Promise.resolve(wholes) : then(wholes.right)();
    };
  return {
    cholesky: (m) => whole([m], ([a]) => one(operationsOf.cholesky(m.shape[0]), m.shape, () => own.cholesky(a))),
    choleskySolve: (l, b) =>
      whole([l, b], ([a, c]) =>
        one(operationsOf.choleskySolve(l.shape[0], b.shape[1]), b.shape, () => own.choleskySolve(a, c)),
      ),
    inverse: (m) => whole([m], ([a]) => one(operationsOf.inverse(m.shape[0]), m.shape, () => own.inverse(a))),
    solve: (m, b) => whole([m, b], ([a, c]) => one(operationsOf.solve(m.shape[0]), b.shape, () => own.solve(a, c))),
    eigh: (m) =>
      whole([m], ([a]) =>
        pipe(
          sharedOut(shop, queue, {
            operations: operationsOf.eigh(m.shape[0]),
            shapes: [[m.shape[0]], m.shape],
            run: () =>
              pipe(
                own.eigh(a),
                TE.map(({ values, vectors }) => [values, vectors]),
              ),
          }),
          TE.map(([values, vectors]) => ({ values, vectors })),
        ),
      ),
  };
};
