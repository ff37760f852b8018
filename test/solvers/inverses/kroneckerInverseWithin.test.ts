import fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';

import { costOfBlocks } from '../../../src/core/operators/cost.ts';
import type { BlockOperator } from '../../../src/core/operators/blockOperator.ts';
import { kronecker, kroneckerOf, shapeOf } from '../../../src/core/operators/blockOperator.ts';
import { diagonal, directSum, dense } from '../../../src/core/operators/factors/factor.ts';
import type { LinearOperator } from '../../../src/core/operators/linearOperator.ts';
import { blockDiagonal } from '../../../src/core/operators/linearOperator.ts';
import { materialise } from '../../../src/core/operators/materialise.ts';
import { mapParams } from '../../../src/core/params.ts';
import type { Prepared } from '../../../src/core/pipeline/prepared.ts';
import type { Shaped, Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { rankOf, rankWithin } from '../../../src/solvers/inverses/factors/rankWithin.ts';
import {
  columnsFor,
  firstEigen,
  operationsOfTracking,
  trackedEigen,
} from '../../../src/solvers/inverses/factors/trackedEigen.ts';
import { kroneckerInverse } from '../../../src/solvers/inverses/kroneckerInverse.ts';
import { kroneckerInverseWithin } from '../../../src/solvers/inverses/kroneckerInverseWithin.ts';
import { scaledError } from '../../support/closeness.ts';
import { gaussian, orThrow, referenceEnv } from '../../support/training.ts';

const { backend } = referenceEnv();
const { ops, linearAlgebra } = backend;

const spd = (seed: number, n: number): Tensor => ops.scale(1 / n, ops.gram(gaussian(seed, [n + 2, n])));

/** U diag(values) Uᵀ with orthonormal U. */
const withSpectrum = async (seed: number, values: ReadonlyArray<number>): Promise<Tensor> => {
  const { vectors } = orThrow(await linearAlgebra.eigh(spd(seed, values.length))());
  return ops.matmul(ops.mul(vectors, tensor(values, [1, values.length])), vectors, { transposeB: true });
};

const shapesIn = (of: LinearOperator<Shaped>): Readonly<Record<string, ReadonlyArray<number>>> =>
  of._tag === 'blockDiagonal' ? mapParams(of.blocks, (block) => shapeOf(block)) : {};

const applying = (of: LinearOperator<Shaped>): number => costOfBlocks(of, shapesIn(of)).flops;

/** What is left of an operator without its numbers. */
const structureOf = (of: LinearOperator<Tensor>): string =>
  JSON.stringify(of, (_, value: unknown) =>
    typeof value === 'number'
      ? 0
      : typeof value === 'object' && value !== null && 'data' in value && 'shape' in value
        ? value.shape
        : value,
  );

const prepared = async (
  share: number,
  curvature: LinearOperator<Tensor>,
  work: Readonly<Record<string, number>>,
  lambda = 0.1,
) =>
  orThrow(
    await kroneckerInverseWithin(() => null).prepare(backend, curvature, lambda, null, {
      operations: mapParams(work, (own) => share * own),
      every: 1e9,
    })(),
  );

const layer = (seed: number, out: number, inputs: number): BlockOperator<Tensor> =>
  kroneckerOf(spd(seed, inputs), spd(seed + 1, out));

const order = fc.integer({ min: 1, max: 48 });
const network = fc
  .tuple(fc.nat(1000), fc.array(fc.tuple(order, order), { minLength: 1, maxLength: 3 }))
  .map(([seed, shapes]) => ({
    curvature: blockDiagonal(
      Object.fromEntries(shapes.map(([out, inputs], i) => [`layer${i}`, layer(seed + 2 * i, out, inputs)] as const)),
    ),
    work: (batch: number) =>
      Object.fromEntries(shapes.map(([out, inputs], i) => [`layer${i}`, 6 * batch * out * inputs] as const)),
  }));

const total = (work: Readonly<Record<string, number>>): number => Object.values(work).reduce((sum, x) => sum + x, 0);

describe('the inverse within a share of a step', () => {
  it('law: products take at most their share of a step’s passes, or no rank would take less', async () => {
    await fc.assert(
      fc.asyncProperty(network, fc.integer({ min: 1, max: 400 }), async ({ curvature, work }, batch) => {
        const { operator } = await prepared(0.25, curvature, work(batch));
        const least = await prepared(1e-9, curvature, work(batch));
        // Diagonals between the products are n operations a row, which the choice leaves out.
        const slack = 1.1;
        expect(applying(operator)).toBeLessThanOrEqual(
          slack * Math.max(0.25 * total(work(batch)), applying(least.operator)),
        );
      }),
      { numRuns: 40 },
    );
  });

  it('law: where explicit inverses are within it, or they may cost anything, they are what there is', async () => {
    await fc.assert(
      fc.asyncProperty(network, async ({ curvature, work }) => {
        const expected = orThrow(await kroneckerInverse.prepare(backend, curvature, 0.1, null)());
        expect(await prepared(0.25, curvature, work(1e6))).toEqual(expected);
        const unbound = kroneckerInverseWithin(() => null).prepare(backend, curvature, 0.1, null);
        expect(orThrow(await unbound())).toEqual(expected);
      }),
      { numRuns: 15 },
    );
  });

  it('law: what is kept depends on shapes alone, not on curvature or λ', async () => {
    await fc.assert(
      fc.asyncProperty(network, fc.double({ min: 1e-3, max: 1e3, noNaN: true }), async ({ curvature, work }, c) => {
        const other = blockDiagonal(
          mapParams(curvature._tag === 'blockDiagonal' ? curvature.blocks : {}, (block) => {
            const [out, inputs] = shapeOf(block);
            return kroneckerOf(ops.scale(c, spd(7, inputs)), spd(8, out));
          }),
        );
        const [one, two] = [await prepared(0.25, curvature, work(20)), await prepared(0.25, other, work(20), 0.1 * c)];
        expect(structureOf(two.operator)).toBe(structureOf(one.operator));
        expect(two.metrics).toEqual(one.metrics);
      }),
      { numRuns: 15 },
    );
  });

  it('law: wider factors give way first, and the greatest rank that is within the share is taken', () => {
    const shapes = { wide: [8, 400], narrow: [8, 40] } as const;
    const curvature = blockDiagonal(
      mapParams(shapes, ([out, inputs]) => kroneckerOf<Shaped>({ shape: [inputs, inputs] }, { shape: [out, out] })),
    );
    const rank = rankWithin(curvature, { operations: { wide: 1e6, narrow: 1e5 }, every: 1e9 });
    expect(rank).not.toBeNull();
    const costWith = (r: number): number =>
      Object.values(shapes).reduce(
        (sum, [out, inputs]) =>
          sum +
          [
            [inputs, out],
            [out, inputs],
          ].reduce((both, [n, rows]) => {
            const own = rankOf(n, r);
            return both + rows * (own === null ? 2 * n * n : n * (4 * own + 2));
          }, 0),
        0,
      );
    const budget = 1.1e6;
    expect(costWith(rank ?? 0)).toBeLessThanOrEqual(budget);
    expect(costWith((rank ?? 0) + 1)).toBeGreaterThan(budget);
    expect(rankOf(400, rank ?? 0)).toBe(rank);
    expect(rankOf(8, rank ?? 0)).toBeNull();
  });

  it('law: a factor has a rank only where products take less with it, and one eigenvector less than an inverse to make', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 3000 }), (order, rank) => {
        const own = rankOf(order, rank);
        const isCheaper = order * (4 * rank + 2) < 2 * order ** 2 && operationsOfTracking(order, 1) <= order ** 3;
        expect(own).toBe(isCheaper && columnsFor(rank) <= order ? rank : null);
      }),
    );
    expect([21, 22, 23].map((order) => rankOf(order, 1))).toEqual([null, null, 1]);
  });

  it('law: factors that are of that rank but for a multiple of the identity come to their inverses, turn by turn', async () => {
    const A = await withSpectrum(1, [9, 4, 2, ...Array.from({ length: 45 }, () => 0.5)]);
    const curvature = blockDiagonal({ layer: kroneckerOf(A, spd(2, 3)) });
    const allowance = { operations: { layer: 5000 }, every: 1e9 };
    let operator: LinearOperator<Tensor> | null = null;
    for (let i = 0; i < 12; i += 1) {
      const inverse = kroneckerInverseWithin(() => null);
      const next: Prepared<Tensor> = orThrow(await inverse.prepare(backend, curvature, 0.1, operator, allowance)());
      expect(next.metrics['inverseRank']).toBeGreaterThanOrEqual(3);
      operator = next.operator;
    }
    const exact = orThrow(await kroneckerInverse.prepare(backend, curvature, 0.1, null)()).operator;
    const matrixOf = (of: LinearOperator<Tensor> | null): Tensor => {
      if (of?._tag !== 'blockDiagonal') throw new Error('not block-diagonal');
      return materialise(ops, of.blocks['layer'], [3, 48]);
    };
    expect(scaledError(matrixOf(operator).data, matrixOf(exact).data)).toBeLessThan(1e-6);
  });

  it('law: parts of a direct sum have ranks of their own, diagonals stay', async () => {
    const sum = directSum([dense(spd(1, 40)), dense(spd(2, 5))]);
    const curvature = blockDiagonal({
      layer: kronecker(sum, diagonal(tensor([1, 2], [2]))),
      gain: diagonal(tensor([1, 3], [2])),
    });
    const { operator } = await prepared(0.25, curvature, { layer: 2000, gain: 0 });
    const { layer: block, gain } = operator._tag === 'blockDiagonal' ? operator.blocks : {};
    expect(block._tag === 'kronecker' && block.A._tag === 'directSum' ? block.A.parts.map((x) => x._tag) : []).toEqual([
      'lowRank',
      'dense',
    ]);
    expect(block._tag === 'kronecker' ? block.G._tag : '').toBe('diagonal');
    expect(gain._tag).toBe('diagonal');
  });
});

describe('eigenvectors from those of before', () => {
  const values = Array.from({ length: 30 }, (_, i) => 2 ** -i + 0.01);
  const leading = values.slice(0, 5).reverse();

  it('law: eigenvectors stay as they are, and turns come to the leading ones from anywhere', async () => {
    const M = await withSpectrum(3, values);
    let found = orThrow(await firstEigen(backend, M, 5)());
    for (let i = 0; i < 12; i += 1) found = orThrow(await trackedEigen(backend, M, found.vectors)());
    expect(scaledError(found.values.data, leading)).toBeLessThan(1e-8);
    const again = orThrow(await trackedEigen(backend, M, found.vectors)());
    expect(scaledError(again.values.data, found.values.data)).toBeLessThan(1e-8);
    expect(scaledError(ops.gram(again.vectors).data, ops.addDiagonal(ops.full([5, 5], 0), 1).data)).toBeLessThan(1e-8);
  });

  it('law: a column that is lost comes back', async () => {
    const M = await withSpectrum(4, values);
    const zero = ops.full([30, 5], 0);
    let found = orThrow(await trackedEigen(backend, M, zero)());
    for (let i = 0; i < 20; i += 1) found = orThrow(await trackedEigen(backend, M, found.vectors)());
    expect(scaledError(found.values.data, leading)).toBeLessThan(1e-6);
  });

  it('law: no approximation is above the matrix, so what is left out has no negative eigenvalue', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1000), async (seed) => {
        const M = spd(seed, 20);
        const { values: found, vectors } = orThrow(await firstEigen(backend, M, 4)());
        const rest = ops.sub(
          M,
          ops.matmul(ops.mul(vectors, ops.reshape(found, [1, 4])), vectors, { transposeB: true }),
        );
        const spectrum = orThrow(await linearAlgebra.eigh(rest)()).values.data;
        expect(Math.min(...spectrum)).toBeGreaterThan(-1e-9);
      }),
      { numRuns: 20 },
    );
  });
});

it.each([
  ['every', { operations: { w: 1 }, every: 0 }, 'at least 1 step', '0'],
  ['operations of w', { operations: { w: NaN }, every: 5 }, 'a number of at least 0', 'NaN'],
])('an allowance that is none is refused: %s', async (path, allowance, expected, actual) => {
  const curvature = blockDiagonal({ w: layer(1, 3, 4) });
  const found = await kroneckerInverseWithin(() => null).prepare(backend, curvature, 0.1, null, allowance)();
  expect(found).toEqual(E.left({ _tag: 'BadConfig', path: `kroneckerInverseWithin.${path}`, expected, actual }));
});
