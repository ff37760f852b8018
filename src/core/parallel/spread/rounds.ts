/**
 * Factorisations shared out over ranks, those that are asked for in one turn of the event loop together.
 *
 * The longest goes first, each to the rank that has the least to do in the round, by operations, so that all ranks agree without a word
 * [P21]. Every rank does all of its own before it sends or waits for anything: whoever waits for a message keeps a processor busy. Then
 * what has come of them is exchanged at once, and arrives in the order in which it was asked for, on every rank. Whatever follows from
 * that is under way before the next round arrives: all ranks then send the same messages in the same order.
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
import { exchanged } from './exchange.ts';

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
  const longestFirst = operations.map((_, i) => i).toSorted((a, b) => operations[b] - operations[a]);
  for (const task of longestFirst) {
    const [rank] = leastOf(totals, leastOf(loads, ranks));
    loads[rank] += operations[task];
    owners[task] = rank;
  }
  return { owners, loads };
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
    const { owners, loads } = shareOut(
      tasks.map(({ operations }) => operations),
      totals,
    );
    totals = totals.map((total, rank) => total + loads[rank]);
    assigned(loads);
    const outcomes = await Promise.all(
      tasks.map(({ shop, run }, i) => (shop.collective.ranks.includes(owners[i]) ? run() : Promise.resolve(null))),
    );
    await before;
    await settled();
    const made = tasks.map(({ shop, results }, i) => ({ shop, results, owner: owners[i], outcome: outcomes[i] }));
    const found = attempt(() => exchanged(made));
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
