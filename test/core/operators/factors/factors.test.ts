/**
 * The algebra of factors, each kind against its matrix.
 */
import fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';

import { referenceBackend } from '../../../../src/core/backends/reference/backend.ts';
import { attempt, describeError } from '../../../../src/core/errors.ts';
import { kronecker } from '../../../../src/core/operators/blockOperator.ts';
import { apply } from '../../../../src/core/operators/apply.ts';
import { applyOn } from '../../../../src/core/operators/applyOn.ts';
import {
  cholesky,
  dense,
  diagonal,
  directSum,
  directSumOf,
  identity,
  orderOf,
  partsOf,
} from '../../../../src/core/operators/factors/factor.ts';
import { costOfFactor, matrixOf, traceOf } from '../../../../src/core/operators/factors/measures.ts';
import { mapColumns, mapRows } from '../../../../src/core/operators/factors/parts.ts';
import { factorTimes, timesFactor } from '../../../../src/core/operators/factors/products.ts';
import { scaledFactor } from '../../../../src/core/operators/factors/scaled.ts';
import { blockDiagonal, damped } from '../../../../src/core/operators/linearOperator.ts';
import type { Tensor } from '../../../../src/core/tensor.ts';
import { tensor } from '../../../../src/core/tensor.ts';
import { scaledError } from '../../../support/closeness.ts';
import { formed } from '../../../support/factors.ts';
import { anyFactor, factorKinds } from '../../../support/operators.ts';
import { gaussian, orThrow } from '../../../support/training.ts';

const backend = referenceBackend();
const { ops } = backend;

describe.each(Object.keys(factorKinds))('factor: %s', (name) => {
  const cases = anyFactor(name);

  it('law: products are those of its matrix, from the left and the right, transposed or not', () => {
    fc.assert(
      fc.property(cases, fc.nat(), fc.boolean(), (factor, seed, transposed) => {
        const M = formed(factor);
        const n = orderOf(factor);
        const [v, w] = [gaussian(seed, [n, 3]), gaussian(seed + 1, [2, n])];
        const left = ops.matmul(M, v, { transposeA: transposed });
        const right = ops.matmul(w, M, { transposeB: transposed });
        expect(scaledError(factorTimes(ops, factor, v, transposed).data, left.data)).toBeLessThan(1e-13);
        expect(scaledError(timesFactor(ops, w, factor, transposed).data, right.data)).toBeLessThan(1e-13);
      }),
    );
  });

  it('law: a multiple has the multiple of the matrix', () => {
    fc.assert(
      fc.property(cases, fc.double({ min: 1e-6, max: 1e6, noNaN: true }), (factor, c) => {
        const found = matrixOf(ops, scaledFactor(ops, c, factor));
        expect(scaledError(found.data, ops.scale(c, formed(factor)).data)).toBeLessThan(1e-13);
      }),
    );
  });

  it('law: order, trace and matrix', () => {
    fc.assert(
      fc.property(cases, (factor) => {
        const M = formed(factor);
        expect([orderOf(factor), orderOf(factor)]).toEqual(M.shape);
        expect(scaledError(matrixOf(ops, factor).data, M.data)).toBeLessThan(1e-13);
        expect(scaledError(traceOf(ops, factor).data, ops.trace(M).data)).toBeLessThan(1e-13);
      }),
    );
  });
});

describe('direct sums', () => {
  const one = tensor([2], [1, 1]);
  const swap = tensor([0, 1, 0, 0], [2, 2]);
  const v = tensor([1, 2, 3, 4, 5, 6, 7, 8, 9], [3, 3]);
  const both = directSumOf([one, swap]);

  it('worked example: 2 ⊕ [[0, 1], [0, 0]] on rows, on columns, and transposed', () => {
    expect(Array.from(factorTimes(ops, both, v).data)).toEqual([2, 4, 6, 7, 8, 9, 0, 0, 0]);
    expect(Array.from(factorTimes(ops, both, v, true).data)).toEqual([2, 4, 6, 0, 0, 0, 4, 5, 6]);
    expect(Array.from(timesFactor(ops, v, both).data)).toEqual([2, 0, 2, 8, 0, 5, 14, 0, 8]);
    expect(Array.from(timesFactor(ops, v, both, true).data)).toEqual([2, 3, 0, 8, 6, 0, 14, 9, 0]);
  });

  it('one part is itself, and any other factor is its only part', () => {
    expect(directSum([dense(swap)])).toEqual(dense(swap));
    expect(partsOf(both)).toEqual([dense(one), dense(swap)]);
    expect(partsOf(identity(3))).toEqual([identity(3)]);
  });

  it('worked example: parts cost what they cost side by side', () => {
    expect(costOfFactor(both, 3)).toEqual({ flops: 2 * 3 * (1 + 4), numbers: 5 });
    expect(costOfFactor(directSum<Tensor>([identity(7), diagonal(one)]), 3)).toEqual({ flops: 3, numbers: 1 });
  });

  it('each part of rows or columns is changed by itself, in order', () => {
    const scaled = (part: typeof v, i: number) => ops.scale(i, part);
    expect(Array.from(mapRows(ops, [1, 2], v, scaled).data)).toEqual([0, 0, 0, 4, 5, 6, 7, 8, 9]);
    expect(Array.from(mapColumns(ops, [2, 1], v, scaled).data)).toEqual([0, 0, 3, 0, 0, 6, 0, 0, 9]);
  });
});

describe('Cholesky factors', () => {
  const spd = (seed: number, n: number): Tensor => ops.addDiagonal(ops.gram(gaussian(seed, [n + 1, n])), 0.1);
  const solving = async (m: Tensor) => cholesky(orThrow(await backend.linearAlgebra.cholesky(m)()));
  const inverse = async (m: Tensor) => dense(orThrow(await backend.linearAlgebra.inverse(m)()));

  it('law: on a backend they act as the inverses, alone, in parts and in products', async () => {
    const [M, N] = [spd(1, 4), spd(2, 3)];
    const a = diagonal(tensor([1, 2, 3], [3]));
    const pairs = [
      [kronecker(await solving(N), await solving(M)), kronecker(await inverse(N), await inverse(M))],
      [kronecker(a, await solving(M)), kronecker(a, await inverse(M))],
      [
        kronecker(directSum([identity(1), await solving(spd(3, 2))]), directSum([await solving(N), identity(1)])),
        kronecker(directSum([identity(1), await inverse(spd(3, 2))]), directSum([await inverse(N), identity(1)])),
      ],
      [await solving(spd(5, 12)), await inverse(spd(5, 12))],
      [
        directSum([await solving(spd(6, 5)), await solving(spd(7, 7))]),
        directSum([await inverse(spd(6, 5)), await inverse(spd(7, 7))]),
      ],
    ] as const;
    for (const [solves, multiplies] of pairs) {
      const v = { b: gaussian(9, [4, 3]) };
      const expected = apply(ops, blockDiagonal<Tensor>({ b: multiplies }), v);
      const found = orThrow(await applyOn(backend, blockDiagonal<Tensor>({ b: solves }), v)());
      expect(scaledError(found['b'].data, expected['b'].data)).toBeLessThan(1e-10);
    }
  });

  it('law: without Cholesky factors, applying on a backend is applying', async () => {
    const op = damped(blockDiagonal<Tensor>({ b: kronecker(dense(gaussian(1, [3, 3])), identity(4)) }), 0.3);
    const v = { b: gaussian(9, [4, 3]) };
    expect(orThrow(await applyOn(backend, op, v)())).toEqual(apply(ops, op, v));
  });

  it('products refuse them in words, also inside operators made of operators', async () => {
    const solves = await solving(spd(1, 3));
    const v = { b: gaussian(9, [4, 3]) };
    const operator = blockDiagonal<Tensor>({ b: kronecker(solves, identity(4)) });
    const refused = [
      attempt(() => apply(ops, operator, v)),
      attempt(() => factorTimes(ops, solves, v.b)),
      attempt(() => timesFactor(ops, v.b, solves)),
      attempt(() => traceOf(ops, solves)),
      attempt(() => matrixOf(ops, solves)),
      await applyOn(backend, damped(operator, 1), v)(),
    ];
    for (const result of refused) {
      expect(E.isLeft(result) ? describeError(result.left) : 'computed').toMatch(/triangular solves/);
    }
  });
});
