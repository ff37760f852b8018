/**
 * What curvature costs beside a step's own work, told from shapes: so that periods can be chosen by cost.
 *
 * @module
 */
import type { BlockOperator } from '../core/operators/blockOperator.ts';
import type { Factor } from '../core/operators/factors/factor.ts';
import { orderOf, partsOf } from '../core/operators/factors/factor.ts';
import type { LinearOperator } from '../core/operators/linearOperator.ts';
import type { Params } from '../core/params.ts';
import type { Block } from '../core/pipeline/blocks.ts';
import type { Shaped } from '../core/tensor.ts';
import { sizeOf } from '../core/tensor.ts';

/** Floating-point operations of a step forwards and backwards: six for each weight and place where it meets data. */
const workOfStep = (blocks: ReadonlyArray<Block>, gradient: Params<Shaped>): number =>
  blocks.reduce((sum, block) => {
    if (block.kind !== 'site' || block.places === undefined) return sum;
    const { shape } = gradient[block.site.weight];
    // A row of a table is all that one place meets.
    const met = block.site.vocabulary === undefined ? sizeOf(shape) : shape[1];
    return sum + 6 * block.places * met;
  }, 0);

const cubes = (factor: Factor<Shaped>): number =>
  partsOf(factor).reduce((sum, part) => (part._tag === 'dense' ? sum + orderOf(part) ** 3 : sum), 0);

/** n³ summed over the full factors of an operator: what the inverses of its factors take. */
const factorisations = (op: BlockOperator<Shaped> | LinearOperator<Shaped>): number => {
  switch (op._tag) {
    case 'kronecker':
      return cubes(op.A) + cubes(op.G);
    case 'blockDiagonal':
    case 'blockTridiagonal':
      return Object.values(op.blocks).reduce((sum, block) => sum + factorisations(block), 0);
    case 'sum':
      return op.operators.reduce((sum, term) => sum + factorisations(term), 0);
    case 'congruent':
    case 'damped':
    case 'scaled':
    case 'symmetricPart':
    case 'skewPart':
      return factorisations(op.operator);
    case 'dense':
      return orderOf(op) ** 3;
    default:
      return 0;
  }
};

const inSteps = (work: number, ofStep: number): number => (ofStep > 0 ? work / ofStep : 0);

/**
 * What the inverses of a curvature's factors cost, in steps' own work; 0 where that is not known.
 *
 * @param operator - the curvature
 * @param blocks - of the step
 * @param gradient - for its shapes
 */
export const dearnessOfInverses = (
  operator: LinearOperator<Shaped>,
  blocks: ReadonlyArray<Block>,
  gradient: Params<Shaped>,
): number => inSteps(factorisations(operator), workOfStep(blocks, gradient));

/**
 * What statistics of a part of the batch cost, in steps' own work: a backward pass, and the products of inputs with inputs and
 * of cotangents with cotangents.
 *
 * @param blocks - of the step
 * @param gradient - for its shapes
 * @param part - of the batch's examples, up to 1
 */
export const dearnessOfStatistics = (blocks: ReadonlyArray<Block>, gradient: Params<Shaped>, part: number): number => {
  const work = blocks.reduce((sum, block) => {
    if (block.kind !== 'site' || block.places === undefined || block.site.vocabulary !== undefined) return sum;
    const { shape } = gradient[block.site.weight];
    const squares = shape.length === 2 ? shape[0] ** 2 + shape[1] ** 2 : 0;
    return sum + block.places * (squares + 2 * sizeOf(shape));
  }, 0);
  return inSteps(part * work, workOfStep(blocks, gradient));
};
