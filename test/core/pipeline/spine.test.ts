import fc from 'fast-check';

import { activation } from '../../../src/core/nn/layers/activation.ts';
import { evaluating, keyAt } from '../../../src/core/nn/layers/circumstances.ts';
import { dense } from '../../../src/core/nn/layers/dense.ts';
import { dropout } from '../../../src/core/nn/layers/dropout.ts';
import type { Layer } from '../../../src/core/nn/layers/layer.ts';
import { leaf } from '../../../src/core/nn/layers/layer.ts';
import { sequential } from '../../../src/core/nn/layers/sequential.ts';
import { softmaxCrossEntropy } from '../../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { initialParams, model, summarise } from '../../../src/core/nn/model.ts';
import type { Params } from '../../../src/core/params.ts';
import { joinPath, mapParams, pickParams } from '../../../src/core/params.ts';
import { backward, forward } from '../../../src/core/pipeline/forward.ts';
import type { Objective } from '../../../src/core/pipeline/objective.ts';
import { outputsAt } from '../../../src/core/pipeline/linearise.ts';
import { judgingOf, meanLoss } from '../../../src/core/pipeline/objective.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import { initialState } from '../../../src/core/pipeline/trainState.ts';
import { withObjective } from '../../../src/core/pipeline/withObjective.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { capture } from '../../../src/curvature/capture.ts';
import { updateFactors } from '../../../src/curvature/curvature.ts';
import { exact } from '../../../src/curvature/estimators.ts';
import { kfac as kfacCurvature } from '../../../src/curvature/kfac.ts';
import { sample } from '../../../src/curvature/sample.ts';
import { kfac } from '../../../src/solvers/presets/kfac.ts';
import { lastStep } from '../../../src/solvers/quadraticModel/judgement.ts';
import { kfacAdaptive } from '../../../src/solvers/presets/kfacAdaptive.ts';
import { optimizerNames, optimizerOf } from '../../../src/solvers/presets/registry.ts';
import { scaledError } from '../../support/closeness.ts';
import { gaussian, mlp, orThrow, referenceEnv, runStage, stateOf, tryStage } from '../../support/training.ts';

const { ops } = referenceEnv().backend;

/** Keeps a running mean of its inputs in training and takes it off them in evaluation. */
const centring = (rate: number): Layer =>
  leaf({
    kind: 'centring',
    label: 'centring',
    parameters: () => [],
    apply: (on, _params, path, x, at) => {
      const name = joinPath(path, 'mean');
      const before = name in at.running ? at.running[name] : on.full([x.shape[1]], 0);
      if (at.key === null) return on.sub(x, before);
      const mean = on.mean(x, [0]);
      on.keep(name, on.linearCombination(1 - rate, before, rate, mean));
      return on.sub(x, mean);
    },
  });

describe('named arrays', () => {
  /** x where the mask is 1: a layer that takes a second array of the batch. */
  const masking = leaf({
    kind: 'masking',
    label: 'masking',
    parameters: () => [],
    apply: (on, _params, _path, x, at) => on.mul(x, at.arrays['mask']),
  });
  const twoInputs: Objective = {
    model: model('masked', { features: [3], mask: [3] }, sequential([masking, dense({ in: 3, out: 2 })])),
    loss: squaredError,
    targets: 'wanted',
  };
  const batch = {
    features: gaussian(1, [5, 3]),
    mask: ops.greater(gaussian(2, [5, 3]), ops.full([], 0)),
    wanted: gaussian(3, [5, 2]),
  };

  it('law: a model takes what it names: masked features are the features of a model without a mask', async () => {
    const plain: Objective = { model: mlp([3, 2]), loss: squaredError };
    const state = stateOf(plain.model, 1);
    const moved = { ...state, params: mapParams(state.params, (p) => p) };
    const named = { ...state, params: { '1.weight': state.params['0.weight'], '1.bias': state.params['0.bias'] } };
    const [ours, theirs] = [
      await runStage(pipeline(withObjective(twoInputs), kfac().step), named, batch),
      await runStage(pipeline(withObjective(plain), kfac().step), moved, {
        inputs: ops.mul(batch.features, batch.mask),
        targets: batch.wanted,
      }),
    ];
    expect(ours.next.params['1.weight']).toEqual(theirs.next.params['0.weight']);
  });

  it('an array that is not there is named, with those that are', async () => {
    const state = initialState(initialParams(twoInputs.model, keyOf(1), 'f64'), keyOf(1));
    const tried = (who: Objective, names: ReadonlyArray<string>) =>
      tryStage(pipeline(withObjective(who), forward), state, pickParams<Tensor>(batch, names));
    expect(await tried(twoInputs, ['mask', 'wanted'])).toMatchObject({
      left: { _tag: 'ShapeMismatch', where: 'model masked', actual: 'arrays mask, wanted' },
    });
    expect(await tried({ ...twoInputs, targets: 'labels' }, Object.keys(batch))).toMatchObject({
      left: { _tag: 'ShapeMismatch', where: 'loss squaredError', expected: 'a batch with an array labels' },
    });
  });

  it('is summarised with the shapes of all its arrays', () => {
    const { output, parameters } = orThrow(summarise(twoInputs.model, 7));
    expect([output, parameters]).toEqual([[7, 2], 8]);
  });
});

describe('circumstances', () => {
  const dropping: Objective = {
    model: model('dropping', [6], sequential([dense({ in: 6, out: 8 }), dropout(0.5), dense({ in: 8, out: 3 })])),
    loss: softmaxCrossEntropy,
  };
  const batch = { inputs: gaussian(1, [10, 6]), targets: tensor([0, 1, 2, 0, 1, 2, 0, 1, 2, 0], [10], 'i32') };
  const state = stateOf(dropping.model, 3);

  it('law: dropout keeps the mean, drops what its rate says, and nothing in evaluation', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.constantFrom(0.1, 0.5, 0.8), (seed, rate) => {
        const x = ops.full([200, 50], 1);
        const at = { arrays: {}, key: keyOf(seed), running: {} };
        const kept = Array.from(dropout(rate).apply(ops, {}, 'd', x, at).data);
        const share = kept.filter((y) => y === 0).length / kept.length;
        expect(Math.abs(share - rate)).toBeLessThan(5 * Math.sqrt((rate * (1 - rate)) / kept.length));
        expect(new Set(kept.filter((y) => y !== 0))).toEqual(new Set([1 / (1 - rate)]));
        expect(dropout(rate).apply(ops, {}, 'd', x, evaluating({}))).toBe(x);
      }),
      { numRuns: 10 },
    );
    expect(() => dropout(1)).toThrow('dropout');
  });

  it('law: every pass over a batch drops the same units: the linearisation made anew is the one at hand', async () => {
    const context = await runStage(
      pipeline(withObjective(dropping), forward, backward, sample({ fraction: 1 })),
      state,
      batch,
    );
    const again = context.sample.linearise(ops);
    expect(again.outputs).toEqual(context.outputs);
    const { params, held } = state;
    const measured = outputsAt(ops, { model: dropping.model, params, held, at: context.circumstances });
    expect(measured).toEqual(context.outputs);
    const evaluated = outputsAt(ops, { model: dropping.model, params, held, at: evaluating(batch) });
    expect(scaledError(evaluated.data, context.outputs.data)).toBeGreaterThan(1e-3);
  });

  it('law: other steps and other layers drop other units', async () => {
    const outputs = async (step: number) =>
      (await runStage(pipeline(withObjective(dropping), forward), { ...state, step }, batch)).outputs;
    expect(scaledError((await outputs(1)).data, (await outputs(2)).data)).toBeGreaterThan(1e-3);
    const at = { arrays: {}, key: keyOf(1), running: {} };
    expect(keyAt(at, '1')).not.toEqual(keyAt(at, '2'));
  });

  it('law: the reduction ratio of an adaptive step is measured on one network, that of the step after it', async () => {
    const step = pipeline(withObjective(dropping), kfacAdaptive().step);
    const { next } = await runStage(step, state, batch);
    const second = await runStage(step, next, batch);
    const { circumstances } = await runStage(pipeline(withObjective(dropping), forward), next, batch);
    const lossAt = (params: Params<Tensor>): number => {
      const outputs = outputsAt(ops, { model: dropping.model, params, held: {}, at: circumstances });
      return meanLoss(ops, dropping.loss, outputs, judgingOf(ops, dropping, batch)).data[0];
    };
    const promise = lastStep.in(next.rules)?.promise;
    // With other units dropped before and after, these would be the losses of two different networks.
    const gained = lossAt(next.params) - lossAt(state.params);
    expect(second.metrics['reductionRatio']).toBeCloseTo(gained / Number(promise), 9);
  });
});

describe('running state', () => {
  const centred: Objective = {
    model: model('centred', [3], sequential([centring(0.25), dense({ in: 3, out: 2 })])),
    loss: squaredError,
  };
  const state = stateOf(centred.model, 2);

  it('worked example: the mean of two batches at a rate of ¼, (¾ · 0 + ¼ · 4) ¾ + ¼ · 8 = 2.75', async () => {
    const of = (value: number) => ({ inputs: ops.full([2, 3], value), targets: ops.full([2, 2], 0) });
    const step = pipeline(withObjective(centred), kfac().step);
    const first = await runStage(step, state, of(4));
    const second = await runStage(step, first.next, of(8));
    expect(Array.from(second.next.running['0.mean'].data)).toEqual([2.75, 2.75, 2.75]);
  });

  it.each(optimizerNames)('law: it goes on by one batch in a step, however often the model runs. %s', async (name) => {
    const classified = { ...centred, loss: softmaxCrossEntropy };
    const settings = name === 'class-kfac' ? { classes: 2 } : {};
    const step = pipeline(withObjective(classified), orThrow(optimizerOf(name, settings)).step);
    const batch = { inputs: gaussian(10, [8, 3]), targets: tensor([0, 1, 0, 1, 0, 1, 0, 1], [8], 'i32') };
    const { next } = await runStage(step, state, batch);
    const mean = ops.mean(batch.inputs, [0]);
    expect(scaledError(next.running['0.mean'].data, ops.scale(0.25, mean).data)).toBeLessThan(1e-14);
    expect(Object.keys(next.params)).toEqual(Object.keys(state.params));
  });

  it('law: evaluation uses it and leaves it', () => {
    const running = { '0.mean': tensor([1, 2, 3], [3]) };
    const x = gaussian(1, [4, 3]);
    const at = evaluating({ inputs: x }, running);
    const { params, held } = state;
    const out = outputsAt(ops, { model: centred.model, params, held, at });
    const expected = ops.affine(ops.sub(x, running['0.mean']), params['1.weight'], params['1.bias']);
    expect(out).toEqual(expected);
  });
});

describe('parameters held fixed', () => {
  const objective: Objective = {
    model: model('three', [4], sequential([dense({ in: 4, out: 5 }), activation('tanh'), dense({ in: 5, out: 3 })])),
    loss: softmaxCrossEntropy,
  };
  const batch = { inputs: gaussian(1, [9, 4]), targets: tensor([0, 1, 2, 0, 1, 2, 0, 1, 2], [9], 'i32') };
  const state = stateOf(objective.model, 5);
  const holding = (paths: ReadonlyArray<string>) => ({
    ...state,
    params: pickParams(
      state.params,
      Object.keys(state.params).filter((path) => !paths.includes(path)),
    ),
    held: pickParams(state.params, paths),
  });

  it.each(optimizerNames)('law: no preset changes them, and none sees them. %s', async (name) => {
    const settings = name === 'class-kfac' ? { classes: 3 } : {};
    const step = pipeline(withObjective(objective), orThrow(optimizerOf(name, settings)).step);
    const start = holding(['0.weight', '0.bias']);
    // SOAP's first step only gathers.
    const { next } = await runStage(step, (await runStage(step, start, batch)).next, batch);
    expect(next.held).toBe(start.held);
    expect(Object.keys(next.params)).toEqual(['2.weight', '2.bias']);
    expect(Object.keys(next.curvature.averages).filter((block) => block.startsWith('0'))).toEqual([]);
    expect(scaledError(next.params['2.weight'].data, state.params['2.weight'].data)).toBeGreaterThan(1e-6);
  });

  it('law: the step of what is trained is that of a model in which the others are data', async () => {
    const features = ops.tanh(ops.affine(batch.inputs, state.params['0.weight'], state.params['0.bias']));
    const head: Objective = { model: mlp([5, 3]), loss: softmaxCrossEntropy };
    const alone = { ...state, params: { '0.weight': state.params['2.weight'], '0.bias': state.params['2.bias'] } };
    const ours = await runStage(
      pipeline(withObjective(objective), kfac().step),
      holding(['0.weight', '0.bias']),
      batch,
    );
    const theirs = await runStage(pipeline(withObjective(head), kfac().step), alone, { ...batch, inputs: features });
    expect(scaledError(ours.next.params['2.weight'].data, theirs.next.params['0.weight'].data)).toBeLessThan(1e-14);
  });

  it('law: a bias that is held leaves A without its homogeneous coordinate', async () => {
    const curved = pipeline(
      withObjective(objective),
      forward,
      backward,
      capture(exact()),
      updateFactors(kfacCurvature()),
    );
    const { averages } = (await runStage(curved, holding(['2.bias']), batch)).state.curvature;
    const whole: Readonly<Record<string, Readonly<Record<string, Tensor>>>> = (await runStage(curved, state, batch))
      .state.curvature.averages;
    expect(averages['2']['A'].shape).toEqual([5, 5]);
    expect(averages['2']['A'].data).toEqual(ops.slice(whole['2']['A'], [0, 0], [5, 5]).data);
    expect(averages['0']).toEqual(whole['0']);
  });
});
