/**
 * How long to train and on what: settings of the trainer, and what follows from them.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import type * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import type { Params } from '../../core/params.ts';
import type { TrainState } from '../../core/pipeline/trainState.ts';
import type { Selection } from '../../core/selection.ts';
import { shown } from '../../core/shown.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { EarlyStopping } from './earlyStopping.ts';
import type { Listener } from './events.ts';
import type { Saving, Snapshot } from './snapshot.ts';
import type { Standing } from './learning.ts';
import type { Steer } from './steer.ts';

/** How long to train. */
export type Duration = { readonly steps: number } | { readonly epochs: number };

/** Settings of a run. */
export interface TrainOptions {
  /** Steps, or passes over the training set. */
  readonly duration: Duration;
  /** Examples per step, at most as many as there are. */
  readonly batch: number;
  /** A whole number that decides everything random. */
  readonly seed: number;
  /** Steps between evaluations on the test set. None unless given; with early stopping, an epoch. */
  readonly evaluateEvery?: number;
  readonly earlyStopping?: EarlyStopping;
  /** Goes on from a state, as training returns it. The duration is that of the whole, the steps of the state included. */
  readonly from?: TrainState<Tensor>;
  /**
   * Goes on where a run was saved, as if it had never ended: its history, evaluations and time are this one's as well. Task,
   * optimizer, batch and seed must be those of that run.
   */
  readonly resume?: Snapshot;
  /** Parameters to start from in place of those that are drawn: all of the task's. */
  readonly start?: Params<Tensor>;
  /** Parameters that are held fixed, besides those that the task holds. */
  readonly hold?: Selection;
  /** Told of every step and evaluation. */
  readonly listeners?: ReadonlyArray<Listener>;
  /**
   * Shown where training stands at every evaluation, in host memory: for looks at what a model makes as it learns. What it
   * fails with ends the run.
   */
  readonly glimpse?: (standing: Standing<Tensor>, step: number) => TE.TaskEither<KfacError, unknown>;
  /** Asked after every step and evaluation how to go on. */
  readonly steer?: Steer;
  /** Keeps what the run has come to while it goes on. */
  readonly saving?: Saving;
}

/**
 * Steps of so many epochs, the last one begun.
 *
 * @param epochs - passes over the examples
 * @param size - number of examples
 * @param batch - examples per step
 */
export const epochSteps = (epochs: number, size: number, batch: number): number => Math.ceil((epochs * size) / batch);

/**
 * Number of steps.
 *
 * @param options - settings
 * @param size - number of training examples
 */
export const stepsOf = ({ duration, batch }: TrainOptions, size: number): number =>
  'steps' in duration ? duration.steps : epochSteps(duration.epochs, size, batch);

/**
 * Steps between evaluations, or `null` for none.
 *
 * @param options - settings
 * @param size - number of training examples
 */
export const evaluationPeriod = (options: TrainOptions, size: number): number | null =>
  options.evaluateEvery ?? (options.earlyStopping === undefined ? null : epochSteps(1, size, options.batch));

interface Rule {
  readonly path: string;
  readonly value: number;
  readonly expected: string;
  readonly holds: boolean;
}

const wholeFrom = (low: number, path: string, value: number): Rule => ({
  path,
  value,
  expected: `a whole number of at least ${low}`,
  holds: Number.isSafeInteger(value) && value >= low,
});

const isPositive = (value: number): boolean => Number.isFinite(value) && value > 0;

const notNegative = (path: string, value: number): Rule => ({
  path,
  value,
  expected: 'a number of at least 0',
  holds: Number.isFinite(value) && value >= 0,
});

const rulesOf = (options: TrainOptions, size: number): ReadonlyArray<Rule> => {
  const { duration, batch, seed, evaluateEvery, earlyStopping, resume, from = resume?.state } = options;
  return [
    'steps' in duration
      ? wholeFrom(0, 'steps', duration.steps)
      : { path: 'epochs', value: duration.epochs, expected: 'a number above 0', holds: isPositive(duration.epochs) },
    wholeFrom(1, 'batch', batch),
    { path: 'batch', value: batch, expected: `at most the ${size} examples of the training set`, holds: batch <= size },
    wholeFrom(0, 'seed', seed),
    ...(from === undefined
      ? []
      : [
          wholeFrom(0, 'from.step', from.step),
          {
            path: 'steps' in duration ? 'steps' : 'epochs',
            value: stepsOf(options, size),
            expected: `at least the ${from.step} steps that have been taken`,
            holds: stepsOf(options, size) >= from.step,
          },
        ]),
    ...(evaluateEvery === undefined ? [] : [wholeFrom(1, 'evaluateEvery', evaluateEvery)]),
    ...(earlyStopping === undefined
      ? []
      : [
          wholeFrom(1, 'earlyStopping.patience', earlyStopping.patience),
          notNegative('earlyStopping.minimumGain', earlyStopping.minimumGain ?? 0),
        ]),
  ];
};

/**
 * Settings that make sense for a data set, or what is wrong with them.
 *
 * @param options - settings
 * @param size - number of training examples
 * @example
 * ```ts
 * import { checkOptions } from 'kfac-ts/pipelines';
 *
 * checkOptions({ duration: { epochs: 2 }, batch: 1000, seed: 1 }, 100)._tag; // => 'Left'
 * ```
 */
export const checkOptions = (options: TrainOptions, size: number): E.Either<KfacError, TrainOptions> => {
  const given: unknown = options.duration;
  if (typeof given !== 'object' || given === null) {
    return E.left({ _tag: 'BadConfig', path: 'duration', expected: '{ steps } or { epochs }', actual: shown(given) });
  }
  const broken = rulesOf(options, size).find(({ holds }) => !holds);
  if (broken !== undefined) {
    return E.left({ _tag: 'BadConfig', path: broken.path, expected: broken.expected, actual: shown(broken.value) });
  }
  const first = (['resume', 'from'] as const).find((name) => options[name] !== undefined);
  const second = (['from', 'start', 'hold'] as const).find((name) => name !== first && options[name] !== undefined);
  return first === undefined || second === undefined
    ? E.right(options)
    : E.left({
        _tag: 'BadConfig',
        path: second,
        expected: 'nothing besides a state to go on from, which has its parameters',
        actual: `both ${first} and ${second}`,
      });
};
