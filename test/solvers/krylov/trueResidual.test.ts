import type { Params } from '../../../src/core/params.ts';
import { mapParams } from '../../../src/core/params.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { bicgstab } from '../../../src/solvers/krylov/bicgstab.ts';
import { conjugateGradient } from '../../../src/solvers/krylov/conjugateGradient.ts';
import { gmres } from '../../../src/solvers/krylov/gmres.ts';
import { hss } from '../../../src/solvers/krylov/hss.ts';
import { minres } from '../../../src/solvers/krylov/minres.ts';
import { splittingOf } from '../../../src/solvers/krylov/splitting.ts';
import { rounded, singleBackend } from '../../support/single.ts';
import { orThrow } from '../../support/training.ts';
import { acting, columnOf, n, ops, residualOf, symmetricMatrix, vectorOf } from './support.ts';

const single = singleBackend();
const tolerance = 1e-6;

/** Half the distance from 1 to the next 32-bit float. */
const unit = 2 ** -24;

/** One row per solver, in 32 bits. */
const solvers = {
  conjugateGradient: (M: Tensor, b: Params<Tensor>) => conjugateGradient(single, acting(M), b, { tolerance }),
  minres: (M: Tensor, b: Params<Tensor>) => minres(single, acting(M), b, { tolerance }),
  gmres: (M: Tensor, b: Params<Tensor>) => gmres(single, acting(M), b, { tolerance }),
  bicgstab: (M: Tensor, b: Params<Tensor>) => bicgstab(single, acting(M), b, { tolerance }),
  hss: (M: Tensor, b: Params<Tensor>) =>
    hss(single, splittingOf(acting(M), acting(M)), b, { alpha: 0.3, tolerance, maxIterations: 60 }),
};

/** ‖M‖ = 1 and ‖M⁻¹‖ = κ. */
const conditioned = (seed: number, kappa: number): Promise<Tensor> =>
  symmetricMatrix(
    seed,
    Array.from({ length: n }, (_, i) => kappa ** (-i / (n - 1))),
  );

const norm = (x: Params<Tensor>): number => Math.sqrt(ops.dot(columnOf(x), columnOf(x)).data[0]);

describe.each(Object.entries(solvers))('%s in 32 bits', (name, solve) => {
  it('law: with κ = 10⁵ the residual that is reported is the true one, and convergence is claimed where it is so', async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const M = await conditioned(seed, 1e5);
      const b = mapParams(vectorOf(seed), rounded);
      const { _tag, x, residual } = orThrow(await solve(M, b)());
      const truth = residualOf(M, x, b);
      // M x is rounded once, b − M x once, and of the n squares and their sums each once.
      expect(Math.abs(residual - truth)).toBeLessThan((2 + n) * unit);
      if (_tag === 'Converged') expect(truth).toBeLessThan(tolerance + (2 + n) * unit);
      // What begins anew ends where M times the rounding of x is all that is left.
      if (name !== 'hss') expect(truth).toBeLessThan((10 * unit * norm(x)) / norm(b));
    }
  });

  it('law: with κ = 10 it converges', async () => {
    for (const seed of [1, 2, 3]) {
      const b = mapParams(vectorOf(seed), rounded);
      const M = await conditioned(seed, 10);
      const { _tag, x } = orThrow(await solve(M, b)());
      expect(_tag).toBe('Converged');
      expect(residualOf(M, x, b)).toBeLessThan(tolerance + (2 + n) * unit);
    }
  });
});

describe('a residual that cannot fall any further', () => {
  it.each(['conjugateGradient', 'minres', 'gmres', 'bicgstab'] as const)(
    'worked example: %s stagnates with κ = 10⁵ long before its limit of iterations',
    async (name) => {
      const b = mapParams(vectorOf(1), rounded);
      const { _tag, iterations } = orThrow(await solvers[name](await conditioned(1, 1e5), b)());
      expect(_tag).toBe('Stagnation');
      expect(iterations).toBeLessThan(200);
    },
  );
});
