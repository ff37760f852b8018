/**
 * What a person chooses, and the parts of the library that it stands for.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { BackendOptions, KfacError } from 'kfac-ts/core';
import type { Task } from 'kfac-ts/pipelines';
import { taskOf } from 'kfac-ts/pipelines';
import type { Optimizer, SettingValue } from 'kfac-ts/solvers';
import { optimizerNames, optimizerOf } from 'kfac-ts/solvers';

/** Backends that a page can be asked to use. */
export const places = ['auto', 'webgpu', 'webgl2', 'webasm', 'cpu', 'reference'] as const;

/** Where to compute. */
export type Place = (typeof places)[number];

/** Places in words. */
export const placeTitles: Readonly<Record<Place, string>> = {
  auto: 'The fastest that works here',
  webgpu: 'WebGPU',
  webgl2: 'WebGL 2',
  webasm: 'WebAssembly',
  cpu: 'JavaScript (gpu.js)',
  reference: 'Reference (64 bits, slow)',
};

/** Which run steps next. */
export const paces = ['seconds', 'steps'] as const;

/** `seconds`: the one with the least training time; `steps`: the one with the fewest steps. */
export type Pace = (typeof paces)[number];

/** Who takes part: a second-order method, and two first-order ones to compare with. */
export const lanes = ['second', 'adam', 'sgd'] as const;

/** One of the contestants. */
export type LaneId = (typeof lanes)[number];

const hasDamping = (name: string): boolean => {
  const made = optimizerOf(name);
  return made._tag === 'Right' && 'damping' in made.right.hyperparameters;
};

/** Second-order presets: those with a damping. */
export const secondOrder: ReadonlyArray<string> = optimizerNames.filter(hasDamping);

/** What a person chooses. */
export interface Setup {
  readonly task: string;
  readonly place: Place;
  readonly threads: number;
  readonly batch: number;
  readonly seed: number;
  readonly pace: Pace;
  /** Preset of the lane `second`. */
  readonly preset: string;
  readonly enabled: Readonly<Record<LaneId, boolean>>;
  readonly learningRate: Readonly<Record<LaneId, number>>;
  readonly damping: number;
  readonly statisticsEvery: number;
  readonly inverseEvery: number;
}

/** What suits ten thousand images and batches of some hundred better than the defaults, which are for the whole set. */
const smallSet: Readonly<Record<string, Readonly<Record<string, SettingValue>>>> = {
  'mnist-classifier': { inverseEvery: 20 },
  'fashion-classifier': { inverseEvery: 20 },
};

/** In a game, what momentum remembers of the other player is out of date. */
const inGames: Readonly<Record<string, SettingValue>> = { momentum: 0, beta1: 0.5 };

/** Settings of the page's own for a preset on a task. */
const suited = (task: string, preset: string): Readonly<Record<string, SettingValue>> => {
  if (task === 'gan-ring') return inGames;
  return preset === 'kfac' && Object.hasOwn(smallSet, task) ? smallSet[task] : {};
};

/** A preset's settings for a task; a setting that the preset does not have is left out. */
const settingsFor = (
  task: string,
  preset: string,
  changes: Readonly<Record<string, SettingValue>> = {},
): Readonly<Record<string, SettingValue>> =>
  pipe(
    optimizerOf(preset),
    E.match(
      () => ({}),
      ({ hyperparameters }) => ({
        ...hyperparameters,
        ...Object.fromEntries(
          Object.entries({ ...suited(task, preset), ...changes }).filter(([name]) => name in hyperparameters),
        ),
      }),
    ),
  );

const numberIn = (settings: Readonly<Record<string, SettingValue>>, name: string, otherwise: number): number => {
  const value = settings[name];
  return typeof value === 'number' ? value : otherwise;
};

/** Learning rates of first-order optimizers that do well on a task; the losses differ by two orders of magnitude. */
const rates: Readonly<Record<string, Readonly<Record<'adam' | 'sgd', number>>>> = {
  'mnist-autoencoder': { adam: 0.003, sgd: 0.0003 },
  'mnist-classifier': { adam: 0.003, sgd: 0.1 },
  'fashion-classifier': { adam: 0.003, sgd: 0.05 },
  'gan-ring': { adam: 0.003, sgd: 0.2 },
  'language-model': { adam: 0.01, sgd: 0.002 },
};

/** Examples per batch that suit a task: a text's are windows of many letters. */
export const suitedBatch = (task: string): number => (task === 'language-model' ? 32 : 250);

/** Settings that follow from the choice of a task and a preset. */
export const suggested = (
  task: string,
  preset: string,
): Pick<Setup, 'learningRate' | 'damping' | 'statisticsEvery' | 'inverseEvery'> => {
  const settings = settingsFor(task, preset);
  return {
    learningRate: { second: numberIn(settings, 'learningRate', 1), ...(rates[task] ?? { adam: 0.001, sgd: 0.01 }) },
    damping: numberIn(settings, 'damping', 1),
    statisticsEvery: numberIn(settings, 'statisticsEvery', 1),
    inverseEvery: numberIn(settings, 'inverseEvery', 5),
  };
};

/** What is chosen before anybody chooses. */
export const defaultSetup: Setup = {
  task: 'mnist-autoencoder',
  place: 'auto',
  threads: 1,
  batch: suitedBatch('mnist-autoencoder'),
  seed: 1,
  pace: 'seconds',
  preset: 'kfac',
  enabled: { second: true, adam: true, sgd: true },
  ...suggested('mnist-autoencoder', 'kfac'),
};

/** Settings that a preset knows. */
export const knows = (preset: string, setting: string): boolean => setting in settingsFor(defaultSetup.task, preset);

/** The task. */
export const taskOfSetup = ({ task }: Setup): E.Either<KfacError, Task> => taskOf(task, 'small');

/** Where the data of a task are, beside the page. */
export const folderOf = ({ task }: Setup): string => (task === 'language-model' ? 'text/documents.txt' : 'digits');

/** The optimizer of a lane. */
export const optimizerOfLane = (setup: Setup, lane: LaneId): E.Either<KfacError, Optimizer> => {
  const { task, preset, damping, statisticsEvery, inverseEvery } = setup;
  const learningRate = setup.learningRate[lane];
  return lane === 'second'
    ? optimizerOf(preset, settingsFor(task, preset, { learningRate, damping, statisticsEvery, inverseEvery }))
    : optimizerOf(lane, settingsFor(task, lane, { learningRate }));
};

/** Lanes that take part. */
export const lanesOf = ({ enabled }: Setup): ReadonlyArray<LaneId> => lanes.filter((lane) => enabled[lane]);

/** Steps after which the costs of steps repeat. */
export const periodOf = ({ statisticsEvery, inverseEvery }: Setup): number => Math.max(statisticsEvery, inverseEvery);

/** What to ask the library for. */
export const backendOf = ({ place, threads }: Setup): BackendOptions => ({
  ...(threads > 1 ? { threads } : {}),
  ...(place === 'reference' ? { backend: place } : { backend: 'gpu' as const, gpuMode: place }),
});
