/**
 * Training as a stream of steps, for loops of one's own: whoever reads it decides between two steps whether to go on, on which
 * examples and with which optimizer. Arrays on the backend are the stream's alone; what leaves it is numbers and copies.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import type { KfacError } from '../../core/errors.ts';
import { createBackground } from '../../core/pipeline/background.ts';
import type { Batch } from '../../core/pipeline/context.ts';
import type { Env } from '../../core/pipeline/env.ts';
import { takeStep } from '../../core/pipeline/takeStep.ts';
import { readState } from '../../core/pipeline/transfer.ts';
import type { TrainState } from '../../core/pipeline/trainState.ts';
import type { FloatType } from '../../core/random/uniform.ts';
import type { Source } from '../../core/scan.ts';
import { scan } from '../../core/scan.ts';
import type { Shaped, Tensor } from '../../core/tensor.ts';
import type { Optimizer } from '../../solvers/presets/optimizer.ts';
import type { Examples } from '../data/dataset.ts';
import { examplesOf } from '../data/dataset.ts';
import type { Demand } from '../data/examples.ts';
import { examplesIn } from '../data/examples.ts';
import { messageOf } from '../files/thrown.ts';
import { beginning } from './beginning.ts';
import type { TrainResult } from './conclude.ts';
import type { Evaluation } from './evaluate.ts';
import { evaluatePlaced, smallestChunk } from './evaluate.ts';
import type { StepRecord } from './events.ts';
import { called } from './events.ts';
import { foreseen, stepOf } from './foreseen.ts';
import { keysOf } from './keys.ts';
import type { Learning } from './learning.ts';
import { demandsOf, metricOf } from './learning.ts';
import type { TrainOptions } from './options.ts';
import { checkOptions } from './options.ts';
import { orRelease, release } from './run.ts';
import { standingOf } from './standing.ts';

/** Examples of a step in host memory, or why there are none. */
export type Drawn = Batch<Tensor> | E.Either<KfacError, Batch<Tensor>>;

/** Settings of {@link training}. */
export interface TrainingOptions extends Pick<TrainOptions, 'seed' | 'from' | 'start' | 'hold'> {
  /** A batch for each step: a list, a generator, anything that `for await` goes through. Training ends where they do. */
  readonly batches: Source<Drawn>;
}

/** What training has come to, in host memory. */
export type Trained = Pick<TrainResult, 'params' | 'running' | 'state'>;

/** One step of {@link training}. None of its arrays is copied unless that is asked for, before the next step is. */
export interface TrainingStep extends StepRecord {
  /** Means over examples after this step. */
  readonly evaluate: (examples: Examples) => TE.TaskEither<KfacError, Evaluation>;
  /** Parameters after this step, those that are held fixed among them, and the state to go on from. */
  readonly copy: TE.TaskEither<KfacError, Trained>;
}

/** Where the stream is: a state, and the seconds of the steps that led to it. */
interface Place<T> {
  readonly state: TrainState<T>;
  readonly seconds: number;
}

const isEither = (drawn: Drawn): drawn is E.Either<KfacError, Batch<Tensor>> => typeof drawn._tag === 'string';

/** A batch that a step can take. */
const checked = (
  drawn: Drawn,
  step: number,
  dtype: FloatType,
  demands: ReadonlyArray<Demand>,
): E.Either<KfacError, Batch<Tensor>> =>
  pipe(
    isEither(drawn) ? drawn : E.right(drawn),
    E.chain((batch) => examplesIn(`batch of step ${step}`, batch, dtype, demands)),
  );

/** A copy that is asked for too late has other arrays in it. */
const tooLate = (step: number): KfacError => ({
  _tag: 'BadConfig',
  path: `step ${step}`,
  expected: 'its evaluations and copies to be asked for, and waited for, before the next step is',
  actual: 'a later step',
});

/** What may be asked of a step as long as the stream has its state. */
const looks = <T extends Shaped>(
  backend: Backend<T>,
  task: Learning,
  place: Place<T>,
  isHeld: (place: Place<T>) => boolean,
): Pick<TrainingStep, 'evaluate' | 'copy'> => {
  const { state } = place;
  const inTime = <A>(effect: TE.TaskEither<KfacError, A>): TE.TaskEither<KfacError, A> => {
    const check = TE.fromIOEither(() => (isHeld(place) ? E.right(null) : E.left(tooLate(state.step))));
    return pipe(
      check,
      TE.chain(() => effect),
      TE.chainFirst(() => check),
    );
  };
  return {
    evaluate: (examples) =>
      pipe(
        TE.fromEither(examplesOf(examples)),
        TE.chain((data) => evaluatePlaced(backend, task, standingOf(state), data, smallestChunk)),
        inTime,
      ),
    copy: pipe(
      inTime(readState(backend, state)),
      TE.map((copy) => ({ state: copy, params: { ...copy.held, ...standingOf(copy).params }, running: copy.running })),
    ),
  };
};

/**
 * Trains step by step. With the batches that {@link batchesOf} draws, and an environment that says of how many examples they are
 * made, the states are those of `train`, bit for bit.
 *
 * The stream owns what is on the backend: it goes back when the batches end, after the first error, which is the last value,
 * and when the loop is left by `break` or `return`.
 *
 * @param env - backend and clock; the number of examples, where batches are made of the same ones again and again
 * @param task - what is learned; its data is not looked at
 * @param optimizer - the optimizer, or the one of each step by the number of steps before; it takes over what the one before
 *   it remembers, so all should be of one kind
 * @param options - batches, seed, what to start from
 * @returns a step, or what is wrong, at a time
 * @example
 * ```ts
 * import * as E from 'fp-ts/lib/Either.js';
 * import { dense, describeError, model, referenceBackend, squaredError, tensor } from 'kfac-ts/core';
 * import { supervised, training } from 'kfac-ts/pipelines';
 * import { sgdOptimizer } from 'kfac-ts/solvers';
 *
 * // y = 2 x + 1, until the loss is small.
 * const line = supervised({ name: 'line', model: model('line', [1], dense({ in: 1, out: 1 })), loss: squaredError });
 * const env = { backend: referenceBackend(), clock: () => performance.now() / 1000 };
 * function* batches() {
 *   for (;;) yield { inputs: tensor([0, 1], [2, 1]), targets: tensor([1, 3], [2, 1]) };
 * }
 * let last = 1;
 * for await (const step of training(env, line, sgdOptimizer(), { seed: 1, batches: batches() })) {
 *   if (E.isLeft(step)) {
 *     console.error(describeError(step.left));
 *     break;
 *   }
 *   last = step.right.loss;
 *   if (last < 0.01) break;
 * }
 * last < 0.01; // => true
 * ```
 */
export const training = <T extends Shaped>(
  env: Env<T>,
  task: Learning,
  optimizer: Optimizer | ((step: number) => Optimizer),
  { batches, seed, ...starting }: TrainingOptions,
): AsyncGenerator<E.Either<KfacError, TrainingStep>, void, void> => {
  const { backend, background = createBackground(env.backend) } = env;
  const demands = demandsOf(task);
  const optimizerAt = typeof optimizer === 'function' ? optimizer : () => optimizer;
  const bound = { metric: metricOf(task.loss), most: Infinity };
  const duration = { steps: starting.from?.step ?? 0 };
  return scan<KfacError, Place<T>, Drawn, TrainingStep>(batches, {
    begin: () =>
      pipe(
        checkOptions({ ...starting, seed, duration, batch: 1 }, 1),
        E.chain(() => beginning(backend.ops, backend.dtype, task, keysOf(seed), starting)),
        E.map((state) => ({ state, seconds: 0 })),
      ),
    next: (place, drawn, isHeld) =>
      pipe(
        TE.fromEither(checked(drawn, place.state.step + 1, backend.dtype, demands)),
        TE.bindTo('batch'),
        TE.bind('step', () =>
          pipe(
            called(`optimizer, asked for the one of step ${place.state.step + 1},`, () =>
              optimizerAt(place.state.step),
            ),
            TE.chainEitherK((chosen) => stepOf(task, chosen)),
            TE.chainEitherK((step) => foreseen(step, place.state.step, place.state.step + 1)),
          ),
        ),
        orRelease({ ...env, background }, place),
        TE.chain(({ batch, step }) => takeStep({ ...env, background }, step, place.state, batch, bound)),
        TE.map(({ state, metrics, seconds }) => {
          const after = { state, seconds: place.seconds + seconds };
          const record = { step: state.step, seconds: after.seconds, loss: metrics[bound.metric], metrics };
          return [after, { ...record, ...looks(backend, task, after, isHeld) }] as const;
        }),
      ),
    end: (place) => release({ ...env, background }, place),
    broken: (thrown) => ({ _tag: 'CallbackFailed', what: 'the source of batches', reason: messageOf(thrown) }),
  });
};
