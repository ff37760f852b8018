/** Which token comes next. */
import fc from 'fast-check';

import { drawnToken } from '../../../src/pipelines/writing/sampling.ts';

const logitsOf = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 12 });
const shareOf = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const greedy = (logits: ReadonlyArray<number>): number => logits.indexOf(Math.max(...logits));

describe('a token that is drawn', () => {
  it('law: temperature → 0 is greedy, and 0 is', () => {
    fc.assert(
      fc.property(logitsOf, shareOf, (logits, share) => {
        expect(drawnToken(logits, { temperature: 0 }, share)).toBe(greedy(logits));
        fc.pre(logits.filter((logit) => logit === Math.max(...logits)).length === 1);
        expect(drawnToken(logits, { temperature: 1e-3 }, share)).toBe(greedy(logits));
      }),
    );
  });

  it('law: of the likeliest one, and at a high temperature too, only that is drawn', () => {
    fc.assert(
      fc.property(logitsOf, shareOf, (logits, share) => {
        expect(drawnToken(logits, { temperature: 1e6, topK: 1 }, share)).toBe(greedy(logits));
      }),
    );
  });

  it('law: shares in equal steps draw each token as often as softmax(logits / T) says', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 2, maxLength: 6 }),
        fc.double({ min: 0.3, max: 3, noNaN: true }),
        fc.integer({ min: 1, max: 6 }),
        (logits, temperature, topK) => {
          const count = 2000;
          const drawn = Array.from({ length: count }, (_, i) =>
            drawnToken(logits, { temperature, topK }, (i + 0.5) / count),
          );
          const least = logits.toSorted((a, b) => b - a)[Math.min(topK, logits.length) - 1];
          fc.pre(logits.filter((logit) => logit >= least).length === Math.min(topK, logits.length));
          const weights = logits.map((logit) => (logit >= least ? Math.exp(logit / temperature) : 0));
          const total = weights.reduce((sum, weight) => sum + weight, 0);
          logits.forEach((_, token) => {
            const share = drawn.filter((other) => other === token).length / count;
            expect(Math.abs(share - weights[token] / total)).toBeLessThanOrEqual(1.5 / count);
          });
        },
      ),
    );
  });

  it('by hand: of 1 : 3 the first has the first quarter', () => {
    const logits = [0, Math.log(3)];
    expect([0, 0.249, 0.251, 0.999].map((share) => drawnToken(logits, { temperature: 1 }, share))).toEqual([
      0, 0, 1, 1,
    ]);
  });
});
