import fc from 'fast-check';

import { applyBlock } from '../../../../src/core/operators/apply.ts';
import { materialise } from '../../../../src/core/operators/materialise.ts';
import type { BlockOperator } from '../../../../src/core/operators/blockOperator.ts';
import { kroneckerOf } from '../../../../src/core/operators/blockOperator.ts';
import { dense } from '../../../../src/core/operators/factors/factor.ts';
import { scaled, sumOf } from '../../../../src/core/operators/composite.ts';
import type { Tensor } from '../../../../src/core/tensor.ts';
import { tensor } from '../../../../src/core/tensor.ts';
import { twoTermInverse } from '../../../../src/solvers/inverses/factors/twoTerm.ts';
import { scaledError } from '../../../support/closeness.ts';
import { gaussian, orThrow, referenceEnv } from '../../../support/training.ts';

const { backend } = referenceEnv();
const { ops } = backend;

const semidefinite = (seed: number, n: number, rank: number): Tensor => ops.gram(gaussian(seed, [rank, n]));
const definite = (seed: number, n: number): Tensor => ops.addDiagonal(semidefinite(seed, n, n + 2), 0.1);

const extents = fc.record({
  inputs: fc.integer({ min: 1, max: 5 }),
  out: fc.integer({ min: 1, max: 4 }),
  rank: fc.integer({ min: 0, max: 5 }),
  seed: fc.nat(10000),
});

const identity = (n: number): Tensor => ops.addDiagonal(ops.full([n, n], 0), 1);

describe('the two-term solve', () => {
  it('worked example: diag(2, 4) ⊗ 1 ± diag(1, 2) ⊗ ½ is diag(2, 4) (1 ± ¼)', async () => {
    const first = { A: tensor([2, 0, 0, 4], [2, 2]), G: tensor([1], [1, 1]) };
    const second = { A: tensor([1, 0, 0, 2], [2, 2]), G: tensor([0.5], [1, 1]) };
    for (const [sign, scale] of [
      [1, 1.25],
      [-1, 0.75],
    ] as const) {
      const op = orThrow(await twoTermInverse(backend, first, second, sign)());
      expect(scaledError(materialise(ops, op, [1, 2]).data, [0.5 / scale, 0, 0, 0.25 / scale])).toBeLessThan(1e-14);
    }
  });

  it('law: residual, (A ⊗ B ± C ⊗ D)⁻¹ is that of the matrix (f64, 1e-8)', async () => {
    await fc.assert(
      fc.asyncProperty(extents, fc.constantFrom(1 as const, -1 as const), async (e, sign) => {
        const C = semidefinite(e.seed + 2, e.inputs, e.rank);
        const D = semidefinite(e.seed + 3, e.out, e.rank);
        // C is below A and D below B, so the difference is positive definite, too.
        const A = ops.add(C, definite(e.seed, e.inputs));
        const B = ops.add(D, definite(e.seed + 1, e.out));
        const shape = [e.out, e.inputs];
        const second: BlockOperator<Tensor> = scaled(sign, kroneckerOf(C, D));
        const M = materialise(ops, sumOf([kroneckerOf(A, B), second]), shape);
        const op = orThrow(await twoTermInverse(backend, { A, G: B }, { A: C, G: D }, sign)());
        const inverse = materialise(ops, op, shape);
        expect(scaledError(ops.matmul(M, inverse).data, identity(e.inputs * e.out).data)).toBeLessThan(1e-8);
        const V = gaussian(e.seed + 4, shape);
        expect(scaledError(applyBlock(ops, dense(M), applyBlock(ops, op, V)).data, V.data)).toBeLessThan(1e-8);
      }),
      { numRuns: 40 },
    );
  });

  it('law: a second term of zero leaves A⁻¹ ⊗ B⁻¹', async () => {
    const [A, B] = [definite(1, 4), definite(2, 3)];
    const nothing = { A: ops.full([4, 4], 0), G: ops.full([3, 3], 0) };
    const op = orThrow(await twoTermInverse(backend, { A, G: B }, nothing, -1)());
    const [invA, invB] = [A, B].map(async (m) => orThrow(await backend.linearAlgebra.inverse(m)()));
    const expected = materialise(ops, kroneckerOf(await invA, await invB), [3, 4]);
    expect(scaledError(materialise(ops, op, [3, 4]).data, expected.data)).toBeLessThan(1e-12);
  });

  const indefinite = tensor([1, 2, 2, 1], [2, 2]);
  it.each([
    ['A', { A: indefinite, G: identity(3) }, 1],
    ['B', { A: identity(3), G: indefinite }, 1],
    ['the difference', { A: identity(2), G: identity(2) }, -1],
  ] as const)('%s not positive definite is an error', async (_, first, sign) => {
    expect(await twoTermInverse(backend, first, first, sign, 'head')()).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'NotPositiveDefinite', where: 'head' },
    });
  });
});
