/**
 * From layers and examples to a trained network, in one call.
 *
 * @module
 */
import type * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import { withBackend } from '../../core/backends/choice/choose.ts';
import type { KfacError } from '../../core/errors.ts';
import { attempt } from '../../core/errors.ts';
import { arrayAt } from '../../core/nn/layers/circumstances.ts';
import type { Layer } from '../../core/nn/layers/layer.ts';
import { model } from '../../core/nn/model.ts';
import type { TrainState } from '../../core/pipeline/trainState.ts';
import type { Shape, Tensor } from '../../core/tensor.ts';
import type { Optimizer } from '../../solvers/presets/optimizer.ts';
import { kfac } from '../../solvers/presets/kfac.ts';
import type { Dataset, Splits } from '../data/dataset.ts';
import type { SplitOptions } from '../data/splits.ts';
import { splitOf } from '../data/splits.ts';
import { standardisedBy } from '../data/standardisation.ts';
import type { Evaluation } from '../trainer/evaluate.ts';
import type { EvaluationRecord, StepRecord } from '../trainer/events.ts';
import type { TrainOptions } from '../trainer/options.ts';
import { epochSteps } from '../trainer/options.ts';
import type { Steer } from '../trainer/steer.ts';
import { train } from '../trainer/train.ts';
import type { Judged, Network } from './fitted.ts';
import { learningOf, networkOf, promised } from './fitted.ts';
import type { Given } from './given.ts';
import { datasetFor } from './given.ts';
import type { Standardise } from './units.ts';
import { unitsOf } from './units.ts';

/** Settings of {@link fit}. */
export interface FitOptions extends Judged {
  /** `kfacOptimizer()` unless given. */
  readonly optimizer?: Optimizer;
  /** Passes over the training examples, 10 unless given. */
  readonly epochs?: number;
  /** Examples per step, 32 unless given, or all where there are fewer. */
  readonly batch?: number;
  /** Decides everything random, 1 unless given. */
  readonly seed?: number;
  /** Examples to judge by while it learns: others, or the part that is set aside and how; a fifth at random unless given. */
  readonly validation?: Given | number | SplitOptions;
  /**
   * Arrays that it learns from in standard deviations from the mean of the training examples: `['inputs', 'targets']`; or what
   * they are measured by, as an earlier result has it. As they are unless given.
   */
  readonly standardise?: Standardise;
  /** Epochs in a row without a better validation loss after which training ends, with the best parameters; none unless given. */
  readonly patience?: number;
  /** Asked after each step and each epoch how to go on: to stop, or with another optimizer (`plateau`). */
  readonly steer?: Steer;
  /** A state to go on from, for `epochs` more. */
  readonly from?: TrainState<Tensor>;
}

/** A network, and how it came to be. */
export interface Fitted extends Network {
  /** One record for each step. */
  readonly history: ReadonlyArray<StepRecord>;
  /** One for each epoch, on the validation examples. */
  readonly evaluations: ReadonlyArray<EvaluationRecord>;
  /** Judged on all training examples, and on all of the validation examples. */
  readonly train: Evaluation;
  readonly validation: Evaluation;
  /** To go on from. */
  readonly state: TrainState<Tensor>;
}

/** Whether it says how examples are set aside, and has none. */
const isSplit = (validation: Given | SplitOptions): validation is SplitOptions =>
  !['batch', 'inputs', 'examples', 'batches'].some((name) => name in validation);

/** Training and validation examples. */
const splitsOf = (layer: Layer, data: Given, options: FitOptions): TE.TaskEither<KfacError, Splits> => {
  const { loss, validation = 0.2, seed = 1 } = options;
  return pipe(
    datasetFor(layer, loss, data),
    TE.chain((examples) => {
      if (typeof validation === 'number') return TE.fromEither(splitOf(examples, { test: validation, seed }));
      if (isSplit(validation)) return TE.fromEither(splitOf(examples, { seed, ...validation }));
      return pipe(
        datasetFor(layer, loss, validation),
        TE.map((test): Splits => ({ train: examples, test })),
      );
    }),
  );
};

/** The shape of an example's inputs. */
const shapeIn = (data: Dataset): E.Either<KfacError, Shape> =>
  attempt(() => arrayAt(data.batch(new Int32Array([0])), 'inputs', data.name).shape.slice(1));

const trainOptionsOf = (options: FitOptions, size: number): TrainOptions => {
  const { epochs = 10, batch: asked = Math.min(32, size), seed = 1, patience, steer, from } = options;
  return {
    duration: from === undefined ? { epochs } : { steps: from.step + epochSteps(epochs, size, asked) },
    batch: asked,
    seed,
    evaluateEvery: epochSteps(1, size, asked),
    ...(patience === undefined ? {} : { earlyStopping: { patience } }),
    ...(steer === undefined ? {} : { steer }),
    ...(from === undefined ? {} : { from }),
  };
};

/**
 * Trains a network on examples.
 *
 * @param layer - the network
 * @param data - examples: lists or arrays of inputs and targets, or a data set
 * @param options - loss, optimizer, how long; each but the loss with a default
 * @returns the network with its history; a promise that rejects with what was expected, what came and what to do
 * @example
 * ```ts
 * import { activation, dense, sequential, softmaxCrossEntropy } from 'kfac-ts/core';
 * import { accuracy, fit } from 'kfac-ts/pipelines';
 *
 * const inputs = Array.from({ length: 60 }, (_, i) => [Math.cos(i), Math.sin(i)]);
 * const targets = inputs.map(([x, y]) => (x * y > 0 ? 1 : 0));
 * const layers = sequential([dense({ in: 2, out: 16 }), activation('tanh'), dense({ in: 16, out: 2 })]);
 * const fitted = await fit(layers, { inputs, targets }, { loss: softmaxCrossEntropy, measures: { accuracy }, epochs: 20 });
 * fitted.train.measures.accuracy > 0.9; // => true
 * const scores = await fitted.predict([[0.6, 0.8]]);
 * scores.data[1] > scores.data[0]; // => true
 * ```
 */
export const fit = (layer: Layer, data: Given, options: FitOptions): Promise<Fitted> => {
  const { backend = {}, optimizer = kfac(), standardise = [] } = options;
  const clock = () => performance.now() / 1000;
  return promised(
    pipe(
      splitsOf(layer, data, options),
      TE.bindTo('splits'),
      TE.bind('inputs', ({ splits }) => TE.fromEither(shapeIn(splits.train))),
      TE.bind('units', ({ splits, inputs }) =>
        TE.fromEither(unitsOf(splits.train, model('network', inputs, layer), standardise)),
      ),
      TE.bind('train', ({ splits, units }) => TE.fromEither(standardisedBy(splits.train, units))),
      TE.bind('test', ({ splits, units }) => TE.fromEither(standardisedBy(splits.test, units))),
      TE.chain(({ train: trained, test, inputs, units }) => {
        const task = { ...learningOf(layer, inputs, options, units), data: { train: trained, test } };
        return pipe(
          withBackend(backend, (on) =>
            train({ backend: on, clock }, task, optimizer, trainOptionsOf(options, trained.size)),
          ),
          TE.map((result) => ({
            ...networkOf(layer, inputs, options, { ...result, standardisation: units }),
            history: result.history,
            evaluations: result.evaluations,
            train: result.train,
            validation: result.test,
            state: result.state,
          })),
        );
      }),
    ),
  );
};
