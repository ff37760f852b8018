/**
 * Steps of a task counted on shapes: what an optimizer's step costs, and what Adam's does.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import { shapeInterpreter } from '../../core/autodiff/shape.ts';
import type { KfacError } from '../../core/errors.ts';
import { attempt } from '../../core/errors.ts';
import type { Forecast } from '../../core/parallel/plan/forecast.ts';
import type { Params } from '../../core/params.ts';
import { mapParams } from '../../core/params.ts';
import type { Batch } from '../../core/pipeline/context.ts';
import type { StepCount } from '../../core/pipeline/count.ts';
import { countSteps } from '../../core/pipeline/count.ts';
import type { StageCost } from '../../core/pipeline/stageCosts.ts';
import { stageCosts } from '../../core/pipeline/stageCosts.ts';
import { initialState } from '../../core/pipeline/trainState.ts';
import type { Shaped, Tensor } from '../../core/tensor.ts';
import { adam } from '../../solvers/presets/adam.ts';
import type { Optimizer } from '../../solvers/presets/optimizer.ts';
import { range } from '../data/batches.ts';
import { beginning } from './beginning.ts';
import { keysOf } from './keys.ts';
import type { Learning, TrainTask } from './learning.ts';
import type { TrainOptions } from './options.ts';

/** What steps of an optimizer cost in the mean, in operations. */
export interface StepCost {
  readonly flops: number;
  /** The same in those of a step of Adam. */
  readonly ofAdam: number;
  /** Costs of its stages, in steps of Adam. */
  readonly stages: ReadonlyArray<StageCost>;
  /** Names of what its steps report. */
  readonly reports: ReadonlyArray<string>;
  /** Examples in a batch, and those of them that statistics are taken from. */
  readonly batch: number;
  readonly statistics: number;
  /** Steps that were counted. */
  readonly steps: number;
}

const shapesOf = (arrays: Params<Shaped>): Params<Shaped> => mapParams(arrays, ({ shape }) => ({ shape }));

/** What is counted: a task with its data, for the shapes of a batch, examples in one, and parameters that are held fixed. */
export interface Countable extends Pick<TrainOptions, 'batch' | 'hold'> {
  readonly task: TrainTask;
}

/** The step from which a run is counted: periods are what they stay, and it is one of each of them. */
const settled = 5040;

/** Steps of a task with an optimizer, counted. */
const countedSteps = (
  { task, batch, hold = [] }: Countable,
  optimizer: Optimizer,
  steps: number,
): TE.TaskEither<KfacError, ReadonlyArray<StepCount>> =>
  pipe(
    E.Do,
    E.bind('state', () => beginning<Shaped>(shapeInterpreter().ops, 'f32', task, keysOf(1), { hold })),
    E.bind('batch', () => attempt(() => shapesOf(task.data.train.batch(range(0, batch))))),
    E.bind('step', () => attempt(() => task.step(optimizer))),
    TE.fromEither,
    TE.chain(({ step, state, ...given }) =>
      countSteps<'state' | 'batch'>(step, { ...given, state: { ...state, step: settled } }, steps),
    ),
  );

/**
 * Steps of a task once a run has settled, with numbers in their arrays: for counting them on many processes, and for taking them.
 *
 * @param task - what is learned
 * @param optimizer - whose steps
 * @param batch - the same for all of them
 * @param steps - how many
 */
export const settledForecast = (
  task: Learning,
  optimizer: Optimizer,
  batch: Batch<Tensor>,
  steps: number,
): E.Either<KfacError, Forecast> =>
  attempt(() => {
    const keys = keysOf(1);
    const { params, held = {}, running = {} } = task.initial(keys.params, 'f32');
    const state = initialState<Tensor>(params, keys.steps, { held, running });
    return { step: task.step(optimizer), state: { ...state, step: settled }, batch, steps };
  });

const mean = (values: ReadonlyArray<number>): number => values.reduce((sum, x) => sum + x, 0) / values.length;

/** A first step is cheaper than the others, so as many are taken. */
const stepOfAdam = (of: Countable, steps: number): TE.TaskEither<KfacError, number> =>
  pipe(
    countedSteps(of, adam(), steps),
    TE.map((counts) => mean(counts.map(({ flops }) => flops))),
  );

/**
 * What steps cost once a run has settled. Iterations see numbers that are all 1, and take as many turns as they may.
 *
 * @param of - what is counted
 * @param optimizer - whose steps
 * @param steps - how many, at least 1
 * @returns an error where a step cannot be counted: one that reads arrays of other shapes than it is told, for example
 */
export const stepCostOf = (of: Countable, optimizer: Optimizer, steps: number): TE.TaskEither<KfacError, StepCost> =>
  pipe(
    TE.Do,
    TE.bind('counts', () => countedSteps(of, optimizer, steps)),
    TE.bind('least', () => stepOfAdam(of, steps)),
    TE.map(({ counts, least }) => {
      const flops = mean(counts.map((count) => count.flops));
      return {
        flops,
        ofAdam: flops / least,
        stages: stageCosts(counts).map(({ stage, always, periodic, every }) => ({
          stage,
          always: always / least,
          periodic: periodic / least,
          every,
        })),
        reports: [...new Set(counts.flatMap(({ reports }) => reports))],
        batch: of.batch,
        statistics: counts.reduce((most, { statistics }) => Math.max(most, statistics), 0),
        steps,
      };
    }),
  );
