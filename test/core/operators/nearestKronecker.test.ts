import fc from 'fast-check';

import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { materialise } from '../../../src/core/operators/materialise.ts';
import type { Product } from '../../../src/core/operators/blockOperator.ts';
import { kroneckerOf } from '../../../src/core/operators/blockOperator.ts';
import { sumOf } from '../../../src/core/operators/composite.ts';
import { nearestKronecker } from '../../../src/core/operators/nearestKronecker.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { generate, tensor } from '../../../src/core/tensor.ts';
import { scaledError } from '../../support/closeness.ts';
import { gaussian, orThrow } from '../../support/training.ts';

const backend = referenceBackend();
const { ops } = backend;

type Term = Product<Tensor>;

const shapeOf = ({ A, G }: Term) => [G.shape[0], A.shape[0]];
const matrixOf = (terms: ReadonlyArray<Term>): Tensor =>
  materialise(ops, sumOf(terms.map(({ A, G }) => kroneckerOf(A, G))), shapeOf(terms[0]));
const frobenius = (x: Tensor, y: Tensor): number => Math.sqrt(ops.sum(ops.square(ops.sub(x, y)), [0, 1]).data[0]);
const errorOf = (terms: ReadonlyArray<Term>, nearest: Term): number => frobenius(matrixOf(terms), matrixOf([nearest]));

/** Singular values of the rearrangement Σ_k vec(A_k) vec(G_k)ᵀ, largest first, formed as it is. */
const singularValues = async (terms: ReadonlyArray<Term>): Promise<ReadonlyArray<number>> => {
  const rearranged = terms
    .map(({ A, G }) => ops.matmul(ops.reshape(A, [A.data.length, 1]), ops.reshape(G, [1, G.data.length])))
    .reduce((x, y) => ops.add(x, y));
  const { values } = orThrow(await backend.linearAlgebra.eigh(ops.gram(rearranged))());
  return Array.from(values.data, (v) => Math.sqrt(Math.max(v, 0))).reverse();
};

const remainder = (values: ReadonlyArray<number>): number => Math.hypot(...values.slice(1));

/** More terms than are squared. */
const many = fc.record({ seed: fc.nat(10000), count: fc.integer({ min: 33, max: 60 }) }).map(({ seed, count }) =>
  Array.from({ length: count }, (_, k): Term => ({
    A: ops.gram(gaussian(seed + 2 * k, [2, 3])),
    G: ops.gram(gaussian(seed + 2 * k + 1, [2, 2])),
  })),
);

const sumsOf = fc
  .record({
    inputs: fc.integer({ min: 1, max: 4 }),
    out: fc.integer({ min: 1, max: 3 }),
    count: fc.integer({ min: 1, max: 5 }),
    rank: fc.integer({ min: 1, max: 4 }),
    seed: fc.nat(10000),
  })
  .map(({ inputs, out, count, rank, seed }) =>
    Array.from({ length: count }, (_, k) => ({
      A: ops.gram(gaussian(seed + 2 * k, [rank, inputs])),
      G: ops.gram(gaussian(seed + 2 * k + 1, [rank, out])),
    })),
  );

describe('nearestKronecker', () => {
  it('worked example: diag(3, 0) ⊗ 1 + diag(0, 4) ⊗ 1 is a product, and orthogonal terms keep the larger', () => {
    const one = tensor([1], [1, 1]);
    const joined = nearestKronecker(ops, [
      { A: tensor([3, 0, 0, 0], [2, 2]), G: one },
      { A: tensor([0, 0, 0, 4], [2, 2]), G: one },
    ]);
    expect(scaledError(matrixOf([joined]).data, [3, 0, 0, 4])).toBeLessThan(1e-15);
    // ⟨A_1, A_2⟩ = ⟨G_1, G_2⟩ = 0, so the singular values are 2 and 1: the term of norm 2 stays, the other is the error.
    const terms = [
      { A: tensor([1, 0, 0, 0], [2, 2]), G: tensor([2, 0, 0, 0], [2, 2]) },
      { A: tensor([0, 0, 0, 1], [2, 2]), G: tensor([0, 0, 0, 1], [2, 2]) },
    ];
    const nearest = nearestKronecker(ops, terms);
    expect(scaledError(matrixOf([nearest]).data, matrixOf([terms[0]]).data)).toBeLessThan(1e-15);
    expect(errorOf(terms, nearest)).toBeCloseTo(1, 14);
  });

  it('law: exact for one term, and for several that share a factor', () => {
    fc.assert(
      fc.property(sumsOf, (terms) => {
        expect(nearestKronecker(ops, [terms[0]])).toEqual(terms[0]);
        const shared = terms.map(({ A }) => ({ A, G: terms[0].G }));
        expect(scaledError(matrixOf([nearestKronecker(ops, shared)]).data, matrixOf(shared).data)).toBeLessThan(1e-13);
      }),
      { numRuns: 40 },
    );
  });

  it('law: optimal, ‖Σ A_k ⊗ G_k − A ⊗ G‖_F² = Σ_{i > 1} σ_i² of the rearrangement', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof({ weight: 9, arbitrary: sumsOf }, many), async (terms) => {
        const values = await singularValues(terms);
        const gap = errorOf(terms, nearestKronecker(ops, terms)) - remainder(values);
        // Singular values come from the eigenvalues of a gram matrix: their error is about √ε of the largest.
        expect(Math.abs(gap)).toBeLessThan(1e-7 * (1 + values[0]));
      }),
      { numRuns: 60 },
    );
  });

  it('law: no worse than merging, (Σ A_k) ⊗ c (Σ G_k) for every c', () => {
    fc.assert(
      fc.property(fc.oneof({ weight: 9, arbitrary: sumsOf }, many), (terms) => {
        const sumFactor = (name: 'A' | 'G'): Tensor => terms.map((t) => t[name]).reduce((x, y) => ops.add(x, y));
        const merged = matrixOf([{ A: sumFactor('A'), G: sumFactor('G') }]);
        const full = matrixOf(terms);
        const best = ops.dot(full, merged).data[0] / ops.dot(merged, merged).data[0];
        const nearest = errorOf(terms, nearestKronecker(ops, terms));
        for (const c of [best, 1 / terms.length]) {
          expect(nearest).toBeLessThanOrEqual(frobenius(full, ops.scale(c, merged)) * (1 + 1e-12) + 1e-12);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('law: symmetric positive semidefinite terms give such a product, even at equal singular values', async () => {
    const ties = [0, 1].map((k) => ({
      A: generate([2, 2], (i) => (i === 3 * k ? 1 : 0)),
      G: generate([2, 2], (i) => (i === 3 * k ? 1 : 0)),
    }));
    await fc.assert(
      fc.asyncProperty(fc.oneof({ weight: 8, arbitrary: sumsOf }, many, fc.constant(ties)), async (terms) => {
        const nearest = nearestKronecker(ops, terms);
        for (const factor of [nearest.A, nearest.G]) {
          expect(ops.transposed(factor).data).toEqual(factor.data);
          const { values } = orThrow(await backend.linearAlgebra.eigh(factor)());
          expect(values.data[0]).toBeGreaterThanOrEqual(-1e-13 * (1 + values.data[values.data.length - 1]));
        }
      }),
      { numRuns: 40 },
    );
  });

  it('law: a dense positive definite matrix, cut into its blocks E_ij ⊗ M_ij, has the same optimum', async () => {
    const [inputs, out] = [3, 2];
    const M = ops.addDiagonal(ops.gram(gaussian(3, [7, 6])), 0.1);
    const terms = Array.from({ length: inputs * inputs }, (_, k) => {
      const [i, j] = [Math.floor(k / inputs), k % inputs];
      return {
        A: generate([inputs, inputs], (at) => (at === k ? 1 : 0)),
        G: ops.slice(M, [i * out, j * out], [out, out]),
      };
    });
    expect(scaledError(matrixOf(terms).data, M.data)).toBeLessThan(1e-14);
    const values = await singularValues(terms);
    expect(errorOf(terms, nearestKronecker(ops, terms))).toBeCloseTo(remainder(values), 6);
  });

  it('law: homogeneous, at sizes whose squares are far below the least divisor too', () => {
    const terms = [0, 2].map((k) => ({ A: ops.gram(gaussian(k, [2, 3])), G: ops.gram(gaussian(k + 1, [2, 2])) }));
    const small = terms.map(({ A, G }) => ({ A: ops.scale(1e-25, A), G: ops.scale(1e20, G) }));
    const [plain, scaledDown] = [terms, small].map((each) => matrixOf([nearestKronecker(ops, each)]));
    expect(scaledError(ops.scale(1e5, scaledDown).data, plain.data)).toBeLessThan(1e-14);
  });

  it('law: terms that are zero change nothing, and cost no more than they are: 1000 terms take no seconds', () => {
    const terms = [0, 2, 4].map((k) => ({ A: ops.gram(gaussian(k, [2, 3])), G: ops.gram(gaussian(k + 1, [2, 2])) }));
    const zero = { A: ops.full([3, 3], 0), G: ops.full([2, 2], 0) };
    const begun = performance.now();
    const padded = nearestKronecker(ops, [...terms, ...Array.from({ length: 997 }, () => zero)]);
    expect(performance.now() - begun).toBeLessThan(5000);
    expect(scaledError(matrixOf([padded]).data, matrixOf([nearestKronecker(ops, terms)]).data)).toBeLessThan(1e-12);
  });

  it('a sum that is zero gives zero', () => {
    const zero = { A: ops.full([2, 2], 0), G: ops.full([3, 3], 0) };
    expect(
      nearestKronecker(
        ops,
        Array.from({ length: 40 }, () => zero),
      ),
    ).toEqual(zero);
    expect(nearestKronecker(ops, [zero, zero])).toEqual(zero);
  });
});
