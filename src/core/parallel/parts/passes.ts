/**
 * Passes over the parts of the examples: one part after another, each in a scope of its own, of which sums stay.
 *
 * A pass computes all sums that have been asked for so far, so that a gradient, a loss and statistics of the same examples are computed
 * from one forward pass. Sums that come later need another pass, which begins from the examples, or from arrays that are held.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import { attempt, raise } from '../../errors.ts';
import type { ReadonlyVector, Tensor } from '../../tensor.ts';
import type { Deferred, Home } from './deferred.ts';
import { isDeferred, isUnmade, makingOf, unmadeFor } from './deferred.ts';

/** The outermost of the scopes that arrays belong to. */
const outermost = (arrays: ReadonlyArray<Deferred>): Home | null =>
  arrays.reduce((least: Home | null, x) => {
    const making = makingOf(x);
    return making.kind === 'there' || (least !== null && least.depth <= making.home.depth) ? least : making.home;
  }, null);

const settle = (x: Deferred, value: Tensor): void => x.making.write({ kind: 'there', value })();

/** Sums that have been asked for and are not there yet. */
export interface Pending {
  readonly add: (sum: Deferred) => void;
  /** Forgets those of which nothing will be asked any more. */
  readonly drop: (isOver: (sum: Deferred) => boolean) => void;
  /** All of them, which are about to be computed. */
  readonly take: () => ReadonlyArray<Deferred>;
}

/** No sums yet. */
export const createPending = (): Pending => {
  const sums = new Set<Deferred>();
  return {
    add: (sum) => void sums.add(sum),
    drop: (isOver) => {
      for (const sum of sums) if (isOver(sum)) sums.delete(sum);
    },
    take: () => {
      const all = [...sums].filter(isUnmade);
      sums.clear();
      return all;
    },
  };
};

/** What is wanted of a part, and arrays of the parts before that it has used up. */
interface Taken {
  readonly wanted: ReadonlyArray<Tensor>;
  readonly spent: ReadonlyArray<Tensor>;
}

/**
 * Computes some arrays of one part. Those that are held stay as well.
 *
 * @param home - the scope that what stays belongs to
 * @param targets - arrays of one part
 * @param take - what is wanted of them; it is told whether nobody else has an array's memory
 * @returns what is wanted
 */
const passOver = (
  home: Home,
  targets: ReadonlyArray<Tensor>,
  take: (found: ReadonlyArray<Tensor>, on: Home['backend'], isOwn: (x: Tensor) => boolean) => Taken,
): ReadonlyArray<Tensor> => {
  const { backend, close } = home.backend.scope();
  const computed = attempt(() => {
    const values = new Map<Deferred, Tensor>();
    const lasting = new Set<ReadonlyVector>();
    const held: Array<Deferred> = [];
    /** The value of an array that is there, or was made before. */
    const valueOf = (x: Tensor): Tensor => {
      const own = isDeferred(x) ? values.get(x) : undefined;
      if (own !== undefined) return own;
      const making = makingOf(x);
      const value = making.kind === 'there' ? making.value : x;
      lasting.add(value.data);
      return value;
    };
    for (const x of unmadeFor(targets)) {
      const making = makingOf(x);
      if (making.kind !== 'part') continue;
      const value = making.run(backend.ops, making.operands.map(valueOf));
      values.set(x, value);
      if (making.isHeld) {
        lasting.add(value.data);
        held.push(x);
      }
    }
    const found = targets.map(valueOf);
    const uses = new Map<ReadonlyVector, number>();
    for (const { data } of found) uses.set(data, (uses.get(data) ?? 0) + 1);
    const isOwn = ({ data }: Tensor): boolean => !lasting.has(data) && uses.get(data) === 1;
    return { ...take(found, backend, isOwn), held: held.map((x) => [x, valueOf(x)] as const) };
  });
  if (E.isLeft(computed)) {
    close([]);
    return raise(computed.left);
  }
  const { wanted, spent, held } = computed.right;
  close([...wanted, ...held.map(([, value]) => value)], spent);
  held.forEach(([x, value]) => {
    settle(x, value);
  });
  return wanted;
};

/** Arrays that are held among those that a pass computes. */
const heldFor = (targets: ReadonlyArray<Tensor>): ReadonlyArray<Deferred> =>
  unmadeFor(targets).filter((x) => {
    const making = makingOf(x);
    return making.kind === 'part' && making.isHeld;
  });

/** A sum over the parts so far, and whether nobody else has its memory. */
interface Total {
  readonly sum: Tensor;
  readonly isOwn: boolean;
}

/**
 * Computes sums over all parts.
 *
 * @param sums - arrays that are sums
 */
export const sumOverParts = (sums: ReadonlyArray<Deferred>): void => {
  const addends = sums.map((x) => {
    const making = makingOf(x);
    return making.kind === 'sum' ? making.operands : [];
  });
  const home = outermost([...sums, ...heldFor(addends.flat())]);
  if (home === null) return;
  const most = Math.max(...addends.map((each) => each.length));
  const totals: Array<Total | null> = sums.map(() => null);
  for (let part = 0; part < most; part += 1) {
    const here = sums.flatMap((_, i) => (part < addends[i].length ? [i] : []));
    const targets = here.map((i) => addends[i][part]);
    passOver(home, targets, (found, { ops }, isOwn) => {
      const before = here.map((i) => totals[i]);
      here.forEach((i, at) => {
        const total = totals[i];
        totals[i] =
          total === null
            ? { sum: found[at], isOwn: isOwn(found[at]) }
            : { sum: ops.add(total.sum, found[at]), isOwn: true };
      });
      return {
        wanted: here.flatMap((i) => totals[i]?.sum ?? []),
        spent: before.flatMap((total) => (total?.isOwn === true ? [total.sum] : [])),
      };
    });
  }
  sums.forEach((x, i) => {
    const total = totals[i];
    if (total !== null) settle(x, total.sum);
  });
};

/** An array of one part, which stays. */
const lookAtPart = (x: Deferred): Tensor => {
  const home = outermost([x, ...heldFor([x])]);
  if (home === null) return x;
  const [value] = passOver(home, [x], (found) => ({ wanted: found, spent: [] }));
  settle(x, value);
  return value;
};

/**
 * An array, computed if it is not there yet.
 *
 * @param pending - sums that are computed with it, if a pass is needed
 * @param x - any array
 */
export const looked = (pending: Pending, x: Tensor): Tensor => {
  const making = makingOf(x);
  if (making.kind === 'there') return making.value;
  if (!isDeferred(x)) return x;
  if (making.kind === 'part') return lookAtPart(x);
  const sums = unmadeFor([x], ({ kind }) => kind !== 'part').filter((each) => makingOf(each).kind === 'sum');
  if (sums.length > 0) sumOverParts([...new Set([...pending.take(), ...sums])]);
  for (const each of unmadeFor([x])) {
    const own = makingOf(each);
    const ready = (y: Tensor): Tensor => looked(pending, y);
    if (own.kind === 'after') settle(each, own.run(own.home.backend.ops, own.operands.map(ready)));
  }
  return looked(pending, x);
};
