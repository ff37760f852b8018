import fc from 'fast-check';

import {
  after,
  constant,
  cosine,
  exponential,
  inverseSquareRoot,
  piecewise,
  product,
  scheduleOf,
  warmUp,
} from '../../src/solvers/schedules.ts';

const step = fc.integer({ min: 0, max: 10_000 });

describe('schedules: worked examples', () => {
  it('warm-up rises to 1 and stays', () => {
    expect([0, 1, 3, 4].map(warmUp(4))).toEqual([0.25, 0.5, 1, 1]);
  });

  it('cosine goes from start over the middle to end and stays', () => {
    expect([0, 5, 10, 20].map(cosine(3, 10, 1)).map((x) => Math.round(x * 1e9) / 1e9)).toEqual([3, 2, 1, 1]);
  });

  it('piecewise multiplies at each boundary', () => {
    expect([0, 9, 10, 20].map(piecewise(8, 0.5, [10, 20]))).toEqual([8, 8, 4, 2]);
  });

  it('exponential halves per period, with a floor', () => {
    expect([0, 10, 20, 30].map(exponential(8, 0.5, 10, 1.5))).toEqual([8, 4, 2, 1.5]);
  });

  it('inverse square root starts to fall at its step', () => {
    expect([0, 100, 400].map(inverseSquareRoot(6, 100))).toEqual([6, 6, 3]);
  });

  it('one schedule after another counts from 0 again', () => {
    expect([0, 2, 3].map(after(constant(7), 2, warmUp(2)))).toEqual([7, 0.5, 1]);
  });
});

describe('schedules: laws', () => {
  it('law: the constant 1 is the identity of the product', () => {
    const schedule = cosine(2, 50);
    fc.assert(fc.property(step, (k) => product(constant(1), schedule)(k) === schedule(k)));
    expect(product()(3)).toBe(1);
  });

  it('law: every decreasing schedule never rises', () => {
    for (const schedule of [
      cosine(1, 77),
      piecewise(1, 0.1, [5, 50]),
      exponential(1, 0.9, 3),
      inverseSquareRoot(1, 9),
    ]) {
      fc.assert(fc.property(step, (k) => schedule(k + 1) <= schedule(k)));
    }
  });

  it('law: a number is the schedule that always gives it', () => {
    fc.assert(fc.property(step, fc.double({ noNaN: true }), (k, x) => Object.is(scheduleOf(x)(k), x)));
    expect(scheduleOf(warmUp(2))(0)).toBe(0.5);
  });
});
