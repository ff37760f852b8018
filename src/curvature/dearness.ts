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

/** Weights that one place meets: all of a matrix, of a table a row. */
const metBy = ({ site }: Extract<Block, { readonly kind: 'site' }>, gradient: Params<Shaped>): number => {
  const { shape } = gradient[site.weight];
  return site.vocabulary === undefined ? sizeOf(shape) : shape[1];
};

/**
 * Floating-point operations of a step forwards and backwards by which periods are chosen: six for each weight and place where it
 * meets data.
 */
const workOfStep = (blocks: ReadonlyArray<Block>, gradient: Params<Shaped>): number =>
  blocks.reduce(
    (sum, block) =>
      block.kind !== 'site' || block.places === undefined ? sum : sum + 6 * block.places * metBy(block, gradient),
    0,
  );

/** Operations of Adam for each parameter. */
const updating = 12;

/**
 * What the least step takes, by block: forwards, backwards and Adam's update. Inputs that are data have no cotangent, so a first
 * layer takes two passes, not three.
 *
 * @param blocks - of the step
 * @param gradient - for its shapes
 * @example
 * ```ts
 * import { blocksOf } from 'kfac-ts/core';
 * import { workByBlock } from 'kfac-ts/curvature';
 *
 * const site = { kind: 'dense', path: '0', weight: '0.weight', bias: null } as const;
 * const blocks = blocksOf([{ site, input: [100, 20] }], ['0.weight']);
 * workByBlock(blocks, { '0.weight': { shape: [5, 20] } })['0']; // => 61200
 * ```
 */
export const workByBlock = (blocks: ReadonlyArray<Block>, gradient: Params<Shaped>): Readonly<Record<string, number>> =>
  Object.fromEntries(
    blocks.map((block) => {
      if (block.kind !== 'site' || block.places === undefined) return [block.name, 0];
      const each = block.fromData === true ? 4 : 6;
      const parameters = sizeOf(gradient[block.site.weight].shape);
      return [block.name, each * block.places * metBy(block, gradient) + updating * parameters];
    }),
  );

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
