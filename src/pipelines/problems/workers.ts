/**
 * Who tries: this process, or others that it starts, which run the same program and get trials one after another.
 *
 * @module
 */
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';

import type * as IO from 'fp-ts/lib/IO.js';
import * as IOR from 'fp-ts/lib/IORef.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import { describeError } from '../../core/errors.ts';
import type { Problem, Ready } from './problem.ts';
import type { Trial, TrialResult, TrialWorld } from './trial.ts';
import { notEnded, problemNamed, tryOn } from './trial.ts';

/** Takes one trial at a time. */
export interface Worker {
  readonly run: (trial: Trial) => TE.TaskEither<KfacError, TrialResult>;
  readonly stop: IO.IO<void>;
}

/** This process. The data of the last problem are kept for the next trial; data that cannot be had are its end. */
export const hereWorker = (world: TrialWorld): Worker => {
  const last = IOR.newIORef<{ readonly name: string; readonly ready: Ready } | null>(null)();
  const readyFor = (problem: Problem): TE.TaskEither<KfacError, Ready> => {
    const known = last.read();
    return known?.name === problem.name
      ? TE.right(known.ready)
      : pipe(
          problem.make(world.files),
          TE.chainFirstIOK((ready) => last.write({ name: problem.name, ready })),
        );
  };
  return {
    run: (trial) =>
      pipe(
        TE.fromEither(problemNamed(trial.problem)),
        TE.chain((problem) =>
          pipe(
            readyFor(problem),
            TE.matchE(
              (error) => TE.right({ ...notEnded(problem, trial), error: describeError(error) }),
              (ready) => tryOn(world, problem, ready, trial),
            ),
          ),
        ),
      ),
    stop: () => undefined,
  };
};

/** What another process answers. */
type Answer = E.Either<KfacError, TrialResult>;

const isAnswer = (message: unknown): message is Answer =>
  typeof message === 'object' && message !== null && '_tag' in message;

const lost = (code: number | null): Answer =>
  E.left({ _tag: 'CallbackFailed', what: 'a process that tries', reason: `it ended with ${code ?? 'a signal'}` });

/** One message there and one back. */
const ask = (child: ChildProcess, trial: Trial): Promise<Answer> =>
  new Promise((resolve) => {
    const onExit = (code: number | null): void => resolve(lost(code));
    if (!child.connected) {
      resolve(lost(child.exitCode));
      return;
    }
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      resolve(isAnswer(message) ? message : lost(null));
    });
    child.send(trial, (failed) => {
      if (failed !== null) resolve(lost(child.exitCode));
    });
  });

/**
 * Another process.
 *
 * @param program - what it runs
 * @param args - which make it call {@link answerTrials}
 */
export const forkedWorker =
  (program: string, args: ReadonlyArray<string>): IO.IO<Worker> =>
  () => {
    const child = fork(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    return { run: (trial) => () => ask(child, trial), stop: () => void child.kill() };
  };

const isTrial = (message: unknown): message is Trial =>
  typeof message === 'object' && message !== null && 'problem' in message && 'optimizer' in message;

/** The other side: answers trials until the process that sends them is gone. */
export const answerTrials =
  (world: TrialWorld): TE.TaskEither<KfacError, void> =>
  () => {
    const worker = hereWorker(world);
    return new Promise((resolve) => {
      process.on('message', (message) => {
        if (isTrial(message))
          void worker
            .run(message)()
            .then((answer) => process.send?.(answer));
      });
      process.once('disconnect', () => resolve(E.right(undefined)));
    });
  };
