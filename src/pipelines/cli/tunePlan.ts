/**
 * Flags of `kfac tune` as a plan: which task, whom to try on it, how often and how long.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { KfacError } from '../../core/errors.ts';
import { shown } from '../../core/shown.ts';
import { wholeBetween } from '../../solvers/settings/range.ts';
import type { Plan } from '../config/plan.ts';
import { planOf, presetsOf } from '../config/plan.ts';
import type { TaskFamily } from '../tasks/task.ts';
import type { Budget } from '../tuning/halving.ts';
import type { Asked } from '../tuning/records.ts';
import type { Search } from '../tuning/search.ts';
import { mostTrials, searchOf } from '../tuning/search.ts';
import { asGiven } from './asGiven.ts';
import type { RawFlags } from './options.ts';
import { configOfFlags, namesIn, optimizersOfFlags, textsOf } from './options.ts';
import { numberFrom } from './overRun.ts';

/** What is searched, and on what. */
export interface TunePlan extends Pick<Plan, 'task' | 'backend' | 'data'> {
  readonly search: Search;
  readonly batch: number;
}

/** Flags that are no settings of the runs. */
const ofSearches: ReadonlyArray<string> = ['trials', 'budget', 'seeds', 'out', 'resume'];

/** Optimizers that are tried unless others are named. */
const usual = ['kfac', 'adam'];

/** Trials of each, unless their number is given. */
const usualTrials = 16;

const bad = (path: string, expected: string, actual: string): E.Either<KfacError, never> =>
  E.left({ _tag: 'BadConfig', path, expected, actual: shown(actual) });

const seedsOf = (flags: RawFlags): E.Either<KfacError, ReadonlyArray<number> | undefined> => {
  const [text] = textsOf(flags['seeds']);
  if (text === undefined) return E.right(undefined);
  const seeds = namesIn(text).map(Number);
  return seeds.length === 0 || seeds.some(Number.isNaN)
    ? bad('--seeds', 'whole numbers with commas between', text)
    : E.right(seeds);
};

const budgetWords = 'steps as in 300, or training time as in 60s or 5min';

const budgetOf = (flags: RawFlags, standard: number): E.Either<KfacError, Budget> => {
  const [text] = textsOf(flags['budget']);
  if (text === undefined) return E.right({ steps: standard });
  const [, digits, unit] = /^(\d{1,9}(?:\.\d+)?) ?(s|min)?$/.exec(text.trim()) ?? [];
  if (digits === undefined) return bad('--budget', budgetWords, text);
  return E.right(
    unit === undefined ? { steps: Number(digits) } : { seconds: Number(digits) * (unit === 's' ? 1 : 60) },
  );
};

/**
 * What a command asks for.
 *
 * @param asked - task and flags
 * @param tasks - what can be learned
 */
export const tunePlan = ({ task, flags }: Asked, tasks: ReadonlyArray<TaskFamily>): E.Either<KfacError, TunePlan> => {
  const names = optimizersOfFlags(flags) ?? usual;
  const plain = Object.fromEntries(Object.entries(flags).filter(([name]) => !ofSearches.includes(name)));
  return pipe(
    E.Do,
    E.bind('config', () => configOfFlags(plain, names)),
    E.bind('plan', ({ config }) => planOf(task, names, config, tasks)),
    E.bind('trials', () => numberFrom(flags, 'trials', wholeBetween(1, mostTrials))),
    E.bind('seeds', () => seedsOf(flags)),
    E.bind('budget', ({ plan }) => budgetOf(flags, plan.task.defaults.steps)),
    E.bind('search', ({ config, plan, trials, seeds, budget }) =>
      searchOf({
        optimizers: names,
        presets: presetsOf(plan.task),
        fixed: config.settings ?? {},
        trials: trials ?? usualTrials,
        budget,
        seed: plan.options.seed,
        ...(seeds === undefined ? {} : { seeds }),
      }),
    ),
    E.map(({ plan, search }) => ({
      task: plan.task,
      backend: plan.backend,
      data: plan.data,
      batch: plan.options.batch,
      search,
    })),
    E.mapLeft(asGiven({ flags, file: null })),
  );
};
