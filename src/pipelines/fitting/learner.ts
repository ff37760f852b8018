/**
 * An optimizer with the network that it trains, for loops of one's own: a value that a step makes another of.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import { openHostBackend } from '../../core/backends/choice/hostBackend.ts';
import type { KfacError } from '../../core/errors.ts';
import type { Layer } from '../../core/nn/layers/layer.ts';
import type { Batch } from '../../core/pipeline/context.ts';
import type { Metrics } from '../../core/pipeline/metrics.ts';
import { takeStep } from '../../core/pipeline/takeStep.ts';
import { readState } from '../../core/pipeline/transfer.ts';
import type { TrainState } from '../../core/pipeline/trainState.ts';
import type { Shape, Tensor } from '../../core/tensor.ts';
import { kfac } from '../../solvers/presets/kfac.ts';
import type { Optimizer } from '../../solvers/presets/optimizer.ts';
import { range } from '../data/batches.ts';
import { examplesIn } from '../data/examples.ts';
import type { Task } from '../tasks/task.ts';
import { beginning } from '../trainer/beginning.ts';
import { foreseen, stepOf } from '../trainer/foreseen.ts';
import { keysOf } from '../trainer/keys.ts';
import { demandsOf, metricOf } from '../trainer/learning.ts';
import { standingOf } from '../trainer/standing.ts';
import type { Judged, Network } from './fitted.ts';
import { learningOf, networkOf, promised } from './fitted.ts';
import type { Given } from './given.ts';
import { datasetFor } from './given.ts';

/** Settings of {@link learner}. */
export interface LearnerOptions extends Judged {
  /** Shape of an example's inputs. */
  readonly inputs: Shape;
  /** `kfacOptimizer()` unless given. */
  readonly optimizer?: Optimizer;
  /** Decides everything random, 1 unless given. */
  readonly seed?: number;
  /** Of how many examples batches are made, again and again; each is taken for one that is seen once unless given. */
  readonly examples?: number;
  /** A state to go on from, as {@link Learner.state} gives it. */
  readonly from?: TrainState<Tensor>;
}

/** A network in training, after some steps. Steps change nothing: they give another. */
export interface Learner extends Network {
  /** Steps done. */
  readonly steps: number;
  /** The numbers of the step that led here: `loss` before it, `learningRate`, `damping`, …; none before the first. */
  readonly metrics: Metrics;
  /** One step on some examples. */
  readonly step: (examples: Given) => Promise<Learner>;
  /** The same, with another optimizer from now on, that remembers the same: another learning rate, say. */
  readonly with: (optimizer: Optimizer) => Learner;
  /** All that training goes on from. */
  readonly state: () => Promise<TrainState<Tensor>>;
}

/** What all the learners of one course have in common. */
interface Course {
  readonly layer: Layer;
  readonly options: LearnerOptions;
  readonly task: Task;
  readonly backend: Backend<Tensor>;
}

/** All examples as one batch, checked as the trainer checks them. */
const batchOf = ({ layer, options, task, backend }: Course, given: Given): TE.TaskEither<KfacError, Batch<Tensor>> =>
  pipe(
    datasetFor(layer, options.loss, given),
    TE.chainEitherK((data) => examplesIn('batch', data.batch(range(0, data.size)), backend.dtype, demandsOf(task))),
  );

const clock = (): number => performance.now() / 1000;

const learnerAt = (
  course: Course,
  optimizer: Optimizer,
  { state, metrics }: { readonly state: TrainState<Tensor>; readonly metrics: Metrics },
): Learner => {
  const { layer, options, task, backend } = course;
  const { examples } = options;
  const env = { backend, clock, ...(examples === undefined ? {} : { examples }) };
  const { params, running } = standingOf(state);
  return {
    ...networkOf(layer, options.inputs, options, { params, running, standardisation: {} }),
    steps: state.step,
    metrics,
    step: (given) =>
      promised(
        pipe(
          stepOf(task, optimizer),
          E.chain((step) => foreseen(step, state.step, state.step + 1)),
          TE.fromEither,
          TE.bindTo('step'),
          TE.bind('batch', () => batchOf(course, given)),
          TE.chain(({ step, batch }) =>
            takeStep(env, step, state, batch, { metric: metricOf(task.loss), most: Infinity }, 'kept'),
          ),
          TE.map((next) => learnerAt(course, optimizer, next)),
        ),
      ),
    with: (other) => learnerAt(course, other, { state, metrics }),
    state: () => promised(readState(backend, state)),
  };
};

/**
 * Begins to train a network, one step at a time. With the batches that `train` draws, and `examples` where it has so many,
 * its parameters are those of `train`, bit for bit.
 *
 * @param layer - the network
 * @param options - shape of inputs, loss, optimizer
 * @returns the network before its first step; a promise that rejects with what was expected, what came and what to do
 * @example
 * ```ts
 * import { dense, squaredError } from 'kfac-ts/core';
 * import { learner } from 'kfac-ts/pipelines';
 * import { kfacOptimizer } from 'kfac-ts/solvers';
 *
 * const optimizer = kfacOptimizer({ learningRate: 1 });
 * let line = await learner(dense({ in: 1, out: 1 }), { inputs: [1], loss: squaredError, optimizer });
 * for (let i = 0; i < 20; i += 1) line = await line.step({ inputs: [[0], [1]], targets: [1, 3] });
 * line.metrics.loss < 1e-3; // => true
 * ```
 */
export const learner = (layer: Layer, options: LearnerOptions): Promise<Learner> => {
  const { inputs, backend = {}, optimizer = kfac(), seed = 1, from } = options;
  return promised(
    pipe(
      openHostBackend(backend),
      E.map((opened): Course => ({ layer, options, task: learningOf(layer, inputs, options, {}), backend: opened })),
      E.chain((course) =>
        pipe(
          beginning(
            course.backend.ops,
            course.backend.dtype,
            course.task,
            keysOf(seed),
            from === undefined ? {} : { from },
          ),
          E.map((state) => learnerAt(course, optimizer, { state, metrics: {} })),
        ),
      ),
      TE.fromEither,
    ),
  );
};
