/**
 * Finding settings: every optimizer has as many trials as any other, and as long for each.
 *
 * Trials are judged on a part of the training examples that is kept from them, so that the test examples have no say in which
 * settings are best; the runs with the best settings train on all of them and are judged on the test examples.
 *
 * @module
 */
import type * as IO from 'fp-ts/lib/IO.js';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import { describeError } from '../../core/errors.ts';
import { iterate } from '../../core/iterate.ts';
import { isOfNumbers } from '../../core/pipeline/diagnosis.ts';
import type { Env } from '../../core/pipeline/env.ts';
import type { Shaped } from '../../core/tensor.ts';
import { presetIn } from '../../solvers/presets/registry.ts';
import type { Splits } from '../data/dataset.ts';
import { splitOf } from '../data/splits.ts';
import type { Outcome } from '../experiment.ts';
import { runExperiment } from '../experiment.ts';
import type { Loaded, Task } from '../tasks/task.ts';
import type { Order, Search, TuneResult } from './search.ts';
import { nextOrder } from './search.ts';

/** What a search needs to know besides its plan. */
export interface TuneOptions {
  /** Examples per step. */
  readonly batch: number;
  /** What has come already: nothing unless given. */
  readonly known?: ReadonlyArray<TuneResult>;
  /** Told of each result, with all there are, before the next run begins: a place to keep them. */
  readonly tell?: (result: TuneResult, all: ReadonlyArray<TuneResult>) => TE.TaskEither<KfacError, unknown>;
  /** Whether to go on, asked after every step; yes unless given. A run that is ended by it does not count. */
  readonly goesOn?: IO.IO<boolean>;
}

/** Part of the training examples that trials are judged on. */
const heldPart = 0.1;

/**
 * Training examples in two parts, the second for judging: a tenth of them, at most as many as there are for the test.
 *
 * @param data - the data of a task
 */
export const validating = ({ train, test }: Splits): E.Either<KfacError, Splits> =>
  splitOf(train, { test: Math.min(heldPart, test.size / train.size) });

const failed = (order: Order, error: KfacError): TuneResult => ({
  ...order,
  loss: null,
  measures: {},
  steps: 0,
  seconds: 0,
  error: describeError(error),
});

/** What a run came to; numbers that are not finite have no place in a file. */
const resultOf =
  (order: Order) =>
  (outcome: Outcome): IO.IO<TuneResult> =>
  () => {
    if (outcome._tag === 'Failed') return failed(order, outcome.error);
    const { test, steps, seconds } = outcome.result;
    const measures = Object.fromEntries(Object.entries(test.measures).filter(([, value]) => Number.isFinite(value)));
    return { ...order, loss: test.loss, measures, steps, seconds, error: null };
  };

/** Where runs of an order learn and are judged: what there is to see is of interest at the end alone. */
interface Place {
  readonly task: Task;
  readonly data: Splits;
}

/** Makes a run. What is wrong with numbers is a result; anything else ends the search. */
const made = <T extends Shaped>(
  env: Env<T>,
  { task, data }: Place,
  { presets, budget }: Search,
  order: Order,
  { batch, goesOn }: TuneOptions,
): TE.TaskEither<KfacError, TuneResult> =>
  pipe(
    TE.fromEither(presetIn(presets, order.optimizer, order.settings)),
    TE.chain((optimizer) =>
      runExperiment(env, {
        // Losses of the training examples are not looked at.
        task: { ...task, judged: Math.min(task.judged ?? data.test.size, data.test.size) },
        data,
        optimizers: [optimizer],
        options: {
          duration: { steps: 'steps' in budget ? order.budget : Number.MAX_SAFE_INTEGER },
          batch,
          seed: order.seed,
          steer: ({ seconds }) => ({
            stop: ('seconds' in budget && seconds >= order.budget) || goesOn?.() === false,
          }),
        },
        observe: () => () => ({ listeners: [], stop: () => undefined }),
        conclude: resultOf(order),
      }),
    ),
    TE.map(([result]) => result),
    TE.orElse((error) => (isOfNumbers(error) ? TE.right(failed(order, error)) : TE.left(error))),
  );

/**
 * Makes the runs of a search, those that are known left out.
 *
 * @param env - backend and clock
 * @param loaded - a task with its data
 * @param search - whom to try, with what and for how long
 * @param options - batch, what is known, who is told
 * @returns all results in the order in which they were asked for; fewer where it did not go on
 * @example
 * ```ts no-run
 * import { pipe } from 'fp-ts/lib/function.js';
 * import * as TE from 'fp-ts/lib/TaskEither.js';
 * import { orRaise, withBackend } from 'kfac-ts/core';
 * import { mnistClassifier, nodeFileSystem, searchOf, tune, winnerOf } from 'kfac-ts/pipelines';
 *
 * const asked = { optimizers: ['kfac', 'adam'], trials: 8, budget: { steps: 200 }, seed: 1 };
 * const search = orRaise(searchOf(asked));
 * const clock = () => performance.now() / 1000;
 * const settings = withBackend({}, (backend) =>
 *   pipe(
 *     mnistClassifier.ofSize('small').load(nodeFileSystem),
 *     TE.chain((loaded) => tune({ backend, clock }, loaded, search, { batch: 250 })),
 *     TE.map((results) => winnerOf(search, results, 'kfac')?.settings),
 *   ),
 * );
 * ```
 */
export const tune = <T extends Shaped>(
  env: Env<T>,
  { task, train, test }: Loaded,
  search: Search,
  options: TuneOptions,
): TE.TaskEither<KfacError, ReadonlyArray<TuneResult>> => {
  const { known = [], tell = () => TE.right(undefined), goesOn = () => true } = options;
  const placeOf = ({ rung }: Order, held: Splits): Place =>
    rung === null ? { task, data: { train, test } } : { task: { ...task, preview: null }, data: held };
  return pipe(
    TE.fromEither(validating({ train, test })),
    TE.chain((held) =>
      iterate<KfacError, ReadonlyArray<TuneResult>, ReadonlyArray<TuneResult>>(known, (results) => {
        const order = goesOn() ? nextOrder(search, results) : null;
        return order === null
          ? TE.right(E.right(results))
          : pipe(
              made(env, placeOf(order, held), search, order, options),
              TE.chain((result) => {
                if (!goesOn()) return TE.right(E.right(results));
                const all = [...results, result];
                return pipe(
                  tell(result, all),
                  TE.map(() => E.left(all)),
                );
              }),
            );
      }),
    ),
  );
};
