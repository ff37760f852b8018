/**
 * Equilibration: the curvature in units of its own size.
 *
 * Damping by λ I asks how large a curvature is, and that is a matter of units: of the loss, of the features, of how large
 * the weights of the next layer are. In units u of the parameters, θ = u ∘ x, in which the curvature D F D, D = diag(u),
 * has a mean eigenvalue of 1, λ is a fraction of the curvature, and a step is the same in whatever units a problem is
 * stated. It is Levenberg and Marquardt's damping F + λ D⁻² with the scaling taken over blocks, or over single columns.
 *
 * @module
 */
import { shapeInterpreter } from '../core/autodiff/shape.ts';
import { raise } from '../core/errors.ts';
import type { BlockOperator } from '../core/operators/blockOperator.ts';
import { congruent } from '../core/operators/linearOperator.ts';
import type { LinearOperator } from '../core/operators/linearOperator.ts';
import type { Factor } from '../core/operators/factors/factor.ts';
import { orderOf } from '../core/operators/factors/factor.ts';
import { matrixOf, traceOf } from '../core/operators/factors/measures.ts';
import { unvec } from '../core/operators/vec.ts';
import type { Ops } from '../core/ops/ops.ts';
import { axesOf } from '../core/ops/shapes.ts';
import type { Params } from '../core/params.ts';
import { mapParams } from '../core/params.ts';
import type { Block } from '../core/pipeline/blocks.ts';
import { computation } from '../core/pipeline/compute.ts';
import type { Period } from '../core/pipeline/period.ts';
import { checkedPeriod, isDue } from '../core/pipeline/period.ts';
import type { Stage } from '../core/pipeline/stage.ts';
import type { Shape, Shaped, Tensor } from '../core/tensor.ts';
import { generate, sizeOf } from '../core/tensor.ts';
import { dearnessOfInverses } from './dearness.ts';
import { toBlocks } from './blocks.ts';
import { siteBlock } from './sites/kinds.ts';

/** What shares a unit. */
export const equilibrations = ['none', 'whole', 'block', 'column'] as const;

/**
 * What shares a unit: nothing has one; all parameters; the weights of a block, its bias apart; the weights that meet one
 * input (Marquardt's scaling of the inputs).
 */
export type Equilibration = (typeof equilibrations)[number];

/** Ways in which there are units. */
type Shared = Exclude<Equilibration, 'none'>;

/** Settings of {@link equilibrate}. */
export interface EquilibrateOptions {
  /** `block` unless given. */
  readonly by?: Equilibration;
  /** Steps between two looks at the curvature's size, 1 unless given: best those between two inverses. */
  readonly every?: Period;
}

/** Name of the memory that holds the units by block. */
const name = 'units';

/**
 * The units among a solver's slots, for solvers that put others in the place of all they find there.
 *
 * @param slots - memory by slot
 */
export const unitsIn = <T>(slots: Readonly<Record<string, Params<T>>>): Readonly<Record<string, Params<T>>> =>
  Object.hasOwn(slots, name) ? { [name]: slots[name] } : {};

/** Blocks of less curvature than this, relative to the largest, have the units of one that has it. */
const negligible = 1e-12;

/** Where no block has more curvature than this, there is none, and units say nothing: they are 1. */
const none = 1e-20;

/** Where the diagonal of a matrix of order n is. */
const diagonalPlaces = (n: number): Tensor => generate([n], (i) => i * (n + 1), 'i32');

/** The largest order of a matrix whose places are integers that every interpreter holds: floats of 32 bits do up to 2²⁴. */
const mostPlaces = 2 ** 12;

/** The diagonal of a matrix `[n, n]`. */
const diagonalOfMatrix = <T extends Shaped>(ops: Ops<T>, m: T): T => {
  const [n] = m.shape;
  return n <= mostPlaces
    ? ops.gather(ops.reshape(m, [n * n]), ops.constant(diagonalPlaces(n)))
    : ops.sum(ops.mul(m, ops.addDiagonal(ops.full([n, n], 0), 1)), [1]);
};

const diagonalOf = <T extends Shaped>(ops: Ops<T>, factor: Factor<T>): T => {
  const n = orderOf(factor);
  switch (factor._tag) {
    case 'diagonal':
      return ops.reshape(factor.values, [n]);
    case 'identity':
      return ops.full([n], 1);
    case 'directSum':
      return ops.concat(
        factor.parts.map((part) => diagonalOf(ops, part)),
        0,
      );
    default:
      return diagonalOfMatrix(ops, matrixOf(ops, factor));
  }
};

const meanOf = <T extends Shaped>(ops: Ops<T>, x: T): T => ops.mean(x, axesOf(x.shape));

/** The mean over the rows of an array `[out, in]`, `[1, in]`; over all of another, `[]`. */
const overRows = <T extends Shaped>(ops: Ops<T>, x: T): T =>
  x.shape.length === 2 ? ops.reshape(ops.mean(x, [0]), [1, x.shape[1]]) : meanOf(ops, x);

/** A part of the curvature of columns: numbers, and one that they are multiplied by. */
interface Term<T> {
  readonly numbers: T;
  readonly by: T | null;
}

/** What the curvature of each column of a block is the sum of, each the mean over its rows: `[1, in]`, or `[]` where it is no matrix. */
const terms = <T extends Shaped>(ops: Ops<T>, op: BlockOperator<T>, shape: Shape): ReadonlyArray<Term<T>> => {
  switch (op._tag) {
    case 'kronecker':
      return [
        {
          numbers: ops.reshape(diagonalOf(ops, op.A), [1, orderOf(op.A)]),
          by: ops.scale(1 / orderOf(op.G), traceOf(ops, op.G)),
        },
      ];
    case 'diagonal':
      return [{ numbers: overRows(ops, op.values), by: null }];
    case 'dense':
    case 'identity':
    case 'lowRank':
    case 'directSum': {
      const numbers = overRows(ops, unvec(ops, ops.reshape(diagonalOf(ops, op), [sizeOf(shape), 1]), shape));
      return [{ numbers, by: null }];
    }
    case 'sum':
      return op.operators.flatMap((each) => terms(ops, each, shape));
    case 'scaled':
      return terms(ops, op.operator, shape).map(({ numbers, by }) => ({ numbers: ops.scale(op.factor, numbers), by }));
    case 'symmetricPart':
      return terms(ops, op.operator, shape);
    default:
      return raise({
        _tag: 'BadConfig',
        path: 'equilibrate',
        expected: 'a curvature made of sums and multiples of Kronecker, dense and diagonal blocks',
        actual: op._tag,
      });
  }
};

/** Curvature of the columns of each block. All that it is made of is looked at together. */
const columns = <T extends Shaped>(
  ops: Ops<T>,
  diagonal: Readonly<Record<string, BlockOperator<T>>>,
  shapes: Params<Shape>,
): Params<T> => {
  const all = mapParams(diagonal, (op, at) => terms(ops, op, shapes[at]));
  ops.whole(
    Object.values(all)
      .flat()
      .flatMap(({ numbers, by }) => (by === null ? [numbers] : [numbers, by])),
  );
  return mapParams(all, (each) =>
    each.map(({ numbers, by }) => (by === null ? numbers : ops.mul(numbers, by))).reduce((x, y) => ops.add(x, y)),
  );
};

/** Whether a block is made of Kronecker products. */
const isProduct = <T>(op: BlockOperator<T>): boolean => {
  switch (op._tag) {
    case 'kronecker':
      return true;
    case 'sum':
      return op.operators.every((term) => isProduct(term));
    case 'scaled':
    case 'symmetricPart':
      return isProduct(op.operator);
    default:
      return false;
  }
};

/** The blocks on the diagonal. */
const onDiagonal = <T>(operator: LinearOperator<T>): Readonly<Record<string, BlockOperator<T>>> =>
  operator._tag === 'blockDiagonal' || operator._tag === 'blockTridiagonal'
    ? operator.blocks
    : raise({
        _tag: 'BadConfig',
        path: 'equilibrate',
        expected: 'a curvature in blocks, before anything is made of it',
        actual: operator._tag,
      });

/** One number for the weights of a block and one for its bias, which is the last column. */
const shared = <T extends Shaped>(ops: Ops<T>, block: Block, found: T): T => {
  const [, n = 1] = found.shape;
  if (block.kind === 'parameter' || block.site.bias === null || n < 2) return meanOf(ops, found);
  const { groups = 1 } = siteBlock(block.site);
  const own = n / groups;
  const columns = ops.reshape(found, [groups, own]);
  const weights = meanOf(ops, ops.slice(columns, [0, 0], [groups, own - 1]));
  const bias = meanOf(ops, ops.slice(columns, [0, own - 1], [groups, 1]));
  const ofGroup = ops.concat([ops.mul(ops.full([1, own - 1], 1), weights), ops.reshape(bias, [1, 1])], 1);
  return groups === 1 ? ofGroup : ops.reshape(ops.broadcastTo(ofGroup, [groups, own]), [1, n]);
};

/** The curvature that each unit stands for, by block. */
const sizes = <T extends Shaped>(
  ops: Ops<T>,
  by: Shared,
  blocks: ReadonlyArray<Block>,
  found: Params<T>,
  shapes: Params<Shape>,
): Params<T> => {
  switch (by) {
    case 'whole': {
      const orders = mapParams(shapes, sizeOf);
      const total = Object.values(orders).reduce((sum, n) => sum + n, 0);
      const mean = Object.entries(found)
        .map(([at, x]) => ops.scale(orders[at] / total, meanOf(ops, x)))
        .reduce((x, y) => ops.add(x, y));
      return mapParams(found, () => mean);
    }
    case 'block':
      return Object.fromEntries(blocks.map((block) => [block.name, shared(ops, block, found[block.name])]));
    case 'column':
      return mapParams(found, (x) => ops.maximum(x, ops.scale(1e-6, meanOf(ops, x))));
  }
};

/** Shapes of a block vector, of which nothing is computed. */
const shapesOf = (blocks: ReadonlyArray<Block>, gradient: Params<Shaped>): Params<Shape> =>
  mapParams(toBlocks<Shaped>(shapeInterpreter().ops, blocks, gradient), ({ shape }) => shape);

const unitsOf = <T extends Shaped>(
  ops: Ops<T>,
  by: Shared,
  blocks: ReadonlyArray<Block>,
  operator: LinearOperator<T>,
  shapes: Params<Shape>,
): Params<T> => {
  const diagonal = onDiagonal(operator);
  const found = columns(ops, diagonal, shapes);
  const size = sizes(ops, by, blocks, found, shapes);
  const largest = Object.values(size)
    .map((x) => ops.max(x, axesOf(x.shape)))
    .reduce((x, y) => ops.maximum(x, y));
  const some = ops.greater(largest, ops.full([], none));
  const least = ops.scale(negligible, largest);
  const otherwise = ops.sub(ops.full([], 1), some);
  return mapParams(size, (x, at) => {
    const known = ops.add(ops.mul(some, ops.maximum(x, least)), otherwise);
    const units = ops.div(ops.full([], 1), ops.sqrt(known));
    const op = diagonal[at];
    const shape = isProduct(op) ? [1, shapes[at][1]] : shapes[at];
    return ops.mul(ops.full(shape, 1), units);
  });
};

/**
 * The stage between statistics and damping: from here on block vectors and the operator are in units of the curvature, and
 * λ is a fraction of it.
 *
 * @param options - what shares a unit, and how often the units follow the curvature
 * @example
 * ```ts
 * import { equilibrate } from 'kfac-ts/curvature';
 *
 * // λ = 0.1 is a tenth of the mean curvature of each layer.
 * equilibrate({ by: 'block', every: 5 }).name; // => 'equilibrate'
 * ```
 */
export const equilibrate = (
  options: EquilibrateOptions = {},
): Stage<'state' | 'blocks' | 'gradient' | 'operator', 'state' | 'blocks' | 'operator'> => {
  const { by = 'block' } = options;
  const every = checkedPeriod('equilibrate.every', options.every ?? 1);
  return computation('equilibrate', (ops, { state, blocks, gradient, operator }) => {
    if (by === 'none') return { state, blocks, operator };
    const { slots } = state.solver;
    const held = Object.hasOwn(slots, name) ? slots[name] : {};
    // Of parameters that were held fixed then they say nothing.
    const due =
      isDue(every, state.step, dearnessOfInverses(operator, blocks, gradient)) ||
      !blocks.every((block) => Object.hasOwn(held, block.name));
    const units = due ? unitsOf(ops, by, blocks, operator, shapesOf(blocks, gradient)) : held;
    return {
      state: { ...state, solver: { ...state.solver, slots: { ...slots, [name]: units } } },
      blocks: blocks.map((block) => ({ ...block, units: units[block.name] })),
      operator: congruent(operator, units),
    };
  });
};
