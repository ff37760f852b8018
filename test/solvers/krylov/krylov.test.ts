import * as E from 'fp-ts/lib/Either.js';
import type * as TE from 'fp-ts/lib/TaskEither.js';
import fc from 'fast-check';

import type { Backend } from '../../../src/core/backends/backend.ts';
import type { KfacError } from '../../../src/core/errors.ts';
import { kroneckerOf } from '../../../src/core/operators/blockOperator.ts';
import { diagonal } from '../../../src/core/operators/factors/factor.ts';
import { blockDiagonal, damped } from '../../../src/core/operators/linearOperator.ts';
import type { Params } from '../../../src/core/params.ts';
import type { Shaped, Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import type { Applicable } from '../../../src/core/operators/action.ts';
import { shifted } from '../../../src/core/operators/action.ts';
import { bicgstab } from '../../../src/solvers/krylov/bicgstab.ts';
import { conjugateGradient } from '../../../src/solvers/krylov/conjugateGradient.ts';
import { gmres } from '../../../src/solvers/krylov/gmres.ts';
import { minres } from '../../../src/solvers/krylov/minres.ts';
import type { Outcome } from '../../../src/solvers/krylov/outcome.ts';
import type { KrylovOptions } from '../../../src/solvers/krylov/problem.ts';
import { scaledError } from '../../support/closeness.ts';
import { poisoningBackend } from '../../support/poison.ts';
import { gaussian, orThrow } from '../../support/training.ts';
import {
  acting,
  backend,
  columnOf,
  definiteMatrix,
  diagonalMatrix,
  generalMatrix,
  inverted,
  n,
  ops,
  residualOf,
  solved,
  symmetricMatrix,
  vectorOf,
} from './support.ts';

type Solve = <T extends Shaped>(
  backend: Backend<T>,
  operator: Applicable<T>,
  b: Params<T>,
  options?: KrylovOptions<T>,
) => TE.TaskEither<KfacError, Outcome<T, string>>;

/** One row per solver; a new one joins here. */
const solvers: ReadonlyArray<readonly [string, Solve]> = [
  ['conjugateGradient', conjugateGradient],
  ['minres', minres],
  ['gmres', gmres],
  ['bicgstab', bicgstab],
];

const tight = { tolerance: 1e-12 };
const runs = { numRuns: 25 };
const seeds = fc.nat(100_000);

const difference = (x: Params<Tensor>, y: Params<Tensor>): number => scaledError(columnOf(x).data, columnOf(y).data);

describe.each(solvers)('%s', (_, solve) => {
  it('law: residual. On a symmetric positive definite operator x is the dense solution', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const [M, b] = [definiteMatrix(seed), vectorOf(seed + 7)];
        const { _tag, x, residual } = orThrow(await solve(backend, acting(M), b, tight)());
        expect(_tag).toBe('Converged');
        expect(residualOf(M, x, b)).toBeLessThan(1e-8);
        expect(Math.abs(residual - residualOf(M, x, b))).toBeLessThan(1e-8);
        expect(difference(x, await solved(M, b))).toBeLessThan(1e-8);
      }),
      runs,
    );
  });

  it('law: with the exact inverse as preconditioner one iteration is enough', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const [M, b] = [definiteMatrix(seed), vectorOf(seed + 7)];
        const preconditioner = acting(await inverted(M));
        const { _tag, iterations, x } = orThrow(await solve(backend, acting(M), b, { preconditioner })());
        expect([_tag, iterations]).toEqual(['Converged', 1]);
        expect(difference(x, await solved(M, b))).toBeLessThan(1e-8);
      }),
      runs,
    );
  });

  it('law: an inexact positive definite preconditioner changes the way, not the answer', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const [M, b] = [definiteMatrix(seed), vectorOf(seed + 7)];
        const preconditioner = acting(definiteMatrix(seed + 13));
        const outcome = orThrow(await solve(backend, acting(M), b, { ...tight, preconditioner })());
        expect(outcome._tag).toBe('Converged');
        expect(difference(outcome.x, await solved(M, b))).toBeLessThan(1e-8);
        const plain = orThrow(await solve(backend, acting(M), b, { maxIterations: 2 })());
        const other = orThrow(await solve(backend, acting(M), b, { maxIterations: 2, preconditioner })());
        expect(difference(plain.x, other.x)).toBeGreaterThan(1e-9);
      }),
      runs,
    );
  });

  it('worked example: diag(2, 5) x = (2, 10) gives x = (1, 2) within two iterations, as an operator', async () => {
    const operator = blockDiagonal({ w: diagonal(tensor([2, 5], [2])) });
    const { x, iterations } = orThrow(await solve(backend, operator, { w: tensor([2, 10], [2]) })());
    expect(x['w'].data[0]).toBeCloseTo(1, 10);
    expect(x['w'].data[1]).toBeCloseTo(2, 10);
    expect(iterations).toBeLessThanOrEqual(2);
  });

  it('a Kronecker operator, damped, with its damped diagonal as preconditioner', async () => {
    const K = blockDiagonal({
      a: kroneckerOf(ops.gram(gaussian(1, [5, 2])), ops.gram(gaussian(2, [5, 3]))),
      b: diagonal(ops.square(gaussian(3, [4]))),
    });
    const preconditioner = blockDiagonal({ a: diagonal(ops.full([3, 2], 0.1)), b: diagonal(ops.full([4], 0.5)) });
    const b = vectorOf(5);
    const { _tag, x } = orThrow(await solve(backend, damped(K, 0.3), b, { ...tight, preconditioner })());
    expect(_tag).toBe('Converged');
    const again = orThrow(await solve(backend, shifted(K, 0.3), b, tight)());
    expect(difference(x, again.x)).toBeLessThan(1e-8);
  });

  it('a right-hand side of zero gives zero at once, wherever it starts', async () => {
    const zero = { a: ops.full([3, 2], 0), b: ops.full([4], 0) };
    const outcome = orThrow(await solve(backend, acting(definiteMatrix(1)), zero, { initial: vectorOf(3) })());
    expect(outcome).toEqual({ _tag: 'Converged', x: zero, iterations: 0, residual: 0 });
  });

  it('warm start: from the solution nothing is left to do, from near it there is less', async () => {
    const [M, b] = [definiteMatrix(4), vectorOf(9)];
    const exact = await solved(M, b);
    const atOnce = orThrow(await solve(backend, acting(M), b, { initial: exact })());
    expect([atOnce._tag, atOnce.iterations]).toEqual(['Converged', 0]);
    const off = { a: ops.add(exact['a'], ops.full([3, 2], 1e-3)), b: exact['b'] };
    const loose = { tolerance: 1e-3 };
    const cold = orThrow(await solve(backend, acting(M), b, loose)());
    const warm = orThrow(await solve(backend, acting(M), b, { ...loose, initial: off })());
    expect(warm.iterations).toBeLessThan(cold.iterations);
    const far = orThrow(await solve(backend, acting(M), b, { ...tight, initial: vectorOf(77) })());
    expect(difference(far.x, exact)).toBeLessThan(1e-8);
  });

  it('running out of iterations is an outcome, with the residual of what was reached', async () => {
    const [M, b] = [definiteMatrix(5), vectorOf(2)];
    const { _tag, iterations, residual, x } = orThrow(await solve(backend, acting(M), b, { maxIterations: 3 })());
    expect([_tag, iterations]).toEqual(['IterationLimit', 3]);
    expect(residual).toBeCloseTo(residualOf(M, x, b), 10);
    expect(residual).toBeGreaterThan(1e-10);
  });

  it('tolerance: a looser one takes fewer iterations and is met', async () => {
    const [M, b] = [definiteMatrix(6), vectorOf(2)];
    const [loose, strict] = [
      orThrow(await solve(backend, acting(M), b, { tolerance: 1e-1 })()),
      orThrow(await solve(backend, acting(M), b, tight)()),
    ];
    expect(loose.iterations).toBeLessThan(strict.iterations);
    expect(loose.residual).toBeLessThanOrEqual(1e-1);
  });

  it('singular but consistent: a solution is found', async () => {
    const eigenvalues = [0, 0, 0, 1, 1.5, 2, 3, 4, 5, 6];
    const M = await symmetricMatrix(11, eigenvalues);
    const image = acting(M)(ops, vectorOf(8));
    const { x } = orThrow(await solve(backend, acting(M), image, { tolerance: 1e-9, maxIterations: 50 })());
    expect(residualOf(M, x, image)).toBeLessThan(1e-8);
  });

  it('singular and inconsistent: does not claim to have converged, and x is finite', async () => {
    const M = await symmetricMatrix(11, [0, 1, 1.5, 2, 3, 4, 5, 6, 7, 8]);
    const outcome = await solve(backend, acting(M), vectorOf(8), { maxIterations: 40 })();
    if (E.isRight(outcome)) {
      expect(outcome.right._tag).not.toBe('Converged');
      expect(Array.from(columnOf(outcome.right.x).data).every(Number.isFinite)).toBe(true);
    } else expect(outcome.left._tag).toBe('NonFinite');
  });

  it('ill-conditioned, κ = 1e6: the residual that is reported is the true one', async () => {
    const eigenvalues = Array.from({ length: n }, (_, i) => 10 ** (-6 + (6 * i) / (n - 1)));
    const M = await symmetricMatrix(12, eigenvalues);
    const b = vectorOf(4);
    const { _tag, x, residual } = orThrow(
      await solve(backend, acting(M), b, { tolerance: 1e-7, maxIterations: 400 })(),
    );
    expect(Math.abs(residual - residualOf(M, x, b))).toBeLessThan(1e-6);
    expect(_tag).toBe('Converged');
  });

  it('law: purity. Operator, right-hand side, start and preconditioner stay bit-identical', async () => {
    const [M, P, b, initial] = [definiteMatrix(1), definiteMatrix(2), vectorOf(3), vectorOf(5)];
    const before = structuredClone({ M, P, b, initial });
    orThrow(await solve(backend, acting(M), b, { initial, preconditioner: acting(P) })());
    expect({ M, P, b, initial }).toEqual(before);
  });

  it('law: scopes. Nothing is used after it went back, and memory does not grow with the iterations', async () => {
    const [M, P, b, initial] = [definiteMatrix(1), definiteMatrix(2), vectorOf(3), vectorOf(5)];
    const options = { initial, preconditioner: acting(P), tolerance: 0, restart: 4 };
    const expected = orThrow(await solve(backend, acting(M), b, { ...options, maxIterations: 8 })());
    const peaks = [8, 16].map(async (maxIterations) => {
      const poisoning = poisoningBackend();
      const outer = poisoning.backend.scope();
      const outcome = orThrow(await solve(outer.backend, acting(M), b, { ...options, maxIterations })());
      if (maxIterations === 8) expect(outcome).toEqual(expected);
      outer.close([]);
      expect(poisoning.live()).toBe(0);
      return poisoning.peak();
    });
    const [short, long] = await Promise.all(peaks);
    expect(long).toBeLessThanOrEqual(short);
  });

  it('an operator that gives NaN is an error that names the solver', async () => {
    const broken: Applicable<Tensor> = (on, v) => ({ ...v, b: on.full([4], NaN) });
    const outcome = await solve(backend, broken, vectorOf(1))();
    expect(outcome).toMatchObject({ _tag: 'Left', left: { _tag: 'NonFinite' } });
  });

  it('an operator on other shapes is an error, not an exception', async () => {
    const broken: Applicable<Tensor> = (on, v) => ({ ...v, b: on.full([5], 1) });
    const outcome = await solve(backend, broken, vectorOf(1))();
    expect(outcome).toMatchObject({ _tag: 'Left', left: { _tag: 'ShapeMismatch' } });
  });
});

describe('agreement', () => {
  it('law: on symmetric positive definite input all solvers give one answer', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const [M, b] = [definiteMatrix(seed), vectorOf(seed + 3)];
        const answers = await Promise.all(solvers.map(([, solve]) => solve(backend, acting(M), b, tight)()));
        const [first, ...others] = answers.map((answer) => orThrow(answer).x);
        for (const other of others) expect(difference(other, first)).toBeLessThan(1e-8);
      }),
      runs,
    );
  });

  it('law: MINRES and GMRES solve symmetric indefinite systems', async () => {
    const eigenvalues = [-5, -3, -1, -0.5, 0.7, 1, 2, 3, 4, 6];
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const [M, b] = [await symmetricMatrix(seed, eigenvalues), vectorOf(seed + 3)];
        const exact = await solved(M, b);
        for (const solve of [minres, gmres]) {
          const { _tag, x } = orThrow(await solve(backend, acting(M), b, { ...tight, maxIterations: 60 })());
          expect(_tag).toBe('Converged');
          expect(difference(x, exact)).toBeLessThan(1e-8);
        }
      }),
      runs,
    );
  });

  it('law: GMRES and BiCGSTAB solve nonsymmetric systems, with and without preconditioner', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const [M, b] = [generalMatrix(seed), vectorOf(seed + 3)];
        const exact = await solved(M, b);
        const preconditioner = acting(await inverted(definiteMatrix(seed)));
        for (const solve of [gmres, bicgstab]) {
          for (const options of [tight, { ...tight, preconditioner }]) {
            const { _tag, x } = orThrow(await solve(backend, acting(M), b, options)());
            expect(_tag).toBe('Converged');
            expect(difference(x, exact)).toBeLessThan(1e-8);
          }
        }
      }),
      runs,
    );
  });
});

describe('minres', () => {
  it('law: the residual never grows, and is at most that of CG', async () => {
    const [M, b] = [definiteMatrix(3), vectorOf(1)];
    let last = 1;
    for (let maxIterations = 1; maxIterations < n; maxIterations += 1) {
      const options = { maxIterations, tolerance: 1e-13 };
      const { residual } = orThrow(await minres(backend, acting(M), b, options)());
      const cg = orThrow(await conjugateGradient(backend, acting(M), b, options)());
      expect(residual).toBeLessThanOrEqual(last * (1 + 1e-12));
      expect(residual).toBeLessThanOrEqual(cg.residual * (1 + 1e-12));
      last = residual;
    }
  });

  it('law: on symmetric input it takes the steps of GMRES', async () => {
    const [M, b] = [await symmetricMatrix(3, [-4, -2, -1, 1, 2, 3, 4, 5, 6, 7]), vectorOf(1)];
    for (const maxIterations of [1, 3, 6]) {
      const one = orThrow(await minres(backend, acting(M), b, { maxIterations })());
      const other = orThrow(await gmres(backend, acting(M), b, { maxIterations })());
      expect(difference(one.x, other.x)).toBeLessThan(1e-9);
    }
  });

  it('a preconditioner that is not definite is a breakdown at once', async () => {
    const preconditioner = acting(diagonalMatrix(Array.from({ length: n }, () => -1)));
    const outcome = orThrow(await minres(backend, acting(definiteMatrix(1)), vectorOf(1), { preconditioner })());
    expect([outcome._tag, outcome.iterations]).toEqual(['Breakdown', 0]);
  });
});

describe('gmres', () => {
  it('option: restart changes the way; without one the solution comes within the dimension', async () => {
    const [M, b] = [generalMatrix(3), vectorOf(1)];
    const whole = orThrow(await gmres(backend, acting(M), b, { tolerance: 1e-9, restart: n })());
    expect(whole._tag).toBe('Converged');
    expect(whole.iterations).toBeLessThanOrEqual(n);
    const restarted = orThrow(await gmres(backend, acting(M), b, { tolerance: 1e-9, restart: 2 })());
    expect(restarted.iterations).toBeGreaterThan(whole.iterations);
    expect(difference(restarted.x, whole.x)).toBeLessThan(1e-7);
  });

  it('a singular operator whose space is exhausted is a breakdown', async () => {
    const nilpotent = ops.pad(ops.full([1, 1], 1), [0, 1], [n, n]);
    const outcome = orThrow(await gmres(backend, acting(nilpotent), vectorOf(1))());
    expect(outcome._tag).toBe('Breakdown');
    expect(outcome.residual).toBeCloseTo(residualOf(nilpotent, outcome.x, vectorOf(1)), 10);
  });
});

describe('bicgstab', () => {
  it('a skew operator is a breakdown, not a wrong answer', async () => {
    const B = gaussian(5, [n, n]);
    const skew = ops.sub(B, ops.transposed(B));
    const outcome = orThrow(await bicgstab(backend, acting(skew), vectorOf(1))());
    expect(outcome._tag).toBe('Breakdown');
  });
});
