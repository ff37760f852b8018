/**
 * Penalties on the gradient of a network in what goes into it: what keeps a discriminator from being steep.
 *
 * The gradient is that of a run on tape nodes like any other; whoever differentiates the penalty runs on nodes of its own, one
 * tape inside another.
 *
 * @module
 */
import { vjp } from '../../autodiff/reverse.ts';
import type { Ops } from '../../ops/ops.ts';
import { axesOf } from '../../ops/shapes.ts';
import type { Params } from '../../params.ts';
import { uniform } from '../../random/uniform.ts';
import { foldIn } from '../../random/split.ts';
import { keyOf } from '../../random/key.ts';
import { positive } from '../../settings.ts';
import type { Shaped } from '../../tensor.ts';
import type { Circumstances } from '../layers/circumstances.ts';
import { listed, relisted } from '../layers/circumstances.ts';
import type { Layer } from '../layers/layer.ts';
import type { ModelProgram } from '../model.ts';

/** A network at its place in a model. */
export interface Scoring {
  /** From examples to scores; one that looks at several examples at once (batch norm) has no gradient of its own for each. */
  readonly layer: Layer;
  readonly path: string;
}

/** ∇_x of the sum of the scores, which for every example is the gradient of its own. */
const inputGradient = <T extends Shaped>(
  ops: Ops<T>,
  { layer, path }: Scoring,
  params: Params<T>,
  x: T,
  at: Circumstances<T>,
): T => {
  const [paths, constants] = [Object.keys(params), listed(at)];
  const { outputs, pullback } = vjp(
    ops,
    (on, nodes, given) => {
      const weights = Object.fromEntries(paths.map((name, i) => [name, given[constants.length + i]]));
      return layer.apply(on, weights, path, nodes['x'], relisted(at, given));
    },
    { x },
    [...constants, ...Object.values(params)],
    () => null,
  );
  return pullback(ops.full(outputs.shape, 1)).params['x'];
};

/** ‖∇_x‖² of each example: `[n]`. */
const squaredLengths = <T extends Shaped>(ops: Ops<T>, gradient: T): T =>
  ops.sum(ops.square(gradient), axesOf(gradient.shape).slice(1));

/**
 * R₁ [MGN18 §4.1]: γ/2 · E ‖∇_x D(x)‖² over the examples x of the batch's `inputs`.
 *
 * @param scoring - D
 * @param gamma - γ, above 0
 * @example
 * ```ts
 * import { dense, evaluating, r1, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * // D(x) = 3 x₁ + 4 x₂ is as steep everywhere: ½ · 25.
 * const penalty = r1({ layer: dense({ in: 2, out: 1, bias: false }), path: '' }, 1);
 * const at = evaluating({ inputs: tensor([1, 2], [1, 2]) });
 * penalty(referenceBackend().ops, { weight: tensor([3, 4], [1, 2]) }, at).data; // => [12.5]
 * ```
 */
export const r1 = (scoring: Scoring, gamma: number): ModelProgram => {
  const half = positive('r1.gamma', gamma) / 2;
  return (ops, params, at) => {
    const gradient = inputGradient(ops, scoring, params, at.arrays['inputs'], at);
    return ops.scale(half, ops.mean(squaredLengths(ops, gradient), [0]));
  };
};

/** A use of the step's randomness beside those of layers, which fold in their paths. */
const numberOfDraw = 1;

/** Under the root, so that a gradient of 0 has a derivative. */
const tiny = 1e-12;

/**
 * The gradient penalty of Wasserstein GANs [GAA17]: λ · E (‖∇_x D(x)‖ − 1)² at points x drawn evenly from the lines between
 * examples of the batch's `inputs` and those that a generator makes.
 *
 * @param scoring - D
 * @param generator - what makes examples
 * @param lambda - λ, above 0
 * @example
 * ```ts
 * import { dense, evaluating, gradientPenalty, latent, referenceBackend, sequential, tensor } from 'kfac-ts/core';
 *
 * // D(x) = 3 x₁ + 4 x₂ is as steep everywhere: (5 − 1)².
 * const generator = sequential([latent({ features: 1 }), dense({ in: 1, out: 2, bias: false })]);
 * const scoring = { layer: dense({ in: 2, out: 1, bias: false }), path: 'd' };
 * const penalty = gradientPenalty(scoring, { layer: generator, path: 'g' }, 1);
 * const params = { 'd.weight': tensor([3, 4], [1, 2]), 'g.1.weight': tensor([1, 1], [2, 1]) };
 * const at = evaluating({ inputs: tensor([1, 2], [1, 2]) });
 * Math.round(penalty(referenceBackend().ops, params, at).data[0]); // => 16
 * ```
 */
export const gradientPenalty = (scoring: Scoring, generator: Scoring, lambda: number): ModelProgram => {
  const weight = positive('gradientPenalty.lambda', lambda);
  return (ops, params, at) => {
    const { inputs } = at.arrays;
    const made = generator.layer.apply(ops, params, generator.path, inputs, at);
    const key = foldIn(at.key ?? keyOf(0), numberOfDraw);
    const along = ops.constant(
      uniform(
        key,
        inputs.shape.map((extent, axis) => (axis === 0 ? extent : 1)),
        'f32',
      ),
    );
    const between = ops.add(inputs, ops.mul(along, ops.sub(made, inputs)));
    const lengths = ops.sqrt(
      ops.add(squaredLengths(ops, inputGradient(ops, scoring, params, between, at)), ops.full([], tiny)),
    );
    return ops.scale(weight, ops.mean(ops.square(ops.sub(lengths, ops.full([], 1))), [0]));
  };
};
