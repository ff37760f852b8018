/** Going on from a returned state is the run that never ended, bit for bit. */
import * as E from 'fp-ts/lib/Either.js';

import type { Backend } from '../../../src/core/backends/backend.ts';
import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import type { Shaped, Tensor } from '../../../src/core/tensor.ts';
import type { TrainState } from '../../../src/core/pipeline/trainState.ts';
import { readState, placeState } from '../../../src/core/pipeline/transfer.ts';
import { initialState } from '../../../src/core/pipeline/trainState.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import type { TrainOptions } from '../../../src/pipelines/trainer/options.ts';
import type { TrainTask } from '../../../src/pipelines/trainer/learning.ts';
import type { TrainResult } from '../../../src/pipelines/trainer/conclude.ts';
import { train } from '../../../src/pipelines/trainer/train.ts';
import type { Optimizer } from '../../../src/solvers/presets/optimizer.ts';
import { optimizerNames, optimizerOf } from '../../../src/solvers/presets/registry.ts';
import { memoryBackend } from '../../core/backends/gpu/device/support.ts';
import { gaussian, orThrow } from '../../support/training.ts';
import { errorOf } from '../support.ts';
import { poisoningBackend } from './poisoningBackend.ts';
import { signTask, sineTask, wordsTask } from './support.ts';

/** Batches of 7 from 24 examples: parts of the run begin in the middle of an epoch. */
const options: TrainOptions = { duration: { steps: 0 }, batch: 7, seed: 3 };

const trained = async <T extends Shaped>(
  backend: Backend<T>,
  task: TrainTask,
  optimizer: Optimizer,
  steps: number,
  from?: TrainState<Tensor>,
): Promise<TrainResult> => {
  const asked = { ...options, duration: { steps }, evaluateEvery: 2, ...(from === undefined ? {} : { from }) };
  return orThrow(await train({ backend, clock: () => 0 }, task, optimizer, asked)());
};

/** What two runs must have in common: all but the numbers of the steps that one of them did not take. */
const ends = (
  { params, running, state, train: onTrain, test, steps, history, evaluations }: TrainResult,
  after: number,
) => ({
  ...{ params, running, state, onTrain, test, steps },
  history: history.filter(({ step }) => step > after).map(({ step, metrics }) => ({ step, metrics })),
  evaluations: evaluations.filter(({ step }) => step > after),
});

const goesOn = async <T extends Shaped>(
  backend: Backend<T>,
  task: TrainTask,
  optimizer: Optimizer,
  cuts: ReadonlyArray<number>,
): Promise<void> => {
  const whole = await trained(backend, task, optimizer, 9);
  for (const cut of cuts) {
    const first = await trained(backend, task, optimizer, cut);
    const before = JSON.stringify(first.state);
    const rest = await trained(backend, task, optimizer, 9, first.state);
    expect(ends(rest, cut)).toEqual(ends(whole, cut));
    expect(JSON.stringify(first.state)).toBe(before);
  }
};

const settings = (name: string): Readonly<Record<string, number>> => (name === 'class-kfac' ? { classes: 2 } : {});

const made = (name: string, more: Readonly<Record<string, number>> = {}): Optimizer =>
  orThrow(optimizerOf(name, { ...settings(name), ...more }));

const late = optimizerNames.filter((name) => 'inverseStaleness' in made(name).hyperparameters);

describe('law: n steps and m more from the state are n + m steps', () => {
  it.each(optimizerNames)('%s', async (name) => {
    const { backend, live, openScopes } = poisoningBackend();
    await goesOn(backend, name === 'class-kfac' ? signTask() : sineTask(), made(name), [0, 1, 4]);
    expect([live.size, openScopes()]).toEqual([0, 0]);
  });

  it.each(late)('%s, whose inverses are not due, drift, and are under way', async (name) => {
    const task = name === 'class-kfac' ? signTask() : sineTask();
    const optimizer = made(name, { inverseEvery: 3, inverseDrift: 0.1, inverseStaleness: 2 });
    const { backend, live, openScopes } = poisoningBackend();
    await goesOn(backend, task, optimizer, [4, 5, 7]);
    expect([live.size, openScopes()]).toEqual([0, 0]);
  });

  it.each(['kfac', 'ekfac', 'adam'])('%s on words', async (name) => {
    await goesOn(referenceBackend(), wordsTask(), made(name), [5]);
  });

  it.each(['kfac', 'kfac-adaptive', 'low-rank-kfac'])('%s on a device, in single precision', async (name) => {
    await goesOn(memoryBackend('cpu'), sineTask(), made(name), [4]);
  });
});

describe('a state to go on from', () => {
  const begun = () => trained(referenceBackend(), sineTask(), made('kfac'), 3);
  const goOn = async (from: TrainState<Tensor>, changes: Partial<TrainOptions> = {}) => {
    const { backend, live } = poisoningBackend();
    const asked = { ...options, duration: { steps: 5 }, from, ...changes };
    const error = errorOf(await train({ backend, clock: () => 0 }, sineTask(), made('kfac'), asked)());
    expect(live.size).toBe(0);
    return error;
  };

  it('has taken no more steps than are asked for', async () => {
    const { state } = await begun();
    expect(await goOn(state, { duration: { steps: 2 } })).toMatchObject({ _tag: 'BadConfig', path: 'steps' });
    expect(await goOn(state, { duration: { epochs: 0.1 } })).toMatchObject({ _tag: 'BadConfig', path: 'epochs' });
  });

  it('has its parameters, and no others beside it', async () => {
    const { state, params } = await begun();
    expect(await goOn(state, { start: params })).toMatchObject({ _tag: 'BadConfig', path: 'start' });
    expect(await goOn(state, { hold: ['0'] })).toMatchObject({ _tag: 'BadConfig', path: 'hold' });
  });

  it('is one of this task, finite and whole', async () => {
    const { state } = await begun();
    const { '0.weight': weight, ...others } = state.params;
    expect(await goOn({ ...state, params: others })).toMatchObject({
      _tag: 'ShapeMismatch',
      where: 'parameters of sine',
      expected: '0.weight of shape [5, 3]',
    });
    expect(await goOn({ ...state, params: { ...others, '0.weight': gaussian(1, [5, 4]) } })).toMatchObject({
      _tag: 'ShapeMismatch',
      actual: '[5, 4]',
    });
    const spoilt = { ...weight, data: Float64Array.from(weight.data, (x, i) => (i === 3 ? NaN : x)) };
    expect(await goOn({ ...state, params: { ...others, '0.weight': spoilt } })).toMatchObject({
      _tag: 'BadData',
      source: 'parameter 0.weight',
      actual: 'NaN at position 3',
    });
    const hollow = { ...weight, data: new Float64Array(0) };
    expect(await goOn({ ...state, running: { mean: hollow } })).toMatchObject({ _tag: 'ShapeMismatch' });
    expect(await goOn({ ...state, step: 1.5 })).toMatchObject({ _tag: 'BadConfig', path: 'from.step' });
    // From JavaScript, where nothing says what a state is.
    const partial = Object.fromEntries(Object.entries(state).filter(([name]) => name !== 'groups'));
    expect(await goOn(partial as unknown as TrainState<Tensor>)).toMatchObject({ _tag: 'BadCheckpoint' });
  });
});

describe('an optimizer that goes on from what another has left', () => {
  const finite = ({ history, train: { loss } }: TrainResult): boolean =>
    Number.isFinite(loss) && history.every(({ metrics }) => Object.values(metrics).every(Number.isFinite));

  it.each(optimizerNames)('trains, or says what it cannot take over (%s)', async (name) => {
    const task = signTask();
    const { state } = await trained(referenceBackend(), task, made(name), 3);
    for (const next of optimizerNames) {
      const { backend, live, openScopes } = poisoningBackend();
      const asked = { ...options, duration: { steps: 8 }, from: state };
      const outcome = await train({ backend, clock: () => 0 }, task, made(next), asked)();
      if (E.isRight(outcome)) expect([next, finite(outcome.right)]).toEqual([next, true]);
      else expect([next, outcome.left]).toMatchObject([next, { _tag: 'ShapeMismatch', where: 'averaged statistics' }]);
      expect([live.size, openScopes()]).toEqual([0, 0]);
    }
  });

  it('law: Adam begins with its first step, whatever step of the run that is', async () => {
    const task = signTask();
    const first = await trained(referenceBackend(), task, made('sgd'), 100);
    const late = await trained(referenceBackend(), task, made('adam'), 103, first.state);
    const fresh = { ...initialState(first.state.params, first.state.key), step: 100 };
    const alone = await trained(referenceBackend(), task, made('adam'), 103, fresh);
    expect(late.params).toEqual(alone.params);
    // Adam's first step is one of the learning rate in each parameter, where the gradient is not tiny.
    const { directionNorm } = late.history[0].metrics;
    const count = Object.values(late.params).reduce((sum, { data }) => sum + data.length, 0);
    expect(directionNorm / Math.sqrt(count)).toBeLessThan(1.0001);
  });
});

describe('moving a state', () => {
  it('law: read(place(state)) = state, and an array at two places stays one', async () => {
    const { backend } = poisoningBackend();
    const shared = gaussian(1, [2, 2]);
    const start = initialState({ a: shared }, keyOf(1));
    const averages = { a: { A: shared } };
    const state: TrainState<Tensor> = {
      ...start,
      running: { mean: gaussian(2, [2]) },
      curvature: { averages, updates: 3 },
      solver: { ...start.solver, preparedFrom: averages },
      groups: { other: { ...start, scalars: { damping: 2 } } },
    };
    const placed = placeState(backend.ops, state);
    expect(placed.params['a']).toBe(placed.curvature.averages['a']['A']);
    const read = orThrow(await readState(backend, placed)());
    expect(read).toEqual(state);
    expect(read.params['a']).toBe(read.solver.preparedFrom?.['a']['A']);
  });
});
