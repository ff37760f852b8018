import fc from 'fast-check';

import {
  fromEnd,
  gainOverSlope,
  lengthAfter,
  lengthOf,
  overAll,
} from '../../../src/solvers/quadraticModel/stepLength.ts';

const some = fc.double({ min: 0.01, max: 100, noNaN: true });
const bounds = { low: 0.1, high: 0.5 };

describe('gain over slope', () => {
  it('law: on a parabola a step of t times the way to its least value gains 1 − t / 2 of its slope', () => {
    fc.assert(
      fc.property(some, some, fc.double({ min: 0.01, max: 3, noNaN: true }), (curvature, slope, t) => {
        const length = (t * slope) / curvature;
        const gain = -slope * length + (curvature * length ** 2) / 2;
        const along = fromEnd(gain, (-slope + curvature * length) * length);
        expect(along.slope / (-slope * length)).toBeCloseTo(1, 9);
        expect(gainOverSlope(along)).toBeCloseTo(1 - t / 2, 9);
      }),
    );
  });

  it('law: the own step alone counts where its batch is all there is, others alone where it is none', () => {
    fc.assert(
      fc.property(some, some, some, some, (a, b, c, d) => {
        const [own, others] = [
          { gain: -a, slope: -b },
          { gain: -c, slope: -d },
        ];
        expect(overAll(own, others, 1)).toEqual(own);
        expect(overAll(own, others, 0)).toEqual(others);
      }),
    );
  });

  it.each([
    ['nothing is known', 0, 0, null],
    ['uphill', -1, 1, -Infinity],
    ['level', -1, 0, -Infinity],
    ['it loses', 1, -2, -0.5],
  ])('table: %s', (_, gain, slope, expected) => {
    expect(gainOverSlope({ gain, slope })).toBe(expected);
  });
});

describe('the length of steps', () => {
  it.each([
    ['half of the slope is had: it stays', 0.4, 0.5, 0.4],
    ['more', 0.4, 0.6, 0.8],
    ['more, and it is 1 at most', 0.8, 0.6, 1],
    ['less', 0.4, 0.05, 0.2],
    ['it loses: twice as fast', 0.4, -0.05, 0.1],
    ['it loses all', 0.4, -Infinity, 0.1],
    ['nothing is known', 0.4, null, 0.4],
    ['it is 0.01 at least', 0.015, 0, 0.01],
  ])('table: %s', (_, length, ratio, expected) => {
    expect(lengthAfter(length, ratio, 0.5, bounds)).toBeCloseTo(expected, 12);
  });

  it('is 1 until something is known', () => {
    expect(lengthOf({})).toBe(1);
    expect(lengthOf({ stepLength: 0.3 })).toBe(0.3);
  });
});
