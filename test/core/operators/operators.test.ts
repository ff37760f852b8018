/**
 * The conformance suite of operators on one array, on a table of all members; worked examples; operators on block vectors.
 */
import fc from 'fast-check';

import { shapeInterpreter } from '../../../src/core/autodiff/shape.ts';
import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { apply, applyBlock, applyBlockTranspose, applyTranspose } from '../../../src/core/operators/apply.ts';
import type { BlockOperator } from '../../../src/core/operators/blockOperator.ts';
import {
  dampedBlock,
  eigenKronecker,
  kronecker,
  kroneckerOf,
  shapeOf,
  twoTerm,
} from '../../../src/core/operators/blockOperator.ts';
import { scaled, skewPart, sumOf, symmetricPart } from '../../../src/core/operators/composite.ts';
import { costOf, costOfBlocks } from '../../../src/core/operators/cost.ts';
import { dense, diagonal, directSumOf, identity, lowRank } from '../../../src/core/operators/factors/factor.ts';
import type { LinearOperator } from '../../../src/core/operators/linearOperator.ts';
import { blockDiagonal, damped } from '../../../src/core/operators/linearOperator.ts';
import { materialise, materialiseBlocks } from '../../../src/core/operators/materialise.ts';
import type { Params } from '../../../src/core/params.ts';
import type { Shaped, Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { scaledError } from '../../support/closeness.ts';
import { formed } from '../../support/factors.ts';
import { anyProduct, definiteMembers, members } from '../../support/operators.ts';
import { gaussian } from '../../support/training.ts';

const { ops } = referenceBackend();

const inner = (x: Tensor, y: Tensor): number => ops.dot(x, y).data[0];

const runs = { numRuns: 25 };

describe.each(definiteMembers)('operator %s from positive definite parts', (_, cases) => {
  it('law: symmetry and definiteness, M = Mᵀ and ⟨v, op v⟩ > 0', () => {
    fc.assert(
      fc.property(cases, fc.nat(), ({ op, shape }, seed) => {
        const M = materialise(ops, op, shape);
        expect(scaledError(M.data, ops.transposed(M).data)).toBeLessThan(1e-12);
        const v = gaussian(seed, shape);
        expect(inner(v, applyBlock(ops, op, v))).toBeGreaterThan(0);
      }),
      runs,
    );
  });
});

/** The operator with shapes in place of arrays. */
const shapesOf = (op: BlockOperator<Tensor>): BlockOperator<Shaped> =>
  JSON.parse(
    JSON.stringify(op, (_, value: unknown) => (isTensor(value) ? { shape: value.shape } : value)),
  ) as BlockOperator<Shaped>;

const isTensor = (value: unknown): value is Tensor => typeof value === 'object' && value !== null && 'data' in value;

/** Operators inside one another or side by side, as many as there are. */
const depthOf = (op: unknown): number =>
  typeof op !== 'object' || op === null || isTensor(op)
    ? 0
    : Object.values(op).reduce((sum: number, part: unknown) => sum + depthOf(part), '_tag' in op ? 1 : 0);

/** Numbers in all arrays, and those that stand alone in a low-rank factor. */
const numbersIn = (op: unknown): number => {
  if (typeof op !== 'object' || op === null) return 0;
  if (isTensor(op)) return op.data.length;
  const own = Object.hasOwn(op, 'shift') || Object.hasOwn(op, 'rho') ? 1 : 0;
  return Object.values(op).reduce((sum: number, part: unknown) => sum + numbersIn(part), own);
};

/** Column-stacked elements as a column. */
const vec = (v: Tensor): Tensor => ops.reshape(ops.transposed(v), [v.data.length, 1]);

describe.each(members)('operator %s', (_, cases) => {
  it('law: apply is the matrix, vec(op V) = M vec(V)', () => {
    fc.assert(
      fc.property(cases, fc.nat(), ({ op, shape }, seed) => {
        const v = gaussian(seed, shape);
        const direct = vec(applyBlock(ops, op, v));
        const dense = ops.matmul(materialise(ops, op, shape), vec(v));
        expect(scaledError(direct.data, dense.data)).toBeLessThan(1e-12);
      }),
      runs,
    );
  });

  it('law: it knows the shape that it acts on, at least the number of elements', () => {
    fc.assert(
      fc.property(cases, ({ op, shape }) => {
        const known = shapeOf(op);
        expect(known.length === 2 ? known : [known[0]]).toEqual(known.length === 2 ? shape : [shape[0] * shape[1]]);
      }),
      runs,
    );
  });

  it('law: transpose, ⟨u, op v⟩ = ⟨opᵀ u, v⟩', () => {
    fc.assert(
      fc.property(cases, fc.nat(), ({ op, shape }, seed) => {
        const [u, v] = [gaussian(seed, shape), gaussian(seed + 1, shape)];
        const left = inner(u, applyBlock(ops, op, v));
        const right = inner(applyBlockTranspose(ops, op, u), v);
        expect(Math.abs(left - right)).toBeLessThan(1e-11 * (1 + Math.abs(left)));
      }),
      runs,
    );
  });

  it('law: linearity, op (a u + b v) = a op u + b op v', () => {
    fc.assert(
      fc.property(cases, fc.nat(), ({ op, shape }, seed) => {
        const [u, v] = [gaussian(seed, shape), gaussian(seed + 1, shape)];
        const left = applyBlock(ops, op, ops.linearCombination(2, u, -3, v));
        const right = ops.linearCombination(2, applyBlock(ops, op, u), -3, applyBlock(ops, op, v));
        expect(scaledError(left.data, right.data)).toBeLessThan(1e-12);
      }),
      runs,
    );
  });

  it('law: adding and damping, (op + λ I) v = op v + λ v', () => {
    fc.assert(
      fc.property(cases, fc.nat(), fc.double({ min: 0, max: 10, noNaN: true }), ({ op, shape }, seed, lambda) => {
        const v = gaussian(seed, shape);
        const left = applyBlock(ops, dampedBlock(op, lambda), v);
        const right = ops.add(applyBlock(ops, op, v), ops.scale(lambda, v));
        expect(scaledError(left.data, right.data)).toBeLessThan(1e-12);
      }),
      runs,
    );
  });

  it('law: purity. Operator and array are bit-identical after a product', () => {
    fc.assert(
      fc.property(cases, fc.nat(), ({ op, shape }, seed) => {
        const v = gaussian(seed, shape);
        const before = structuredClone({ op, v });
        applyBlock(ops, op, v);
        applyBlockTranspose(ops, op, v);
        expect({ op, v }).toEqual(before);
      }),
      { numRuns: 20 },
    );
  });

  it('law: symmetric and skew part, op = S + K with Sᵀ = S and Kᵀ = −K', () => {
    fc.assert(
      fc.property(cases, ({ op, shape }) => {
        const [M, S, K] = [op, symmetricPart(op), skewPart(op)].map((each) => materialise(ops, each, shape));
        expect(scaledError(ops.add(S, K).data, M.data)).toBeLessThan(1e-12);
        expect(scaledError(ops.transposed(S).data, S.data)).toBeLessThan(1e-12);
        expect(scaledError(ops.transposed(K).data, ops.neg(K).data)).toBeLessThan(1e-12);
      }),
      runs,
    );
  });

  it('law: cost = operations counted. The model differs from the count by a few per element at most', () => {
    fc.assert(
      fc.property(cases, ({ op, shape }) => {
        const { ops: counting, tally } = shapeInterpreter();
        applyBlock(counting, shapesOf(op), { shape });
        const { flops, numbers } = costOf(op, shape);
        const slack = 6 * depthOf(op) * shape[0] * shape[1] + 20;
        expect(Math.abs(flops - tally().flops)).toBeLessThanOrEqual(slack);
        expect(numbers).toBe(numbersIn(op));
      }),
      runs,
    );
  });
});

describe('kronecker', () => {
  it('worked example: (A ⊗ G) vec(V) = vec(G V Aᵀ) as an explicit Kronecker product', () => {
    const A = tensor([1, 2, 3, 4], [2, 2]);
    const G = tensor([0, 1, 1, 0], [2, 2]);
    // A ⊗ G has blocks a_ij G: [[0 1 0 2] [1 0 2 0] [0 3 0 4] [3 0 4 0]].
    const explicit = [0, 1, 0, 2, 1, 0, 2, 0, 0, 3, 0, 4, 3, 0, 4, 0];
    expect(Array.from(materialise(ops, kroneckerOf(A, G), [2, 2]).data)).toEqual(explicit);
  });

  it('law: of any two factors it is the explicit Kronecker product of their matrices', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const A = lowRank(gaussian(seed, [3, 2]), diagonal(gaussian(seed + 1, [2])), 0.5);
        const G = directSumOf([gaussian(seed + 2, [1, 1]), gaussian(seed + 3, [2, 2])]);
        const blocks = Array.from({ length: 9 }, (_, at) => ops.scale(formed(A).data[at], formed(G)));
        const rows = [0, 3, 6].map((begin) => ops.concat(blocks.slice(begin, begin + 3), 1));
        const M = materialise(ops, kronecker(A, G), [3, 3]);
        expect(scaledError(M.data, ops.concat(rows, 0).data)).toBeLessThan(1e-13);
      }),
      runs,
    );
  });

  it('worked example: cost is 2 · out · in · (out + in) and out² + in² numbers', () => {
    const op = kroneckerOf(gaussian(1, [3, 3]), gaussian(2, [2, 2]));
    expect(costOf(op, [2, 3])).toEqual({ flops: 2 * 6 * 5, numbers: 13 });
  });
});

describe('low rank', () => {
  it('worked example: U = (1, 2, 0, 0), D = 3, ρ = 10 adds 3 u uᵀ to 10 I on column-stacked elements', () => {
    const op = lowRank(tensor([1, 2, 0, 0], [4, 1]), diagonal(tensor([3], [1])), 10);
    // vec of [[1, 0], [1, 0]] is (1, 1, 0, 0): uᵀ v = 3, so the image is 10 v + 9 u = (19, 28, 0, 0).
    expect(Array.from(applyBlock(ops, op, tensor([1, 0, 1, 0], [2, 2])).data)).toEqual([19, 0, 28, 0]);
    expect(costOf(op, [2, 2])).toEqual({ flops: 16 + 1 + 8, numbers: 6 });
  });

  it('worked example: (2 + 3 · 1) on one side, (1 + 4 · 1) on the other', () => {
    const one = tensor([1], [1, 1]);
    const op = kronecker(lowRank(one, dense(tensor([3], [1, 1])), 2), lowRank(one, dense(tensor([4], [1, 1])), 1));
    expect(applyBlock(ops, op, one).data[0]).toBe(25);
  });
});

describe('twoTerm', () => {
  it('worked example: K₁ = K₂ = 2, S₁ = ½, S₂ = ⅓ is 4 · 4 / (1 ± ⅙)', () => {
    const [two, half, third] = [tensor([2], [1, 1]), tensor([0.5], [1]), tensor([1 / 3], [1])];
    const one = tensor([1], [1, 1]);
    expect(applyBlock(ops, twoTerm(two, half, two, third, 1), one).data[0]).toBeCloseTo(16 / (7 / 6), 14);
    expect(applyBlock(ops, twoTerm(two, half, two, third, -1), one).data[0]).toBeCloseTo(16 / (5 / 6), 14);
    expect(costOf(twoTerm(two, half, two, third, 1), [1, 1])).toEqual({ flops: 12, numbers: 4 });
  });
});

describe('parts of an operator', () => {
  it('worked example: [[1, 4], [0, 3]] has the parts [[1, 2], [2, 3]] and [[0, 2], [−2, 0]]', () => {
    const op = dense(tensor([1, 4, 0, 3], [2, 2]));
    expect(Array.from(materialise(ops, symmetricPart(op), [2]).data)).toEqual([1, 2, 2, 3]);
    expect(Array.from(materialise(ops, skewPart(op), [2]).data)).toEqual([0, 2, -2, 0]);
  });

  it('law: op = S + K, Sᵀ = S, Kᵀ = −K, ⟨v, K v⟩ = 0', () => {
    fc.assert(
      fc.property(anyProduct, fc.nat(), ({ op, shape }, seed) => {
        const v = gaussian(seed, shape);
        const [S, K] = [symmetricPart(op), skewPart(op)];
        expect(
          scaledError(applyBlock(ops, sumOf<BlockOperator<Tensor>>([S, K]), v).data, applyBlock(ops, op, v).data),
        ).toBeLessThan(1e-12);
        expect(applyBlockTranspose(ops, S, v)).toEqual(applyBlock(ops, S, v));
        expect(scaledError(applyBlockTranspose(ops, K, v).data, ops.neg(applyBlock(ops, K, v)).data)).toBeLessThan(
          1e-15,
        );
        const scale = Math.sqrt(inner(v, v) * inner(applyBlock(ops, op, v), applyBlock(ops, op, v)));
        expect(Math.abs(inner(v, applyBlock(ops, K, v)))).toBeLessThan(1e-12 * (1 + scale));
      }),
    );
  });
});

describe('kronecker of direct sums, diagonals and the identity', () => {
  it('worked example: a partition of 1 + 1 columns and 1 row scales entry by entry', () => {
    const op = kronecker(directSumOf([tensor([2], [1, 1]), tensor([3], [1, 1])]), dense(tensor([5], [1, 1])));
    expect(Array.from(applyBlock(ops, op, tensor([1, 1], [1, 2])).data)).toEqual([10, 15]);
    expect(costOf(op, [1, 2]).numbers).toBe(3);
  });

  it('worked example: diag(2, 3) ⊗ (5 ⊕ 7) scales row j of column i by a_i G_j', () => {
    const op = kronecker(diagonal(tensor([2, 3], [2])), directSumOf([tensor([5], [1, 1]), tensor([7], [1, 1])]));
    expect(Array.from(applyBlock(ops, op, ops.full([2, 2], 1)).data)).toEqual([10, 15, 14, 21]);
    expect(costOf(op, [2, 2])).toEqual({ flops: 2 * 2 * 2 + 4, numbers: 4 });
  });

  it('worked example: the identity costs nothing, in a product and in a basis', () => {
    const [U, S] = [gaussian(1, [2, 2]), gaussian(2, [2, 3])];
    expect(costOf(kronecker<Tensor>(identity(3), dense(U)), [2, 3])).toEqual({ flops: 2 * 6 * 2, numbers: 4 });
    expect(costOf(eigenKronecker<Tensor>(identity(3), dense(U), S), [2, 3])).toEqual({
      flops: 4 * 6 * 2 + 6,
      numbers: 10,
    });
  });

  it('worked example: with identity bases S multiplies entry by entry', () => {
    const op = eigenKronecker<Tensor>(identity(2), identity(2), tensor([1, 2, 3, 4], [2, 2]));
    expect(Array.from(applyBlock(ops, op, tensor([1, 1, 2, 2], [2, 2])).data)).toEqual([1, 2, 6, 8]);
  });
});

describe('operators on block vectors', () => {
  const operator = blockDiagonal({
    a: kroneckerOf(gaussian(1, [2, 2]), gaussian(2, [3, 3])),
    b: diagonal(gaussian(3, [4])),
  });
  const vector = (seed: number): Readonly<Record<string, Tensor>> => ({
    a: gaussian(seed, [3, 2]),
    b: gaussian(seed + 1, [4]),
  });

  it('law: each block acts on its own part', () => {
    const v = vector(5);
    const image = apply(ops, operator, v);
    expect(image['a']).toEqual(
      applyBlock(ops, operator._tag === 'blockDiagonal' ? operator.blocks['a'] : diagonal(v['a']), v['a']),
    );
    expect(Object.keys(image)).toEqual(['a', 'b']);
  });

  it('law: damping adds λ v to every block', () => {
    const v = vector(7);
    const left = apply(ops, damped(operator, 0.5), v);
    for (const name of ['a', 'b']) {
      const expected = ops.add(apply(ops, operator, v)[name], ops.scale(0.5, v[name]));
      expect(scaledError(left[name].data, expected.data)).toBeLessThan(1e-12);
    }
  });

  it('law: transpose on block vectors, Σ⟨u, op v⟩ = Σ⟨opᵀ u, v⟩', () => {
    const [u, v] = [vector(11), vector(13)];
    for (const op of [operator, damped(operator, 2)]) {
      const [forward, back] = [apply(ops, op, v), applyTranspose(ops, op, u)];
      const left = inner(u['a'], forward['a']) + inner(u['b'], forward['b']);
      const right = inner(back['a'], v['a']) + inner(back['b'], v['b']);
      expect(left).toBeCloseTo(right, 10);
    }
  });

  const shapes = { a: [3, 2], b: [4] };
  const n = 10;
  const asymmetric: LinearOperator<Tensor> = blockDiagonal({
    a: kroneckerOf(gaussian(21, [2, 2]), gaussian(22, [3, 3])),
    b: dense(gaussian(23, [4, 4])),
  });

  it('law: materialised blocks lie on the diagonal', () => {
    const M = materialiseBlocks(ops, asymmetric, shapes);
    const blocks = asymmetric._tag === 'blockDiagonal' ? asymmetric.blocks : {};
    const expected = ops.add(
      ops.pad(materialise(ops, blocks['a'], [3, 2]), [0, 0], [n, n]),
      ops.pad(materialise(ops, blocks['b'], [4]), [6, 6], [n, n]),
    );
    expect(M).toEqual(expected);
  });

  const whole = (op: LinearOperator<Tensor>): Tensor => materialiseBlocks(ops, op, shapes);

  it.each<readonly [string, LinearOperator<Tensor>, (M: Tensor, D: Tensor) => Tensor]>([
    ['damped', damped(asymmetric, 0.5), (M) => ops.addDiagonal(M, 0.5)],
    ['sum', sumOf([asymmetric, operator]), (M, D) => ops.add(M, D)],
    ['scaled', scaled(-3, asymmetric), (M) => ops.scale(-3, M)],
    ['symmetricPart', symmetricPart(asymmetric), (M) => ops.scale(0.5, ops.add(M, ops.transposed(M)))],
    ['skewPart', skewPart(asymmetric), (M) => ops.scale(0.5, ops.sub(M, ops.transposed(M)))],
  ])('law: %s on block vectors is the same of the matrices, and so is its transpose', (_, op, expected) => {
    const matrix = expected(whole(asymmetric), whole(operator));
    expect(scaledError(whole(op).data, matrix.data)).toBeLessThan(1e-14);
    const transposed = materialiseBlocks(ops, (on: typeof ops, v: Params<Tensor>) => applyTranspose(on, op, v), shapes);
    expect(scaledError(transposed.data, ops.transposed(matrix).data)).toBeLessThan(1e-14);
  });

  it('a sum of operators on different blocks has the blocks of both', () => {
    const sum = sumOf([
      blockDiagonal({ a: diagonal(gaussian(1, [2])) }),
      blockDiagonal({ b: diagonal(gaussian(2, [2])) }),
    ]);
    expect(Object.keys(apply(ops, sum, { a: gaussian(3, [2]), b: gaussian(4, [2]) })).sort()).toEqual(['a', 'b']);
  });

  it('worked example: costs add over blocks and terms', () => {
    const [a, b] = [costOf(kroneckerOf(gaussian(1, [2, 2]), gaussian(2, [3, 3])), [3, 2]), 4];
    expect(costOfBlocks(operator, shapes)).toEqual({ flops: a.flops + b, numbers: a.numbers + b });
    const one = a.flops + b;
    expect(costOfBlocks(damped(operator, 1), shapes).flops).toBe(one + 2 * n);
    expect(costOfBlocks(sumOf([operator, operator]), shapes)).toEqual({
      flops: 2 * one + n,
      numbers: 2 * (a.numbers + b),
    });
    expect(costOfBlocks(scaled(2, operator), shapes).flops).toBe(one + n);
    expect(costOfBlocks(skewPart(operator), shapes)).toEqual({ flops: 2 * one + 3 * n, numbers: a.numbers + b });
  });
});
