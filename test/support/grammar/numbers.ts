/**
 * Numbers that a range takes, from the words for the range.
 *
 * Most are of a size that someone would write, some are at the bounds, a few are absurd.
 *
 * @module
 */
import fc from 'fast-check';

const negated = (values: fc.Arbitrary<number>): fc.Arbitrary<number> =>
  fc.tuple(fc.boolean(), values).map(([negative, value]) => (negative ? -value : value));

/** Numbers above 0, evenly over the orders of magnitude of a usual size: those of doubles would nearly all be 10⁰. */
const usual = fc
  .noBias(fc.integer({ min: -4000, max: 3000 }))
  .map((thousandths) => Number((10 ** (thousandths / 1000)).toPrecision(3)));

const absurd = fc.constantFrom(1e-300, 1e-30, 1e-12, 1e9, 1e30, 1e300);

const above0 = fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: absurd });

/** In (0, 1), close to both ends as often as in the middle. */
const inside = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.noBias(fc.integer({ min: 10, max: 990 })).map((thousandths) => thousandths / 1000),
  },
  { weight: 1, arbitrary: fc.constantFrom(1e-300, 1e-9, 1 - 1e-9, 1 - 2 ** -53) },
);

const few = (low: number, high: number): fc.Arbitrary<number> => fc.integer({ min: low, max: Math.min(high, low + 5) });

/** Where there is a bound, what it allows may take long; where there is none, nothing may. */
const wholesFrom = (low: number): fc.Arbitrary<number> =>
  fc.oneof(
    { weight: 8, arbitrary: few(low, Infinity) },
    { weight: 2, arbitrary: fc.constantFrom(10, 100).map((value) => Math.max(low, value)) },
    { weight: 1, arbitrary: fc.constantFrom(1e6, 2 ** 31, 2 ** 53 - 1) },
  );

const ranges: ReadonlyArray<readonly [RegExp, (bounds: ReadonlyArray<number>) => fc.Arbitrary<number>]> = [
  [/^a whole number of at least (\d+)$/, ([low]) => wholesFrom(low)],
  [/^a whole number from (\d+) to (\d+)$/, ([low, high]) => few(low, high)],
  [/^a number above 0$/, () => above0],
  [/^a number above 0 and up to 1$/, () => fc.oneof(fc.constant(1), inside)],
  [/^a number above 0 and below 1$/, () => inside],
  [/^a number from 0 to below 1$/, () => fc.oneof(fc.constant(0), inside)],
  [
    /^a number of at least 0$/,
    () => fc.oneof({ weight: 1, arbitrary: fc.constant(0) }, { weight: 4, arbitrary: above0 }),
  ],
  [
    /^a finite number$/,
    () =>
      fc.oneof(
        { weight: 1, arbitrary: fc.constant(0) },
        { weight: 8, arbitrary: above0 },
        { weight: 1, arbitrary: negated(above0) },
      ),
  ],
];

/**
 * Numbers of a range, or `null` where the words are not those of one.
 *
 * @param words - the end of "expected …"
 */
export const numbersIn = (words: string): fc.Arbitrary<number> | null => {
  for (const [pattern, make] of ranges) {
    const found = pattern.exec(words);
    if (found !== null) return make(found.slice(1).map(Number));
  }
  return null;
};
