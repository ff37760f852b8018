/**
 * The flags of a run: how each is declared to the command line, and how its text becomes a setting.
 *
 * Flags go through the same codecs as configuration files, so both accept the same values and complain in the same words.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';

import type { KfacError } from '../../core/errors.ts';
import { shown } from '../../core/shown.ts';
import type { SettingValue } from '../../solvers/settings/setting.ts';
import type { OptimizerSettings, RunConfig } from '../config/runConfig.ts';
import { decodeRunConfig } from '../config/runConfig.ts';

/** A flag: name and argument, what it is for. */
export interface Flag {
  readonly flag: string;
  readonly description: string;
}

/** For programs that read the output. */
const jsonFlag: Flag = { flag: '--json', description: 'JSON lines on standard output, nothing else' };

const batchFlag: Flag = { flag: '--batch <N>', description: 'examples per step' };
const sizeFlag: Flag = { flag: '--size <SIZE>', description: 'small or full (default: full)' };

const backendFlags: ReadonlyArray<Flag> = [
  { flag: '--backend <NAME>', description: 'auto, native, gpu, portable or reference (default: auto)' },
  { flag: '--gpu-mode <NAME>', description: 'of the gpu backend: auto, webgpu, webgl2, headlessgl, webasm or cpu' },
  { flag: '--threads <N>', description: 'threads of the backend' },
];

/** Flags of `doctor`. */
export const doctorFlags: ReadonlyArray<Flag> = [...backendFlags, jsonFlag];

const dataFlag: Flag = {
  flag: '--data <PATH>',
  description: 'the data: a directory of IDX files, or a text (default: what an installed package has)',
};

/** How processes that train together go about it. */
const wireFlag: Flag = {
  flag: '--wire <FORMAT>',
  description: 'under mpirun, how gradients and statistics travel: full, or bf16 in half the bytes (default: full)',
};
const accumulateFlag: Flag = {
  flag: '--accumulate <N>',
  description: 'each process takes its examples of a batch in N parts, one after another, to save memory (default: 1)',
};

const toFlag: Flag = { flag: '--to <LANGUAGE>', description: 'of a translation, short for --with to=LANGUAGE' };

/** The flag of commands that take a run's folder. */
const parametersFlag: Flag = {
  flag: '--optimizer <NAME>',
  description: 'whose parameters, where the run has several (default: the first)',
};

/** Flags of `evaluate`. */
export const evaluateFlags: ReadonlyArray<Flag> = [
  parametersFlag,
  { flag: '--data <PATH>', description: 'other data than the run had' },
  ...backendFlags,
  jsonFlag,
];

/** Flags of `report`. */
export const reportFlags: ReadonlyArray<Flag> = [
  { flag: '--out <FILE>', description: 'where the page goes (default: report.html in the folder of the run)' },
];

/** Flags of `generate`. */
export const generateFlags: ReadonlyArray<Flag> = [
  { flag: '--prompt <TEXT>', description: 'what the text begins with' },
  { flag: '--tokens <N>', description: 'how many tokens are written (default: 200)' },
  { flag: '--temperature <X>', description: 'below 1 the likely becomes likelier, 0 is greedy (default: 0.8)' },
  { flag: '--top-k <N>', description: 'only so many of the likeliest tokens (default: all)' },
  { flag: '--seed <N>', description: 'decides what is drawn (default: 1)' },
  parametersFlag,
  ...backendFlags,
  jsonFlag,
];

/** Flags of `summary`. */
export const summaryFlags: ReadonlyArray<Flag> = [
  { flag: '--optimizers <NAMES>', description: 'whose steps are counted, with commas between (default: kfac)' },
  sizeFlag,
  batchFlag,
  dataFlag,
  toFlag,
  jsonFlag,
];

/** Flags of `plan`. */
export const planFlags: ReadonlyArray<Flag> = [
  { flag: '--ranks <NUMBERS>', description: 'numbers of processes, with commas between (default: 2,4,8,16,32)' },
  { flag: '--optimizer <NAME>', description: 'whose steps (default: kfac)' },
  { flag: '--latency <X>', description: 'µs that a message takes (default: measured under mpirun, else 20)' },
  { flag: '--bandwidth <X>', description: 'MB/s between processes (default: measured under mpirun, else 1000)' },
  wireFlag,
  accumulateFlag,
  sizeFlag,
  batchFlag,
  dataFlag,
  toFlag,
  ...backendFlags,
  jsonFlag,
];

/** Flags of `bench`. */
export const benchFlags: ReadonlyArray<Flag> = [
  {
    flag: '--optimizers <NAMES>',
    description: 'presets with commas between, adam@0.003 with a rate, or all (default: kfac)',
  },
  { flag: '--half <HALF>', description: 'of the suite: tune, report or all (default: all)' },
  { flag: '--problems <NAMES>', description: 'some problems, with commas between' },
  { flag: '--seeds <NUMBERS>', description: 'with commas between (default: 1)' },
  { flag: '--longer <X>', description: 'factor for the numbers of steps (default: 1)' },
  { flag: '--processes <N>', description: 'how many at a time (default: 1); results do not depend on it' },
  { flag: '--out <FILE>', description: 'file for a JSON line of each result' },
  { flag: '--from <FILES>', description: 'earlier results to compare with, commas between; alone, nothing is run' },
  { flag: '--figure <FILE>', description: 'where the performance profile goes, as SVG and PNG' },
  jsonFlag,
];

/** Flags of `tune`. */
export const tuneFlags: ReadonlyArray<Flag> = [
  { flag: '--optimizers <NAMES>', description: 'presets with commas between (default: kfac,adam)' },
  { flag: '--trials <N>', description: 'settings of each that are tried, its defaults among them (default: 16)' },
  {
    flag: '--budget <STEPS|SECONDS>',
    description: 'how long those train that stay to the end: steps, or as in 60s or 5min (default: the task’s steps)',
  },
  { flag: '--seed <N>', description: 'decides what is tried (default: 1)' },
  { flag: '--seeds <NUMBERS>', description: 'of the runs with the best settings (default: the three after --seed)' },
  batchFlag,
  sizeFlag,
  ...backendFlags,
  { flag: '--lr <X>', description: 'learning rate of every optimizer, which is then not searched' },
  dataFlag,
  toFlag,
  { flag: '--resume <DIR>', description: 'go on with the search of this directory' },
  { flag: '--out <DIR>', description: 'directory of the search (default: a new one in runs/; none with --json)' },
  jsonFlag,
];

/** Flags that `train` and `compare` share. */
export const runFlags: ReadonlyArray<Flag> = [
  { flag: '--steps <N>', description: 'number of steps' },
  { flag: '--epochs <N>', description: 'passes over the training set, instead of steps' },
  batchFlag,
  { flag: '--seed <N>', description: 'decides everything random (default: 1)' },
  sizeFlag,
  ...backendFlags,
  {
    flag: '--gradient-workers <WHO>',
    description:
      'under mpirun, who keeps an inverse: all processes, one for each, or a share of them as 0.5 (default: all)',
  },
  wireFlag,
  accumulateFlag,
  { flag: '--lr <X>', description: 'learning rate of every optimizer' },
  { flag: '--evaluate-every <N>', description: 'steps between evaluations on the test set' },
  { flag: '--patience <N>', description: 'stop after N evaluations without improvement; keep the best parameters' },
  dataFlag,
  toFlag,
  { flag: '--start <FILE>', description: 'safetensors file with the parameters to start from, ours or PyTorch’s' },
  { flag: '--hold <PATHS>', description: 'parameters or layers that are held fixed, with commas between' },
  { flag: '--config <FILE>', description: 'settings from a YAML or JSON file; flags go before it' },
  {
    flag: '--checkpoint-every <STEPS|MINUTES>',
    description: 'steps between checkpoints, or minutes as in 10min (default: 10min)',
  },
  { flag: '--keep <N>', description: 'checkpoints that stay, besides the best (default: 2)' },
  {
    flag: '--backoff <N>',
    description: 'a run that diverges goes back with more damping, at most N times (default: 0, it ends)',
  },
  { flag: '--tensorboard', description: 'what happens as events of TensorBoard too, in the report’s tensorboard/' },
  { flag: '--export <FORMAT>', description: 'parameters for others too: torch has PyTorch’s names and layout' },
  { flag: '--resume <RUN|CHECKPOINT>', description: 'go on with a run from its last checkpoint, or from this one' },
  { flag: '--fork', description: 'begin a run of its own from that checkpoint, with other settings' },
  { flag: '--out <DIR>', description: 'directory of the report (default: a new one in runs/; none with --json)' },
  { flag: '--replace', description: 'replace the run that the directory holds; it is an error else' },
  jsonFlag,
];

/** The flag that may be given several times. */
export const setFlag: Flag = {
  flag: '--set <[OPTIMIZER.]NAME=VALUE>',
  description: 'a setting of one optimizer, or of all; may be repeated',
};

/** The flag for settings of a task, which may be given several times. */
export const withFlag: Flag = {
  flag: '--with <NAME=VALUE>',
  description: 'a setting of the task; may be repeated',
};

/** Flags of `translate`. */
export const translateFlags: ReadonlyArray<Flag> = [
  { flag: '--beam <N>', description: 'drafts that are followed; 1 is greedy (default: 4)' },
  { flag: '--length-penalty <X>', description: '0 for the likeliest text, above it for longer ones (default: 0.6)' },
  parametersFlag,
  ...backendFlags,
  jsonFlag,
];

/** Flags as the command line gives them: text by name in camel case, several texts for one that is repeated. */
export type RawFlags = Readonly<Record<string, string | boolean | ReadonlyArray<string>>>;

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Settings that are numbers; anything else in their place stays text, and the codec refuses it. */
const numeric: ReadonlyArray<string> = [
  ...['steps', 'epochs', 'batch', 'seed', 'threads', 'accumulate', 'gradientWorkers'],
  ...['evaluateEvery', 'patience', 'checkpointEvery', 'keep', 'backoff'],
];

/** Flags that are no settings of a run by themselves. */
const special: ReadonlyArray<string> = ['json', 'config', 'lr', 'set', 'with', 'to', 'replace', 'resume', 'fork'];

const asNumber = (text: string): string | number => {
  const value = Number(text);
  return text.trim() === '' || Number.isNaN(value) ? text : value;
};

/** Text that looks like a number or a truth value becomes one. */
const asSetting = (text: string): SettingValue => (text === 'true' ? true : text === 'false' ? false : asNumber(text));

const assignment = /^(?:([^.=]+)\.)?([^.=]+)=(.*)$/;

/** One `--set` as settings: for its optimizer, or for all in the run. */
const parseSet =
  (optimizers: ReadonlyArray<string>) =>
  (text: string): E.Either<KfacError, OptimizerSettings> => {
    const match = assignment.exec(text);
    if (match === null) {
      return E.left({ _tag: 'BadConfig', path: '--set', expected: '[OPTIMIZER.]NAME=VALUE', actual: text });
    }
    const [, optimizer, name, value] = match;
    if (optimizer !== undefined && !optimizers.includes(optimizer)) {
      return E.left({
        _tag: 'BadConfig',
        path: `--set ${optimizer}.${name}`,
        expected: `an optimizer of this run, ${optimizers.join(', ')}`,
        actual: shown(optimizer),
      });
    }
    const targets = optimizer === undefined ? optimizers : [optimizer];
    return E.right(Object.fromEntries(targets.map((target) => [target, { [name]: asSetting(value) }])));
  };

/** One `--with` as a setting of the task. */
const parseWith = (text: string): E.Either<KfacError, readonly [string, SettingValue]> => {
  const at = text.indexOf('=');
  return at > 0
    ? E.right([text.slice(0, at), asSetting(text.slice(at + 1))])
    : E.left({ _tag: 'BadConfig', path: '--with', expected: 'NAME=VALUE', actual: text });
};

const joinSettings = (all: ReadonlyArray<OptimizerSettings>): OptimizerSettings =>
  all.reduce(
    (joined, next) => ({
      ...joined,
      ...Object.fromEntries(Object.entries(next).map(([name, changes]) => [name, { ...joined[name], ...changes }])),
    }),
    {},
  );

/** The texts of a flag, however often it was given. */
export const textsOf = (value: RawFlags[string] | undefined): ReadonlyArray<string> =>
  typeof value === 'string' ? [value] : typeof value === 'object' ? value : [];

/** What stands between commas, empty places left out. */
export const namesIn = (text: string): ReadonlyArray<string> =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');

const settingOf = (name: string, value: RawFlags[string]): unknown => {
  if (typeof value !== 'string') return value;
  if (name === 'optimizers') return namesIn(value);
  // A list of nothing would hold nothing, and say so nowhere.
  if (name === 'hold') return namesIn(value).length === 0 ? value : namesIn(value);
  return numeric.includes(name) ? asNumber(value) : value;
};

/** How errors call a place in the settings that flags make. */
export const flagAt = (path: string): string => {
  const [first, ...rest] = path.split('.');
  if (first === 'settings' && rest.length > 0) return `--set ${rest.join('.')}`;
  return first === 'with' && rest.length > 0 ? `--with ${rest.join('.')}` : `--${kebab(path)}`;
};

/**
 * Names of the optimizers that flags ask for, if they do.
 *
 * @param flags - flags that were given
 */
export const optimizersOfFlags = (flags: RawFlags): ReadonlyArray<string> | undefined => {
  const { optimizer, optimizers } = flags;
  return typeof optimizer === 'string' ? [optimizer] : typeof optimizers === 'string' ? namesIn(optimizers) : undefined;
};

/**
 * Settings from flags.
 *
 * @param flags - flags that were given
 * @param optimizers - names of the run's optimizers, for flags that concern all of them
 */
export const configOfFlags = (flags: RawFlags, optimizers: ReadonlyArray<string>): E.Either<KfacError, RunConfig> => {
  const plain = Object.entries(flags)
    .filter(([name]) => !special.includes(name))
    .map(([name, value]) => [name, settingOf(name, value)] as const);
  const assignments = [...textsOf(flags['lr']).map((value) => `learningRate=${value}`), ...textsOf(flags['set'])];
  const asked = [...textsOf(flags['to']).map((language) => `to=${language}`), ...textsOf(flags['with'])];
  return pipe(
    E.Do,
    E.apS('settings', pipe(assignments, E.traverseArray(parseSet(optimizers)))),
    E.apS('task', pipe(asked, E.traverseArray(parseWith))),
    E.chain(({ settings, task }) =>
      decodeRunConfig(flagAt, {
        ...Object.fromEntries(plain),
        ...(task.length === 0 ? {} : { with: Object.fromEntries(task) }),
        ...(settings.length === 0 ? {} : { settings: joinSettings(settings) }),
      }),
    ),
  );
};
