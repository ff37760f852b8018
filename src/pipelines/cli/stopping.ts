/**
 * Runs that are ended before their time: the step under way is the last, what there is is written.
 *
 * @module
 */
import type * as IO from 'fp-ts/lib/IO.js';
import * as IOR from 'fp-ts/lib/IORef.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import type { Plan } from '../config/plan.ts';
import type { Interruption } from '../interruptions.ts';
import type { Ended } from '../reports/ended.ts';
import type { World } from '../world.ts';

/** What has interrupted a run, `null` while nothing has. */
export type Interrupting = IO.IO<Interruption | null>;

/**
 * Runs something that can ask whether it was interrupted. A person is told of it, and that once more ends the process.
 *
 * @param world - whose interruptions, and where to say so
 * @param run - what can be interrupted
 */
export const interruptible = <A>(
  { err, interruptions }: World,
  run: (interrupting: Interrupting) => TE.TaskEither<KfacError, A>,
): TE.TaskEither<KfacError, A> => {
  const by = IOR.newIORef<Interruption | null>(null)();
  const told = (interruption: Interruption): IO.IO<void> =>
    pipe(by.write(interruption), (write) => () => {
      write();
      if (interruption.isQuiet) return;
      err(
        `${interruption.by}: the step under way is the last, then what there is is written; once more ends at once`,
      )();
    });
  return TE.bracket(
    TE.fromIO<IO.IO<void>, KfacError>(interruptions?.(told) ?? (() => () => undefined)),
    () => run(by.read),
    (stop) => TE.fromIO(stop),
  );
};

/**
 * Sentences about runs that were stopped, and about those that were not begun.
 *
 * @param interruption - what has ended them
 * @param plan - what was to be run
 * @param total - number of steps that it was to have
 * @param outcomes - what came of it
 */
export const stoppedNotes = (
  interruption: Interruption | null,
  plan: Pick<Plan, 'optimizers'>,
  total: number,
  outcomes: ReadonlyArray<Ended>,
): ReadonlyArray<string> => {
  if (interruption === null) return [];
  const begun = outcomes.map(({ optimizer }) => optimizer.name);
  return [
    ...outcomes.flatMap((ended) =>
      ended._tag === 'Finished' && ended.result.history.length < total
        ? [
            `${ended.optimizer.name} was stopped by ${interruption.by} after ${ended.result.history.length} of ${total} steps.`,
          ]
        : [],
    ),
    ...plan.optimizers
      .filter(({ name }) => !begun.includes(name))
      .map(({ name }) => `${name} was not begun: ${interruption.by} had stopped the run.`),
  ];
};
