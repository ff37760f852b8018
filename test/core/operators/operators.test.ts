import fc from 'fast-check';

import { shapeInterpreter } from '../../../src/core/autodiff/shape.ts';
import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import {
  apply,
  applyBlock,
  applyBlockTranspose,
  applyTranspose,
  materialise,
  materialiseBlocks,
} from '../../../src/core/operators/apply.ts';
import { costOf, costOfBlocks } from '../../../src/core/operators/cost.ts';
import type { BlockOperator, LowRankFactor } from '../../../src/core/operators/blockOperator.ts';
import type { LinearOperator } from '../../../src/core/operators/linearOperator.ts';
import {
  dampedBlock,
  dense,
  diagonal,
  diagonalKronecker,
  eigenKronecker,
  kronecker,
  lowRankKronecker,
  lowRankPlusDiagonal,
  partitionedEigenKronecker,
  partitionedKronecker,
  partitionedLowRankKronecker,
  twoTerm,
} from '../../../src/core/operators/blockOperator.ts';
import { scaled, skewPart, sumOf, symmetricPart } from '../../../src/core/operators/composite.ts';
import { blockDiagonal, damped, matrixFree } from '../../../src/core/operators/linearOperator.ts';
import type { Shaped, Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { scaledError } from '../../support/closeness.ts';
import { gaussian } from '../../support/training.ts';

const { ops } = referenceBackend();

interface Case {
  readonly op: BlockOperator<Tensor>;
  readonly shape: readonly [number, number];
}

const extents = fc.record({
  out: fc.integer({ min: 1, max: 4 }),
  inputs: fc.integer({ min: 1, max: 4 }),
  seed: fc.nat(),
});

/** Orders of one to three blocks. */
const partition = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 });

const inner = (x: Tensor, y: Tensor): number => ops.dot(x, y).data[0];

/** Operators with neither symmetry nor definiteness. */
const general: fc.Arbitrary<Case> = extents.map(({ out, inputs, seed }) => ({
  op: kronecker(gaussian(seed, [inputs, inputs]), gaussian(seed + 1, [out, out])),
  shape: [out, inputs],
}));

/** A positive definite matrix. */
const spd = (seed: number, n: number): Tensor => ops.addDiagonal(ops.gram(gaussian(seed, [n + 1, n])), 0.1);

/** Positive entries. */
const positive = (seed: number, shape: ReadonlyArray<number>): Tensor =>
  ops.add(ops.square(gaussian(seed, shape)), ops.full([], 0.1));

/** A low-rank factor that is positive definite. */
const lowRank = (seed: number, order: number, rank: number, shift: number): LowRankFactor<Tensor> => ({
  U: gaussian(seed, [order, rank]),
  core: spd(seed + 1, rank),
  shift,
});

/** One row per kind that can be symmetric, from positive definite parts. */
const definite: ReadonlyArray<readonly [string, fc.Arbitrary<Case>]> = [
  [
    'kronecker',
    extents.map(({ out, inputs, seed }) => ({
      op: kronecker(spd(seed, inputs), spd(seed + 1, out)),
      shape: [out, inputs],
    })),
  ],
  [
    'eigenKronecker',
    extents.map(({ out, inputs, seed }) => ({
      op: eigenKronecker(spd(seed, inputs), spd(seed + 1, out), positive(seed + 2, [out, inputs])),
      shape: [out, inputs],
    })),
  ],
  [
    'partitionedKronecker',
    fc.nat().map((seed) => ({
      op: partitionedKronecker([spd(seed, 2), spd(seed + 1, 1)], [spd(seed + 2, 1), spd(seed + 3, 3)]),
      shape: [4, 3],
    })),
  ],
  [
    'diagonalKronecker',
    fc.nat().map((seed) => ({
      op: diagonalKronecker(positive(seed, [3]), [spd(seed + 1, 1), spd(seed + 2, 3)]),
      shape: [4, 3],
    })),
  ],
  [
    'partitionedEigenKronecker',
    fc.nat().map((seed) => ({
      op: partitionedEigenKronecker(
        [spd(seed, 2), spd(seed + 1, 1)],
        [spd(seed + 2, 1), spd(seed + 3, 3)],
        positive(seed + 4, [4, 3]),
      ),
      shape: [4, 3],
    })),
  ],
  [
    'eigenKronecker with U_A = I',
    extents.map(({ out, inputs, seed }) => ({
      op: eigenKronecker(null, spd(seed + 1, out), positive(seed + 2, [out, inputs])),
      shape: [out, inputs],
    })),
  ],
  [
    'partitionedLowRankKronecker',
    fc.nat().map((seed) => ({
      op: partitionedLowRankKronecker(
        [lowRank(seed, 2, 1, 0.5), lowRank(seed + 2, 1, 1, 0.3)],
        [lowRank(seed + 4, 3, 2, 0.2)],
      ),
      shape: [3, 3],
    })),
  ],
  [
    'lowRankKronecker',
    extents.map(({ out, inputs, seed }) => ({
      op: lowRankKronecker(
        { U: gaussian(seed, [inputs, 2]), core: spd(seed + 1, 2), shift: 0.5 },
        { U: gaussian(seed + 2, [out, 3]), core: spd(seed + 3, 3), shift: 0.2 },
      ),
      shape: [out, inputs],
    })),
  ],
  [
    'diagonal',
    extents.map(({ out, inputs, seed }) => ({ op: diagonal(positive(seed, [out, inputs])), shape: [out, inputs] })),
  ],
  ['dense', extents.map(({ out, inputs, seed }) => ({ op: dense(spd(seed, out * inputs)), shape: [out, inputs] }))],
  [
    'lowRankPlusDiagonal',
    extents.map(({ out, inputs, seed }) => ({
      op: lowRankPlusDiagonal(gaussian(seed, [out * inputs, 2]), positive(seed + 1, [2]), 0.3),
      shape: [out, inputs],
    })),
  ],
  [
    'twoTerm',
    extents.map(({ out, inputs, seed }) => ({
      op: twoTerm(
        gaussian(seed, [inputs, inputs]),
        ops.sigmoid(gaussian(seed + 1, [inputs])),
        gaussian(seed + 2, [out, out]),
        ops.sigmoid(gaussian(seed + 3, [out])),
        -1,
      ),
      shape: [out, inputs],
    })),
  ],
  [
    'damped',
    // Singular without damping.
    extents.map(({ out, inputs, seed }) => ({
      op: dampedBlock(dense(ops.gram(gaussian(seed, [1, out * inputs]))), 0.7),
      shape: [out, inputs],
    })),
  ],
  [
    'sum',
    extents.map(({ out, inputs, seed }) => ({
      op: sumOf([kronecker(spd(seed, inputs), spd(seed + 1, out)), diagonal(positive(seed + 2, [out, inputs]))]),
      shape: [out, inputs],
    })),
  ],
  [
    'scaled',
    extents.map(({ out, inputs, seed }) => ({ op: scaled(0.5, dense(spd(seed, out * inputs))), shape: [out, inputs] })),
  ],
  [
    'symmetricPart',
    // M + K with M positive definite and K skew.
    extents.map(({ out, inputs, seed }) => {
      const n = out * inputs;
      const B = gaussian(seed + 1, [n, n]);
      return {
        op: symmetricPart(dense(ops.add(spd(seed, n), ops.sub(B, ops.transposed(B))))),
        shape: [out, inputs],
      };
    }),
  ],
];

describe.each(definite)('operator %s from positive definite parts', (_, cases) => {
  it('law: symmetry and definiteness, M = Mᵀ and ⟨v, op v⟩ > 0', () => {
    fc.assert(
      fc.property(cases, fc.nat(), ({ op, shape }, seed) => {
        const M = materialise(ops, op, shape);
        expect(scaledError(M.data, ops.transposed(M).data)).toBeLessThan(1e-12);
        const v = gaussian(seed, shape);
        expect(inner(v, applyBlock(ops, op, v))).toBeGreaterThan(0);
      }),
    );
  });
});

/** One row per kind of operator; a new kind joins here. */
const kinds: ReadonlyArray<readonly [string, fc.Arbitrary<Case>]> = [
  [
    'kronecker',
    extents.map(({ out, inputs, seed }) => ({
      op: kronecker(gaussian(seed, [inputs, inputs]), gaussian(seed + 1, [out, out])),
      shape: [out, inputs],
    })),
  ],
  [
    'eigenKronecker',
    // Any matrices will do for these laws; orthonormal ones are a matter of meaning.
    extents.map(({ out, inputs, seed }) => ({
      op: eigenKronecker(
        gaussian(seed, [inputs, inputs]),
        gaussian(seed + 1, [out, out]),
        gaussian(seed + 2, [out, inputs]),
      ),
      shape: [out, inputs],
    })),
  ],
  [
    'partitionedKronecker',
    fc.record({ rows: partition, columns: partition, seed: fc.nat() }).map(({ rows, columns, seed }) => ({
      op: partitionedKronecker(
        columns.map((order, i) => gaussian(seed + i, [order, order])),
        rows.map((order, i) => gaussian(seed + 10 + i, [order, order])),
      ),
      shape: [rows.reduce((x, y) => x + y), columns.reduce((x, y) => x + y)],
    })),
  ],
  [
    'diagonalKronecker',
    fc.record({ rows: partition, inputs: fc.integer({ min: 1, max: 4 }), seed: fc.nat() }).map((drawn) => ({
      op: diagonalKronecker(
        gaussian(drawn.seed, [drawn.inputs]),
        drawn.rows.map((order, i) => gaussian(drawn.seed + 1 + i, [order, order])),
      ),
      shape: [drawn.rows.reduce((x, y) => x + y), drawn.inputs],
    })),
  ],
  [
    'eigenKronecker with U_A = I',
    extents.map(({ out, inputs, seed }) => ({
      op: eigenKronecker(null, gaussian(seed + 1, [out, out]), gaussian(seed + 2, [out, inputs])),
      shape: [out, inputs],
    })),
  ],
  [
    'partitionedEigenKronecker',
    fc.record({ rows: partition, columns: partition, seed: fc.nat() }).map(({ rows, columns, seed }) => {
      const shape = [rows.reduce((x, y) => x + y), columns.reduce((x, y) => x + y)] as const;
      return {
        op: partitionedEigenKronecker(
          columns.map((order, i) => gaussian(seed + i, [order, order])),
          rows.map((order, i) => gaussian(seed + 10 + i, [order, order])),
          gaussian(seed + 20, shape),
        ),
        shape,
      };
    }),
  ],
  [
    'partitionedLowRankKronecker',
    fc.record({ rows: partition, columns: partition, seed: fc.nat() }).map(({ rows, columns, seed }) => {
      const factor = (order: number, i: number): LowRankFactor<Tensor> => ({
        U: gaussian(seed + 2 * i, [order, 2]),
        core: gaussian(seed + 2 * i + 1, [2, 2]),
        shift: 0.5 - i,
      });
      return {
        op: partitionedLowRankKronecker(
          columns.map(factor),
          rows.map((order, i) => factor(order, i + 5)),
        ),
        shape: [rows.reduce((x, y) => x + y), columns.reduce((x, y) => x + y)],
      };
    }),
  ],
  [
    'lowRankKronecker',
    extents.map(({ out, inputs, seed }) => ({
      op: lowRankKronecker(
        { U: gaussian(seed, [inputs, 2]), core: gaussian(seed + 1, [2, 2]), shift: 0.5 },
        { U: gaussian(seed + 2, [out, 3]), core: gaussian(seed + 3, [3, 3]), shift: -0.2 },
      ),
      shape: [out, inputs],
    })),
  ],
  [
    'diagonal',
    extents.map(({ out, inputs, seed }) => ({ op: diagonal(gaussian(seed, [out, inputs])), shape: [out, inputs] })),
  ],
  [
    'dense',
    extents.map(({ out, inputs, seed }) => ({
      op: dense(gaussian(seed, [out * inputs, out * inputs])),
      shape: [out, inputs],
    })),
  ],
  [
    'damped',
    extents.map(({ out, inputs, seed }) => ({
      op: dampedBlock(kronecker(gaussian(seed, [inputs, inputs]), gaussian(seed + 1, [out, out])), 0.7),
      shape: [out, inputs],
    })),
  ],
  [
    'lowRankPlusDiagonal',
    extents.map(({ out, inputs, seed }) => ({
      op: lowRankPlusDiagonal(gaussian(seed, [out * inputs, 2]), gaussian(seed + 1, [2]), 0.3),
      shape: [out, inputs],
    })),
  ],
  [
    'sum',
    extents.map(({ out, inputs, seed }) => ({
      op: sumOf([
        kronecker(gaussian(seed, [inputs, inputs]), gaussian(seed + 1, [out, out])),
        diagonal(gaussian(seed + 2, [out, inputs])),
        dense(gaussian(seed + 3, [out * inputs, out * inputs])),
      ]),
      shape: [out, inputs],
    })),
  ],
  [
    'twoTerm',
    extents.map(({ out, inputs, seed }) => ({
      op: twoTerm(
        gaussian(seed, [inputs, inputs]),
        ops.sigmoid(gaussian(seed + 1, [inputs])),
        gaussian(seed + 2, [out, out]),
        ops.sigmoid(gaussian(seed + 3, [out])),
        1,
      ),
      shape: [out, inputs],
    })),
  ],
  ['scaled', general.map(({ op, shape }) => ({ op: scaled(-2.5, op), shape }))],
  ['symmetricPart', general.map(({ op, shape }) => ({ op: symmetricPart(op), shape }))],
  ['skewPart', general.map(({ op, shape }) => ({ op: skewPart(op), shape }))],
];

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

describe.each(kinds)('operator %s', (_, cases) => {
  it('law: apply is the matrix, vec(op V) = M vec(V)', () => {
    fc.assert(
      fc.property(cases, fc.nat(), ({ op, shape }, seed) => {
        const v = gaussian(seed, shape);
        const direct = vec(applyBlock(ops, op, v));
        const dense = ops.matmul(materialise(ops, op, shape), vec(v));
        expect(scaledError(direct.data, dense.data)).toBeLessThan(1e-12);
      }),
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
      { numRuns: 30 },
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
      { numRuns: 50 },
    );
  });
});

describe('kronecker', () => {
  it('worked example: (A ⊗ G) vec(V) = vec(G V Aᵀ) as an explicit Kronecker product', () => {
    const A = tensor([1, 2, 3, 4], [2, 2]);
    const G = tensor([0, 1, 1, 0], [2, 2]);
    // A ⊗ G has blocks a_ij G: [[0 1 0 2] [1 0 2 0] [0 3 0 4] [3 0 4 0]].
    const explicit = [0, 1, 0, 2, 1, 0, 2, 0, 0, 3, 0, 4, 3, 0, 4, 0];
    expect(Array.from(materialise(ops, kronecker(A, G), [2, 2]).data)).toEqual(explicit);
  });

  it('worked example: cost is 2 · out · in · (out + in) and out² + in² numbers', () => {
    const op = kronecker(gaussian(1, [3, 3]), gaussian(2, [2, 2]));
    expect(costOf(op, [2, 3])).toEqual({ flops: 2 * 6 * 5, numbers: 13 });
  });
});

describe('lowRankPlusDiagonal', () => {
  it('worked example: U = (1, 2, 0, 0), D = 3, ρ = 10 adds 3 u uᵀ to 10 I on column-stacked elements', () => {
    const op = lowRankPlusDiagonal(tensor([1, 2, 0, 0], [4, 1]), tensor([3], [1]), 10);
    // vec of [[1, 0], [1, 0]] is (1, 1, 0, 0): uᵀ v = 3, so the image is 10 v + 9 u = (19, 28, 0, 0).
    expect(Array.from(applyBlock(ops, op, tensor([1, 0, 1, 0], [2, 2])).data)).toEqual([19, 0, 28, 0]);
    expect(costOf(op, [2, 2])).toEqual({ flops: 16 + 1 + 8, numbers: 6 });
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
      fc.property(general, fc.nat(), ({ op, shape }, seed) => {
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

describe('partitionedKronecker', () => {
  it('worked example: a partition of 1 + 1 columns and 1 row scales entry by entry', () => {
    const op = partitionedKronecker([tensor([2], [1, 1]), tensor([3], [1, 1])], [tensor([5], [1, 1])]);
    expect(Array.from(applyBlock(ops, op, tensor([1, 1], [1, 2])).data)).toEqual([10, 15]);
    expect(costOf(op, [1, 2]).numbers).toBe(3);
  });

  it('law: it is the Kronecker product of the block-diagonal factors', () => {
    const [As, Gs] = [
      [gaussian(1, [2, 2]), gaussian(2, [1, 1])],
      [gaussian(3, [1, 1]), gaussian(4, [3, 3])],
    ];
    const join = (blocks: ReadonlyArray<Tensor>, n: number): Tensor =>
      ops.add(
        ops.pad(blocks[0], [0, 0], [n, n]),
        ops.pad(blocks[1], [n - blocks[1].shape[0], n - blocks[1].shape[0]], [n, n]),
      );
    const whole = materialise(ops, kronecker(join(As, 3), join(Gs, 4)), [4, 3]);
    expect(scaledError(materialise(ops, partitionedKronecker(As, Gs), [4, 3]).data, whole.data)).toBeLessThan(1e-14);
  });
});

describe('diagonalKronecker', () => {
  it('worked example: diag(2, 3) ⊗ (5 ⊕ 7) scales row j of column i by a_i G_j', () => {
    const op = diagonalKronecker(tensor([2, 3], [2]), [tensor([5], [1, 1]), tensor([7], [1, 1])]);
    expect(Array.from(applyBlock(ops, op, ops.full([2, 2], 1)).data)).toEqual([10, 15, 14, 21]);
    expect(costOf(op, [2, 2])).toEqual({ flops: 2 * 2 * 2 + 4, numbers: 4 });
  });

  it('law: it is the Kronecker product with diag(a), which is never formed', () => {
    const [a, G] = [gaussian(1, [3]), gaussian(2, [2, 2])];
    const A = ops.mul(ops.addDiagonal(ops.full([3, 3], 0), 1), a);
    const whole = materialise(ops, kronecker(A, G), [2, 3]);
    expect(scaledError(materialise(ops, diagonalKronecker(a, [G]), [2, 3]).data, whole.data)).toBeLessThan(1e-15);
  });

  it('law: eigenKronecker without U_A is the one with U_A = I', () => {
    const [U, S] = [gaussian(1, [2, 2]), gaussian(2, [2, 3])];
    const I = ops.addDiagonal(ops.full([3, 3], 0), 1);
    const [thin, full] = [null, I].map((UA) => materialise(ops, eigenKronecker(UA, U, S), [2, 3]));
    expect(scaledError(thin.data, full.data)).toBeLessThan(1e-15);
    expect(costOf(eigenKronecker<Tensor>(null, U, S), [2, 3])).toEqual({ flops: 4 * 6 * 2 + 6, numbers: 10 });
  });
});

describe('eigenKronecker and lowRankKronecker', () => {
  it('worked example: with identity bases S multiplies entry by entry', () => {
    const I = tensor([1, 0, 0, 1], [2, 2]);
    const op = eigenKronecker(I, I, tensor([1, 2, 3, 4], [2, 2]));
    expect(Array.from(applyBlock(ops, op, tensor([1, 1, 2, 2], [2, 2])).data)).toEqual([1, 2, 6, 8]);
  });

  it('worked example: (2 + 3 · 1) on one side, (1 + 4 · 1) on the other', () => {
    const one = tensor([1], [1, 1]);
    const op = lowRankKronecker(
      { U: one, core: tensor([3], [1, 1]), shift: 2 },
      { U: one, core: tensor([4], [1, 1]), shift: 1 },
    );
    expect(applyBlock(ops, op, one).data[0]).toBe(25);
  });
});

describe('operators on block vectors', () => {
  const operator = blockDiagonal({
    a: kronecker(gaussian(1, [2, 2]), gaussian(2, [3, 3])),
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

  it('law: damping adds λ v to every block, and a matrix-free operator is its action', () => {
    const v = vector(7);
    const left = apply(ops, damped(operator, 0.5), v);
    const right = apply(
      ops,
      matrixFree<Tensor>((x) => apply(ops, damped(operator, 0.5), x)),
      v,
    );
    for (const name of ['a', 'b']) {
      const expected = ops.add(apply(ops, operator, v)[name], ops.scale(0.5, v[name]));
      expect(scaledError(left[name].data, expected.data)).toBeLessThan(1e-12);
      expect(right[name]).toEqual(left[name]);
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
    a: kronecker(gaussian(21, [2, 2]), gaussian(22, [3, 3])),
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
    const transposed = whole(
      matrixFree<Tensor>(
        (v) => applyTranspose(ops, op, v),
        (v) => apply(ops, op, v),
      ),
    );
    expect(scaledError(transposed.data, ops.transposed(matrix).data)).toBeLessThan(1e-14);
  });

  it('a sum of operators on different blocks has the blocks of both', () => {
    const sum = sumOf([
      blockDiagonal({ a: diagonal(gaussian(1, [2])) }),
      blockDiagonal({ b: diagonal(gaussian(2, [2])) }),
    ]);
    expect(Object.keys(apply(ops, sum, { a: gaussian(3, [2]), b: gaussian(4, [2]) })).sort()).toEqual(['a', 'b']);
  });

  it('worked example: costs add over blocks and terms; that of a matrix-free operator is not known', () => {
    const [a, b] = [costOf(kronecker(gaussian(1, [2, 2]), gaussian(2, [3, 3])), [3, 2]), 4];
    expect(costOfBlocks(operator, shapes)).toEqual({ flops: a.flops + b, numbers: a.numbers + b });
    const one = a.flops + b;
    expect(costOfBlocks(damped(operator, 1), shapes).flops).toBe(one + 2 * n);
    expect(costOfBlocks(sumOf([operator, operator]), shapes)).toEqual({
      flops: 2 * one + n,
      numbers: 2 * (a.numbers + b),
    });
    expect(costOfBlocks(scaled(2, operator), shapes).flops).toBe(one + n);
    expect(costOfBlocks(skewPart(operator), shapes)).toEqual({ flops: 2 * one + 3 * n, numbers: a.numbers + b });
    expect(
      costOfBlocks(
        matrixFree<Tensor>((v) => v),
        shapes,
      ).flops,
    ).toBeNaN();
  });
});
