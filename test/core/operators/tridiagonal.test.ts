import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { apply, applyTranspose } from '../../../src/core/operators/apply.ts';
import { materialiseBlocks } from '../../../src/core/operators/materialise.ts';
import { costOf, costOfBlocks } from '../../../src/core/operators/cost.ts';
import type { BlockOperator } from '../../../src/core/operators/blockOperator.ts';
import { kroneckerOf } from '../../../src/core/operators/blockOperator.ts';
import { dense, diagonal } from '../../../src/core/operators/factors/factor.ts';
import {
  blockDiagonal,
  blockTridiagonal,
  damped,
  blockTridiagonalInverse,
} from '../../../src/core/operators/linearOperator.ts';
import type { Params } from '../../../src/core/params.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { scaledError } from '../../support/closeness.ts';
import { gaussian } from '../../support/training.ts';

const { ops } = referenceBackend();

/** Three blocks in a chain, with links a ← b and b ← c, and one block beside it. */
const shapes = { a: [3, 2], b: [2, 4], c: [1, 3], beside: [2] };
const begins = { a: 0, b: 6, c: 14, beside: 17 };
const n = 19;
const blocks: Readonly<Record<string, BlockOperator<Tensor>>> = {
  a: kroneckerOf(gaussian(1, [2, 2]), gaussian(2, [3, 3])),
  b: dense(gaussian(3, [8, 8])),
  c: kroneckerOf(gaussian(4, [3, 3]), gaussian(5, [1, 1])),
  beside: diagonal(gaussian(6, [2])),
};
const links = [
  { from: 'b', to: 'a', A: gaussian(7, [2, 4]), G: gaussian(8, [3, 2]) },
  { from: 'c', to: 'b', A: gaussian(9, [4, 3]), G: gaussian(10, [2, 1]) },
];

const identity = ops.addDiagonal(ops.full([n, n], 0), 1);
const sum = (matrices: ReadonlyArray<Tensor>): Tensor => matrices.reduce((x, y) => ops.add(x, y));
const diagonalPart = materialiseBlocks(ops, blockDiagonal(blocks), shapes);
/** The explicit matrix (A ⊗ G)_{(i, p), (j, q)} = A_ij G_pq in its place. */
const linkPart = sum(
  links.map(({ from, to, A, G }) => {
    const [[rowsA, columnsA], [rowsG, columnsG]] = [A.shape, G.shape];
    const product = ops.mul(ops.reshape(A, [rowsA, 1, columnsA, 1]), ops.reshape(G, [1, rowsG, 1, columnsG]));
    const at = (name: string): number => Object.entries(begins).find(([key]) => key === name)?.[1] ?? NaN;
    return ops.pad(ops.reshape(product, [rowsA * rowsG, columnsA * columnsG]), [at(to), at(from)], [n, n]);
  }),
);

const xi = ops.sub(identity, linkPart);

describe.each([
  ['blockTridiagonal', blockTridiagonal, sum([diagonalPart, linkPart, ops.transposed(linkPart)])],
  [
    'blockTridiagonalInverse',
    blockTridiagonalInverse,
    ops.matmul(ops.matmul(xi, diagonalPart, { transposeA: true }), xi),
  ],
] as const)('%s', (_, make, expected) => {
  const op = make(blocks, links);

  it('law: it is the explicit matrix, D + L + Lᵀ or Ξᵀ Λ Ξ with Ξ = I − L', () => {
    expect(scaledError(materialiseBlocks(ops, op, shapes).data, expected.data)).toBeLessThan(1e-14);
  });

  it('law: its transpose is that of the matrix, and damping adds λ', () => {
    const transposed = (on: typeof ops, v: Params<Tensor>) => applyTranspose(on, op, v);
    expect(scaledError(materialiseBlocks(ops, transposed, shapes).data, ops.transposed(expected).data)).toBeLessThan(
      1e-14,
    );
    const shifted = materialiseBlocks(ops, damped(op, 0.5), shapes);
    expect(scaledError(shifted.data, ops.addDiagonal(expected, 0.5).data)).toBeLessThan(1e-14);
  });

  it('law: without links it is block-diagonal', () => {
    expect(materialiseBlocks(ops, make(blocks, []), shapes)).toEqual(diagonalPart);
  });

  it('worked example: cost, each link forth and back', () => {
    const parts = Object.entries(shapes).map(([name, shape]) => costOf(blocks[name], shape));
    const total = (key: 'flops' | 'numbers'): number => parts.reduce((all, part) => all + part[key], 0);
    // a ← b: G v is 3 × 2 × 4, · Aᵀ is 3 × 4 × 2; back Gᵀ v is 2 × 3 × 2, · A is 2 × 2 × 4; then 6 and 8 additions.
    const first = 2 * (24 + 24 + 12 + 16) + 2 * (6 + 8);
    // b ← c: 2 × 1 × 3 and 2 × 3 × 4; back 1 × 2 × 4 and 1 × 4 × 3; then 8 and 3 additions.
    const second = 2 * (6 + 24 + 8 + 12) + 2 * (8 + 3);
    expect(costOfBlocks(op, shapes)).toEqual({
      flops: total('flops') + first + second,
      numbers: total('numbers') + 8 + 6 + 12 + 2,
    });
  });
});

describe('worked example: two blocks of one element, linked by 3 = 1 ⊗ 3', () => {
  const one = tensor([1], [1, 1]);
  const two = { a: diagonal(tensor([5], [1, 1])), b: diagonal(tensor([7], [1, 1])) };
  const link = [{ from: 'b', to: 'a', A: one, G: tensor([3], [1, 1]) }];
  const v = { a: tensor([1], [1, 1]), b: tensor([2], [1, 1]) };

  it('blockTridiagonal: [[5, 3], [3, 7]] (1, 2) = (11, 17)', () => {
    const image = apply(ops, blockTridiagonal(two, link), v);
    expect([image['a'].data[0], image['b'].data[0]]).toEqual([11, 17]);
  });

  it('blockTridiagonalInverse: Ξ v = (−5, 2), Λ Ξ v = (−25, 14), Ξᵀ Λ Ξ v = (−25, 89)', () => {
    const image = apply(ops, blockTridiagonalInverse(two, link), v);
    expect([image['a'].data[0], image['b'].data[0]]).toEqual([-25, 89]);
  });
});
