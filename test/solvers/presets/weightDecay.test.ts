import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import type { TrainState } from '../../../src/core/pipeline/trainState.ts';
import { withObjective } from '../../../src/core/pipeline/withObjective.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { optimizerNames, optimizerOf } from '../../../src/solvers/presets/registry.ts';
import type { Decays } from '../../../src/solvers/update/rules/weightDecay.ts';
import { sgd } from '../../../src/solvers/presets/sgd.ts';
import { scaledError } from '../../support/closeness.ts';
import { gaussian, mlp, orThrow, referenceEnv, runStage, stateOf } from '../../support/training.ts';

const { ops } = referenceEnv().backend;

const decaying = optimizerNames.filter((name) => 'weightDecay' in orThrow(optimizerOf(name)).hyperparameters);

it('the presets that decay are all but one', () => {
  expect(decaying).toEqual(optimizerNames.filter((name) => name !== 'kfac-cg'));
});

describe.each(decaying)('weight decay of %s', (name) => {
  const objective = { model: mlp([3, 4, 2]), loss: squaredError };
  const targets = name === 'class-kfac' ? ops.softmax(gaussian(2, [12, 2])) : gaussian(2, [12, 2]);
  const batch = { inputs: gaussian(1, [12, 3]), targets };
  const { hyperparameters } = orThrow(optimizerOf(name));
  // A step whose length the model chooses has a decay per step, and takes itself back where a large one does harm.
  const isGiven = 'learningRate' in hyperparameters && !('lossBound' in hyperparameters);
  const [eta, w] = isGiven ? [0.1, 0.5] : [1, 1e-3];
  const settings = {
    ...(isGiven ? { learningRate: eta } : {}),
    ...(name.includes('kfac') ? { damping: 0.1 } : {}),
    ...(name === 'class-kfac' ? { classes: 2 } : {}),
  };
  const next = async (weightDecay: number, state: TrainState<Tensor>, which?: Decays): Promise<TrainState<Tensor>> => {
    const only = which === undefined ? {} : { decayed: which };
    const { step } = orThrow(optimizerOf(name, { ...settings, ...only, weightDecay }));
    return (await runStage(pipeline(withObjective(objective), step), state, batch)).next;
  };

  it('law: decoupled. From any state θ⁺(w) = θ⁺(0) − η w θ, and nothing but θ knows of w', async () => {
    const start = await next(w, await next(w, stateOf(objective.model, 4)));
    const [free, decayed] = [await next(0, start), await next(w, start)];
    for (const [path, p] of Object.entries(start.params)) {
      const expected = ops.linearCombination(1, free.params[path], -eta * w, p);
      expect(scaledError(decayed.params[path].data, expected.data)).toBeLessThan(1e-14);
    }
    expect({ ...decayed, params: {} }).toEqual({ ...free, params: {} });
  });

  it('law: of weights alone, biases are as without it and weights as with it', async () => {
    const start = await next(0, stateOf(objective.model, 4));
    const [free, all, weights] = [await next(0, start), await next(w, start), await next(w, start, 'weights')];
    for (const [path, { shape, data }] of Object.entries(weights.params)) {
      expect(data).toEqual((shape.length === 2 ? all : free).params[path].data);
      expect(data).not.toEqual((shape.length === 2 ? free : all).params[path].data);
    }
  });
});

it('worked example: θ 1, gradient 0, η .1, μ .9, w .5: after two steps (1 − ηw)² = 0.9025', async () => {
  const one = { model: mlp([1, 1], 'identity', false), loss: squaredError };
  const data = { inputs: tensor([0], [1, 1]), targets: tensor([0], [1, 1]) };
  const step = pipeline(withObjective(one), sgd({ learningRate: 0.1, momentum: 0.9, weightDecay: 0.5 }).step);
  const start = { ...stateOf(one.model, 1), params: { '0.weight': tensor([1], [1, 1]) } };
  const { next } = await runStage(step, (await runStage(step, start, data)).next, data);
  expect(next.params['0.weight'].data[0]).toBeCloseTo(0.9025, 14);
});
