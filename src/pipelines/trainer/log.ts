/**
 * A list that grows at its end without being copied: adding shares everything before.
 *
 * @module
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as O from 'fp-ts/lib/Option.js';
import * as RA from 'fp-ts/lib/ReadonlyArray.js';

/** Entries from the last to the first; `null` is the empty log. */
export type Log<A> = null | { readonly last: A; readonly before: Log<A> };

/** The log with one more entry. */
export const append = <A>(log: Log<A>, entry: A): Log<A> => ({ last: entry, before: log });

/** A log of entries from first to last. */
export const logOf = <A>(list: ReadonlyArray<A>): Log<A> =>
  list.reduce((log: Log<A>, entry) => append(log, entry), null);

/** The log as it was before a step, where steps go up from entry to entry. */
export const beforeStep = <A extends { readonly step: number }>(log: Log<A>, step: number): Log<A> =>
  log === null || log.last.step < step ? log : logOf(entries(log).filter((entry) => entry.step < step));

/** The entries from first to last. */
export const entries = <A>(log: Log<A>): ReadonlyArray<A> =>
  pipe(
    RA.unfold(log, (rest) => (rest === null ? O.none : O.some([rest.last, rest.before] as const))),
    RA.reverse,
  );
