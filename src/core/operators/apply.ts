/**
 * Applying linear operators, and forming them for tests.
 *
 * @module
 */
import type { Ops } from '../ops/ops.ts';
import type { Params } from '../params.ts';
import { mapParams, zipParams } from '../params.ts';
import type { Shape, Shaped } from '../tensor.ts';
import { generate, sizeOf } from '../tensor.ts';
import type { Composite } from './composite.ts';
import { applyComposite } from './composite.ts';
import type { BlockOperator, LowRankFactor, LowRankPlusDiagonal, TwoTerm } from './blockOperator.ts';
import type { LinearOperator } from './linearOperator.ts';
import { blocksTimes, mapRows, timesBlocks } from './parts.ts';
import { applyTridiagonal, applyTridiagonalInverse } from './tridiagonal.ts';
import { stack, unstack, unvec, vec } from './vec.ts';

/** (shift I + U core Uᵀ) V, or its transpose's. */
const applyLowRank = <T extends Shaped>(ops: Ops<T>, factor: LowRankFactor<T>, v: T, transposed: boolean): T => {
  const { U, core, shift } = factor;
  const inner = ops.matmul(core, ops.matmul(U, v, { transposeA: true }), { transposeA: transposed });
  return ops.linearCombination(shift, v, 1, ops.matmul(U, inner));
};

/** (⊕ F_i) V, or its transpose's. */
const lowRankOfRows = <T extends Shaped>(
  ops: Ops<T>,
  factors: ReadonlyArray<LowRankFactor<T>>,
  v: T,
  transposed: boolean,
): T => {
  const orders = factors.map(({ U }) => U.shape[0]);
  return mapRows(ops, orders, v, (part, i) => applyLowRank(ops, factors[i], part, transposed));
};

/** V (⊕ F_iᵀ), or its transpose's. */
const lowRankOfColumns = <T extends Shaped>(
  ops: Ops<T>,
  factors: ReadonlyArray<LowRankFactor<T>>,
  v: T,
  transposed: boolean,
): T => ops.transposed(lowRankOfRows(ops, factors, ops.transposed(v), transposed));

const applyLowRankPlusDiagonal = <T extends Shaped>(ops: Ops<T>, op: LowRankPlusDiagonal<T>, v: T): T => {
  const projected = ops.matmul(op.U, vec(ops, v), { transposeA: true });
  const image = ops.matmul(op.U, ops.mul(ops.reshape(op.D, projected.shape), projected));
  return ops.linearCombination(1, unvec(ops, image, v.shape), op.rho, v);
};

/** (K₁ ⊗ K₂) (I + sign · S₁ ⊗ S₂)⁻¹ (K₁ ⊗ K₂)ᵀ v, which is symmetric. */
const applyTwoTerm = <T extends Shaped>(ops: Ops<T>, { K1, S1, K2, S2, sign }: TwoTerm<T>, v: T): T => {
  const rotated = ops.matmul(ops.matmul(K2, v, { transposeA: true }), K1);
  const product = ops.mul(ops.reshape(S2, [S2.shape[0], 1]), ops.reshape(S1, [1, S1.shape[0]]));
  const divided = ops.div(rotated, ops.add(ops.full([], 1), ops.scale(sign, product)));
  return ops.matmul(ops.matmul(K2, divided), K1, { transposeB: true });
};

const applyEither = <T extends Shaped>(ops: Ops<T>, op: BlockOperator<T>, v: T, transposed: boolean): T => {
  switch (op._tag) {
    case 'kronecker':
      return ops.matmul(ops.matmul(op.G, v, { transposeA: transposed }), op.A, { transposeB: !transposed });
    case 'eigenKronecker': {
      const rows = ops.matmul(op.UG, v, { transposeA: true });
      const rotated = op.UA === null ? rows : ops.matmul(rows, op.UA);
      const back = ops.matmul(op.UG, ops.mul(op.S, rotated));
      return op.UA === null ? back : ops.matmul(back, op.UA, { transposeB: true });
    }
    case 'partitionedKronecker': {
      const rows = blocksTimes(ops, op.Gs, v, transposed);
      return timesBlocks(ops, rows, op.As, !transposed);
    }
    case 'diagonalKronecker':
      return ops.mul(blocksTimes(ops, op.Gs, v, transposed), op.a);
    case 'partitionedEigenKronecker': {
      const rotated = timesBlocks(ops, blocksTimes(ops, op.UGs, v, true), op.UAs);
      return timesBlocks(ops, blocksTimes(ops, op.UGs, ops.mul(op.S, rotated)), op.UAs, true);
    }
    case 'lowRankKronecker':
      return lowRankOfColumns(ops, [op.A], lowRankOfRows(ops, [op.G], v, transposed), transposed);
    case 'partitionedLowRankKronecker':
      return lowRankOfColumns(ops, op.As, lowRankOfRows(ops, op.Gs, v, transposed), transposed);
    case 'diagonal':
      return ops.mul(op.values, v);
    case 'dense':
      return unvec(ops, ops.matmul(op.matrix, vec(ops, v), { transposeA: transposed }), v.shape);
    case 'lowRankPlusDiagonal':
      return applyLowRankPlusDiagonal(ops, op, v);
    case 'twoTerm':
      return applyTwoTerm(ops, op, v);
    default:
      return applyComposite(
        {
          scale: (c, x) => ops.scale(c, x),
          add: (x, y) => ops.add(x, y),
          combine: (a, x, b, y) => ops.linearCombination(a, x, b, y),
        },
        (operator: BlockOperator<T>, x: T, flag) => applyEither(ops, operator, x, flag),
        op,
        v,
        transposed,
      );
  }
};

/**
 * op v on one array.
 *
 * @param ops - interpreter
 * @param op - operator
 * @param v - array, `[out, in]` for a Kronecker product
 * @returns an array of the same shape
 */
export const applyBlock = <T extends Shaped>(ops: Ops<T>, op: BlockOperator<T>, v: T): T =>
  applyEither(ops, op, v, false);

/** opᵀ v on one array. */
export const applyBlockTranspose = <T extends Shaped>(ops: Ops<T>, op: BlockOperator<T>, v: T): T =>
  applyEither(ops, op, v, true);

const compositeOnBlocks = <T extends Shaped>(
  ops: Ops<T>,
  op: Composite<LinearOperator<T>>,
  v: Params<T>,
  transposed: boolean,
): Params<T> =>
  applyComposite(
    {
      scale: (c, x) => mapParams(x, (leaf) => ops.scale(c, leaf)),
      add: (x, y) => ({ ...y, ...zipParams(x, y, (a, b) => ops.add(a, b)) }),
      combine: (a, x, b, y) => zipParams(x, y, (p, q) => ops.linearCombination(a, p, b, q)),
    },
    (operator: LinearOperator<T>, x: Params<T>, flag) =>
      flag ? applyTranspose(ops, operator, x) : apply(ops, operator, x),
    op,
    v,
    transposed,
  );

/**
 * op v on a block vector. Blocks that the operator does not have are dropped.
 *
 * @param ops - interpreter
 * @param op - operator
 * @param v - arrays by block
 */
export const apply = <T extends Shaped>(ops: Ops<T>, op: LinearOperator<T>, v: Params<T>): Params<T> => {
  switch (op._tag) {
    case 'blockDiagonal':
      return mapParams(op.blocks, (block, name) => applyBlock(ops, block, v[name]));
    case 'blockTridiagonal':
      return applyTridiagonal(ops, op, v, (block, x) => applyBlock(ops, block, x));
    case 'blockTridiagonalInverse':
      return applyTridiagonalInverse(ops, op, v, (block, x) => applyBlock(ops, block, x));
    case 'matrixFree':
      return op.apply(v);
    default:
      return compositeOnBlocks(ops, op, v, false);
  }
};

/** opᵀ v on a block vector. */
export const applyTranspose = <T extends Shaped>(ops: Ops<T>, op: LinearOperator<T>, v: Params<T>): Params<T> => {
  switch (op._tag) {
    case 'blockDiagonal':
      return mapParams(op.blocks, (block, name) => applyBlockTranspose(ops, block, v[name]));
    case 'blockTridiagonal':
      return applyTridiagonal(ops, op, v, (block, x) => applyBlockTranspose(ops, block, x));
    case 'blockTridiagonalInverse':
      return applyTridiagonalInverse(ops, op, v, (block, x) => applyBlockTranspose(ops, block, x));
    case 'matrixFree':
      return op.applyTranspose(v);
    default:
      return compositeOnBlocks(ops, op, v, true);
  }
};

/** One product with a basis vector per column. */
const columnsOf = <T extends Shaped>(ops: Ops<T>, n: number, image: (column: T) => T): T =>
  ops.concat(
    Array.from({ length: n }, (_, j) => image(ops.constant(generate([n, 1], (i) => (i === j ? 1 : 0))))),
    1,
  );

/**
 * The matrix of an operator on arrays of a shape: for tests and small models.
 *
 * @param ops - interpreter
 * @param op - operator
 * @param shape - shape of the arrays acted on, n elements
 * @returns `[n, n]`, acting on column-stacked elements
 */
export const materialise = <T extends Shaped>(ops: Ops<T>, op: BlockOperator<T>, shape: Shape): T =>
  columnsOf(ops, sizeOf(shape), (column) => vec(ops, applyBlock(ops, op, unvec(ops, column, shape))));

/**
 * The matrix of an operator on block vectors: for tests and small models.
 *
 * @param ops - interpreter
 * @param op - operator
 * @param shapes - shapes of the blocks acted on, n elements in all
 * @returns `[n, n]`, acting on the blocks in the order of `shapes`, each column-stacked
 */
export const materialiseBlocks = <T extends Shaped>(ops: Ops<T>, op: LinearOperator<T>, shapes: Params<Shape>): T => {
  const names = Object.keys(shapes);
  const n = names.reduce((sum, name) => sum + sizeOf(shapes[name]), 0);
  return columnsOf(ops, n, (column) => stack(ops, apply(ops, op, unstack(ops, column, shapes)), names));
};
