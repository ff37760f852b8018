import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { dense } from '../../../src/core/nn/layers/dense.ts';
import type { Layer } from '../../../src/core/nn/layers/layer.ts';
import { model } from '../../../src/core/nn/model.ts';
import { mapParams } from '../../../src/core/params.ts';
import { computation } from '../../../src/core/pipeline/compute.ts';
import type { Env } from '../../../src/core/pipeline/env.ts';
import { forward } from '../../../src/core/pipeline/forward.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { generate, tensor } from '../../../src/core/tensor.ts';
import type { Dataset } from '../../../src/pipelines/data/dataset.ts';
import { datasetOf } from '../../../src/pipelines/data/dataset.ts';
import { adam } from '../../../src/solvers/presets/adam.ts';
import { kfac } from '../../../src/solvers/presets/kfac.ts';
import type { Optimizer } from '../../../src/solvers/presets/optimizer.ts';
import { optimizerNames, optimizerOf } from '../../../src/solvers/presets/registry.ts';
import { sgd } from '../../../src/solvers/presets/sgd.ts';
import type { TrainEvent } from '../../../src/pipelines/trainer/events.ts';
import type { TrainOptions } from '../../../src/pipelines/trainer/options.ts';
import type { TrainTask } from '../../../src/pipelines/trainer/learning.ts';
import type { TrainResult } from '../../../src/pipelines/trainer/conclude.ts';
import { train } from '../../../src/pipelines/trainer/train.ts';
import { supervised } from '../../../src/pipelines/tasks/supervised.ts';
import { anything } from '../../support/anything.ts';
import { gaussian, orThrow, referenceEnv } from '../../support/training.ts';
import { errorOf } from '../support.ts';
import { poisoningBackend } from './poisoningBackend.ts';
import { signTask, sineTask, wordsTask } from './support.ts';

/** A layer whose parameters nothing depends on. */
const unused = (layer: Layer): Layer => ({
  ...layer,
  apply: (ops, _params, _path, x) => ops.slice(x, [0, 0], [x.shape[0], 1]),
});

/** A step after which parameters are infinite, and which says nothing of it. */
const spoiling: Optimizer = {
  name: 'spoiling',
  hyperparameters: {},
  step: pipeline(
    forward,
    computation<'state', 'next'>('spoil', (ops, { state }) => ({
      next: {
        ...state,
        step: state.step + 1,
        params: mapParams(state.params, (p, path) => (path.endsWith('bias') ? p : ops.full(p.shape, Infinity))),
      },
    })),
  ),
};

const task = sineTask();
const options: TrainOptions = { duration: { steps: 6 }, batch: 8, seed: 1 };

/** Every preset, with its own settings. */
const optimizers = optimizerNames.map(
  (name) => [name, orThrow(optimizerOf(name, name === 'class-kfac' ? { classes: 2 } : {}))] as const,
);

/** The task, or its like with classes for the optimizer that needs them. */
const taskFor = ({ name }: Optimizer): TrainTask => (name === 'class-kfac' ? signTask() : task);

const run = async (
  optimizer: Optimizer,
  changes: Partial<TrainOptions> = {},
  env: Env<Tensor> = referenceEnv(),
): Promise<TrainResult> => orThrow(await train(env, taskFor(optimizer), optimizer, { ...options, ...changes })());

describe('train', () => {
  it.each(optimizers)('%s lowers the loss', async (_, optimizer) => {
    const before = await run(optimizer, { duration: { steps: 0 } });
    const after = await run(optimizer, { duration: { steps: 40 } });
    expect(after.train.loss).toBeLessThan(before.train.loss);
    expect(before.history).toEqual([]);
  });

  it('law: a seed decides everything', async () => {
    const [first, second, other] = [await run(kfac()), await run(kfac()), await run(kfac(), { seed: 2 })];
    expect(second).toEqual(first);
    expect(other.history[0].loss).not.toBe(first.history[0].loss);
  });

  it('law: optimizers with one seed start from the same parameters and see the same batches', async () => {
    const still = { learningRate: 0 };
    const losses = await Promise.all(
      [kfac(still), adam(still), sgd(still)].map(async (optimizer) =>
        (await run(optimizer)).history.map(({ loss }) => loss),
      ),
    );
    expect(losses[1]).toEqual(losses[0]);
    expect(losses[2]).toEqual(losses[0]);
  });

  it.each(optimizers)('law: %s never uses what its scopes handed back, and keeps no array', async (_, optimizer) => {
    const { backend, live, openScopes } = poisoningBackend();
    const poisoned = await run(optimizer, { evaluateEvery: 2 }, { backend, clock: () => 0 });
    expect(poisoned).toEqual(await run(optimizer, { evaluateEvery: 2 }));
    expect(live.size).toBe(0);
    expect(openScopes()).toBe(0);
  });

  it.each(optimizerNames)('law: %s on words never uses what its scopes handed back either', async (name) => {
    const optimizer = orThrow(optimizerOf(name, name === 'class-kfac' ? { classes: 3 } : {}));
    const { backend, live, openScopes } = poisoningBackend();
    const onWords = async (env: Env<Tensor>): Promise<TrainResult> =>
      orThrow(await train(env, wordsTask(), optimizer, { ...options, duration: { steps: 4 } })());
    const poisoned = await onWords({ backend, clock: () => 0 });
    expect(poisoned).toEqual(await onWords(referenceEnv()));
    expect([live.size, openScopes()]).toEqual([0, 0]);
  });

  it.each(
    optimizers.flatMap(([name, optimizer]) =>
      'inverseStaleness' in optimizer.hyperparameters
        ? [1, 2].map((inverseStaleness) => [name, inverseStaleness] as const)
        : [],
    ),
  )('law: %s with inverses %d steps late computes the same, whatever its scopes hand back', async (name, staleness) => {
    const late = { inverseEvery: 4, inverseDrift: 0.1, inverseStaleness: staleness };
    const optimizer = orThrow(optimizerOf(name, name === 'class-kfac' ? { ...late, classes: 2 } : late));
    const { backend, live, openScopes } = poisoningBackend();
    const poisoned = await run(optimizer, { evaluateEvery: 2 }, { backend, clock: () => 0 });
    expect(poisoned).toEqual(await run(optimizer, { evaluateEvery: 2 }));
    expect([live.size, openScopes()]).toEqual([0, 0]);
  });

  it('law: the number of live arrays does not grow with the steps', async () => {
    const { backend, live } = poisoningBackend();
    const counts: Array<number> = [];
    const listener = () => () => void counts.push(live.size);
    await run(
      kfac({ inverseEvery: 3 }),
      { duration: { steps: 12 }, listeners: [listener] },
      { backend, clock: () => 0 },
    );
    expect(new Set(counts.slice(1)).size).toBe(1);
  });

  it('tells listeners of every step, then of evaluations, with plain numbers', async () => {
    const events: Array<TrainEvent> = [];
    const result = await run(kfac(), { evaluateEvery: 4, listeners: [(event) => () => void events.push(event)] });
    expect(events.map(({ event, step }) => `${event} ${step}`)).toEqual([
      'step 1',
      'step 2',
      'step 3',
      'step 4',
      'evaluation 4',
      'step 5',
      'step 6',
      'evaluation 6',
    ]);
    expect(result.history.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(result.evaluations.map(({ step }) => step)).toEqual([4, 6]);
    expect(result.history[0].metrics).toMatchObject({ loss: result.history[0].loss, momentum: 0.8 });
    expect(result.test).toEqual({ loss: result.evaluations[1].loss, measures: result.evaluations[1].measures });
  });

  it('seconds count training only: not the time that data takes', async () => {
    let now = 0;
    const slow = {
      ...task.data.train,
      batch: (indices: Parameters<typeof task.data.train.batch>[0]) => {
        now += 1000;
        return task.data.train.batch(indices);
      },
    };
    const env = { ...referenceEnv(), clock: () => (now += 1e-6) };
    const slowTask = { ...task, data: { ...task.data, train: slow } };
    const { seconds } = orThrow(await train(env, slowTask, sgd(), { ...options, evaluateEvery: 1 })());
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThan(1);
  });

  it('an epoch is as many steps as it takes to see each example', async () => {
    expect((await run(sgd(), { duration: { epochs: 1 }, batch: 7 })).steps).toBe(4); // ⌈24 / 7⌉
    expect((await run(sgd(), { duration: { epochs: 2.5 }, batch: 24 })).steps).toBe(3);
  });

  it('a loss that is not finite ends the run with an error that says where', async () => {
    const error = errorOf(await train(referenceEnv(), task, sgd({ learningRate: 1e100 }), options)());
    expect(error).toMatchObject({ _tag: 'NonFinite', what: 'the loss' });
    expect(error).toHaveProperty('where', expect.stringMatching(/^training step [2-6], forward$/));
  });

  it('parameters that went bad in the last step are named', async () => {
    const error = errorOf(await train(referenceEnv(), task, spoiling, { ...options, duration: { steps: 1 } })());
    expect(error).toMatchObject({ _tag: 'NonFinite', where: 'parameters after training' });
  });

  it('a parameter that is not finite is found where the loss does not show it', async () => {
    const off = supervised({
      name: 'off',
      model: model('off', [3], unused(dense({ in: 3, out: 1 }))),
      loss: squaredError,
      data: task.data,
    });
    expect(errorOf(await train(referenceEnv(), off, spoiling, { ...options, duration: { steps: 1 } })())).toMatchObject(
      {
        _tag: 'NonFinite',
        where: 'parameters after training',
        what: 'weight',
      },
    );
  });

  it('hands everything back when a run fails', async () => {
    const { backend, live, openScopes } = poisoningBackend();
    await train({ backend, clock: () => 0 }, task, sgd({ learningRate: 1e200 }), options)();
    expect(live.size).toBe(0);
    expect(openScopes()).toBe(0);
  });

  it.each([
    ['batch', { batch: 25 }],
    ['batch', { batch: 0 }],
    ['steps', { duration: { steps: 1.5 } }],
    ['epochs', { duration: { epochs: 0 } }],
    ['duration', { duration: anything(undefined) }],
    ['duration', { duration: anything(5) }],
    ['seed', { seed: -1 }],
    ['evaluateEvery', { evaluateEvery: 0 }],
    ['earlyStopping.patience', { earlyStopping: { patience: 0 } }],
    ['earlyStopping.minimumGain', { earlyStopping: { patience: 1, minimumGain: NaN } }],
    ['earlyStopping.minimumGain', { earlyStopping: { patience: 1, minimumGain: -1 } }],
    ['epochs', { duration: { epochs: Infinity } }],
    ['epochs', { duration: { epochs: NaN } }],
  ])('refuses a wrong %s before it begins', async (path, changes) => {
    const listener = (): never => {
      throw new Error('must not begin');
    };
    const wrong = { ...options, ...changes, listeners: [listener] };
    expect(errorOf(await train(referenceEnv(), task, sgd(), wrong)())).toMatchObject({ _tag: 'BadConfig', path });
  });

  it('a model that does not fit the data is a ShapeMismatch, not an exception', async () => {
    const rows = (n: number) => tensor(new Array<number>(2 * n).fill(1), [n, 2]);
    const narrow: Dataset = {
      ...task.data.train,
      batch: ({ length }) => ({ inputs: rows(length), targets: rows(length) }),
    };
    const wrong = { ...task, data: { ...task.data, train: narrow } };
    expect(errorOf(await train(referenceEnv(), wrong, sgd(), options)())).toMatchObject({ _tag: 'ShapeMismatch' });
  });
});

describe('data that cannot be computed with', () => {
  const x = gaussian(1, [24, 3]);
  const large = generate([24, 1], (i) => (i === 5 ? 1e39 : 0));
  const error = {
    _tag: 'BadData',
    source: 'lengths, targets',
    expected: 'numbers that f32 holds',
    actual: '1e+39 in example 5',
    advice: 'Scale the data, or compute in f64.',
  };
  const single: Env<Tensor> = { backend: { ...referenceBackend(), dtype: 'f32' }, clock: () => 0 };
  const told: Array<TrainEvent> = [];
  const listening = { ...options, listeners: [(event: TrainEvent) => () => void told.push(event)] };
  const splits = (train: Dataset, test: Dataset): TrainTask => ({ ...task, data: { train, test } });
  const broken = orThrow(datasetOf('lengths', x, large));

  it.each([
    ['training', splits(broken, task.data.test)],
    ['test', splits(task.data.train, broken)],
  ])('1e39 in f64 is named before the first step in f32: %s examples', async (_, wrong) => {
    expect(errorOf(await train(single, wrong, sgd(), listening)())).toEqual(error);
    expect(told).toEqual([]);
  });

  it.each([
    ['kfac', kfac()],
    ['adam', adam()],
  ])('an index outside the vocabulary is named before the first step: %s', async (_, optimizer) => {
    const words = wordsTask();
    const { inputs, targets } = words.data.train.batch(Int32Array.from({ length: 10 }, (__, i) => i));
    const wrong = tensor(Array.from(inputs.data).fill(8, 7, 8), inputs.shape, 'i32');
    const data = orThrow(datasetOf('sentences', wrong, targets));
    const expected = {
      _tag: 'BadData',
      source: 'sentences, inputs',
      expected: 'indices from 0 to 4, the rows of the table at words',
      actual: `8 in example ${Math.floor(7 / inputs.shape[1])}, at position ${7 % inputs.shape[1]}`,
      advice: 'Give the embedding a larger vocabulary, or repair the example.',
    };
    for (const splitData of [
      { train: data, test: words.data.test },
      { train: words.data.train, test: data },
    ]) {
      const result = await train(referenceEnv(), { ...words, data: splitData }, optimizer, listening)();
      expect(errorOf(result)).toEqual(expected);
    }
    expect(told).toEqual([]);
    // A source of its own is asked when a batch is due.
    const own: Dataset = { ...data, batch: (indices) => data.batch(indices) };
    const late = await train(referenceEnv(), { ...words, data: { train: own, test: own } }, optimizer, listening)();
    expect(errorOf(late)).toEqual(expected);
  });

  it('a source that gives NaN is named, not the learning rate', async () => {
    const { batch } = task.data.train;
    const spoilt: Dataset = {
      ...task.data.train,
      name: 'sensor',
      batch: (indices) => {
        const drawn = batch(indices);
        return { ...drawn, inputs: tensor(Array.from(drawn['inputs'].data).fill(NaN, 3, 4), drawn['inputs'].shape) };
      },
    };
    expect(errorOf(await train(referenceEnv(), splits(spoilt, task.data.test), kfac(), options)())).toMatchObject({
      _tag: 'BadData',
      source: 'sensor, inputs',
      expected: 'finite numbers',
    });
  });
});

describe('early stopping', () => {
  /** Overfits, so that the test loss has its minimum somewhere on the way. */
  const overfitting = kfac({ damping: 1e-3, inverseEvery: 1 });
  const stopping = { duration: { steps: 60 }, evaluateEvery: 2, batch: 24 };

  it('law: stops, and restores the parameters of the best evaluation', async () => {
    const result = await run(overfitting, { ...stopping, earlyStopping: { patience: 3 } });
    const best = result.evaluations.reduce((a, b) => (b.loss < a.loss ? b : a));
    expect(result.steps).toBeLessThan(60);
    expect(result.steps).toBe(best.step + 3 * 2);
    expect(result.paramsFrom).toBe(best.step);
    expect(result.test.loss).toBe(best.loss);
    const until = await run(overfitting, { ...stopping, duration: { steps: best.step } });
    expect(result.params).toEqual(until.params);
  });

  it('restores the best parameters also when the steps run out first', async () => {
    const result = await run(overfitting, { ...stopping, earlyStopping: { patience: 1000 } });
    const best = result.evaluations.reduce((a, b) => (b.loss < a.loss ? b : a));
    expect(result.steps).toBe(60);
    expect(best.step).toBeLessThan(60);
    expect(result.paramsFrom).toBe(best.step);
    expect(result.test.loss).toBe(best.loss);
  });

  it('a gain that is too small does not count', async () => {
    const options = { ...stopping, earlyStopping: { patience: 2, minimumGain: 1e9 } };
    const result = await run(overfitting, options);
    expect(result.steps).toBe(6);
    expect(result.paramsFrom).toBe(2);
  });

  it('evaluates once an epoch unless told otherwise', async () => {
    const result = await run(sgd(), { duration: { steps: 9 }, earlyStopping: { patience: 5 } });
    expect(result.evaluations.map(({ step }) => step)).toEqual([3, 6, 9]);
  });

  it('law: hands everything back, the best parameters included', async () => {
    const { backend, live } = poisoningBackend();
    const patient = { ...stopping, earlyStopping: { patience: 3 } };
    const poisoned = await run(overfitting, patient, { backend, clock: () => 0 });
    expect(poisoned).toEqual(await run(overfitting, patient));
    expect(live.size).toBe(0);
  });
});
