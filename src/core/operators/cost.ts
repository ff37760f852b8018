/**
 * What operators cost: floating-point operations of one product, and numbers held.
 *
 * @module
 */
import type { Params } from '../params.ts';
import { mapParams } from '../params.ts';
import type { Shape, Shaped } from '../tensor.ts';
import { sizeOf } from '../tensor.ts';
import type { Composite } from './composite.ts';
import type { BlockOperator } from './blockOperator.ts';
import type { Factor } from './factors/factor.ts';
import { orderOf } from './factors/factor.ts';
import type { Cost } from './factors/measures.ts';
import { costOfFactor, plus } from './factors/measures.ts';
import type { LinearOperator, Link } from './linearOperator.ts';

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

/** G V Aᵀ. */
const bothSides = <T extends Shaped>(A: Factor<T>, G: Factor<T>): Cost =>
  plus(costOfFactor(G, orderOf(A)), costOfFactor(A, orderOf(G)));

/**
 * Cost of applying an operator to one array.
 *
 * @param op - operator
 * @param shape - shape of the array
 * @example
 * ```ts
 * import { costOf, denseOperator, kronecker, tensor } from 'kfac-ts/core';
 *
 * // Two products, G V and (G V) Aᵀ, instead of one with a matrix of order 4.
 * const [A, G] = [tensor([2, 1, 1, 2], [2, 2]), tensor([3, 0, 0, 3], [2, 2])];
 * costOf(kronecker(denseOperator(A), denseOperator(G)), [2, 2]).flops; // => 32
 * ```
 */
export const costOf = <T extends Shaped>(op: BlockOperator<T>, shape: Shape): Cost => {
  const n = sizeOf(shape);
  switch (op._tag) {
    case 'kronecker':
      return bothSides(op.A, op.G);
    case 'eigenKronecker': {
      const { flops, numbers } = bothSides(op.UA, op.UG);
      return { flops: 2 * flops + n, numbers: numbers + n };
    }
    case 'twoTerm': {
      const [out, inputs] = [op.K2.shape[0], op.K1.shape[0]];
      return { flops: 4 * n * (out + inputs) + 4 * n, numbers: out * out + inputs * inputs + out + inputs };
    }
    case 'dense':
    case 'diagonal':
    case 'identity':
    case 'lowRank':
    case 'cholesky':
    case 'directSum':
      return costOfFactor(op, 1);
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

const elementsIn = (shapes: Params<Shape>): number =>
  Object.values(shapes).reduce((sum, shape) => sum + sizeOf(shape), 0);

/** A link acts twice, forth and back, and each result is added to a block. */
const costOfLink = <T extends Shaped>({ A, G }: Link<T>): Cost => {
  const [inTo, inFrom] = A.shape;
  const [outTo, outFrom] = G.shape;
  const forth = 2 * outTo * inFrom * (outFrom + inTo) + 2 * outTo * inTo;
  const back = 2 * outFrom * inTo * (outTo + inFrom) + 2 * outFrom * inFrom;
  return { flops: forth + back, numbers: inTo * inFrom + outTo * outFrom };
};

/**
 * Cost of applying an operator to a block vector.
 *
 * @param op - operator
 * @param shapes - shapes of the blocks
 * @example
 * ```ts
 * import { blockDiagonal, costOfBlocks, diagonal, tensor } from 'kfac-ts/core';
 *
 * const operator = blockDiagonal({ w: diagonal(tensor([2, 3], [2])), b: diagonal(tensor([4], [1])) });
 * costOfBlocks(operator, { w: [2], b: [1] }).flops; // => 3
 * ```
 */
export const costOfBlocks = <T extends Shaped>(op: LinearOperator<T>, shapes: Params<Shape>): Cost => {
  switch (op._tag) {
    case 'blockDiagonal':
      return costOfDiagonal(op.blocks, shapes);
    case 'blockTridiagonal':
    case 'blockTridiagonalInverse':
      return op.links.map((link) => costOfLink(link)).reduce(plus, costOfDiagonal(op.blocks, shapes));
    case 'congruent': {
      const scales = mapParams(op.scales, ({ shape }) => shape);
      return plus(costOfBlocks(op.operator, shapes), { flops: 2 * elementsIn(shapes), numbers: elementsIn(scales) });
    }
    default:
      return compositeCost(op, (part: LinearOperator<T>) => costOfBlocks(part, shapes), elementsIn(shapes));
  }
};
