/**
 * `--tensorboard`: a run's event files, beside its report.
 *
 * @module
 */
import type * as IO from 'fp-ts/lib/IO.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as T from 'fp-ts/lib/Task.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Backend } from '../../core/backends/backend.ts';
import { describeError } from '../../core/errors.ts';
import type { Shaped } from '../../core/tensor.ts';
import type { Optimizer } from '../../solvers/presets/optimizer.ts';
import type { Plan } from '../config/plan.ts';
import type { Observer } from '../experiment.ts';
import type { Ended } from '../reports/ended.ts';
import { courseOf } from '../reports/ended.ts';
import type { EventLog } from '../tensorboard/eventLog.ts';
import { eventLog } from '../tensorboard/eventLog.ts';
import { eventsOf, figuresAsEvents } from '../tensorboard/runEvents.ts';
import { savingTogether } from '../ranks.ts';
import type { TrainOptions } from '../trainer/options.ts';
import { savingBoth } from '../trainer/saving.ts';
import type { World } from '../world.ts';
import type { Taken } from './places.ts';
import type { Resumption } from './resuming.ts';
import { goingOnFrom } from './resuming.ts';

/** What of a run's options depends on the optimizer. */
type OptionsOf = (optimizer: Optimizer) => Pick<TrainOptions, 'from' | 'resume' | 'saving'>;

/** Event files of a run's optimizers; none where nobody wants them. */
export interface Board {
  /** An optimizer's options with looks at its factors. */
  readonly optionsOf: <T extends Shaped>(backend: Backend<T>, others: OptionsOf) => OptionsOf;
  /** Who watches an optimizer's run, and the events with them. */
  readonly observed: (optimizer: Optimizer, observer: IO.IO<Observer>) => IO.IO<Observer>;
  /** Puts the pictures of a report among the events, or warns of why it cannot. */
  readonly figures: (outcomes: ReadonlyArray<Ended>, written: ReadonlyArray<string>) => T.Task<void>;
}

/** Looks at the eigenvalues in a run, unless its evaluations say how many. */
const looks = 10;

/**
 * The event files of a run.
 *
 * @param world - files, time, and where to warn
 * @param plan - the run
 * @param place - where it has its report, `null` for nowhere
 * @param resumption - what it goes on from
 * @param total - number of steps
 */
export const boardFor = (
  world: World,
  plan: Pick<Plan, 'optimizers' | 'options' | 'tensorboard'>,
  place: Taken | null,
  resumption: Resumption | null,
  total: number,
): Board => {
  const { files, date, err } = world;
  const of = (optimizer: Optimizer, { taken }: Taken): EventLog => {
    const { resume } = goingOnFrom(resumption, optimizer);
    return eventLog(files, {
      directory: pipe(
        taken,
        TE.map((directory) => eventsOf(directory, optimizer.name)),
      ),
      date,
      every: plan.options.evaluateEvery ?? Math.max(1, Math.ceil(total / looks)),
      warn: (sentence) => err(`warning: ${optimizer.name}: ${sentence}`),
      ...(resume === undefined ? {} : { from: resume }),
    });
  };
  const logs: ReadonlyMap<string, EventLog> = new Map(
    place === null || plan.tensorboard !== true
      ? []
      : plan.optimizers.map((optimizer) => [optimizer.name, of(optimizer, place)]),
  );
  return {
    optionsOf: (backend, others) => (optimizer) => {
      const options = others(optimizer);
      const log = logs.get(optimizer.name);
      if (log === undefined) return options;
      const looking = savingTogether(world.ranks, log.saving(backend));
      return { ...options, saving: options.saving === undefined ? looking : savingBoth(looking, options.saving) };
    },
    observed: (optimizer, observer) => () => {
      const watching = observer();
      const log = logs.get(optimizer.name);
      return log === undefined ? watching : { ...watching, listeners: [...watching.listeners, log.listener] };
    },
    figures: (outcomes, written) =>
      place === null || logs.size === 0
        ? T.of(undefined)
        : pipe(
            place.taken,
            TE.chain((directory) => {
              const step = Math.max(0, ...outcomes.map((ended) => courseOf(ended).history.at(-1)?.step ?? 0));
              return figuresAsEvents(files, directory, written, { step, date: date() });
            }),
            TE.match(
              (error) => err(`warning: no figures are written for TensorBoard. ${describeError(error)}`)(),
              () => undefined,
            ),
          ),
  };
};
