/**
 * What operators cost: floating-point operations of one product, and numbers held.
 *
 * @module
 */
import type { Params } from '../params.ts';
import type { Shape, Shaped } from '../tensor.ts';
import { sizeOf } from '../tensor.ts';
import type { Composite } from './composite.ts';
import type { BlockOperator, LowRankFactor } from './blockOperator.ts';
import type { LinearOperator, Link } from './linearOperator.ts';

/** Cost of one product, and memory. */
export interface Cost {
  /** Floating-point operations of one product, a multiply-add counted as two. NaN where that is not known. */
  readonly flops: number;
  /** Numbers held by the operator. */
  readonly numbers: number;
}

const plus = (x: Cost, y: Cost): Cost => ({ flops: x.flops + y.flops, numbers: x.numbers + y.numbers });

const nothing: Cost = { flops: 0, numbers: 0 };

/** Cost of an operator made of operators, on n elements. */
const compositeCost = <Op>(op: Composite<Op>, costOfPart: (part: Op) => Cost, n: number): Cost => {
  switch (op._tag) {
    case 'damped':
      return plus(costOfPart(op.operator), { flops: 2 * n, numbers: 0 });
    case 'scaled':
      return plus(costOfPart(op.operator), { flops: n, numbers: 0 });
    case 'sum':
      return op.operators.map(costOfPart).reduce(plus, { flops: (op.operators.length - 1) * n, numbers: 0 });
    case 'symmetricPart':
    case 'skewPart': {
      const { flops, numbers } = costOfPart(op.operator);
      return { flops: 2 * flops + 3 * n, numbers };
    }
  }
};

/** The order of a block-diagonal matrix and the sum of its blocks' squared orders. */
interface Parts {
  readonly order: number;
  readonly squares: number;
}

const partsOf = <T extends Shaped>(blocks: ReadonlyArray<T>): Parts => ({
  order: blocks.reduce((sum, { shape }) => sum + shape[0], 0),
  squares: blocks.reduce((sum, { shape }) => sum + shape[0] ** 2, 0),
});

/** Operations of (⊕ G_j) V (⊕ A_i). */
const timesParts = (rows: Parts, columns: Parts): number =>
  2 * (columns.order * rows.squares + rows.order * columns.squares);

/** Low-rank parts of rows and columns, applied to n elements. */
const costOfLowRank = <T extends Shaped>(
  As: ReadonlyArray<LowRankFactor<T>>,
  Gs: ReadonlyArray<LowRankFactor<T>>,
  n: number,
): Cost => {
  const orderOf = (factors: ReadonlyArray<LowRankFactor<T>>): number =>
    factors.reduce((sum, { U }) => sum + U.shape[0], 0);
  const side = (factors: ReadonlyArray<LowRankFactor<T>>, others: number): Cost =>
    factors
      .map(({ U: { shape } }) => {
        const [order, rank] = shape;
        return { flops: others * rank * (4 * order + 2 * rank), numbers: rank * (order + rank) + 1 };
      })
      .reduce(plus, { flops: 2 * n, numbers: 0 });
  return plus(side(Gs, orderOf(As)), side(As, orderOf(Gs)));
};

/**
 * Cost of applying an operator to one array.
 *
 * @param op - operator
 * @param shape - shape of the array
 */
export const costOf = <T extends Shaped>(op: BlockOperator<T>, shape: Shape): Cost => {
  const n = sizeOf(shape);
  switch (op._tag) {
    case 'kronecker': {
      const [out, inputs] = [op.G.shape[0], op.A.shape[0]];
      return { flops: 2 * n * (out + inputs), numbers: out * out + inputs * inputs };
    }
    case 'eigenKronecker': {
      const [out, inputs] = [op.UG.shape[0], op.UA === null ? 0 : op.UA.shape[0]];
      return { flops: 4 * n * (out + inputs) + n, numbers: out * out + inputs * inputs + n };
    }
    case 'partitionedKronecker': {
      const [rows, columns] = [partsOf(op.Gs), partsOf(op.As)];
      return { flops: timesParts(rows, columns), numbers: rows.squares + columns.squares };
    }
    case 'diagonalKronecker': {
      const [inputs] = op.a.shape;
      const { squares } = partsOf(op.Gs);
      return { flops: 2 * inputs * squares + n, numbers: squares + inputs };
    }
    case 'partitionedEigenKronecker': {
      const [rows, columns] = [partsOf(op.UGs), partsOf(op.UAs)];
      return { flops: 2 * timesParts(rows, columns) + n, numbers: rows.squares + columns.squares + n };
    }
    case 'lowRankKronecker':
      return costOfLowRank([op.A], [op.G], n);
    case 'partitionedLowRankKronecker':
      return costOfLowRank(op.As, op.Gs, n);
    case 'diagonal':
      return { flops: n, numbers: n };
    case 'dense':
      return { flops: 2 * n * n, numbers: n * n };
    case 'lowRankPlusDiagonal':
      return { flops: 4 * n * op.D.shape[0] + op.D.shape[0] + 2 * n, numbers: (n + 1) * op.D.shape[0] + 1 };
    case 'twoTerm': {
      const [out, inputs] = [op.K2.shape[0], op.K1.shape[0]];
      return { flops: 4 * n * (out + inputs) + 4 * n, numbers: out * out + inputs * inputs + out + inputs };
    }
    default:
      return compositeCost(op, (part: BlockOperator<T>) => costOf(part, shape), n);
  }
};

const costOfDiagonal = <T extends Shaped>(
  blocks: Readonly<Record<string, BlockOperator<T>>>,
  shapes: Params<Shape>,
): Cost =>
  Object.entries(blocks)
    .map(([name, block]) => costOf(block, shapes[name]))
    .reduce(plus, nothing);

/** A link acts twice, forth and back, and each result is added to a block. */
const costOfLink = <T extends Shaped>({ A, G }: Link<T>): Cost => {
  const [inTo, inFrom] = A.shape;
  const [outTo, outFrom] = G.shape;
  const forth = 2 * outTo * inFrom * (outFrom + inTo) + 2 * outTo * inTo;
  const back = 2 * outFrom * inTo * (outTo + inFrom) + 2 * outFrom * inFrom;
  return { flops: forth + back, numbers: inTo * inFrom + outTo * outFrom };
};

/**
 * Cost of applying an operator to a block vector. That of a matrix-free operator is not known.
 *
 * @param op - operator
 * @param shapes - shapes of the blocks
 */
export const costOfBlocks = <T extends Shaped>(op: LinearOperator<T>, shapes: Params<Shape>): Cost => {
  switch (op._tag) {
    case 'blockDiagonal':
      return costOfDiagonal(op.blocks, shapes);
    case 'blockTridiagonal':
    case 'blockTridiagonalInverse':
      return op.links.map((link) => costOfLink(link)).reduce(plus, costOfDiagonal(op.blocks, shapes));
    case 'matrixFree':
      return { flops: NaN, numbers: 0 };
    default: {
      const n = Object.values(shapes).reduce((sum, shape) => sum + sizeOf(shape), 0);
      return compositeCost(op, (part: LinearOperator<T>) => costOfBlocks(part, shapes), n);
    }
  }
};
