/**
 * Eight normal distributions on a ring, made by a generator that is never shown them.
 *
 * @module
 */
import * as TE from 'fp-ts/lib/TaskEither.js';

import { orRaise } from '../../../core/errors.ts';
import { activation } from '../../../core/nn/layers/activation.ts';
import { dense } from '../../../core/nn/layers/dense.ts';
import { latent } from '../../../core/nn/layers/latent.ts';
import type { Layer } from '../../../core/nn/layers/layer.ts';
import { sequential } from '../../../core/nn/layers/sequential.ts';
import type { Optimizer } from '../../../solvers/presets/optimizer.ts';
import { wholeFrom } from '../../../solvers/settings/range.ts';
import type { Settings } from '../../../solvers/settings/setting.ts';
import { setting, settled } from '../../../solvers/settings/setting.ts';
import { eightGaussians, ringPoints } from '../../data/ring.ts';
import type { Chart, Task, TaskFamily, TaskSize } from '../task.ts';
import { adversarial } from './adversarial.ts';
import { ganPair } from './pair.ts';
import { pointsPreview } from './pointsPreview.ts';
import { ringMeasures } from './ringMeasures.ts';
import type { GanSettings } from './settings.ts';
import { ganSettings, playingOf } from './settings.ts';

const name = 'gan-ring';
const description = 'two networks that play: points made after those of eight Gaussians on a ring';

/** Settings of the task. */
export interface GanRingSettings extends GanSettings {
  /** Units of a hidden layer, of which each network has two. */
  readonly width?: number;
  /** Numbers that a point is made of. */
  readonly noise?: number;
  /** Points that are made whenever measures are taken. */
  readonly samples?: number;
}

const settingsOf = (size: TaskSize): Settings<GanRingSettings> => ({
  // R₁ shows the generator the way to modes that it does not know.
  ...ganSettings({ loss: 'nonSaturating', penalty: 'r1', penaltyWeight: 0.3, moves: 'inTurn', averaging: 0.99 }),
  width: setting(wholeFrom(1), size === 'full' ? 64 : 32, 'units of the hidden layers'),
  noise: setting(wholeFrom(1), 8, 'numbers that a point is made of'),
  samples: setting(wholeFrom(1), 1000, 'points that are made whenever measures are taken'),
});

/** Dense layers with tanh between them. */
const stack = (widths: ReadonlyArray<number>): ReadonlyArray<Layer> =>
  widths.slice(1).flatMap((out, i) => {
    const layer = dense({ in: widths[i], out });
    return i === widths.length - 2 ? [layer] : [layer, activation('tanh')];
  });

const measures: Chart = {
  name: 'measures',
  of: 'evaluations',
  panels: { modes: `modes covered, of ${eightGaussians.modes}`, nearby: 'share of points near a mode' },
};

/** What may be otherwise in {@link ganRingOf}. */
export interface GanRingOptions extends GanRingSettings {
  readonly size?: TaskSize;
  /** The generator's optimizer, where it is another one than that which the task is given. */
  readonly generatorBy?: Optimizer;
}

/**
 * The task with settings, and with an optimizer of the generator's own where that is wanted.
 *
 * @param options - size, settings, who moves the generator
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
export const ganRingOf = ({ size = 'full', generatorBy, ...given }: GanRingOptions = {}): Task => {
  const settings = orRaise(settled('with', settingsOf(size), { ...given }));
  const { noise, width, samples } = settings;
  const networks = {
    name,
    generator: sequential([latent({ features: noise }), ...stack([noise, width, width, 2])]),
    discriminator: sequential(stack([2, width, width, 1])),
    example: [2],
  };
  return adversarial({
    ...networks,
    ...playingOf(settings),
    ...(generatorBy === undefined ? {} : { generatorBy }),
    size,
    description,
    settings: { ...settings },
    samples,
    measures: ringMeasures(eightGaussians),
    watched: { name: 'energyDistance', label: 'energy distance to the data' },
    charts: [measures],
    preview: pointsPreview(ganPair(networks).making),
    load: () => TE.fromEither(ringPoints(eightGaussians, { train: 8000, test: 1000 })),
    defaults:
      size === 'full' ? { steps: 1500, batch: 256, evaluateEvery: 150 } : { steps: 600, batch: 256, evaluateEvery: 60 },
  });
};

/** The task of a ring. */
export const ganRing: TaskFamily = {
  name,
  description,
  settings: settingsOf,
  ofSize: (size, given = {}) => ganRingOf({ ...given, size }),
};
