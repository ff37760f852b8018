/**
 * Eight normal distributions on a ring, made by a generator that is never shown them.
 *
 * @module
 */
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { ActivationKind } from '../../../core/nn/layers/activation.ts';
import { activation } from '../../../core/nn/layers/activation.ts';
import { dense } from '../../../core/nn/layers/dense.ts';
import { latent } from '../../../core/nn/layers/latent.ts';
import type { Layer } from '../../../core/nn/layers/layer.ts';
import { sequential } from '../../../core/nn/layers/sequential.ts';
import { heUniform } from '../../../core/nn/initialisers/varianceScaling.ts';
import { eightGaussians, ringPoints } from '../../data/ring.ts';
import type { Task, TaskFamily, TaskSize } from '../task.ts';
import type { Playing } from './adversarial.ts';
import { adversarial } from './adversarial.ts';
import type { GanLoss, GanLossName, GanPenalty } from './pair.ts';
import { ganPair } from './pair.ts';
import { pointsPreview } from './pointsPreview.ts';
import { ringMeasures } from './ringMeasures.ts';

const name = 'gan-ring';
const description = 'two networks that play: points made after those of eight Gaussians on a ring';

/** Units of the hidden layers, of which each network has two. */
const units: Readonly<Record<TaskSize, number>> = { small: 32, full: 64 };

/** Keeps the discriminator from being steep, so that the generator is shown the way to modes that it does not know. */
const steepness: GanPenalty = { kind: 'r1', weight: 0.1 };

/** Numbers that a point is made of. */
const noise = 8;

/** Dense layers with rectified units between them. */
const stack = (widths: ReadonlyArray<number>, hidden: ActivationKind): ReadonlyArray<Layer> =>
  widths.slice(1).flatMap((out, i) => {
    const layer = dense({ in: widths[i], out, initialiser: heUniform });
    return i === widths.length - 2 ? [layer] : [layer, activation(hidden)];
  });

/** What may be otherwise in {@link ganRingOf}. */
export interface GanRingOptions extends Playing {
  readonly size?: TaskSize;
  /** `nonSaturating` unless given. */
  readonly loss?: GanLossName | GanLoss;
  readonly penalty?: GanPenalty | null;
  /** Units of the hidden layers. */
  readonly width?: number;
  readonly hidden?: ActivationKind;
}

/**
 * The task with a loss and a way to move of one's own.
 *
 * @param options - size, loss, who moves how
 * @example
 * ```ts
 * import { ganRingOf } from 'kfac-ts/pipelines';
 * import { adamOptimizer } from 'kfac-ts/solvers';
 *
 * // K-FAC, or whatever the task is given, tells; Adam makes.
 * const task = ganRingOf({ loss: 'hinge', generatorBy: adamOptimizer({ learningRate: 1e-3, beta1: 0.5 }) });
 * task.loss.name; // => 'energyDistance'
 * ```
 */
export const ganRingOf = ({
  size = 'full',
  loss = 'nonSaturating',
  penalty = steepness,
  width = units[size],
  hidden = 'tanh',
  ...playing
}: GanRingOptions = {}): Task => {
  const networks = {
    name,
    generator: sequential([latent({ features: noise }), ...stack([noise, width, width, 2], hidden)]),
    discriminator: sequential(stack([2, width, width, 1], hidden)),
    example: [2],
    loss,
    ...(penalty === null ? {} : { penalty }),
  };
  return adversarial({
    ...playing,
    ...networks,
    size,
    description,
    measures: ringMeasures(eightGaussians),
    watched: { name: 'energyDistance', label: 'energy distance to the data' },
    charts: [
      {
        name: 'measures',
        of: 'evaluations',
        panels: { modes: `modes covered, of ${eightGaussians.modes}`, nearby: 'share of points near a mode' },
      },
    ],
    preview: pointsPreview(ganPair(networks).making),
    load: () => TE.fromEither(ringPoints(eightGaussians, { train: 8000, test: 1000 })),
    defaults:
      size === 'full' ? { steps: 2000, batch: 256, evaluateEvery: 200 } : { steps: 600, batch: 256, evaluateEvery: 60 },
  });
};

/** The task of a ring. */
export const ganRing: TaskFamily = { name, description, ofSize: (size) => ganRingOf({ size }) };
