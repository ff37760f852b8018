/** Parameters that are held fixed until some step, or from some step on: what optimizers remember is of others. */
import * as E from 'fp-ts/lib/Either.js';

import { softmaxCrossEntropy } from '../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { squaredError } from '../../src/core/nn/losses/squaredError.ts';
import { pickParams } from '../../src/core/params.ts';
import { backward, forward } from '../../src/core/pipeline/forward.ts';
import { pipeline } from '../../src/core/pipeline/stage.ts';
import type { TrainState } from '../../src/core/pipeline/trainState.ts';
import { learn } from '../../src/core/pipeline/withObjective.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { tensor } from '../../src/core/tensor.ts';
import { adam } from '../../src/solvers/presets/adam.ts';
import { kfac } from '../../src/solvers/presets/kfac.ts';
import { optimizerNames, optimizerOf } from '../../src/solvers/presets/registry.ts';
import type { SettingValue } from '../../src/solvers/settings/setting.ts';
import { adamRule } from '../../src/solvers/update/rules/adamRule.ts';
import { identity } from '../../src/solvers/solver/firstOrder.ts';
import { solve } from '../../src/solvers/solver/solver.ts';
import { update } from '../../src/solvers/update/update.ts';
import { scaledError } from '../support/closeness.ts';
import { gaussian, mlp, orThrow, runStage, stateOf, tryStage } from '../support/training.ts';

const objective = { model: mlp([4, 5, 3]), loss: softmaxCrossEntropy };
const batch = { inputs: gaussian(1, [9, 4]), targets: tensor([0, 1, 2, 0, 1, 2, 0, 1, 2], [9], 'i32') };
const start = stateOf(objective.model, 5);
const first = ['0.weight', '0.bias'];

/** The state with these parameters held, and no others. */
const holdingOnly = (state: TrainState<Tensor>, held: ReadonlyArray<string>): TrainState<Tensor> => {
  const all = { ...state.held, ...state.params };
  const others = Object.keys(start.params).filter((path) => !held.includes(path));
  return { ...state, params: pickParams(all, others), held: pickParams(all, held) };
};

/** Three steps with some parameters held, three with others. */
const inTwoParts = async (
  name: string,
  settings: Readonly<Record<string, SettingValue>>,
  before: ReadonlyArray<string>,
  after: ReadonlyArray<string>,
) => {
  const own = name === 'class-kfac' ? { classes: 3 } : {};
  const step = learn(objective, orThrow(optimizerOf(name, { ...own, ...settings })).step);
  let state = holdingOnly(start, before);
  for (let i = 0; i < 6; i += 1) {
    if (i === 3) state = holdingOnly(state, after);
    const taken = await tryStage(step, state, batch);
    if (E.isLeft(taken)) return taken;
    state = taken.right.next;
  }
  return E.right(state);
};

const rare: Readonly<Record<string, SettingValue>> = { statisticsEvery: 4, inverseEvery: 4, inverseStaleness: 1 };

const settingsOf = (name: string): ReadonlyArray<Readonly<Record<string, SettingValue>>> => {
  const known = orThrow(optimizerOf(name)).hyperparameters;
  const own = Object.fromEntries(Object.entries(rare).filter(([setting]) => setting in known));
  return Object.keys(own).length === 0 ? [{}] : [{}, own];
};

describe.each(optimizerNames.flatMap((name) => settingsOf(name).map((settings) => [name, settings] as const)))(
  '%s %j',
  (name, settings) => {
    it.each([
      ['released', first, []],
      ['held', [], first],
      ['held in place of another', ['2.weight', '2.bias'], first],
    ])('goes on with a layer that is %s', async (_, before, after) => {
      const { params } = orThrow(await inTwoParts(name, settings, before, after));
      for (const [path, { data }] of Object.entries(params)) {
        expect(Array.from(data).every(Number.isFinite)).toBe(true);
        expect(scaledError(data, start.params[path].data)).toBeGreaterThan(1e-9);
      }
    });

    it('with a part of a site released, whose factors have another order, it goes on or says so', async () => {
      const ended = await inTwoParts(name, settings, ['0.bias'], []);
      if (E.isLeft(ended)) expect(ended.left).toMatchObject({ _tag: 'ShapeMismatch' });
      expect(E.isRight(ended)).toBe(!name.includes('kfac'));
    });
  },
);

describe('a layer that is released', () => {
  it('law: its statistics begin with the batch, exact as every first ones are', async () => {
    const step = learn(objective, kfac({ estimator: 'exact', statisticsEvery: 4 }).step);
    let state = holdingOnly(start, first);
    for (let i = 0; i < 3; i += 1) state = (await runStage(step, state, batch)).next;
    const released = holdingOnly(state, []);
    const ours = (await runStage(step, released, batch)).next.curvature.averages;
    const anew = { ...released, curvature: start.curvature, solver: start.solver, rules: start.rules };
    expect(ours['0']).toEqual((await runStage(step, anew, batch)).next.curvature.averages['0']);
  });

  it.each([
    ['the solver', adam({ learningRate: 0.01 }).step],
    ['the rule', pipeline(forward, backward, solve(identity), update({ learningRate: 0.01, rules: [adamRule()] }))],
  ])('worked example: its first step by Adam is η in each number, as the first of all is: %s', async (_, by) => {
    const one = { model: mlp([2, 1], 'identity'), loss: squaredError };
    const data = { inputs: tensor([1, -2], [1, 2]), targets: tensor([40], [1, 1]) };
    let state = { ...stateOf(one.model, 1) };
    const { '0.weight': weight, ...others } = state.params;
    state = { ...state, params: others, held: { '0.weight': weight } };
    for (let i = 0; i < 5; i += 1) state = (await runStage(learn(one, by), state, data)).next;
    const { next } = await runStage(
      learn(one, by),
      { ...state, params: { ...state.params, ...state.held }, held: {} },
      data,
    );
    const moved = Array.from(next.params['0.weight'].data, (w, i) => w - weight.data[i]);
    expect(scaledError(moved, [0.01, -0.01])).toBeLessThan(1e-7);
  });
});
