/**
 * Many trials by several workers. What comes of them is told in the order in which they were asked, whoever is faster.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import type * as IO from 'fp-ts/lib/IO.js';
import * as IOR from 'fp-ts/lib/IORef.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import { iterate } from '../../core/iterate.ts';
import type { Trial, TrialResult } from './trial.ts';
import type { Worker } from './workers.ts';

/** What has come, and how much of it is told. */
interface Arrived {
  readonly results: ReadonlyMap<number, TrialResult>;
  readonly told: number;
}

type Listener = (result: TrialResult) => IO.IO<void>;

/** Tells all that have no gap before them. */
const tellFrom = ({ results, told }: Arrived, tell: Listener): Arrived => {
  const ready = Array.from({ length: results.size }, (_, i) => results.get(told + i));
  const gap = ready.indexOf(undefined);
  const next = (gap < 0 ? ready : ready.slice(0, gap)).flatMap((result) => (result === undefined ? [] : [result]));
  next.forEach((result) => tell(result)());
  return {
    results: new Map([...results].filter(([i]) => i >= told + next.length)),
    told: told + next.length,
  };
};

/**
 * Has trials made.
 *
 * @param workers - at least one; each takes the next trial when it is free
 * @param trials - what is tried
 * @param tell - told of each result, in the order of the trials
 * @returns when all are told; the first error ends it
 */
export const tryAll = (
  workers: ReadonlyArray<Worker>,
  trials: ReadonlyArray<Trial>,
  tell: Listener,
): TE.TaskEither<KfacError, void> => {
  const taken = IOR.newIORef(0)();
  const arrived = IOR.newIORef<Arrived>({ results: new Map(), told: 0 })();
  const drain = (worker: Worker): TE.TaskEither<KfacError, void> =>
    iterate<KfacError, null, undefined>(null, () => {
      const i = taken.read();
      if (i >= trials.length) return TE.right(E.right(undefined));
      taken.write(i + 1)();
      return pipe(
        worker.run(trials[i]),
        TE.chainFirstIOK((result) =>
          arrived.modify(({ results, told }) => tellFrom({ results: new Map([...results, [i, result]]), told }, tell)),
        ),
        TE.match(
          (error) => {
            taken.write(trials.length)();
            return E.left(error);
          },
          () => E.right(E.left(null)),
        ),
      );
    });
  return pipe(
    workers,
    TE.traverseArray(drain),
    TE.map(() => undefined),
  );
};
