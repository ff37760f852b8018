/**
 * D F D of an operator F, with D = diag(d): the operator in other units of its arrays.
 *
 * @module
 */
import { raise } from '../errors.ts';
import type { Ops } from '../ops/ops.ts';
import type { Params } from '../params.ts';
import { mapParams } from '../params.ts';
import type { Shaped } from '../tensor.ts';
import { sizeOf } from '../tensor.ts';
import type { BlockOperator } from './blockOperator.ts';
import { kronecker } from './blockOperator.ts';
import { sumOf } from './composite.ts';
import type { Factor } from './factors/factor.ts';
import { dense, diagonal, directSum, orderOf } from './factors/factor.ts';
import { matrixOf } from './factors/measures.ts';
import { rowsIn } from './factors/parts.ts';
import type { LinearOperator, Link } from './linearOperator.ts';
import { blockDiagonal, blockTridiagonal } from './linearOperator.ts';
import { vec } from './vec.ts';

/** diag(d) M diag(d′), d `[n]` and d′ `[n′]`. */
const bothSides = <T extends Shaped>(ops: Ops<T>, m: T, d: T, other: T): T =>
  ops.mul(ops.mul(ops.reshape(d, [sizeOf(d.shape), 1]), m), ops.reshape(other, [1, sizeOf(other.shape)]));

/** diag(d) F diag(d), part by part, d `[n]`. */
const congruentFactor = <T extends Shaped>(ops: Ops<T>, factor: Factor<T>, d: T): Factor<T> => {
  switch (factor._tag) {
    case 'dense':
      return dense(bothSides(ops, factor.matrix, d, d));
    case 'diagonal':
      return diagonal(ops.mul(ops.square(d), ops.reshape(factor.values, d.shape)));
    case 'identity':
      return diagonal(ops.square(d));
    case 'directSum': {
      const orders = factor.parts.map(orderOf);
      const parts = rowsIn(ops, orders, ops.reshape(d, [sizeOf(d.shape), 1]));
      return directSum(factor.parts.map((part, i) => congruentFactor(ops, part, ops.reshape(parts[i], [orders[i]]))));
    }
    default:
      return dense(bothSides(ops, matrixOf(ops, factor), d, d));
  }
};

const refuse = (actual: string): never =>
  raise({
    _tag: 'BadConfig',
    path: 'operator',
    expected: 'a curvature made of sums and multiples of blocks, which other units can be given to',
    actual,
  });

/**
 * D F D on one array, formed.
 *
 * @param ops - interpreter
 * @param op - F
 * @param d - `[1, in]` where F is made of Kronecker products, in the shape of the array elsewhere
 */
const congruentBlock = <T extends Shaped>(ops: Ops<T>, op: BlockOperator<T>, d: T): BlockOperator<T> => {
  switch (op._tag) {
    case 'kronecker':
      return kronecker(congruentFactor(ops, op.A, ops.reshape(d, [orderOf(op.A)])), op.G);
    case 'diagonal':
      return diagonal(ops.mul(op.values, ops.square(d)));
    case 'identity':
      return diagonal(ops.square(d));
    case 'dense':
    case 'lowRank':
    case 'directSum':
      return congruentFactor(ops, op, ops.reshape(vec(ops, d), [sizeOf(d.shape)]));
    case 'sum':
      return sumOf(op.operators.map((term) => congruentBlock(ops, term, d)));
    case 'scaled':
    case 'symmetricPart':
    case 'skewPart':
      return { ...op, operator: congruentBlock(ops, op.operator, d) };
    default:
      return refuse(op._tag);
  }
};

const congruentLink = <T extends Shaped>(ops: Ops<T>, link: Link<T>, scales: Params<T>): Link<T> => ({
  ...link,
  A: bothSides(ops, link.A, scales[link.to], scales[link.from]),
});

/**
 * D F D on a block vector, formed block by block.
 *
 * @param ops - interpreter
 * @param op - F, made of blocks without a damping of their own
 * @param scales - d by block name: `[1, in]` of a block made of Kronecker products, in the block's shape elsewhere
 */
const congruentBlocks = <T extends Shaped>(
  ops: Ops<T>,
  op: LinearOperator<T>,
  scales: Params<T>,
): LinearOperator<T> => {
  const each = (blocks: Readonly<Record<string, BlockOperator<T>>>): Readonly<Record<string, BlockOperator<T>>> =>
    mapParams(blocks, (block, name) => congruentBlock(ops, block, scales[name]));
  switch (op._tag) {
    case 'blockDiagonal':
      return blockDiagonal(each(op.blocks));
    case 'blockTridiagonal':
      return blockTridiagonal(
        each(op.blocks),
        op.links.map((link) => congruentLink(ops, link, scales)),
      );
    case 'sum':
      return sumOf(op.operators.map((term) => congruentBlocks(ops, term, scales)));
    case 'scaled':
    case 'symmetricPart':
    case 'skewPart':
      return { ...op, operator: congruentBlocks(ops, op.operator, scales) };
    default:
      return refuse(op._tag);
  }
};

/**
 * An operator whose outermost congruence is carried out, so that its blocks can be inverted.
 *
 * @param ops - interpreter
 * @param op - any operator
 */
export const formed = <T extends Shaped>(ops: Ops<T>, op: LinearOperator<T>): LinearOperator<T> =>
  op._tag === 'congruent' ? congruentBlocks(ops, op.operator, op.scales) : op;
