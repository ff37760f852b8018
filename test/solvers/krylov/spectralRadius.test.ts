import fc from 'fast-check';

import { diagonal } from '../../../src/core/operators/factors/factor.ts';
import { blockDiagonal } from '../../../src/core/operators/linearOperator.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { spectralRadius } from '../../../src/solvers/krylov/spectralRadius.ts';
import { orThrow } from '../../support/training.ts';
import { backend } from './support.ts';

const radiusOf = async (
  eigenvalues: ReadonlyArray<number>,
  start: ReadonlyArray<number>,
  products: number,
): Promise<number> => {
  const n = eigenvalues.length;
  const S = blockDiagonal({ w: diagonal(tensor(eigenvalues, [n])) });
  return orThrow(await spectralRadius(backend, S, { w: tensor(start, [n]) }, products)());
};

const some = fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: 1, maxLength: 6 });

it('law: never above max |γ|, no lower with one product more, and max |γ| where all are alike', async () => {
  await fc.assert(
    fc.asyncProperty(some, fc.integer({ min: 1, max: 5 }), async (eigenvalues, products) => {
      const start = eigenvalues.map((_, i) => 1 + i / 7);
      const largest = Math.max(...eigenvalues.map(Math.abs));
      const [found, next] = [
        await radiusOf(eigenvalues, start, products),
        await radiusOf(eigenvalues, start, products + 1),
      ];
      const above = 1 + 1e-12;
      expect(found).toBeLessThanOrEqual(largest * above);
      // Products near the smallest numbers there are have lengths that cannot be told from 0.
      if (largest > 1e-9) expect(next * above).toBeGreaterThanOrEqual(found);
      const alike = eigenvalues.map((_, i) => (i % 2 === 0 ? largest : -largest));
      if (largest > 1e-9) expect(Math.abs((await radiusOf(alike, start, products)) / largest - 1)).toBeLessThan(1e-12);
    }),
  );
});

it('is 0 where the start is 0, or the operator', async () => {
  expect(await radiusOf([3, -4], [0, 0], 4)).toBe(0);
  expect(await radiusOf([0, 0], [1, 2], 4)).toBe(0);
});
