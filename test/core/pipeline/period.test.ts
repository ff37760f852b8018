import * as fc from 'fast-check';

import { growing, isDue } from '../../../src/core/pipeline/period.ts';

const cases = fc.record({
  to: fc.integer({ min: 1, max: 60 }),
  over: fc.integer({ min: 1, max: 200 }),
  share: fc.constantFrom(0.1, 0.25, 1),
  dearness: fc.constantFrom(0, 0.5, 3, 40),
});

describe('a growing period', () => {
  it('law: gaps grow from 1 and are never longer than what they stay', () => {
    fc.assert(
      fc.property(cases, ({ to, over, share, dearness }) => {
        const n = Math.max(to, Math.min(100, Math.ceil(dearness / share)));
        const end = 10 + over + 4 * n;
        const due = Array.from({ length: end }, (_, step) => step).filter((step) =>
          isDue(growing(to, { over, share }), step, dearness),
        );
        expect(due.slice(0, 11)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        const gaps = due.slice(1).map((step, i) => step - due[i]);
        expect(Math.max(...gaps)).toBeLessThanOrEqual(n);
        expect(due.filter((step) => step >= 10 + over + n).every((step) => step % n === 0)).toBe(true);
      }),
    );
  });
});
