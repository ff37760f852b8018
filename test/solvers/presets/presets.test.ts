import * as E from 'fp-ts/lib/Either.js';

import { softmaxCrossEntropy } from '../../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { backward, forward } from '../../../src/core/pipeline/forward.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import type { TrainState } from '../../../src/core/pipeline/trainState.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { adam } from '../../../src/solvers/presets/adam.ts';
import { kfac } from '../../../src/solvers/presets/kfac.ts';
import type { Optimizer } from '../../../src/solvers/presets/optimizer.ts';
import { optimizerNames, optimizerOf } from '../../../src/solvers/presets/registry.ts';
import { sgd } from '../../../src/solvers/presets/sgd.ts';
import { scaledError } from '../../support/closeness.ts';
import { gaussian, mlp, orThrow, outputsOf, referenceEnv, runStage, stateOf } from '../../support/training.ts';
import { withObjective } from '../../../src/core/pipeline/withObjective.ts';

const objective = { model: mlp([3, 4, 2]), loss: squaredError };
const batch = { inputs: gaussian(1, [12, 3]), targets: gaussian(2, [12, 2]) };

const steps = async (
  optimizer: Optimizer,
  count: number,
  state: TrainState<Tensor> = stateOf(objective.model, 4),
  data = batch,
): Promise<TrainState<Tensor>> => {
  const step = pipeline(withObjective(objective), optimizer.step);
  let current = state;
  for (let i = 0; i < count; i += 1) current = (await runStage(step, current, data)).next;
  return current;
};

const lossOf = (state: TrainState<Tensor>, data = batch): number => {
  const { backend } = referenceEnv();
  const { ops } = backend;
  const outputs = outputsOf(backend, objective, state, data.inputs);
  return ops.mean(squaredError.value(ops, outputs, data.targets), [0]).data[0];
};

const difference = (a: TrainState<Tensor>, b: TrainState<Tensor>): number =>
  Math.max(...Object.keys(a.params).map((path) => scaledError(a.params[path].data, b.params[path].data)));

describe.each(optimizerNames)('preset %s', (name) => {
  const classes = name === 'class-kfac';
  const settings = { ...(name.includes('kfac') ? { damping: 0.1 } : {}), ...(classes ? { classes: 2 } : {}) };
  const optimizer = orThrow(optimizerOf(name, settings));
  const start = stateOf(objective.model, 4);
  // Where classes are kept apart the targets are probabilities.
  const data = classes ? { ...batch, targets: referenceEnv().backend.ops.softmax(batch.targets) } : batch;

  it('lowers the loss of a small regression', async () => {
    expect(lossOf(await steps(optimizer, 20, start, data), data)).toBeLessThan(lossOf(start, data));
  });

  it('law: purity, a step leaves state and batch bit-identical', async () => {
    const state = await steps(optimizer, 2, start, data);
    const before = structuredClone({ state, data });
    await runStage(pipeline(withObjective(objective), optimizer.step), state, data);
    expect({ state, data }).toEqual(before);
  });

  it('law: determinism, equal states give bit-identical states', async () => {
    expect(await steps(optimizer, 3, start, data)).toEqual(await steps(optimizer, 3, start, data));
  });

  it('reports loss, learning rate, norms and seconds per stage', async () => {
    const { metrics } = await runStage(pipeline(withObjective(objective), optimizer.step), start, data);
    expect(Object.keys(metrics)).toEqual(
      expect.arrayContaining(['loss', 'learningRate', 'gradientNorm', 'directionNorm', 'updateNorm', 'seconds.solve']),
    );
  });
});

describe('adam', () => {
  it('worked example: two steps on a gradient that is known by hand', async () => {
    // One parameter w with s = w x and loss ½ (s − y)²: x = 1, y = 0, so the gradient is w itself.
    const one = { model: mlp([1, 1], 'identity', false), loss: squaredError };
    const data = { inputs: tensor([1], [1, 1]), targets: tensor([0], [1, 1]) };
    const step = pipeline(withObjective(one), adam({ learningRate: 0.1 }).step);
    const start = { ...stateOf(one.model, 1), params: { '0.weight': tensor([1], [1, 1]) } };
    const first = (await runStage(step, start, data)).next;
    // The first step is −η g / (|g| + ε).
    expect(first.params['0.weight'].data[0]).toBeCloseTo(1 - 0.1 / (1 + 1e-8), 12);
    const second = (await runStage(step, first, data)).next;
    const w1 = first.params['0.weight'].data[0];
    const mHat = (0.9 * 0.1 * 1 + 0.1 * w1) / (1 - 0.81);
    const vHat = (0.999 * 0.001 * 1 + 0.001 * w1 * w1) / (1 - 0.999 ** 2);
    expect(second.params['0.weight'].data[0]).toBeCloseTo(w1 - (0.1 * mHat) / (Math.sqrt(vHat) + 1e-8), 12);
  });
});

describe('kfac', () => {
  it('law: resume = uninterrupted, through a copy of the state', async () => {
    const optimizer = kfac({ damping: 0.1, inverseEvery: 3, statisticsEvery: 2 });
    const whole = await steps(optimizer, 7);
    const half = structuredClone(await steps(optimizer, 4));
    expect(await steps(optimizer, 3, half)).toEqual(whole);
  });

  it('law: λ does not depend on the batch size: a batch repeated gives the same update', async () => {
    const { ops } = referenceEnv().backend;
    const twice = {
      inputs: ops.concat([batch.inputs, batch.inputs], 0),
      targets: ops.concat([batch.targets, batch.targets], 0),
    };
    const optimizer = kfac({ damping: 0.1, estimator: 'empirical' });
    const once = await steps(optimizer, 2);
    const repeated = await steps(optimizer, 2, stateOf(objective.model, 4), twice);
    expect(difference(once, repeated)).toBeLessThan(1e-9);
  });

  it('law: invariance to affine reparametrisation: undamped updates commute with x ↦ R x + c', async () => {
    const env = referenceEnv();
    const { ops } = env.backend;
    const R = tensor([2, 1, 0, 0, 1, 0.5, 0.3, 0, -1], [3, 3]);
    const c = tensor([0.5, -1, 2], [3]);
    const state = stateOf(objective.model, 4);
    const moved = { ...batch, inputs: ops.affine(batch.inputs, R, c) };
    // W x + b = W′ (R x + c) + b′ with W′ = W R⁻¹ and b′ = b − W′ c.
    const inverse = orThrow(
      await env.backend.linearAlgebra.solve(R, ops.constant(tensor([1, 0, 0, 0, 1, 0, 0, 0, 1], [3, 3])))(),
    );
    const W = ops.matmul(state.params['0.weight'], inverse);
    const b = ops.sub(state.params['0.bias'], ops.reshape(ops.matmul(W, ops.reshape(c, [3, 1])), [4]));
    const movedState = { ...state, params: { ...state.params, '0.weight': W, '0.bias': b } };

    const optimizer = kfac({
      damping: 1e-14,
      minDamping: 1e-14,
      equilibrated: 'none',
      estimator: 'empirical',
      momentum: 0,
      learningRate: 0.5,
    });
    // Twelve examples and factors of order at most 5: the factors are positive definite without damping.
    const plain = await runStage(pipeline(withObjective(objective), optimizer.step), state, batch);
    const other = await runStage(pipeline(withObjective(objective), optimizer.step), movedState, moved);
    const before = outputsOf(env.backend, objective, state, batch.inputs);
    const after = outputsOf(env.backend, objective, plain.next, batch.inputs);
    const afterMoved = outputsOf(env.backend, objective, other.next, moved.inputs);
    expect(scaledError(after.data, before.data)).toBeGreaterThan(1e-3);
    expect(scaledError(afterMoved.data, after.data)).toBeLessThan(1e-6);
  });

  it.each([
    ['damping', { damping: 3 }],
    ['dampingDecay', { dampingDecay: 0.1 }],
    ['share', { share: 1e-3 }],
    ['settling', { settling: 40 }],
    ['momentum', { momentum: 0 }],
    ['weightDecay', { weightDecay: 0.1 }],
    ['decay', { decay: 0 }],
    ['statisticsEvery', { statisticsEvery: 3 }],
    ['inverseEvery', { inverseEvery: 1 }],
    ['inverseDrift', { inverseDrift: 1e-9 }],
    ['inverseStaleness', { inverseStaleness: 1 }],
    ['estimator', { estimator: 'empirical' }],
    ['estimator', { estimator: 'exact' }],
    ['estimator', { estimator: 'curvaturePropagation' }],
    ['statisticsFraction', { statisticsFraction: 0.5 }],
    ['learningRate', { learningRate: 0.6 }],
    ['minDamping', { minDamping: 5 }],
  ] as const)('option: %s changes the trajectory', async (_, option) => {
    const base = {
      damping: 1,
      dampingDecay: 0.9,
      minDamping: 1e-8,
      inverseEvery: 2,
      settling: 0,
      share: 0,
      atLeast: 1,
      statisticsEvery: 1,
      dampingEvery: 1,
    };
    expect(difference(await steps(kfac(base), 8), await steps(kfac({ ...base, ...option }), 8))).toBeGreaterThan(1e-9);
  });

  it('reports damping and the age of the inverses', async () => {
    const optimizer = kfac({ damping: 0.1, inverseEvery: 3, settling: 0, share: 0 });
    const state = await steps(optimizer, 2);
    const { metrics } = await runStage(pipeline(withObjective(objective), optimizer.step), state, batch);
    // The first step was judged by the model it was made from, which held.
    expect(metrics).toMatchObject({ damping: 0.095, inverseAge: 2 });
  });

  it('solves a linear least-squares problem in one undamped step with exact curvature of one layer', async () => {
    // For one linear layer, G = I and A = E[ā āᵀ]: the K-FAC step is the Newton step.
    const linear = { model: mlp([3, 2]), loss: squaredError };
    const env = referenceEnv();
    const { ops } = env.backend;
    const optimizer = kfac({
      damping: 1e-12,
      minDamping: 1e-12,
      lossBound: 1e9,
      momentum: 0,
      learningRate: 1,
      statisticsFraction: 1,
    });
    const state = stateOf(linear.model, 2);
    const many = { inputs: gaussian(7, [4000, 3]), targets: gaussian(8, [4000, 2]) };
    const { next } = await runStage(pipeline(withObjective(linear), optimizer.step), state, many);
    const X = ops.withOnes(many.inputs);
    const normal = ops.gram(X);
    const best = orThrow(
      await env.backend.linearAlgebra.solve(normal, ops.matmul(X, many.targets, { transposeA: true }))(),
    );
    const W = ops.slice(ops.transposed(best), [0, 0], [2, 3]);
    // G is sampled (4000 draws of N(0, I)): its relative error is about √(2 / 4000) = 2 %, of a step of size about 1.
    const gap = ops.sub(next.params['0.weight'], W);
    const start = ops.sub(state.params['0.weight'], W);
    expect(ops.dot(gap, gap).data[0]).toBeLessThan((5 * 0.023) ** 2 * ops.dot(start, start).data[0]);
  });
});

describe('sgd', () => {
  it('law: without momentum it is θ − η ∇', async () => {
    const state = stateOf(objective.model, 4);
    const { next } = await runStage(
      pipeline(withObjective(objective), sgd({ learningRate: 0.5, momentum: 0 }).step),
      state,
      batch,
    );
    const { gradient } = await runStage(pipeline(withObjective(objective), forward, backward), state, batch);
    const { ops } = referenceEnv().backend;
    for (const [path, p] of Object.entries(state.params)) {
      expect(next.params[path].data).toEqual(ops.linearCombination(1, p, -0.5, gradient[path]).data);
    }
  });
});

describe('registry', () => {
  it('knows every preset', () => {
    expect([...optimizerNames].sort()).toEqual([
      'adam',
      'adamw',
      'block-kfac',
      'class-kfac',
      'ekfac',
      'kfac',
      'kfac-adaptive',
      'kfac-cg',
      'kfac-grafted',
      'low-rank-kfac',
      'muon',
      'newton-schulz-kfac',
      'sgd',
      'shampoo',
      'soap',
      'tridiagonal-kfac',
    ]);
  });

  it('refuses an unknown name, an unknown setting and a wrong type, each with its path', () => {
    expect(optimizerOf('adamax')).toMatchObject(E.left({ path: 'optimizer', actual: '"adamax"' }));
    expect(optimizerOf('kfac', { dampling: 1 })).toMatchObject(E.left({ path: 'kfac.dampling' }));
    expect(optimizerOf('kfac', { damping: 'big' })).toMatchObject(
      E.left({ path: 'kfac.damping', expected: 'a number above 0', actual: '"big"' }),
    );
  });

  it('makes a preset with its settings changed', () => {
    expect(orThrow(optimizerOf('sgd', { learningRate: 3 })).hyperparameters['learningRate']).toBe(3);
  });
});

describe('coverage', () => {
  it('softmax classifier: a step runs with class indices as targets', async () => {
    const classifier = { model: mlp([3, 4, 3]), loss: softmaxCrossEntropy };
    const data = { inputs: gaussian(1, [6, 3]), targets: tensor([0, 1, 2, 0, 1, 2], [6], 'i32') };
    const { next } = await runStage(
      pipeline(withObjective(classifier), kfac({ damping: 0.1 }).step),
      stateOf(classifier.model, 1),
      data,
    );
    expect(next.step).toBe(1);
  });
});
