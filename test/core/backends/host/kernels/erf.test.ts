import fc from 'fast-check';

import { erf } from '../../../../../src/core/backends/host/kernels/erf.ts';

describe('erf', () => {
  // Abramowitz & Stegun, Handbook of Mathematical Functions, table 7.1.
  it.each([
    [0.1, 0.112462916],
    [0.5, 0.5204998778],
    [1, 0.8427007929],
    [1.5, 0.9661051465],
    [2, 0.995322265],
  ])('has the tabulated value at %d', (x, value) => {
    expect(erf(x)).toBeCloseTo(value, 10);
  });

  it('law: oddness. erf(−x) = −erf(x), bit for bit', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 8, noNaN: true }), (x) => {
        expect(erf(-x)).toBe(-erf(x));
      }),
    );
  });

  it('law: the two forms meet. erf is increasing across the joint at 1.5, and its slope there is 2/√π e^(−x²)', () => {
    const h = 2 ** -20;
    const slope = (erf(1.5) - erf(1.5 - h)) / h;
    const expected = (2 / Math.sqrt(Math.PI)) * Math.exp(-((1.5 - h / 2) ** 2));
    // Each value is within 2 units in the last place (2^-52), the midpoint formula within h² / 24 · |erf‴| < h².
    expect(Math.abs(slope - expected)).toBeLessThan((4 * 2 ** -52) / h + h * h);
  });

  it('is ±1 at infinity and passes NaN on', () => {
    expect([erf(Infinity), erf(-Infinity), erf(NaN), erf(0)]).toEqual([1, -1, NaN, 0]);
  });
});
