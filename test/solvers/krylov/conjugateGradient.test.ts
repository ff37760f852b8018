import fc from 'fast-check';

import type { Params } from '../../../src/core/params.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { conjugateGradient } from '../../../src/solvers/krylov/conjugateGradient.ts';
import { hasStalled } from '../../../src/solvers/krylov/martens.ts';
import { orThrow } from '../../support/training.ts';
import {
  acting,
  backend,
  columnOf,
  definiteMatrix,
  diagonalMatrix,
  n,
  ops,
  symmetricMatrix,
  vectorOf,
} from './support.ts';

/** φ(x) = ½ xᵀMx − bᵀx. */
const modelAt = (M: Tensor, x: Params<Tensor>, b: Params<Tensor>): number => {
  const column = columnOf(x);
  return 0.5 * ops.dot(column, ops.matmul(M, column)).data[0] - ops.dot(column, columnOf(b)).data[0];
};

describe('Martens’ rule', () => {
  it('worked example: over k = 2 iterations φ fell from −9 to −10, 1 / 10, which is less than 2 ε for ε = 0.06', () => {
    const phis = [0, -9, -9.5, -10];
    expect(hasStalled(phis, { epsilon: 0.06, window: 2 })).toBe(true);
    expect(hasStalled(phis, { epsilon: 0.04, window: 2 })).toBe(false);
  });

  it('needs more than k iterations and a model below zero', () => {
    expect(hasStalled([-10, -10, -10], { window: 2 })).toBe(false);
    expect(hasStalled([1, 1, 1, 1], { window: 2 })).toBe(false);
    expect(hasStalled([-10, -10, -10, -10], { window: 2 })).toBe(true);
  });

  it('option: fraction widens the window as iterations go on', () => {
    const phis = [0, -5, ...Array.from({ length: 9 }, () => -10)];
    expect(hasStalled(phis, { window: 2, fraction: 0.1 })).toBe(true);
    expect(hasStalled(phis, { window: 2, fraction: 0.99 })).toBe(false);
  });
});

describe('conjugateGradient', () => {
  it('law: it stops by Martens’ rule at the first iteration whose models φ, computed anew, have stalled', async () => {
    const eigenvalues = Array.from({ length: n }, (_, i) => 3 ** (i - 7));
    await fc.assert(
      fc.asyncProperty(fc.nat(10_000), fc.boolean(), async (seed, warm) => {
        const M = await symmetricMatrix(seed, eigenvalues);
        const b = vectorOf(seed + 5);
        const start = warm ? { initial: vectorOf(seed + 9) } : {};
        const martens = { epsilon: 2e-2, window: 2 };
        const stopped = orThrow(
          await conjugateGradient(backend, acting(M), b, { ...start, martens, tolerance: 1e-14 })(),
        );
        const phis: Array<number> = [];
        do {
          const options = { ...start, maxIterations: phis.length, tolerance: 0 };
          const { x } = orThrow(await conjugateGradient(backend, acting(M), b, options)());
          phis.push(modelAt(M, x, b));
        } while (!hasStalled(phis, martens));
        expect([stopped._tag, stopped.iterations]).toEqual(['Martens', phis.length - 1]);
      }),
      { numRuns: 15 },
    );
  });

  it('law: the model falls with every iteration', async () => {
    const [M, b] = [definiteMatrix(2), vectorOf(2)];
    let last = 0;
    for (let maxIterations = 1; maxIterations <= n; maxIterations += 1) {
      const { x } = orThrow(await conjugateGradient(backend, acting(M), b, { maxIterations, tolerance: 0 })());
      const phi = modelAt(M, x, b);
      expect(phi).toBeLessThan(last);
      last = phi;
    }
  });

  it('law: as many distinct eigenvalues, as many iterations', async () => {
    const M = await symmetricMatrix(4, [1, 1, 1, 1, 3, 3, 3, 7, 7, 7]);
    const { iterations, _tag } = orThrow(await conjugateGradient(backend, acting(M), vectorOf(3))());
    expect([_tag, iterations]).toEqual(['Converged', 3]);
  });

  it('a direction of negative curvature is a breakdown, with x as it was', async () => {
    const M = diagonalMatrix(Array.from({ length: n }, (_, i) => -1 - i));
    const outcome = orThrow(await conjugateGradient(backend, acting(M), vectorOf(1))());
    expect([outcome._tag, outcome.iterations]).toEqual(['Breakdown', 0]);
    expect(Array.from(columnOf(outcome.x).data)).toEqual(Array.from({ length: n }, () => 0));
  });

  it('a preconditioner that is not definite is a breakdown', async () => {
    const preconditioner = acting(diagonalMatrix(Array.from({ length: n }, () => -1)));
    const outcome = orThrow(
      await conjugateGradient(backend, acting(definiteMatrix(1)), vectorOf(1), { preconditioner })(),
    );
    expect(outcome._tag).toBe('Breakdown');
  });
});
