/**
 * Four steps of an optimizer, and what must never come of them.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { KfacError } from '../../../src/core/errors.ts';
import { describeError } from '../../../src/core/errors.ts';
import type { Backend } from '../../../src/core/backends/backend.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import type { TrainTask } from '../../../src/pipelines/trainer/learning.ts';
import type { TrainResult } from '../../../src/pipelines/trainer/conclude.ts';
import { train } from '../../../src/pipelines/trainer/train.ts';
import type { Written } from './optimizers.ts';
import { made } from './optimizers.ts';

/** What came of an optimizer. */
export type Outcome =
  | { readonly _tag: 'Refused'; readonly error: KfacError }
  | { readonly _tag: 'Stopped'; readonly steps: number; readonly error: KfacError }
  | { readonly _tag: 'Trained'; readonly result: TrainResult };

/**
 * Trains a task for four steps of six examples each.
 *
 * @param backend - where
 * @param task - what
 * @param written - the optimizer as a configuration has it
 */
export const trial = async (backend: Backend<Tensor>, task: TrainTask, written: Written): Promise<Outcome> => {
  const optimizer = made(written);
  if (E.isLeft(optimizer)) return { _tag: 'Refused', error: optimizer.left };
  let steps = 0;
  const outcome = await train({ backend, clock: () => 0 }, task, optimizer.right, {
    duration: { steps: 4 },
    batch: 6,
    seed: 1,
    listeners: [
      ({ event }) =>
        () =>
          void (steps += event === 'step' ? 1 : 0),
    ],
  })();
  return E.isLeft(outcome)
    ? { _tag: 'Stopped', steps, error: outcome.left }
    : { _tag: 'Trained', result: outcome.right };
};

/** Errors of numbers and of examples, which may come of any step; others are known before the first. */
const ofNumbers: ReadonlyArray<KfacError['_tag']> = ['NonFinite', 'NotPositiveDefinite', 'BadData'];

/** Errors that a configuration may be refused with. */
const ofSettings: ReadonlyArray<KfacError['_tag']> = ['BadConfig', 'ShapeMismatch'];

const notFinite = ({ history, train: onTrain, test }: TrainResult): ReadonlyArray<string> => [
  ...history.flatMap(({ step, metrics }) =>
    Object.entries(metrics)
      .filter(([, value]) => !Number.isFinite(value))
      .map(([name, value]) => `${name} is ${value} in step ${step}`),
  ),
  ...[onTrain, test].flatMap(({ loss }) => (Number.isFinite(loss) ? [] : [`a loss is ${loss} at the end`])),
];

/** What should not have come of it, or nothing. */
export const faultsOf = (outcome: Outcome): ReadonlyArray<string> => {
  switch (outcome._tag) {
    case 'Refused':
      return outcome.error._tag === 'BadConfig' ? [] : [`refused with ${describeError(outcome.error)}`];
    case 'Stopped': {
      const { steps, error } = outcome;
      const allowed = steps === 0 ? [...ofNumbers, ...ofSettings] : ofNumbers;
      return allowed.includes(error._tag) ? [] : [`after ${steps} steps: ${describeError(error)}`];
    }
    case 'Trained':
      return notFinite(outcome.result);
  }
};
