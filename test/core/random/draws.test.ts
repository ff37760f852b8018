import fc from 'fast-check';

import { keyOf } from '../../../src/core/random/key.ts';
import { exponential } from '../../../src/core/random/exponential.ts';
import { normal } from '../../../src/core/random/normal.ts';
import { permutation } from '../../../src/core/random/permutation.ts';
import { bits, uniform, uniformDown } from '../../../src/core/random/uniform.ts';
import { MOST, chiSquareScore, countsOf, meanScore, productsOf } from './statistics.ts';

const n = 40000;
const seeds = [1, 2, 2 ** 40 + 3];
const dtypes = ['f32', 'f64'] as const;
const cases = seeds.flatMap((seed) => dtypes.map((dtype) => [seed, dtype] as const));

describe('bits', () => {
  it.each(seeds)('law: each of the 32 bits is set half the time (seed %d)', (seed) => {
    const words = Array.from(bits(keyOf(seed), n));
    Array.from({ length: 32 }, (_, bit) => words.map((word) => (word >>> bit) & 1)).forEach((set) => {
      expect(Math.abs(meanScore(set, 1 / 2, 1 / 4))).toBeLessThan(MOST);
    });
  });
});

describe('uniform', () => {
  it.each(cases)('law: mean 1/2, variance 1/12, flat (seed %d, %s)', (seed, dtype) => {
    const { data } = uniform(keyOf(seed), [n], dtype);
    const centred = Array.from(data, (u) => (u - 1 / 2) ** 2);
    expect(Math.abs(meanScore(data, 1 / 2, 1 / 12))).toBeLessThan(MOST);
    expect(Math.abs(meanScore(centred, 1 / 12, 1 / 80 - 1 / 144))).toBeLessThan(MOST);
    expect(
      Math.abs(
        chiSquareScore(
          countsOf(
            Array.from(data, (u) => Math.floor(64 * u)),
            64,
          ),
        ),
      ),
    ).toBeLessThan(MOST);
  });

  it.each(cases)('law: neighbours are independent (seed %d, %s)', (seed, dtype) => {
    const { data } = uniform(keyOf(seed), [n], dtype);
    const pairs = Array.from(
      { length: n / 2 },
      (_, i) => 8 * Math.floor(8 * data[2 * i]) + Math.floor(8 * data[2 * i + 1]),
    );
    expect(Math.abs(chiSquareScore(countsOf(pairs, 64)))).toBeLessThan(MOST);
  });

  it('law: draws are multiples of 2⁻²⁴ (f32) and 2⁻⁵³ (f64) in [0, 1), and the former lead the latter', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const single = uniform(keyOf(seed), [5, 3], 'f32');
        const double = uniform(keyOf(seed), [5, 3], 'f64');
        expect([single.shape, single.dtype, double.dtype]).toEqual([[5, 3], 'f32', 'f64']);
        expect(Array.from(double.data, (u) => Math.floor(u * 2 ** 24) * 2 ** -24)).toEqual(Array.from(single.data));
        expect(Array.from(double.data).every((u) => u >= 0 && u < 1 && Number.isInteger(u * 2 ** 53))).toBe(true);
      }),
    );
  });

  it('law: each of the 53 bits of an f64 draw is set half the time', () => {
    const { data } = uniform(keyOf(5), [n], 'f64');
    for (let bit = 1; bit <= 53; bit += 1) {
      const set = Array.from(data, (u) => Math.floor(u * 2 ** bit) % 2);
      expect(Math.abs(meanScore(set, 1 / 2, 1 / 4))).toBeLessThan(MOST);
    }
  });
});

/** The word of this draw has 25 leading zeros: a draw of 24 bits is 0. */
const nearZero = { seed: 841, at: 2088 };

describe('uniformDown', () => {
  /** The largest 32-bit float that is not above a number. */
  const roundedDown = (x: number): number => {
    const nearest = Math.fround(x);
    return nearest > x ? Math.fround(nearest * (1 - 2 ** -24)) : nearest;
  };

  it('law: draws are those of 53 bits, rounded down to floats, so that u < p for a float p is as probable as p', () => {
    fc.assert(
      fc.property(fc.oneof(fc.nat(), fc.constant(nearZero.seed)), (seed) => {
        const draws = uniformDown(keyOf(seed), [3000]);
        expect([draws.shape, draws.dtype]).toEqual([[3000], 'f32']);
        expect(draws.data).toEqual(Float32Array.from(uniform(keyOf(seed), [3000], 'f64').data, roundedDown));
      }),
      { numRuns: 30 },
    );
  });

  it('law: near 0 draws are as dense as floats', () => {
    const { data } = uniformDown(keyOf(nearZero.seed), [nearZero.at + 1]);
    expect(uniform(keyOf(nearZero.seed), [nearZero.at + 1], 'f32').data[nearZero.at]).toBe(0);
    // The word is 77, so the draw is from 77 to 78 times 2⁻³².
    expect(data[nearZero.at] * 2 ** 32).toBeGreaterThan(77);
    expect(data[nearZero.at] * 2 ** 32).toBeLessThan(78);
  });
});

describe('exponential', () => {
  it.each(cases)('law: mean 1, variance 1, E x³ = 6 and P(x > 1) = 1 / e (seed %d, %s)', (seed, dtype) => {
    const x = Array.from(exponential(keyOf(seed), [n], dtype).data);
    // Var xᵏ = (2k)! − (k!)².
    const scores = [
      meanScore(x, 1, 1),
      meanScore(
        x.map((v) => v ** 2),
        2,
        20,
      ),
      meanScore(
        x.map((v) => v ** 3),
        6,
        684,
      ),
      meanScore(
        x.map((v) => (v > 1 ? 1 : 0)),
        1 / Math.E,
        (1 - 1 / Math.E) / Math.E,
      ),
    ];
    for (const score of scores) expect(Math.abs(score)).toBeLessThan(MOST);
  });

  it('law: draws are −log(1 − u) of the uniform ones, above 0, the same in both precisions up to rounding', () => {
    fc.assert(
      fc.property(fc.oneof(fc.nat(), fc.constant(nearZero.seed)), (seed) => {
        const draws = exponential(keyOf(seed), [3000], 'f64').data;
        const u = uniform(keyOf(seed), [3000], 'f64').data;
        expect(
          Array.from(draws).filter(
            (x, i) => !(x > 0 && Math.abs(x + Math.log1p(-u[i])) <= 1e-15 * x + 2 ** -53 / (1 - u[i])),
          ),
        ).toEqual([]);
        expect(exponential(keyOf(seed), [3000], 'f32').data).toEqual(Float32Array.from(draws));
      }),
      { numRuns: 30 },
    );
  });
});

describe('normal', () => {
  it.each(cases)('law: moments 0, 1, 0, 3 and P(|z| < 1) (seed %d, %s)', (seed, dtype) => {
    const z = Array.from(normal(keyOf(seed), [n], dtype).data);
    // Var zᵏ = E z²ᵏ − (E zᵏ)²: 1, 3 − 1, 15, 105 − 9.
    const scores = [
      meanScore(z, 0, 1),
      meanScore(
        z.map((x) => x ** 2),
        1,
        2,
      ),
      meanScore(
        z.map((x) => x ** 3),
        0,
        15,
      ),
      meanScore(
        z.map((x) => x ** 4),
        3,
        96,
      ),
      meanScore(
        z.map((x) => (Math.abs(x) < 1 ? 1 : 0)),
        0.682689492137,
        0.682689492137 * 0.317310507863,
      ),
    ];
    expect(Math.max(...scores.map(Math.abs))).toBeLessThan(MOST);
  });

  it.each(cases)('law: the two draws of a pair, and their squares, are independent (seed %d, %s)', (seed, dtype) => {
    const z = Array.from(normal(keyOf(seed), [n], dtype).data);
    const even = Float64Array.from(z.filter((_, i) => i % 2 === 0));
    const odd = Float64Array.from(z.filter((_, i) => i % 2 === 1));
    expect(Math.abs(meanScore(productsOf(even, odd), 0, 1))).toBeLessThan(MOST);
    // (x² − 1)(y² − 1) has mean 0 and variance 2 · 2.
    const squares = (xs: Float64Array): Float64Array => xs.map((x) => x * x - 1);
    expect(Math.abs(meanScore(productsOf(squares(even), squares(odd)), 0, 4))).toBeLessThan(MOST);
  });

  it('law: the two draws of a pair are the point at radius √(−2 ln u) and angle 2πv of two random words', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const [x, y] = normal(keyOf(seed), [2], 'f64').data;
        const [u, v] = bits(keyOf(seed), 2);
        // u is the middle of the words' cell; its lower bits, which bits() does not show, move it by 2⁻³³ at most.
        expect(Math.abs(Math.exp(-(x * x + y * y) / 2) - (u + 0.5) * 2 ** -32)).toBeLessThan(2 ** -32);
        expect(Math.abs(Math.cos(2 * Math.PI * v * 2 ** -32) - x / Math.hypot(x, y))).toBeLessThan(2 ** -29);
        expect(Math.abs(Math.sin(2 * Math.PI * v * 2 ** -32) - y / Math.hypot(x, y))).toBeLessThan(2 ** -29);
      }),
    );
  });

  it('law: f32 draws are the f64 draws up to rounding', () => {
    const single = normal(keyOf(4), [n], 'f32').data;
    const double = normal(keyOf(4), [n], 'f64').data;
    for (let i = 0; i < n; i += 2) {
      const radius = Math.hypot(double[i], double[i + 1]);
      // u differs by up to 2⁻³³, which moves the radius by 2⁻³³ / (u radius); v by up to 2⁻³², the angle by 2π of that.
      const moved = 2 ** -32 / (Math.exp((-radius * radius) / 2) * radius) + 2 * Math.PI * 2 ** -32 * radius;
      const bound = moved + radius * 2 ** -24;
      expect(Math.abs(single[i] - double[i])).toBeLessThan(bound);
      expect(Math.abs(single[i + 1] - double[i + 1])).toBeLessThan(bound);
    }
  });

  it('law: an odd size is a prefix of the next even one', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(20), fc.constantFrom(...dtypes), (seed, half, dtype) => {
        const odd = Array.from(normal(keyOf(seed), [2 * half + 1], dtype).data);
        expect(odd).toEqual(Array.from(normal(keyOf(seed), [2 * half + 2], dtype).data).slice(0, -1));
      }),
    );
  });
});

describe('permutation', () => {
  it('law: every number from 0 to n − 1 occurs once', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(60), (seed, size) => {
        const { data, shape, dtype } = permutation(keyOf(seed), size);
        expect([shape, dtype]).toEqual([[size], 'i32']);
        expect(Array.from(data).sort((a, b) => a - b)).toEqual(Array.from({ length: size }, (_, i) => i));
      }),
    );
  });

  it('law: all 24 orders of four things are equally likely', () => {
    const orders = Array.from({ length: 12000 }, (_, seed) => {
      const [a, b, c, d] = permutation(keyOf(seed), 4).data;
      const rank = (x: number, others: ReadonlyArray<number>): number => others.filter((other) => other < x).length;
      return 6 * a + 2 * rank(b, [c, d]) + rank(c, [d]);
    });
    expect(Math.abs(chiSquareScore(countsOf(orders, 24)))).toBeLessThan(MOST);
  });

  it('differs between keys', () => {
    expect(permutation(keyOf(1), 50)).not.toEqual(permutation(keyOf(2), 50));
  });
});

describe('law: purity', () => {
  it('gives the same draws for the same key, whatever was drawn in between', () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(...dtypes), (seed, dtype) => {
        const key = Object.freeze(keyOf(seed));
        const draw = (): unknown => [
          uniform(key, [7], dtype),
          normal(key, [7], dtype),
          permutation(key, 7),
          bits(key, 7),
        ];
        const before = draw();
        uniform(keyOf(seed + 1), [9], dtype);
        expect(draw()).toEqual(before);
      }),
    );
  });
});
