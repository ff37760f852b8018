import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import fc from 'fast-check';

import type { Scan, Source } from '../../src/core/scan.ts';
import { scan, unfold } from '../../src/core/scan.ts';

interface Sum {
  readonly sum: number;
}

/** Sums whose states are counted: each is used up once, or let go. Fails at values below 0. */
const summing = () => {
  const held = new Set<Sum>([]);
  const made = (sum: number): Sum => {
    const state = { sum };
    held.add(state);
    return state;
  };
  const algebra: Scan<string, Sum, number, number> = {
    begin: () => E.right(made(0)),
    next: (state, value) =>
      TE.fromIOEither(() => {
        if (!held.delete(state)) return E.left('used twice');
        return value < 0
          ? E.left(`${value} is below 0`)
          : E.right([made(state.sum + value), state.sum + value] as const);
      }),
    end: (state) => () => Promise.resolve(void held.delete(state)),
    broken: String,
  };
  return { algebra, held };
};

const all = async (source: Source<number>, algebra: Scan<string, Sum, number, number>) => {
  const values: Array<E.Either<string, number>> = [];
  for await (const value of scan(source, algebra)) values.push(value);
  return values;
};

describe('scan', () => {
  it('law: every prefix as a fold, up to the first error, and nothing is held at the end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: -1, max: 20 })), async (numbers) => {
        const { algebra, held } = summing();
        const end = numbers.findIndex((n) => n < 0);
        const good = end < 0 ? numbers : numbers.slice(0, end);
        const sums = good.map((_, i) => E.right(good.slice(0, i + 1).reduce((a, b) => a + b, 0)));
        const expected = end < 0 ? sums : [...sums, E.left('-1 is below 0')];
        expect(await all(numbers, algebra)).toEqual(expected);
        expect(held.size).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it('gives the error of its beginning, and asks for no value', async () => {
    const { algebra } = summing();
    const asked: Array<number> = [];
    const numbers = unfold(0, (n) => {
      asked.push(n);
      return [n, n + 1];
    });
    expect(await all(numbers, { ...algebra, begin: () => E.left('no') })).toEqual([E.left('no')]);
    expect(asked).toEqual([]);
  });

  it('does nothing before it is read', () => {
    const { algebra, held } = summing();
    scan([1], algebra);
    expect(held.size).toBe(0);
  });

  it('lets timers through between two values', async () => {
    const { algebra } = summing();
    let fired = false;
    setTimeout(() => (fired = true), 0);
    let turns = 0;
    const stream = scan(
      unfold(0, (n) => [n, n]),
      algebra,
    );
    for await (const sum of stream) {
      turns += E.isRight(sum) ? 1 : 0;
      if (fired || turns === 100_000) break;
    }
    expect(fired).toBe(true);
  });

  it('tells whether it still has a state', async () => {
    const { algebra } = summing();
    const asked: Array<() => boolean> = [];
    const next: typeof algebra.next = (state, value, isHeld) =>
      TE.map((outcome: readonly [Sum, number]) => {
        asked.push(() => isHeld(outcome[0]));
        return outcome;
      })(algebra.next(state, value, isHeld));
    const seen: Array<ReadonlyArray<boolean>> = [];
    const stream = scan([1, 2, 3], { ...algebra, next });
    while ((await stream.next()).done !== true) seen.push(asked.map((isHeld) => isHeld()));
    expect(seen).toEqual([[true], [false, true], [false, false, true]]);
    expect(asked.some((isHeld) => isHeld())).toBe(false);
  });
});
