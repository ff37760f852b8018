/**
 * Tasks of two networks that play: a generator and a discriminator, any optimizer for each, examples without targets.
 *
 * @module
 */
import { evaluating } from '../../../core/nn/layers/circumstances.ts';
import type { Ops } from '../../../core/ops/ops.ts';
import type { Model } from '../../../core/nn/model.ts';
import type { Params } from '../../../core/params.ts';
import type { Batch } from '../../../core/pipeline/context.ts';
import { outputsAt } from '../../../core/pipeline/linearise.ts';
import { pipeline } from '../../../core/pipeline/stage.ts';
import { learn } from '../../../core/pipeline/withObjective.ts';
import { split } from '../../../core/random/split.ts';
import type { Shaped, Tensor } from '../../../core/tensor.ts';
import { isGameOptimizer } from '../../../solvers/games/gameOptimizer.ts';
import {
  competitiveDescent,
  newtonOfGames,
  simultaneousDescent,
  splittingOfGames,
  symplecticDescent,
} from '../../../solvers/games/gamePresets.ts';
import { turns } from '../../../solvers/games/turns.ts';
import type { Optimizer } from '../../../solvers/presets/optimizer.ts';
import type { Presets } from '../../../solvers/presets/registry.ts';
import { averageIterates } from '../../../solvers/update/iterateAveraging.ts';
import type { Splits } from '../../data/dataset.ts';
import type { Judge, Learning, Standing, TaskStep, TrainTask, Watched, Weighed } from '../../trainer/learning.ts';
import { initialOf } from '../../trainer/learning.ts';
import type { TaskAbout } from '../define.ts';
import { defineTask } from '../define.ts';
import type { Chart, Task } from '../task.ts';
import { ownParams } from './ownParams.ts';
import type { GanPair, GanParts } from './pair.ts';
import { ganPair } from './pair.ts';

/** What measures see besides what is made and the data. */
export interface Measuring<T> {
  /** All parameters, those of networks that judge among them. */
  readonly params: Params<T>;
  /** The examples, with whatever arrays they have besides `inputs`. */
  readonly batch: Batch<T>;
}

/** Numbers that say how good what is made is, beside data of a batch: sums with their weights, by name. */
export type GanMeasures = <T extends Shaped>(
  ops: Ops<T>,
  made: T,
  data: T,
  measuring: Measuring<T>,
) => Readonly<Record<string, Weighed<T>>>;

/** Networks that judge and do not play: their parameters are held fixed. */
export interface Judging {
  readonly networks: ReadonlyArray<Model>;
  /** What they have learned, by path; drawn like other parameters unless given. */
  readonly params?: Params<Tensor>;
}

/** Optimizers of games, by name: they move both players at once. */
export const gameOptimizers: Presets<Optimizer> = {
  simultaneous: simultaneousDescent,
  symplectic: symplecticDescent,
  competitive: competitiveDescent,
  'game-newton': newtonOfGames,
  'game-hss': splittingOfGames,
};

/** How the players move. */
export interface Playing {
  /** The generator's optimizer, where it is another one than that which the task is given. */
  readonly generatorBy?: Optimizer;
  /** Whether both see the parameters as they were before the step; no unless given: the discriminator moves first. */
  readonly simultaneous?: boolean;
  /** ρ of the average of the generator's parameters, which are what is judged and returned; 0.99 unless given, 0 for none. */
  readonly averaging?: number;
}

/** What both players lower, step by step: a chart that every task of two players has. */
const losses: Chart = {
  name: 'players',
  of: 'steps',
  panels: {
    'discriminator.loss': 'loss of the discriminator',
    'generator.loss': 'loss of the generator',
  },
};

/** What a game of two networks must say of itself, and what it may. */
export interface AdversarialParts extends GanParts, Playing, TaskAbout {
  readonly measures: GanMeasures;
  /** Networks that measures need; none unless given. */
  readonly judging?: Judging;
  /** Examples that are made whenever measures are taken, 1000 unless given. */
  readonly samples?: number;
  /** Which of the measures is watched. */
  readonly watched: Pick<Watched, 'name' | 'label'>;
}

/**
 * A step of both players with an optimizer: of the game as one where it is an optimizer of games, else of each player by itself.
 * The generator's parameters are averaged.
 */
const stepOf = (
  { telling, fooling }: GanPair,
  { generatorBy, simultaneous = false, averaging = 0.99 }: Playing,
): Learning['step'] => {
  const discriminator = { name: 'discriminator', parameters: ['discriminator'], objective: telling };
  const generator = { name: 'generator', parameters: ['generator'], objective: fooling };
  const played = (optimizer: Optimizer): TaskStep =>
    isGameOptimizer(optimizer)
      ? optimizer.play([discriminator, generator])
      : turns(
          [
            { ...discriminator, optimizer },
            { ...generator, optimizer: generatorBy ?? optimizer },
          ],
          { simultaneous },
        );
  const average = averageIterates({ decay: averaging, parameters: ['generator'] });
  return (optimizer) => (averaging === 0 ? played(optimizer) : learn(telling, pipeline(played(optimizer), average)));
};

/** What the generator makes: as many examples as are asked for, the same ones whenever it is asked. */
const madeBy = <T extends Shaped>(ops: Ops<T>, { making }: GanPair, standing: Standing<T>, count: number): T => {
  const inputs = ops.full([count, ...making.inputs['inputs']], 0);
  const at = evaluating({ inputs }, standing.running);
  return outputsAt(ops, { model: making, params: ownParams(making, standing), held: {}, at });
};

/** Judges by what is made, beside the examples of each batch. */
const judgeBy =
  (pair: GanPair, measures: GanMeasures, samples: number): Judge =>
  (ops, standing, batch) =>
    measures(ops, madeBy(ops, pair, standing, samples), batch['inputs'], {
      params: { ...standing.held, ...standing.params },
      batch,
    });

/** Both players' parameters, and those of networks that judge, which are held fixed. */
const beginningWith =
  (pair: GanPair, { networks, params }: Judging): Learning['initial'] =>
  (key, dtype) => {
    const players = initialOf([pair.telling.model, pair.fooling.model]);
    if (networks.length === 0) return players(key, dtype);
    const [forPlayers, forJudges] = split(key, 2);
    return { ...players(forPlayers, dtype), held: params ?? initialOf(networks)(forJudges, dtype).params };
  };

/**
 * A task of two networks that play.
 *
 * The optimizer that the task is given moves both, each with a memory of its own.
 *
 * @param parts - networks, measures, and whatever is not as usual
 * @returns the task; one with data can be trained as it is
 * @example
 * ```ts
 * import { activation, dense, latent, sequential } from 'kfac-ts/core';
 * import { adversarial } from 'kfac-ts/pipelines';
 *
 * // Numbers whose mean is to be that of the data.
 * const numbers = adversarial({
 *   name: 'numbers',
 *   generator: sequential([latent({ features: 1 }), dense({ in: 1, out: 1 })]),
 *   discriminator: sequential([dense({ in: 1, out: 8 }), activation('tanh'), dense({ in: 8, out: 1 })]),
 *   example: [1],
 *   measures: (ops, made, data) => ({
 *     apart: { sum: ops.abs(ops.sub(ops.mean(made, [0, 1]), ops.mean(data, [0, 1]))), weight: 1 },
 *   }),
 *   watched: { name: 'apart', label: 'distance of the means' },
 * });
 * numbers.networks.map(({ name }) => name); // => ['numbers-discriminator', 'numbers']
 * ```
 */
export function adversarial(parts: AdversarialParts & { readonly data: Splits }): Task & TrainTask;
export function adversarial(parts: AdversarialParts): Task;
export function adversarial(parts: AdversarialParts): Task {
  const { generator, discriminator, example, loss, penalty, measures, samples = 1000, ...about } = parts;
  const { charts = [], watched, judging = { networks: [] } } = about;
  const pair = ganPair({
    name: parts.name,
    generator,
    discriminator,
    example,
    ...(loss === undefined ? {} : { loss }),
    ...(penalty === undefined ? {} : { penalty }),
  });
  return defineTask({
    optimizers: gameOptimizers,
    ...about,
    charts: [losses, ...charts],
    networks: [pair.telling.model, pair.fooling.model, ...judging.networks],
    initial: beginningWith(pair, judging),
    judged: samples,
    step: stepOf(pair, parts),
    judge: judgeBy(pair, measures, samples),
    loss: { ...watched, metric: 'generator.loss' },
  });
}
