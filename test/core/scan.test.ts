import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import fc from 'fast-check';

import type { Scan, Source } from '../../src/core/scan.ts';
import { prefetched, scan, unfold } from '../../src/core/scan.ts';

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

describe('prefetched', () => {
  const read = async (source: Source<number>): Promise<readonly [ReadonlyArray<number>, string | null]> => {
    const values: Array<number> = [];
    try {
      for await (const value of source) values.push(value);
      return [values, null];
    } catch (thrown) {
      return [values, String(thrown)];
    }
  };
  /** Numbers one after another, of which one below 0 is an error, and what its reader did. */
  const slow = (numbers: ReadonlyArray<number>) => {
    const told: Array<string> = [];
    async function* source() {
      try {
        for (const n of numbers) {
          told.push(`asked for ${n}`);
          await Promise.resolve();
          if (n < 0) throw new Error(`${n}`);
          yield n;
        }
      } finally {
        told.push('closed');
      }
    }
    return { source, told };
  };

  it('law: the same values in the same order, and an error where it was', async () => {
    const numbers = fc.array(fc.integer({ min: -1, max: 20 }));
    await fc.assert(
      fc.asyncProperty(numbers, fc.integer({ min: 0, max: 5 }), async (given, ahead) => {
        const plain = await read(slow(given).source());
        expect(await read(prefetched(slow(given).source(), ahead))).toEqual(plain);
        if (!given.includes(-1)) expect(await read(prefetched(given, ahead))).toEqual(plain);
      }),
      { numRuns: 50 },
    );
  });

  it('asks for the next value while the reader is busy with the last, and closes a source that is left', async () => {
    const { source, told } = slow([1, 2, 3, 4]);
    for await (const value of prefetched(source())) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      told.push(`read ${value}`);
      if (value === 2) break;
    }
    expect(told).toEqual(['asked for 1', 'asked for 2', 'read 1', 'asked for 3', 'read 2', 'closed']);
  });
});
