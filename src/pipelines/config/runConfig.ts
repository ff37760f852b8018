/**
 * What can be set about a run, in a file or by flags.
 *
 * The interface is written by hand, so that the public types do not depend on the library that checks values against
 * them.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as t from 'io-ts';

import type { BackendName } from '../../core/backends/choice/choose.ts';
import { backendNames } from '../../core/backends/choice/choose.ts';
import type { GpuMode } from '../../core/backends/gpuModes.ts';
import { gpuModes } from '../../core/backends/gpuModes.ts';
import type { KfacError } from '../../core/errors.ts';
import type { GradientWorkers } from '../../core/parallel/spread/rows.ts';
import type { Wire } from '../../core/parallel/spread/wire.ts';
import type { SettingValue } from '../../solvers/settings/setting.ts';
import type { Optimizer } from '../../solvers/presets/optimizer.ts';
import type { TaskSettings, TaskSize } from '../tasks/task.ts';
import { composedOptimizer } from './compose/compose.ts';
import { everyText } from './every.ts';
import {
  decodeWith,
  decoder,
  fraction,
  inSentence,
  oneOf,
  pathText,
  positive,
  setting,
  text,
  wholeFrom,
} from './codecs/codecs.ts';

/** Where to compute. */
export type BackendChoice = 'auto' | BackendName;

/** Where the gpu backend runs its kernels. */
export type GpuModeChoice = 'auto' | GpuMode;

/** Whose names and layout parameters are written with, besides our own. */
export type ExportFormat = 'torch';

/** Settings of optimizers: by name of the optimizer, then by name of the setting. */
export type OptimizerSettings = Readonly<Record<string, Readonly<Record<string, SettingValue>>>>;

/** An optimizer: a preset by its name, or one that is composed of parts. */
export type OptimizerChoice = string | Optimizer;

/** Everything that can be set; what is left out has a default. */
export interface RunConfig {
  /** The task that the rest was made for; a command for another one refuses it. */
  readonly task?: string | undefined;
  /** For `train`. */
  readonly optimizer?: OptimizerChoice | undefined;
  /** For `compare`. */
  readonly optimizers?: ReadonlyArray<OptimizerChoice> | undefined;
  readonly settings?: OptimizerSettings | undefined;
  readonly size?: TaskSize | undefined;
  /** Settings of the task. */
  readonly with?: TaskSettings | undefined;
  readonly steps?: number | undefined;
  readonly epochs?: number | undefined;
  readonly batch?: number | undefined;
  readonly seed?: number | undefined;
  /** Steps between evaluations on the test set. */
  readonly evaluateEvery?: number | undefined;
  /** Evaluations without improvement until training stops. */
  readonly patience?: number | undefined;
  readonly backend?: BackendChoice | undefined;
  /** Any other than `auto` asks for the gpu backend as well. */
  readonly gpuMode?: GpuModeChoice | undefined;
  readonly threads?: number | undefined;
  /** Where several processes train together: who keeps an inverse. */
  readonly gradientWorkers?: GradientWorkers | undefined;
  /** Where several processes train together: how sums over examples travel. */
  readonly wire?: Wire | undefined;
  /** Parts that each process takes its examples of a batch in, one after another. */
  readonly accumulate?: number | undefined;
  /** Directory of the data set. */
  readonly data?: string | undefined;
  /** File with the parameters to start from. */
  readonly start?: string | undefined;
  /** Paths of parameters that are held fixed, each of one or of a layer with all below it. */
  readonly hold?: ReadonlyArray<string> | undefined;
  /** Between checkpoints: a number of steps, or minutes as in `10min`. */
  readonly checkpointEvery?: number | string | undefined;
  /** Checkpoints that stay, besides the best. */
  readonly keep?: number | undefined;
  /** How often a run that diverges goes back to where it was well, with more damping; it ends where it is 0. */
  readonly backoff?: number | undefined;
  /** Whether what happens is written as events of TensorBoard too. */
  readonly tensorboard?: boolean | undefined;
  /** What else parameters are written for. */
  readonly export?: ExportFormat | undefined;
  /** Directory of the report. */
  readonly out?: string | undefined;
  /** What the report of a run says of it; sets nothing. */
  readonly about?: unknown;
}

const choice: t.Type<OptimizerChoice> = decoder<OptimizerChoice>(composedOptimizer.name, (value, context) =>
  text.is(value) ? t.success(value) : composedOptimizer.validate(value, context),
);

const shareOfRanks: t.Type<GradientWorkers> = new t.Type(
  'all, one, or a share of the processes, above 0 and up to 1',
  (value): value is GradientWorkers => value === 'all' || value === 'one' || fraction.is(value),
  (value, context) => (shareOfRanks.is(value) ? t.success(value) : t.failure(value, context)),
  t.identity,
);

const fields = {
  task: text,
  optimizer: choice,
  optimizers: t.readonlyArray(choice, 'a list of optimizers'),
  settings: t.record(t.string, t.record(t.string, setting, 'a record of settings'), 'settings by optimizer'),
  size: oneOf<TaskSize>(['small', 'full']),
  with: t.record(t.string, setting, 'a record of settings'),
  steps: wholeFrom(1),
  epochs: positive,
  batch: wholeFrom(1),
  seed: wholeFrom(0),
  evaluateEvery: wholeFrom(1),
  patience: wholeFrom(1),
  backend: oneOf<BackendChoice>(['auto', ...backendNames]),
  gpuMode: oneOf<GpuModeChoice>(['auto', ...gpuModes]),
  threads: wholeFrom(1),
  gradientWorkers: shareOfRanks,
  wire: oneOf<Wire>(['full', 'bf16']),
  accumulate: wholeFrom(1),
  data: pathText,
  start: pathText,
  hold: t.readonlyArray(text, 'a list of paths of parameters or layers'),
  checkpointEvery: everyText,
  keep: wholeFrom(1),
  backoff: wholeFrom(0),
  tensorboard: t.boolean,
  export: oneOf<ExportFormat>(['torch']),
  out: pathText,
  about: t.unknown,
};

const Codec: t.Decoder<unknown, RunConfig> = t.partial(fields, 'a record of settings');

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => t.UnknownRecord.is(value);

const refuseUnknown = (showPath: (path: string) => string, value: unknown): E.Either<KfacError, unknown> => {
  const unknown = isRecord(value) ? Object.keys(value).find((key) => !Object.hasOwn(fields, key)) : undefined;
  return unknown === undefined
    ? E.right(value)
    : E.left({
        _tag: 'BadConfig',
        path: showPath(inSentence(unknown)),
        expected: `one of ${Object.keys(fields).join(', ')}`,
        actual: 'an unknown setting',
      });
};

/**
 * Checks settings from outside. A name that is not known is an error, as is a value of a wrong type.
 *
 * @param showPath - how to call a setting in errors, from its path
 * @param value - anything
 */
export const decodeRunConfig = (showPath: (path: string) => string, value: unknown): E.Either<KfacError, RunConfig> =>
  pipe(
    refuseUnknown(showPath, value),
    E.chain((known) => decodeWith(Codec, showPath, known)),
  );

/** Settings per optimizer, the second's before the first's. */
const mergeSettings = (base: OptimizerSettings, over: OptimizerSettings): OptimizerSettings => ({
  ...base,
  ...Object.fromEntries(Object.entries(over).map(([name, changes]) => [name, { ...base[name], ...changes }])),
});

const withoutDuration = (config: RunConfig): RunConfig => ({ ...config, steps: undefined, epochs: undefined });

/**
 * Two configurations as one, where the second has the last word. A duration replaces a duration, whichever unit it has.
 *
 * @param base - for example from a file
 * @param over - for example from flags
 */
export const mergeConfigs = (base: RunConfig, over: RunConfig): RunConfig => ({
  ...(over.steps === undefined && over.epochs === undefined ? base : withoutDuration(base)),
  ...over,
  ...(base.with === undefined && over.with === undefined ? {} : { with: { ...base.with, ...over.with } }),
  settings: mergeSettings(base.settings ?? {}, over.settings ?? {}),
});
