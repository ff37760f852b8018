import fc from 'fast-check';

import type { Key } from '../../../src/core/random/key.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import { counterWord, threefry } from '../../../src/core/random/threefry.ts';
import { MOST, meanScore } from './statistics.ts';

const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const keys: fc.Arbitrary<Key> = fc.record({ hi: word, lo: word });

const bitCount = (x: number): number => x.toString(2).replaceAll('0', '').length;

describe('threefry', () => {
  it.each([
    ['zeros', [0, 0], [0, 0], [0x6b200159, 0x99ba4efe]],
    ['ones', [0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff], [0x1cb996fc, 0xbb002be7]],
    ['digits of pi', [0x13198a2e, 0x03707344], [0x243f6a88, 0x85a308d3], [0xc4923a9c, 0x483df7a0]],
  ])('gives the published known answer for %s', (_, [hi, lo], [first, second], expected) => {
    expect(Array.from(threefry({ hi, lo }, [first, second], 2))).toEqual(expected);
  });

  it('law: word 2j + i of the stream at c is word i of the stream at c + j', () => {
    fc.assert(
      fc.property(keys, word, word, fc.nat(20), (key, c0, c1, j) => {
        const stream = threefry(key, [c0, c1], 2 * j + 2);
        const later = threefry(key, [(c0 + j) >>> 0, c1], 2);
        expect([stream[2 * j], stream[2 * j + 1]]).toEqual(Array.from(later));
      }),
    );
  });

  it('law: a shorter stream is a prefix of a longer one', () => {
    fc.assert(
      fc.property(keys, fc.nat(30), fc.nat(30), (key, m, n) => {
        const longer = threefry(key, [0, 0], m + n);
        expect(Array.from(threefry(key, [0, 0], m))).toEqual(Array.from(longer).slice(0, m));
        expect(longer).toHaveLength(m + n);
      }),
    );
  });

  it('law: avalanche. A changed bit of key or counter changes each of 64 output bits with probability ½', () => {
    const changes = Array.from({ length: 2000 }, (_, trial) => {
      const key = { hi: Math.imul(trial, 0x9e3779b9) >>> 0, lo: trial };
      const bit = 2 ** (trial % 32);
      const [a, b] = threefry(key, [trial, 0], 2);
      const [c, d] = threefry({ hi: (key.hi ^ bit) >>> 0, lo: key.lo }, [trial, 0], 2);
      const [e, f] = threefry(key, [(trial ^ bit) >>> 0, 0], 2);
      return bitCount((a ^ c) >>> 0) + bitCount((b ^ d) >>> 0) + bitCount((a ^ e) >>> 0) + bitCount((b ^ f) >>> 0);
    });
    // 128 fair bits: mean 64, variance 32.
    expect(Math.abs(meanScore(changes, 64, 32))).toBeLessThan(MOST);
  });

  it('keeps the counters of different purposes apart', () => {
    const purposes = (['draws', 'lowBits', 'split', 'foldIn'] as const).flatMap((purpose) => [
      counterWord(purpose),
      counterWord(purpose, 2 ** 21 - 1),
    ]);
    expect(new Set(purposes).size).toBe(purposes.length);
  });
});

describe('keyOf', () => {
  it('law: different seeds below 2⁵³ have different keys', () => {
    const seeds = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
    fc.assert(fc.property(seeds, seeds, (a, b) => a === b || JSON.stringify(keyOf(a)) !== JSON.stringify(keyOf(b))));
  });

  it('puts the low word of the seed in lo', () => {
    expect(keyOf(3 * 2 ** 32 + 7)).toEqual({ hi: 3, lo: 7 });
  });
});
