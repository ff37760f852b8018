/**
 * Losses of TensorFlow.js as losses of this library: the same number, with a Hessian and draws of its own.
 *
 * Where the last activation and the loss belong together (softmax and cross-entropy, sigmoid and binary cross-entropy), the
 * outputs are what goes into that activation.
 *
 * @module
 */
import { losses as tfLosses } from '@tensorflow/tfjs-core';

import type { KfacError } from '../../core/errors.ts';
import { raise } from '../../core/errors.ts';
import type { Loss } from '../../core/nn/losses/loss.ts';
import { multiplied } from '../../core/nn/losses/multiplied.ts';
import { sigmoidCrossEntropy } from '../../core/nn/losses/sigmoidCrossEntropy.ts';
import { softmaxCrossEntropy } from '../../core/nn/losses/softmaxCrossEntropy.ts';
import { squaredError } from '../../core/nn/losses/squaredError.ts';
import { shown } from '../../core/shown.ts';
import type { Shape, Tensor } from '../../core/tensor.ts';
import { cast, sizeOf } from '../../core/tensor.ts';
import type { AnyLayer } from './layers.ts';
import { lastOf } from './layers.ts';

/** A loss that is known. */
export interface Judged {
  /** Whether its outputs are what goes into the last activation. */
  readonly wantsLogits: boolean;
  /** For outputs of a shape, where the mean weight of examples is 1. */
  readonly lossFor: (outputs: Shape) => Loss;
  /** Targets as it has them. */
  readonly targets: (targets: Tensor, outputs: Shape) => Tensor;
}

const asTheyAre = (targets: Tensor): Tensor => targets;

/** Whole numbers, one for each position. */
const classes = (targets: Tensor, outputs: Shape): Tensor => ({
  ...cast(targets, 'i32'),
  shape: outputs.slice(0, -1),
});

const positions = (outputs: Shape): number => sizeOf(outputs.slice(1, -1));
const all = (outputs: Shape): number => sizeOf(outputs.slice(1));

/** Losses by the name that `compile` knows; those with an activation are of what goes into it. */
const byName: Readonly<Record<string, Judged & { readonly after?: 'softmax' | 'sigmoid' }>> = {
  meanSquaredError: {
    wantsLogits: false,
    lossFor: (outputs) => multiplied(2 / all(outputs), squaredError),
    targets: asTheyAre,
  },
  categoricalCrossentropy: {
    after: 'softmax',
    wantsLogits: true,
    lossFor: (outputs) => multiplied(1 / positions(outputs), softmaxCrossEntropy),
    targets: asTheyAre,
  },
  sparseCategoricalCrossentropy: {
    after: 'softmax',
    wantsLogits: true,
    lossFor: (outputs) => multiplied(1 / positions(outputs), softmaxCrossEntropy),
    targets: classes,
  },
  binaryCrossentropy: {
    after: 'sigmoid',
    wantsLogits: true,
    lossFor: (outputs) => multiplied(1 / all(outputs), sigmoidCrossEntropy),
    targets: asTheyAre,
  },
};

/** Losses of TF.js's core that take logits. */
const byFunction: ReadonlyArray<readonly [unknown, Judged]> = [
  [tfLosses.softmaxCrossEntropy, { ...byName['categoricalCrossentropy'], wantsLogits: false }],
  [tfLosses.sigmoidCrossEntropy, { ...byName['binaryCrossentropy'], wantsLogits: false }],
  [tfLosses.meanSquaredError, byName['meanSquaredError']],
];

/** What comes last in a model: the class of its activation. */
const lastActivation = (model: AnyLayer): string => {
  const last = lastOf(model);
  return last?.getClassName() === 'Softmax' ? 'softmax' : (last?.activation?.getClassName() ?? 'linear');
};

/** One loss of what `compile` was given, or `null` where there are several. */
const onlyOne = (given: unknown): unknown => {
  const several: ReadonlyArray<unknown> = typeof given === 'object' && given !== null ? Object.values(given) : [given];
  return several.length === 1 ? several[0] : null;
};

/**
 * The loss of a model, or `null` where it is none of those that are known.
 *
 * @param model - a model that is compiled
 * @param given - what `compile` was given
 */
export const judgedBy = (model: AnyLayer, given: unknown): Judged | null => {
  const loss = onlyOne(given);
  if (typeof loss === 'function') return byFunction.find(([known]) => known === loss)?.[1] ?? null;
  if (typeof loss !== 'string' || !Object.hasOwn(byName, loss)) return null;
  const found = byName[loss];
  return found.after === undefined || found.after === lastActivation(model) ? found : null;
};

/**
 * The name of a loss, for errors.
 *
 * @param given - what `compile` was given
 */
export const nameOf = (given: unknown): string => {
  const loss = onlyOne(given);
  if (loss === null) return 'several losses';
  if (typeof loss === 'function') return `the function ${loss.name === '' ? 'without a name' : loss.name}`;
  return typeof loss === 'string' ? loss : shown(loss);
};

/** Why a loss that is not known does not do. */
const notKnown = (name: string): KfacError => ({
  _tag: 'BadConfig',
  path: 'compile.loss',
  expected:
    'meanSquaredError, categoricalCrossentropy or sparseCategoricalCrossentropy after a softmax, binaryCrossentropy after a ' +
    'sigmoid, or tf.losses.softmaxCrossEntropy, sigmoidCrossEntropy or meanSquaredError; with any other loss an optimizer that ' +
    "asks for its gradient alone: { optimizer: kfacGraftedOptimizer({ estimator: 'empirical', statisticsFraction: 1 }) }",
  actual: name,
});

/**
 * A loss of which nothing is known but what TF.js says of it: whatever else is asked of it is an error.
 *
 * @param name - for the error
 */
export const unknownLoss = (name: string): Loss => {
  const refuse = (): never => raise(notKnown(name));
  return {
    name,
    value: refuse,
    gradient: refuse,
    sample: refuse,
    score: refuse,
    hessianProduct: refuse,
    squareRoot: () => refuse(),
  };
};
