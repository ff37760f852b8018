/**
 * Every setting of every preset changes what a run computes.
 *
 * Settings that need others to matter are given them here; a setting that has no row gets another value of its type, so a
 * new one is tested without being listed.
 */
import { withObjective } from '../../../src/core/pipeline/withObjective.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import { softmaxCrossEntropy } from '../../../src/core/nn/losses/softmaxCrossEntropy.ts';
import type { TrainState } from '../../../src/core/pipeline/trainState.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { generate } from '../../../src/core/tensor.ts';
import type { SettingValue } from '../../../src/solvers/settings/setting.ts';
import { optimizerNames, optimizerOf } from '../../../src/solvers/presets/registry.ts';
import { scaledError } from '../../support/closeness.ts';
import { gaussian, mlp, orThrow, runStage, stateOf } from '../../support/training.ts';

type Settings = Readonly<Record<string, SettingValue>>;

const objective = { model: mlp([6, 5, 3]), loss: softmaxCrossEntropy };
const batchAt = (step: number) => ({
  inputs: gaussian(10 + step, [16, 6]),
  targets: generate([16], (i) => (i + step) % 3, 'i32'),
});

/** Where settings matter: damping neither absent nor at its bounds, every part of the step in use. */
const common: Settings = {
  damping: 0.1,
  minDamping: 1e-3,
  dampingDecay: 0.5,
  inverseEvery: 2,
  statisticsEvery: 1,
  dampingEvery: 1,
  settling: 0,
  share: 0,
  statisticsFraction: 0.5,
  atLeast: 1,
  classes: 3,
  rank: 2,
  oversampling: 1,
  maxIterations: 3,
  iterations: 5,
  vectors: 'full',
};

/** Another value, and what else is set on both sides. */
interface Row {
  readonly to: SettingValue;
  readonly given?: Settings;
}

const rows: Readonly<Record<string, Row>> = {
  minDamping: { to: 5, given: { dampingEvery: 1 } },
  maxDamping: { to: 0.15, given: { learningRate: 1, lossBound: 1e6 } },
  dampingEvery: { to: 3 },
  dampingDecay: { to: 0.2, given: { dampingEvery: 1 } },
  gammaEvery: { to: 2 },
  gammaDecay: { to: 0.3, given: { gammaEvery: 1 } },
  equilibrated: { to: 'column' },
  statisticsEvery: { to: 3 },
  atLeast: { to: 12 },
  inverseEvery: { to: 3 },
  inverseDrift: { to: 1e-9 },
  lossBound: { to: 1e-2 },
  share: { to: 1e-3 },
  settling: { to: 40 },
  inverseStaleness: { to: 1, given: { lossBound: 1e6 } },
  estimator: { to: 'empirical' },
  biases: { to: 'separate' },
  inputBlocks: { to: 2 },
  outputBlocks: { to: 2 },
  blockSize: { to: 2 },
  rank: { to: 1 },
  oversampling: { to: 3 },
  momentDecay: { to: 0.1 },
  powerIterations: { to: 0 },
  iterations: { to: 2 },
  maxIterations: { to: 1 },
  tolerance: { to: 0.5 },
  progress: { to: 0.9, given: { maxIterations: 100, tolerance: 1e-12 } },
  method: { to: 'nearest' },
  epsilon: { to: 1e-2 },
  learningRate: { to: 0.03 },
  decayed: { to: 'weights', given: { weightDecay: 0.3 } },
  length: { to: 'sgd' },
  by: { to: 'layer' },
  scale: { to: 'spectral' },
  head: { to: 'muon' },
  limit: { to: 3 },
  vectors: { to: 'diagonal' },
  relativeDamping: { to: 0.1 },
};

/** Settings that say what is accepted, or that matter for other kinds of sites and runs than this one. */
const elsewhere = new Set(['strict', 'classes', 'sites', 'sharing', 'scaleShift', 'perHead']);

/** λ of these rises only where the model does not hold on a step's own examples, which it does here however long the steps are. */
const holding = ['block-kfac', 'newton-schulz-kfac', 'low-rank-kfac'];
const isMoot = (name: string, key: string): boolean => key === 'maxDamping' && holding.includes(name);

const another = (value: SettingValue): SettingValue => {
  if (typeof value === 'number') return value === 0 ? 0.3 : 0.6 * value;
  return typeof value === 'boolean' ? !value : `not ${value}`;
};

const run = async (name: string, settings: Settings): Promise<TrainState<Tensor>> => {
  const step = pipeline(withObjective(objective), orThrow(optimizerOf(name, settings)).step);
  let state = stateOf(objective.model, 4);
  for (let i = 0; i < 6; i += 1) state = (await runStage(step, state, batchAt(i))).next;
  return state;
};

/** What runs lead to, by preset and settings: most rows have the same run on one side. */
const begun = new Map<string, Promise<TrainState<Tensor>>>();
const usual = (name: string, settings: Settings): Promise<TrainState<Tensor>> => {
  const key = JSON.stringify([name, settings]);
  const state = begun.get(key) ?? run(name, settings);
  begun.set(key, state);
  return state;
};

const cases = optimizerNames.flatMap((name) => {
  const known = orThrow(optimizerOf(name)).hyperparameters;
  return Object.keys(known)
    .filter((key) => !elsewhere.has(key) && !isMoot(name, key))
    .map((key) => [name, key, known] as const);
});

it.each(cases)('law: every setting changes something. %s: %s', async (name, key, known) => {
  const row = rows[key] ?? { to: another(common[key] ?? known[key]) };
  const base = Object.fromEntries(Object.entries({ ...common, ...row.given }).filter(([setting]) => setting in known));
  const [before, after] = [await usual(name, base), await run(name, { ...base, [key]: row.to })];
  const gaps = Object.keys(before.params).map((path) => scaledError(before.params[path].data, after.params[path].data));
  expect(Math.max(...gaps)).toBeGreaterThan(1e-9);
});
