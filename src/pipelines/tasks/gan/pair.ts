/**
 * Two networks that play [GPM14]: one makes examples out of noise, the other tells them from those of the data.
 *
 * Each player's model holds both networks. In a player's step the other's parameters are constants, so nothing has to be cut
 * off by hand, and a game that is solved for both players at once sees how each one's gradient moves with the other's.
 *
 * @module
 */
import type { Layer } from '../../../core/nn/layers/layer.ts';
import { sequential } from '../../../core/nn/layers/sequential.ts';
import { hinge, linearScore } from '../../../core/nn/losses/margins.ts';
import type { Loss } from '../../../core/nn/losses/loss.ts';
import { sigmoidCrossEntropy } from '../../../core/nn/losses/sigmoidCrossEntropy.ts';
import { squaredError } from '../../../core/nn/losses/squaredError.ts';
import { towards } from '../../../core/nn/losses/towards.ts';
import { gradientPenalty, r1 } from '../../../core/nn/losses/gradientPenalty.ts';
import type { Model, ModelProgram } from '../../../core/nn/model.ts';
import { model } from '../../../core/nn/model.ts';
import { joinPath } from '../../../core/params.ts';
import type { Objective } from '../../../core/pipeline/objective.ts';
import type { Shape } from '../../../core/tensor.ts';

/** What each player lowers: a loss of scores `[n, 2]`, of data and of what is made, and one of scores `[n, 1]` of what is made. */
export interface GanLoss {
  readonly telling: Loss;
  readonly fooling: Loss;
}

/** Losses by name. */
const losses = {
  /** Logits; the generator makes it likely that what it makes is taken for data [GPM14]. */
  nonSaturating: { telling: towards(sigmoidCrossEntropy, [1, 0]), fooling: towards(sigmoidCrossEntropy, [1]) },
  /** Scores of 1 for data and 0 for what is made [MLX17]. */
  leastSquares: { telling: towards(squaredError, [1, 0]), fooling: towards(squaredError, [1]) },
  /** Scores above 1 for data and below −1 for what is made; the generator raises the score [LY17]. */
  hinge: { telling: towards(hinge, [1, -1]), fooling: towards(linearScore, [1]) },
} as const satisfies Readonly<Record<string, GanLoss>>;

/** Name of a loss. */
export type GanLossName = keyof typeof losses;

/** The losses that there are, by name. */
export const ganLosses: Readonly<Record<GanLossName, GanLoss>> = losses;

/** Their names. */
export const ganLossNames: ReadonlyArray<GanLossName> = ['nonSaturating', 'leastSquares', 'hinge'];

/**
 * A penalty on the length of the discriminator's gradient in the examples: `r1` at those of the data, `gradient` on its distance
 * from 1 between data and what is made.
 */
export interface GanPenalty {
  readonly kind: 'r1' | 'gradient';
  /** γ, or λ, above 0. */
  readonly weight: number;
}

/** Networks of a pair. */
export interface GanParts {
  readonly name: string;
  /** From any array of n examples to n examples that are made: it begins with `latent`. */
  readonly generator: Layer;
  /** From examples to scores `[n, 1]`: logits where the loss is `nonSaturating`. */
  readonly discriminator: Layer;
  /** Shape of one example. */
  readonly example: Shape;
  /** `nonSaturating` unless given. */
  readonly loss?: GanLossName | GanLoss;
  /** What keeps the discriminator from being steep; nothing unless given. */
  readonly penalty?: GanPenalty;
}

/** Both players, and what one of them makes. */
export interface GanPair {
  /** Examples `[n, …]`, as many as come in. */
  readonly making: Model;
  /** The discriminator's: scores of data and of what is made. */
  readonly telling: Objective;
  /** The generator's: scores of what is made. */
  readonly fooling: Objective;
}

/** A penalty as a term of the discriminator's loss. */
const penalised = (generator: Layer, discriminator: Layer, { kind, weight }: GanPenalty): ModelProgram => {
  const scoring = { layer: discriminator, path: 'discriminator' };
  return kind === 'r1'
    ? r1(scoring, weight)
    : gradientPenalty(scoring, { layer: generator, path: 'generator' }, weight);
};

/** Scores `[n, 2]` of data and of what is made. */
const telling = (generator: Layer, discriminator: Layer): Layer => ({
  kind: 'telling',
  label: 'scores of data and of what is made',
  parameters: (path) => [
    ...generator.parameters(joinPath(path, 'generator')),
    ...discriminator.parameters(joinPath(path, 'discriminator')),
  ],
  apply: (ops, params, path, x, at) => {
    const made = generator.apply(ops, params, joinPath(path, 'generator'), x, at);
    const scores = (examples: typeof x) =>
      discriminator.apply(ops, params, joinPath(path, 'discriminator'), examples, at);
    return ops.concat([scores(x), scores(made)], 1);
  },
  children: [
    ['generator', generator],
    ['discriminator', discriminator],
  ],
  withChildren: ([made, scored]) => telling(made, scored),
});

/**
 * The objectives of two networks that play, whose parameters are below `generator` and `discriminator`. Data are the batch's
 * `inputs`; there are no targets.
 *
 * @param parts - networks and loss
 * @example
 * ```ts
 * import { activation, dense, latent, sequential } from 'kfac-ts/core';
 * import { ganPair } from 'kfac-ts/pipelines';
 *
 * const pair = ganPair({
 *   name: 'numbers',
 *   generator: sequential([latent({ features: 1 }), dense({ in: 1, out: 1 })]),
 *   discriminator: sequential([dense({ in: 1, out: 8 }), activation('tanh'), dense({ in: 8, out: 1 })]),
 *   example: [1],
 * });
 * pair.making.layer.parameters('').map(({ path }) => path); // => ['generator.1.weight', 'generator.1.bias']
 * ```
 */
export const ganPair = ({
  name,
  generator,
  discriminator,
  example,
  loss = 'nonSaturating',
  penalty,
}: GanParts): GanPair => {
  const { telling: told, fooling: fooled } = typeof loss === 'string' ? ganLosses[loss] : loss;
  // Losses know their targets, so any array will do in their place.
  const targets = 'inputs';
  return {
    making: model(`${name}-generator`, example, sequential({ generator })),
    telling: {
      model: model(`${name}-discriminator`, example, telling(generator, discriminator)),
      loss: told,
      targets,
      ...(penalty === undefined ? {} : { penalty: penalised(generator, discriminator, penalty) }),
    },
    fooling: { model: model(name, example, sequential({ generator, discriminator })), loss: fooled, targets },
  };
};
