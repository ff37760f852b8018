import fc from 'fast-check';

import { dense, diagonal } from '../../../src/core/operators/factors/factor.ts';
import { blockDiagonal } from '../../../src/core/operators/linearOperator.ts';
import type { Params } from '../../../src/core/params.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { conjugateGradient } from '../../../src/solvers/krylov/conjugateGradient.ts';
import { gmres } from '../../../src/solvers/krylov/gmres.ts';
import { hss } from '../../../src/solvers/krylov/hss.ts';
import type { Splitting } from '../../../src/solvers/krylov/splitting.ts';
import { splittingOf, splittingOfOperator } from '../../../src/solvers/krylov/splitting.ts';
import { scaledError } from '../../support/closeness.ts';
import { poisoningBackend } from '../../support/poison.ts';
import { gaussian, orThrow } from '../../support/training.ts';
import {
  acting,
  backend,
  columnOf,
  definiteMatrix,
  generalMatrix,
  inverted,
  n,
  ops,
  residualOf,
  solved,
  symmetricMatrix,
  vectorOf,
} from './support.ts';

const splitting = (M: Tensor): Splitting<Tensor> => splittingOf(acting(M), acting(ops.transposed(M)));
const symmetricOf = (M: Tensor): Tensor => ops.scale(0.5, ops.add(M, ops.transposed(M)));
const skewOf = (M: Tensor): Tensor => ops.scale(0.5, ops.sub(M, ops.transposed(M)));
const difference = (x: Params<Tensor>, y: Params<Tensor>): number => scaledError(columnOf(x).data, columnOf(y).data);
const norm = (x: Tensor): number => Math.sqrt(ops.dot(x, x).data[0]);

/** Exact inner solves. */
const direct = async (M: Tensor, alpha: number) => ({
  symmetricSolve: acting(await inverted(ops.addDiagonal(symmetricOf(M), alpha))),
  skewSolve: acting(await inverted(ops.addDiagonal(skewOf(M), alpha))),
});

const seeds = fc.nat(100_000);
const runs = { numRuns: 20 };

describe('splitting', () => {
  it('worked example: [[1, 4], [0, 3]] is [[1, 2], [2, 3]] + [[0, 2], [−2, 0]]', () => {
    const parts = splittingOfOperator(blockDiagonal({ w: dense(tensor([1, 4, 0, 3], [2, 2])) }));
    const v = { w: tensor([1, 1], [2]) };
    const apply = (part: (typeof parts)['whole']) =>
      typeof part === 'function' ? Array.from(part(ops, v)['w'].data) : null;
    expect([apply(parts.symmetric), apply(parts.skew)]).toEqual([
      [3, 5],
      [2, -2],
    ]);
  });
});

describe('hss', () => {
  it('law: for every α > 0 and S ≻ 0, ‖(αI + K) e‖ falls by max |α − λ| / (α + λ) or more in each iteration', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.double({ min: -1, max: 2, noNaN: true }), async (seed, exponent) => {
        const alpha = 10 ** exponent;
        const [M, b] = [generalMatrix(seed), vectorOf(seed + 3)];
        const { values } = orThrow(await backend.linearAlgebra.eigh(symmetricOf(M))());
        const rate = Math.max(...Array.from(values.data, (lambda) => Math.abs(alpha - lambda) / (alpha + lambda)));
        expect(rate).toBeLessThan(1);
        const exact = columnOf(await solved(M, b));
        const options = { alpha, ...(await direct(M, alpha)), tolerance: 0 };
        const shiftedSkew = ops.addDiagonal(skewOf(M), alpha);
        let last = norm(ops.matmul(shiftedSkew, exact));
        const first = last;
        for (let maxIterations = 1; maxIterations <= 5; maxIterations += 1) {
          const { x } = orThrow(await hss(backend, splitting(M), b, { ...options, maxIterations })());
          const error = norm(ops.matmul(shiftedSkew, ops.sub(columnOf(x), exact)));
          expect(error).toBeLessThanOrEqual(rate * last + 1e-10 * first);
          last = error;
        }
      }),
      runs,
    );
  });

  it('law: with inner iterations instead of inverses it converges to the dense solution', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.constantFrom(3, 8, 20), async (seed, alpha) => {
        const [M, b] = [generalMatrix(seed), vectorOf(seed + 3)];
        const { _tag, x, residual } = orThrow(await hss(backend, splitting(M), b, { alpha, tolerance: 1e-11 })());
        expect(_tag).toBe('Converged');
        expect(Math.abs(residual - residualOf(M, x, b))).toBeLessThan(1e-10);
        expect(difference(x, await solved(M, b))).toBeLessThan(1e-8);
      }),
      { numRuns: 8 },
    );
  });

  it('law: on symmetric positive definite input HSS, GMRES and CG agree', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const [M, b] = [definiteMatrix(seed), vectorOf(seed + 3)];
        const tight = { tolerance: 1e-12 };
        const one = orThrow(await hss(backend, splitting(M), b, { alpha: 5, ...tight })());
        const two = orThrow(await gmres(backend, acting(M), b, tight)());
        const three = orThrow(await conjugateGradient(backend, acting(M), b, tight)());
        expect(difference(one.x, two.x)).toBeLessThan(1e-8);
        expect(difference(one.x, three.x)).toBeLessThan(1e-8);
      }),
      { numRuns: 8 },
    );
  });

  it('worked example: S = I, K = [[0, 1], [−1, 0]], α = 1: the first half solves for S at once, the second leaves x exact', async () => {
    // (I + S) x′ = b gives x′ = b / 2; (I + K) x = (I − S) x′ + b = b gives x = (S + K)⁻¹ b.
    const operator = blockDiagonal({ w: dense(tensor([1, 1, -1, 1], [2, 2])) });
    const { x, iterations } = orThrow(
      await hss(
        backend,
        splittingOfOperator(operator),
        { w: tensor([2, 0], [2]) },
        { alpha: 1, innerTolerance: 1e-14 },
      )(),
    );
    expect(iterations).toBe(1);
    expect(x['w'].data[0]).toBeCloseTo(1, 10);
    expect(x['w'].data[1]).toBeCloseTo(1, 10);
  });

  it('an approximation that stands for S changes the way, not the answer', async () => {
    const [M, b, alpha] = [generalMatrix(4), vectorOf(6), 10];
    const { values } = orThrow(await backend.linearAlgebra.eigh(symmetricOf(M))());
    const middle = 1 / (alpha + values.data[n - 1]);
    const symmetricSolve = blockDiagonal({
      a: diagonal(ops.full([3, 2], middle)),
      b: diagonal(ops.full([4], middle)),
    });
    const { _tag, x } = orThrow(await hss(backend, splitting(M), b, { alpha, symmetricSolve })());
    expect(_tag).toBe('Converged');
    expect(difference(x, await solved(M, b))).toBeLessThan(1e-8);
  });

  it('option: alpha, innerTolerance, preconditioner, start, tolerance and limit each change something', async () => {
    const [M, b] = [generalMatrix(4), vectorOf(6)];
    const base = { alpha: 5, maxIterations: 3, innerTolerance: 1e-1 };
    const run = async (options: object): Promise<Params<Tensor>> =>
      orThrow(await hss(backend, splitting(M), b, { ...base, ...options })()).x;
    const plain = await run({});
    const changes = [
      { alpha: 7 },
      { innerTolerance: 1e-6 },
      { preconditioner: acting(definiteMatrix(1)) },
      { initial: vectorOf(1) },
      { tolerance: 0.9 },
      { maxIterations: 4 },
      { skewSolve: acting(ops.addDiagonal(ops.scale(0, M), 0.1)) },
      { symmetricSolve: acting(ops.addDiagonal(ops.scale(0, M), 0.1)) },
    ];
    for (const change of changes) expect(difference(await run(change), plain)).toBeGreaterThan(1e-9);
  });

  it.each([
    [1e-2, 1e-1],
    [1e-6, 1e-3],
    [1e-10, 1e-3],
    [0, 1e-3],
  ])('to a tolerance of %d the inner solves go to %d', async (tolerance, innerTolerance) => {
    const [M, b] = [generalMatrix(4), vectorOf(6)];
    const run = (options: object) =>
      hss(backend, splitting(M), b, { alpha: 5, tolerance, maxIterations: 5, ...options })();
    const outcome = await run({});
    expect(outcome).toEqual(await run({ innerTolerance }));
    expect(outcome).not.toEqual(await run({ innerTolerance: innerTolerance / 100 }));
  });

  it('zero right-hand side, limit and purity', async () => {
    const M = generalMatrix(1);
    const zero = { a: ops.full([3, 2], 0), b: ops.full([4], 0) };
    expect(orThrow(await hss(backend, splitting(M), zero, { alpha: 1 })())).toEqual({
      _tag: 'Converged',
      x: zero,
      iterations: 0,
      residual: 0,
    });
    const b = vectorOf(2);
    const before = structuredClone({ M, b });
    const limited = orThrow(await hss(backend, splitting(M), b, { alpha: 1, maxIterations: 2 })());
    expect([limited._tag, limited.iterations]).toEqual(['IterationLimit', 2]);
    expect({ M, b }).toEqual(before);
  });

  it('law: scopes, with inner iterations in scopes of their own', async () => {
    const [M, b] = [generalMatrix(1), vectorOf(2)];
    const options = { alpha: 5, maxIterations: 4 };
    const poisoning = poisoningBackend();
    const outer = poisoning.backend.scope();
    const outcome = orThrow(await hss(outer.backend, splitting(M), b, options)());
    expect(outcome).toEqual(orThrow(await hss(backend, splitting(M), b, options)()));
    outer.close([]);
    expect(poisoning.live()).toBe(0);
  });

  it('law: where αI + S has a direction that is not positive it ends as a breakdown, with the residual of x', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, fc.double({ min: -8, max: -1.5, noNaN: true }), async (seed, least) => {
        const S = await symmetricMatrix(seed, [least, ...Array.from({ length: n - 1 }, (_, i) => i + 1)]);
        const M = ops.add(S, skewOf(generalMatrix(seed)));
        const b = vectorOf(seed + 1);
        const { _tag, x, residual } = orThrow(await hss(backend, splitting(M), b, { alpha: 1 })());
        expect(_tag).toBe('Breakdown');
        expect(residual).toBeCloseTo(residualOf(M, x, b), 10);
      }),
      runs,
    );
  });

  it('law: where αI + S is definite and S is not, a breakdown is no further from the solution than the start', async () => {
    const endings: Array<string> = [];
    await fc.assert(
      fc.asyncProperty(seeds, fc.double({ min: -0.9, max: -0.3, noNaN: true }), async (seed, least) => {
        const S = await symmetricMatrix(seed, [least, ...Array.from({ length: n - 1 }, (_, i) => i + 1)]);
        const M = ops.add(S, skewOf(generalMatrix(seed)));
        const [b, initial] = [vectorOf(seed + 1), vectorOf(seed + 2)];
        const options = { alpha: 1, initial, maxIterations: 40, ...(await direct(M, 1)) };
        const { _tag, x, residual } = orThrow(await hss(backend, splitting(M), b, options)());
        endings.push(_tag);
        expect(residual).toBeCloseTo(residualOf(M, x, b), 8);
        if (_tag === 'Breakdown') expect(residual).toBeLessThanOrEqual(residualOf(M, initial, b) + 1e-9);
      }),
      runs,
    );
    expect(endings).toContain('Breakdown');
  });

  it('an approximation that makes it diverge ends as a breakdown where it began, one without numbers in an error', async () => {
    const [M, b, initial] = [generalMatrix(4), vectorOf(6), vectorOf(7)];
    const skewSolve = acting(ops.addDiagonal(ops.scale(0, M), 1));
    const by = (symmetricSolve: Tensor) =>
      hss(backend, splitting(M), b, { alpha: 1, initial, symmetricSolve: acting(symmetricSolve), skewSolve })();
    const wild = orThrow(await by(ops.scale(1e6, gaussian(1, [n, n]))));
    expect(wild).toMatchObject({ _tag: 'Breakdown', x: initial });
    expect(wild.residual).toBeCloseTo(residualOf(M, initial, b), 10);
    expect(await by(ops.full([n, n], Infinity))).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'NonFinite', where: 'hss' },
    });
  });
});
