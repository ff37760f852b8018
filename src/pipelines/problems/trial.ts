/**
 * One optimizer on one problem from one seed, as plain data: what is asked, and what came of it.
 *
 * Both go between processes and into files, so all of it is JSON.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import type * as IO from 'fp-ts/lib/IO.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import { withBackend } from '../../core/backends/choice/choose.ts';
import type { KfacError } from '../../core/errors.ts';
import { describeError } from '../../core/errors.ts';
import { shown } from '../../core/shown.ts';
import type { Optimizer } from '../../solvers/presets/optimizer.ts';
import { optimizerOf } from '../../solvers/presets/registry.ts';
import type { SettingValue } from '../../solvers/settings/setting.ts';
import type { FileSystem } from '../files/fileSystem.ts';
import { stepCostOf } from '../trainer/counted.ts';
import type { TrainTask } from '../trainer/learning.ts';
import { train } from '../trainer/train.ts';
import { isForClasses } from './choices.ts';
import type { Half } from './halves.ts';
import { halves } from './halves.ts';
import type { Problem, Ready } from './problem.ts';
import { problems } from './suite.ts';

/** What is tried. */
export interface Trial {
  readonly problem: string;
  /** A preset. */
  readonly optimizer: string;
  /** Settings of the preset that are not its defaults. */
  readonly settings: Readonly<Record<string, SettingValue>>;
  readonly seed: number;
  /** Factor for the problem's number of steps, 1 unless given. */
  readonly longer?: number;
}

/** What came of it. Losses are means over the whole training set; `null` where training ended before. */
export interface TrialResult extends Trial {
  readonly half: Half;
  readonly steps: number;
  readonly batch: number;
  /** A loss that nothing gets below, 0 where none is known. */
  readonly floor: number;
  readonly initialLoss: number | null;
  readonly trainLoss: number | null;
  readonly testLoss: number | null;
  /** Whether it came to its end with finite numbers. */
  readonly ended: boolean;
  /** Why it did not. */
  readonly error: string | null;
  /** Seconds of training, without data and evaluation. */
  readonly seconds: number | null;
  readonly secondsPerStep: number | null;
  /** Floating-point operations of a step in those of Adam, counted; `null` where a step cannot be counted. */
  readonly flopsOfAdam: number | null;
}

/** What a trial needs of the world. */
export interface TrialWorld {
  readonly files: FileSystem;
  /** Seconds. */
  readonly clock: IO.IO<number>;
}

/** A problem by name. */
export const problemNamed = (name: string): E.Either<KfacError, Problem> => {
  const found = problems.find((problem) => problem.name === name);
  return found === undefined
    ? E.left({
        _tag: 'BadConfig',
        path: 'problem',
        expected: `one of ${problems.map((problem) => problem.name).join(', ')}`,
        actual: shown(name),
      })
    : E.right(found);
};

/** Steps that are counted: enough for some to make inverses and others not. */
const counted = 20;

const flopsOfAdam = (task: TrainTask, batch: number, optimizer: Optimizer): TE.TaskEither<KfacError, number | null> =>
  pipe(
    stepCostOf({ task, batch }, optimizer, counted),
    TE.map(({ ofAdam }): number | null => ofAdam),
    TE.orElse((): TE.TaskEither<KfacError, number | null> => TE.right(null)),
  );

/**
 * What is known of a trial before it: a result without an end.
 *
 * @param problem - the problem of the trial
 * @param trial - what is tried
 * @param floor - of the problem, where it is known
 */
export const notEnded = ({ name, batch, steps }: Problem, trial: Trial, floor = 0): TrialResult => ({
  problem: name,
  half: halves[name],
  optimizer: trial.optimizer,
  settings: trial.settings,
  seed: trial.seed,
  ...(trial.longer === undefined ? {} : { longer: trial.longer }),
  steps: Math.max(1, Math.round((trial.longer ?? 1) * steps)),
  batch,
  floor,
  initialLoss: null,
  trainLoss: null,
  testLoss: null,
  ended: false,
  error: null,
  seconds: null,
  secondsPerStep: null,
  flopsOfAdam: null,
});

/** Trains, with one thread, so that numbers do not depend on how many processes there are. */
const trained = (
  { clock }: TrialWorld,
  { task }: Ready,
  optimizer: Optimizer,
  expected: TrialResult,
): TE.TaskEither<KfacError, TrialResult> =>
  withBackend({ threads: 1 }, (backend) => {
    const { steps, batch, seed } = expected;
    const trainFor = (duration: number): ReturnType<typeof train> =>
      train({ backend, clock }, task, optimizer, { duration: { steps: duration }, batch, seed });
    return pipe(
      trainFor(0),
      TE.chain(({ train: before }) =>
        pipe(
          trainFor(steps),
          TE.match(
            (error): TrialResult => ({ ...expected, initialLoss: before.loss, error: describeError(error) }),
            ({ train: after, test, seconds }): TrialResult => ({
              ...expected,
              initialLoss: before.loss,
              trainLoss: after.loss,
              testLoss: test.loss,
              ended: true,
              seconds,
              secondsPerStep: seconds / steps,
            }),
          ),
          (finished) => TE.fromTask<TrialResult, KfacError>(finished),
        ),
      ),
    );
  });

/** The optimizer of a trial, told the classes of the problem where it asks for them. */
const optimizerFor = (problem: Problem, { optimizer, settings }: Trial): E.Either<KfacError, Optimizer> => {
  const classes = isForClasses({ optimizer }) ? problem.classes() : null;
  return optimizerOf(optimizer, classes === null ? settings : { classes, ...settings });
};

/**
 * Tries an optimizer on a problem that is ready.
 *
 * @param world - files and clock
 * @param problem - the problem of the trial
 * @param ready - its data
 * @param trial - what is tried
 * @returns what came of it, failures of training included; an error is one of what was asked
 */
export const tryOn = (
  world: TrialWorld,
  problem: Problem,
  ready: Ready,
  trial: Trial,
): TE.TaskEither<KfacError, TrialResult> =>
  pipe(
    TE.fromEither(optimizerFor(problem, trial)),
    TE.chain((optimizer) =>
      pipe(
        trained(world, ready, optimizer, notEnded(problem, trial, ready.floor)),
        TE.chain((result) =>
          pipe(
            flopsOfAdam(ready.task, problem.batch, optimizer),
            TE.map((flops): TrialResult => ({ ...result, flopsOfAdam: flops })),
          ),
        ),
      ),
    ),
  );
