import fc from 'fast-check';

import type { Key } from '../../../src/core/random/key.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import { normal } from '../../../src/core/random/normal.ts';
import { foldIn, split } from '../../../src/core/random/split.ts';
import { bits } from '../../../src/core/random/uniform.ts';
import { MOST, meanScore, productsOf } from './statistics.ts';

const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const keys: fc.Arbitrary<Key> = fc.record({ hi: word, lo: word });
const data = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const show = ({ hi, lo }: Key): string => `${hi},${lo}`;

describe('split', () => {
  it('law: children are different from each other, from the parent and from what the parent draws', () => {
    fc.assert(
      fc.property(keys, fc.nat(50), (key, n) => {
        const children = split(key, n).map(show);
        const drawn = bits(key, 2 * n);
        const draws = Array.from({ length: n }, (_, i) => show({ hi: drawn[2 * i], lo: drawn[2 * i + 1] }));
        expect(new Set([show(key), ...children, ...draws]).size).toBe(1 + 2 * n);
      }),
    );
  });

  it('law: split(key, m) is a prefix of split(key, n)', () => {
    fc.assert(
      fc.property(keys, fc.nat(20), fc.nat(20), (key, m, n) => {
        expect(split(key, m + n).slice(0, m)).toEqual(split(key, m));
      }),
    );
  });

  it('law: children draw independent streams', () => {
    const [first, second, third] = split(keyOf(1), 3);
    const n = 20000;
    const draw = (key: Key): ReturnType<typeof normal>['data'] => normal(key, [n], 'f64').data;
    // A product of independent N(0, 1) has mean 0 and variance 1.
    [
      [first, second],
      [second, third],
      [keyOf(1), first],
      [keyOf(1), keyOf(2)],
    ].forEach(([a, b]) => {
      expect(Math.abs(meanScore(productsOf(draw(a), draw(b)), 0, 1))).toBeLessThan(MOST);
    });
  });
});

describe('foldIn', () => {
  it('law: foldIn(key, a) = foldIn(key, b) only if a = b', () => {
    fc.assert(
      fc.property(keys, data, data, (key, a, b) => {
        expect(show(foldIn(key, a)) === show(foldIn(key, b))).toBe(a === b);
      }),
    );
  });

  it('law: the high bits of the number count', () => {
    fc.assert(
      fc.property(keys, fc.nat(2 ** 20), fc.integer({ min: 1, max: 2 ** 20 }), (key, low, high) => {
        expect(foldIn(key, low + high * 2 ** 32)).not.toEqual(foldIn(key, low));
      }),
    );
  });

  it('law: folds are not children', () => {
    fc.assert(
      fc.property(keys, fc.nat(20), (key, i) => {
        expect(split(key, 21).map(show)).not.toContain(show(foldIn(key, i)));
      }),
    );
  });

  it('law: purity. The same key and number give the same key, and a frozen key will do', () => {
    fc.assert(
      fc.property(keys, data, (key, i) => {
        expect(foldIn(Object.freeze({ ...key }), i)).toEqual(foldIn(key, i));
        expect(split(Object.freeze({ ...key }), 3)).toEqual(split(key, 3));
      }),
    );
  });
});
