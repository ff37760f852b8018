/**
 * Factorisations shared out over ranks, those that are asked for in one turn of the event loop together.
 *
 * The longest goes first, each to the rank that has the least to do in the round, by operations, so that all ranks agree without a word
 * [P21]. Every rank does all of its own before it waits for anything: whoever waits for a message keeps a processor busy. Large results
 * are under way meanwhile, in an order that all ranks agree on: a rank that comes to one of its own goes on once it is done, past those of
 * others it goes at once. Then the rest is exchanged, and all of it arrives in the order in which it was asked for, on every rank.
 * Whatever follows from that is under way before the next round sends anything: all ranks then send the same messages in the same order.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import type * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../errors.ts';
import { attempt } from '../../errors.ts';
import type { Tensor } from '../../tensor.ts';
import type { Spread } from './array.ts';
import type { Made } from './exchange.ts';
import { begin, exchanged } from './exchange.ts';

/** A factorisation that may go to any rank. */
export interface Factorisation extends Pick<Made, 'shop' | 'results'> {
  /** About how many operations it takes. */
  readonly operations: number;
  readonly run: TE.TaskEither<KfacError, ReadonlyArray<Tensor>>;
}

type Outcome = E.Either<KfacError, ReadonlyArray<Spread>>;

/** A factorisation that was asked for, and who is told. */
interface Asked {
  readonly task: Factorisation;
  readonly tell: (outcome: Outcome) => void;
  readonly fail: (defect: unknown) => void;
}

/** What all factorisations of a process share: the round that is open, and those before. */
export interface Queue {
  /** Has a rank do it in this turn's round; what came of it, on all ranks. */
  readonly join: (task: Factorisation) => Promise<Outcome>;
}

/** Lets everything go on that waits for what has just arrived. */
const settled = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

/** The first among those with the least. */
const leastOf = (loads: ReadonlyArray<number>, among: ReadonlyArray<number>): ReadonlyArray<number> => {
  const least = Math.min(...among.map((rank) => loads[rank]));
  return among.filter((rank) => loads[rank] === least);
};

const longestFirst = (operations: ReadonlyArray<number>): ReadonlyArray<number> =>
  operations.map((_, i) => i).toSorted((a, b) => operations[b] - operations[a]);

/** Who does what. */
export interface Shares {
  /** The rank of each task. */
  readonly owners: ReadonlyArray<number>;
  /** Operations of each rank. */
  readonly loads: ReadonlyArray<number>;
}

/**
 * Shares out a round: the longest first, to the rank with the least to do in it, and of several to the one that has had the least so far.
 *
 * @param operations - of each task
 * @param totals - what each rank has had to do before
 */
export const shareOut = (operations: ReadonlyArray<number>, totals: ReadonlyArray<number>): Shares => {
  const ranks = totals.map((_, rank) => rank);
  const loads = totals.map(() => 0);
  const owners = operations.map(() => 0);
  for (const task of longestFirst(operations)) {
    const [rank] = leastOf(totals, leastOf(loads, ranks));
    loads[rank] += operations[task];
    owners[task] = rank;
  }
  return { owners, loads };
};

/** The order in which results are sent: of each rank the longest first, the ranks taking turns. */
const turnsOf = (operations: ReadonlyArray<number>, owners: ReadonlyArray<number>): ReadonlyArray<number> => {
  const sentBefore = new Map<number, number>();
  const turns = longestFirst(operations).map((task) => {
    const owner = owners[task];
    const turn = sentBefore.get(owner) ?? 0;
    sentBefore.set(owner, turn + 1);
    return { task, owner, turn };
  });
  return turns.toSorted((a, b) => a.turn - b.turn || a.owner - b.owner).map(({ task }) => task);
};

/** Told of the operations of each rank in a round. */
export type Assigned = (loads: ReadonlyArray<number>) => void;

/**
 * A queue before its first task.
 *
 * @param size - number of ranks
 * @param assigned - told of each round
 */
export const createQueue = (size: number, assigned: Assigned = () => undefined): Queue => {
  let last: Promise<unknown> = Promise.resolve();
  let open: ReadonlyArray<Asked> = [];
  let totals: ReadonlyArray<number> = Array.from({ length: size }, () => 0);

  const arrive = async (round: ReadonlyArray<Asked>, before: Promise<unknown>): Promise<void> => {
    const tasks = round.map(({ task }) => task);
    const work = tasks.map(({ operations }) => operations);
    const { owners, loads } = shareOut(work, totals);
    totals = totals.map((total, rank) => total + loads[rank]);
    assigned(loads);
    const turns = turnsOf(work, owners);
    const isOwn = tasks.map(({ shop }, i) => shop.collective.ranks.includes(owners[i]));
    const outcomes: Array<Made['outcome']> = tasks.map(() => null);
    const begun: Array<ReturnType<typeof begin>> = tasks.map(() => null);
    const madeOf = (i: number): Made => ({ ...tasks[i], owner: owners[i], outcome: outcomes[i] });
    let [sent, maySend] = [0, false];
    const send = (): void => {
      while (maySend && sent < turns.length && (!isOwn[turns[sent]] || outcomes[turns[sent]] !== null)) {
        begun[turns[sent]] = begin(madeOf(turns[sent]));
        sent += 1;
      }
    };
    const ready = before.then(settled).then(() => {
      maySend = true;
    });
    // Where no other round is before this one, its first result can go at once.
    await Promise.race([ready, settled().then(settled)]);
    const running: Array<Promise<void>> = [];
    for (const i of turns.filter((task) => isOwn[task])) {
      const done = tasks[i].run().then((outcome) => {
        outcomes[i] = outcome;
        send();
      });
      // A defect is met below, with all others.
      done.catch(() => undefined);
      running.push(done);
      // One that holds the thread is over by now; others go on beside the next.
      await settled();
    }
    await Promise.all([ready, ...running]);
    send();
    const found = attempt(() =>
      exchanged(
        tasks.map((_, i) => madeOf(i)),
        begun,
      ),
    );
    round.forEach(({ tell }, i) => {
      tell(E.isLeft(found) ? found : found.right[i]);
    });
  };

  const close = (): void => {
    const round = open;
    open = [];
    const before = last;
    last = arrive(round, before).catch((defect: unknown) => {
      round.forEach(({ fail }) => {
        fail(defect);
      });
    });
  };

  return {
    join: (task) =>
      new Promise((tell, fail) => {
        if (open.length === 0) setImmediate(close);
        open = [...open, { task, tell, fail }];
      }),
  };
};
