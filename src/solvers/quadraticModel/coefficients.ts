/**
 * The coefficients of the quadratic model, measured: exact products with the Gauss–Newton matrix of the sample through
 * J-products, slopes of the whole batch.
 *
 * @module
 */
import { lossHessianProduct } from '../../core/pipeline/objective.ts';
import type { Loss } from '../../core/nn/losses/loss.ts';
import type { Ops } from '../../core/ops/ops.ts';
import { tidyWithin } from '../../core/ops/tidy.ts';
import type { Params } from '../../core/params.ts';
import { mapParams } from '../../core/params.ts';
import type { BlockInUnits } from '../../core/pipeline/blocks.ts';
import type { Context, Sample } from '../../core/pipeline/context.ts';
import type { Shaped } from '../../core/tensor.ts';
import { innerProduct } from '../../core/ops/innerProduct.ts';
import { changeToBlocks } from '../../curvature/blocks.ts';
import { memoryAt } from '../update/rules/memory.ts';

/** What the model is made of. */
export interface ModelGivens<T extends Shaped> {
  /** Where curvature is looked at. */
  readonly sample: Sample<T>;
  /** In whose units λ weighs a step. */
  readonly blocks: ReadonlyArray<BlockInUnits<T>>;
  readonly gradient: Params<T>;
  /** The solver's direction; the model's first vector is d = −direction. */
  readonly direction: Params<T>;
  /** δ₀, or `null` before the first update. */
  readonly last: Params<T> | null;
}

/** The memory that holds the last update δ₀. */
export const lastUpdate = memoryAt('lastUpdate', { update: 'params' });

/**
 * δ₀ of the parameters that are trained, `null` before the first update; 0 for those that were held fixed then.
 *
 * @param ops - interpreter
 * @param context - the state, and the gradient, whose paths are those of the parameters
 */
export const lastUpdateIn = <T extends Shaped>(
  ops: Ops<T>,
  { state, gradient }: Context<T, 'state' | 'gradient'>,
): Params<T> | null => {
  const last = lastUpdate.in(state.rules)?.update;
  return last === undefined
    ? null
    : mapParams(gradient, ({ shape }, path) => (Object.hasOwn(last, path) ? last[path] : ops.full(shape, 0)));
};

/** Pairs of the two vectors in the order of the model's fields. */
const pairs = [
  [0, 0],
  [0, 1],
  [1, 1],
] as const;
/** d is the negative direction. */
const signs = [-1, 1] as const;

/** An entry of two vectors, 0 where there is no second one. */
const entryOf =
  <T extends Shaped>(ops: Ops<T>, vectors: number) =>
  (i: 0 | 1, j: 0 | 1, factor: number, product: () => T): T =>
    j < vectors ? ops.scale(signs[i] * signs[j] * factor, product()) : ops.full([], 0);

/**
 * The slopes of the model, ∇ᵀd and ∇ᵀδ₀.
 *
 * @param ops - interpreter
 * @param givens - gradient and vectors
 * @returns two scalars of shape `[]`
 */
export const modelSlopes = <T extends Shaped>(
  ops: Ops<T>,
  { gradient, direction, last }: Pick<ModelGivens<T>, 'gradient' | 'direction' | 'last'>,
): ReadonlyArray<T> => {
  const vectors = last === null ? [direction] : [direction, last];
  const entry = entryOf(ops, vectors.length);
  return ([0, 1] as const).map((j) => entry(1, j, 1, () => innerProduct(ops, gradient, vectors[j])));
};

/** The model's squares, dᵀd, dᵀδ₀ and δ₀ᵀδ₀, in the units of λ. */
const modelSquares = <T extends Shaped>(
  ops: Ops<T>,
  { blocks, direction, last }: Pick<ModelGivens<T>, 'blocks' | 'direction' | 'last'>,
): ReadonlyArray<T> => {
  const vectors = last === null ? [direction] : [direction, last];
  return tidyWithin(ops, Object.values(direction), (on) => {
    const inUnits = blocks.some(({ units }) => units !== undefined)
      ? vectors.map((v) => changeToBlocks(on, blocks, v))
      : vectors;
    const entry = entryOf(on, vectors.length);
    const squares = pairs.map(([i, j]) => entry(i, j, 1, () => innerProduct(on, inUnits[i], inUnits[j])));
    return [squares, squares];
  });
};

/**
 * The eight coefficients in the order of `quadraticModelOf`; those of an update that does not exist are 0.
 *
 * @param ops - interpreter
 * @param loss - the loss, for its Hessian in the outputs
 * @param givens - sample, gradient and vectors
 * @returns scalars of shape `[]`
 */
export const modelCoefficients = <T extends Shaped>(
  ops: Ops<T>,
  loss: Loss,
  givens: ModelGivens<T>,
): ReadonlyArray<T> => {
  const { sample, direction, last } = givens;
  const vectors = last === null ? [direction] : [direction, last];
  ops.whole(vectors.flatMap((v) => Object.values(v)));
  const images = vectors.map((vector) => sample.pushforward(vector));
  const curved = images.map((v) => lossHessianProduct(ops, loss, sample.outputs, sample.weights, v));
  const examples = sample.outputs.shape[0];
  const entry = entryOf(ops, vectors.length);
  return [
    ...pairs.map(([i, j]) => entry(i, j, 1 / examples, () => ops.dot(curved[i], images[j]))),
    ...modelSquares(ops, givens),
    ...modelSlopes(ops, givens),
  ];
};
