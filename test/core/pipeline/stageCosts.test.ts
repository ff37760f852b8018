import fc from 'fast-check';

import { stageCosts } from '../../../src/core/pipeline/stageCosts.ts';

const counts = fc.array(
  fc.record({ forward: fc.nat(100), solve: fc.nat(100), update: fc.nat(100) }, { requiredKeys: ['forward'] }),
  { minLength: 1, maxLength: 30 },
);

describe('costs of stages', () => {
  it('law: they add up to the mean of the steps', () => {
    fc.assert(
      fc.property(counts, (steps) => {
        const costs = stageCosts(steps.map((stages) => ({ stages })));
        const sum = costs.reduce((all, { always, periodic }) => all + always + periodic, 0);
        const whole = steps.flatMap((stages) => Object.values(stages)).reduce((all, x) => all + x, 0);
        expect(sum).toBeCloseTo(whole / steps.length, 9);
        for (const { periodic } of costs) expect(periodic).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('law: what is dear in every p-th step is told apart from what it costs in all steps, and p is found', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 12 }),
        fc.integer({ min: 1, max: 5 }),
        fc.nat(50),
        fc.integer({ min: 1, max: 50 }),
        fc.nat(11),
        (period, periods, usual, dear, phase) => {
          const steps = Array.from({ length: period * periods }, (_, i) => ({
            stages: { solve: usual + (i % period === phase % period ? dear : 0) },
          }));
          const [cost] = stageCosts(steps);
          expect(cost).toMatchObject({ stage: 'solve', every: period });
          expect(cost.always).toBeCloseTo(usual, 9);
          expect(cost.periodic).toBeCloseTo(dear / period, 9);
        },
      ),
    );
  });

  it('worked example: a first step that is cheaper than all others is no period', () => {
    const [cost] = stageCosts([1, 3, 3, 3].map((solve) => ({ stages: { solve } })));
    expect(cost).toEqual({ stage: 'solve', always: 2.5, periodic: 0, every: 1 });
  });
});
