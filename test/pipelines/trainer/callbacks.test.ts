/** What the trainer is given and calls: listeners, steering, data, measures. Whatever they do wrong has their name. */
import * as E from 'fp-ts/lib/Either.js';
import type * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../../src/core/errors.ts';
import { attempt } from '../../../src/core/errors.ts';
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import type { Batch } from '../../../src/core/pipeline/context.ts';
import type { ReadonlyVector, Tensor } from '../../../src/core/tensor.ts';
import { generate, tensor } from '../../../src/core/tensor.ts';
import type { Dataset, Splits } from '../../../src/pipelines/data/dataset.ts';
import { datasetOf } from '../../../src/pipelines/data/dataset.ts';
import { defineTask } from '../../../src/pipelines/tasks/define.ts';
import { perExample } from '../../../src/pipelines/tasks/measures.ts';
import { supervised } from '../../../src/pipelines/tasks/supervised.ts';
import type { Listener } from '../../../src/pipelines/trainer/events.ts';
import type { TrainTask, Weighed } from '../../../src/pipelines/trainer/learning.ts';
import type { TrainOptions } from '../../../src/pipelines/trainer/options.ts';
import type { Steer } from '../../../src/pipelines/trainer/steer.ts';
import { plateau } from '../../../src/pipelines/trainer/steer.ts';
import { batchesOf } from '../../../src/pipelines/trainer/batchesOf.ts';
import { train } from '../../../src/pipelines/trainer/train.ts';
import { training } from '../../../src/pipelines/trainer/training.ts';
import { descent } from '../../../src/core/pipeline/descent.ts';
import { kfac } from '../../../src/solvers/presets/kfac.ts';
import { gradientOptimizer } from '../../../src/solvers/presets/optimizer.ts';
import { identity } from '../../../src/solvers/solver/firstOrder.ts';
import { solve } from '../../../src/solvers/solver/solver.ts';
import { update } from '../../../src/solvers/update/update.ts';
import { sgd } from '../../../src/solvers/presets/sgd.ts';
import { gaussian, mlp, orThrow, referenceEnv } from '../../support/training.ts';
import { errorOf, memoryFiles } from '../support.ts';
import { poisoningBackend } from './poisoningBackend.ts';
import { sineTask } from './support.ts';

const task = sineTask();
const options: TrainOptions = { duration: { steps: 6 }, batch: 8, seed: 1, evaluateEvery: 4 };

/** The error of a run, which has handed everything back. */
const failure = async (changes: Partial<TrainOptions>, wrong: TrainTask = task) => {
  const { backend, live, openScopes } = poisoningBackend();
  const outcome = await train({ backend, clock: () => 0 }, wrong, sgd(), { ...options, ...changes })();
  expect([live.size, openScopes()]).toEqual([0, 0]);
  return errorOf(outcome);
};

const later = <A>(value: () => A): Promise<A> => new Promise((resolve) => setTimeout(resolve, 1)).then(value);

describe('listeners', () => {
  const quiet: Listener = () => () => undefined;
  const says = (message: string) => {
    throw new Error(message);
  };

  it.each<readonly [string, Listener, string]>([
    ['that throws when it is told', () => says('no space is left'), 'listener 2, told of the step at step 1,'],
    ['whose effect throws', () => () => says('no space is left'), 'listener 2, told of the step at step 1,'],
    [
      'whose task rejects',
      () => () => later(() => says('no space is left')),
      'listener 2, told of the step at step 1,',
    ],
    [
      'that fails at an evaluation',
      ({ event }) =>
        () =>
          event === 'evaluation' ? says('no space is left') : undefined,
      'listener 2, told of the evaluation at step 4,',
    ],
    [
      'that is itself a promise, from JavaScript',
      (() => later(() => says('no space is left'))) as unknown as Listener,
      'listener 2, told of the step at step 1,',
    ],
  ])('one %s is named, and no promise is left alone', async (_, listener, what) => {
    const unhandled: Array<unknown> = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', note);
    const error = await failure({ listeners: [quiet, listener] });
    await later(() => undefined);
    process.off('unhandledRejection', note);
    expect(error).toEqual({ _tag: 'CallbackFailed', what, reason: 'no space is left' });
    expect(unhandled).toEqual([]);
  });

  it.each([5, undefined, Promise.resolve()])('one that gives %p is told what it should give', async (given) => {
    expect(await failure({ listeners: [(() => given) as unknown as Listener] })).toMatchObject({
      _tag: 'CallbackFailed',
      reason: 'it gave back no function to run, () => …',
    });
  });

  it('one with a name of its own is called by it', async () => {
    const writeLine: Listener = () => () => says('no space is left');
    expect(await failure({ listeners: [writeLine] })).toMatchObject({
      what: 'listener 1 (writeLine), told of the step at step 1,',
    });
  });

  it('law: training waits for each of them, in order', async () => {
    const told: Array<string> = [];
    const note =
      (name: string, isSlow: boolean): Listener =>
      ({ event, step }) =>
      async () => {
        if (isSlow) await later(() => undefined);
        told.push(`${name} ${event} ${step}`);
      };
    orThrow(await train(referenceEnv(), task, sgd(), { ...options, listeners: [note('a', true), note('b', false)] })());
    const events = ['step 1', 'step 2', 'step 3', 'step 4', 'evaluation 4', 'step 5', 'step 6', 'evaluation 6'];
    expect(told).toEqual(events.flatMap((event) => [`a ${event}`, `b ${event}`]));
  });
});

describe('steering', () => {
  it('law: another rate from some step on is the step of that rate', async () => {
    const slower = sgd({ learningRate: 0.001 });
    const steer: Steer = ({ event, step }) => (event === 'step' && step === 3 ? { optimizer: slower } : {});
    const steered = orThrow(await train(referenceEnv(), task, sgd(), { ...options, steer })());
    const first = orThrow(await train(referenceEnv(), task, sgd(), { ...options, duration: { steps: 3 } })());
    const rest = orThrow(await train(referenceEnv(), task, slower, { ...options, from: first.state })());
    expect(steered.history.map(({ metrics }) => metrics['learningRate'])).toEqual([
      0.01, 0.01, 0.01, 0.001, 0.001, 0.001,
    ]);
    expect(steered.state).toEqual(rest.state);
  });

  it('stops where it is told to, also by a promise', async () => {
    const steer: Steer = ({ loss, step }) => later(() => ({ stop: step === 2 && loss > 0 }));
    const { steps, paramsFrom } = orThrow(await train(referenceEnv(), task, sgd(), { ...options, steer })());
    expect([steps, paramsFrom]).toEqual([2, 2]);
  });

  it('that fails is named', async () => {
    const steer: Steer = () => {
      throw new TypeError('rate of undefined');
    };
    expect(await failure({ steer })).toEqual({
      _tag: 'CallbackFailed',
      what: 'steer, told of the step at step 1,',
      reason: 'rate of undefined',
    });
  });

  it('that gives something else than an optimizer is named', async () => {
    const steer = (() => ({ optimizer: {} })) as unknown as Steer;
    expect(await failure({ steer })).toMatchObject({
      _tag: 'CallbackFailed',
      what: 'steer, told of the step at step 1,',
    });
  });

  it('worked example: a rate that falls by half after two evaluations without a gain, and again', () => {
    const steer = plateau({ optimizer: (learningRate) => sgd({ learningRate }), learningRate: 0.8 });
    const evaluations = [5, 4, 4, 4.5, 3, 3, 3, 3, 3].map((loss, i) => ({ step: i, seconds: 0, loss, measures: {} }));
    const rates = evaluations.map((evaluation, i) => {
      const course = steer({ event: 'evaluation', ...evaluation }, evaluations.slice(0, i + 1));
      return course instanceof Promise ? null : (course.optimizer?.hyperparameters['learningRate'] ?? null);
    });
    expect(rates).toEqual([null, null, null, 0.4, null, null, 0.2, null, 0.1]);
  });
});

describe('data', () => {
  const source = (batch: Dataset['batch']): TrainTask => ({
    ...task,
    data: { ...task.data, train: { name: 'sensor', size: 24, batch } },
  });

  it('a source that throws is named', async () => {
    const broken = source(() => {
      throw new Error('the sensor is gone');
    });
    expect(await failure({}, broken)).toMatchObject({
      _tag: 'BadData',
      source: 'sensor',
      actual: 'the error “the sensor is gone”',
    });
  });

  it('a source that promises is told so, and no promise is left alone', async () => {
    // From JavaScript: types do not let a promise through.
    const late = source((() => Promise.reject(new Error('no one waits'))) as unknown as Dataset['batch']);
    expect(await failure({}, late)).toMatchObject({ _tag: 'BadData', source: 'sensor', actual: 'a promise' });
  });

  it('so is a task whose data are loaded by a promise', async () => {
    const load = (() => Promise.resolve(task.data)) as unknown as () => TE.TaskEither<KfacError, Splits>;
    const { name, step, judge, networks } = task;
    const result = await defineTask({ name, step, judge, networks, load }).load(memoryFiles())();
    expect(errorOf(result)).toMatchObject({ _tag: 'BadData', source: task.name });
  });

  it('a source that throws in the middle of training is named, and everything goes back', async () => {
    let asked = 0;
    const breaking = source((indices) => {
      asked += 1;
      if (asked > 4) throw new Error('the sensor is gone');
      return task.data.train.batch(indices);
    });
    expect(await failure({}, breaking)).toMatchObject({ _tag: 'BadData', source: 'sensor' });
    expect(asked).toBe(5);
  });
});

it('a schedule that throws at some step is known before the first', async () => {
  const failing = (step: number): number => {
    if (step === 5) throw new TypeError('no rate for it');
    return 0.1;
  };
  const own = gradientOptimizer({
    name: 'own',
    hyperparameters: {},
    descent: descent(solve(identity), update({ learningRate: failing })),
  });
  const listeners: ReadonlyArray<Listener> = [
    () => {
      throw new Error('must not begin');
    },
  ];
  expect(errorOf(await train(referenceEnv(), task, own, { ...options, listeners })())).toMatchObject({
    _tag: 'CallbackFailed',
    reason: 'no rate for it',
  });
});

it('a task that throws where it is asked for a step is named, before anything is computed', async () => {
  const broken: TrainTask = {
    ...task,
    step: () => {
      throw new TypeError('no network of that name');
    },
  };
  const named = {
    _tag: 'CallbackFailed',
    what: `the task ${task.name}, asked for a step,`,
    reason: 'no network of that name',
  };
  expect(await failure({}, broken)).toEqual(named);
  const steps = training(referenceEnv(), broken, sgd(), {
    seed: 1,
    batches: batchesOf(task.data.train, { batch: 2, seed: 1 }),
  });
  expect((await steps.next()).value).toEqual(E.left(named));
});

describe('what cannot be judged is known before the first step', () => {
  const listener: Listener = () => {
    throw new Error('must not begin');
  };
  const early = { listeners: [listener] };
  const withTest = (test: Dataset): TrainTask => ({ ...task, data: { ...task.data, test } });

  it('test inputs of another width', async () => {
    const wide = orThrow(datasetOf('wide', gaussian(1, [10, 5]), gaussian(2, [10, 1])));
    expect(await failure(early, withTest(wide))).toMatchObject({ _tag: 'ShapeMismatch' });
  });

  it('test targets of another shape', async () => {
    const wide = orThrow(datasetOf('wide', gaussian(1, [10, 3]), gaussian(2, [10, 2])));
    expect(await failure(early, withTest(wide))).toMatchObject({ _tag: 'ShapeMismatch' });
  });

  it('a measure that does not fit the outputs', async () => {
    const measure = perExample((ops, outputs) => ops.reshape(outputs, [outputs.shape[0], 7]));
    const wrong = supervised({
      name: 'sine',
      model: mlp([3, 5, 1]),
      loss: squaredError,
      measures: { measure },
      data: task.data,
    });
    expect(await failure(early, wrong)).toMatchObject({ _tag: 'ShapeMismatch', where: 'reshape' });
  });

  it.each<readonly [string, () => Weighed<never>, string]>([
    [
      'that throws',
      () => {
        throw new TypeError('mine');
      },
      'mine',
    ],
    [
      'that gives nothing',
      () => undefined as unknown as Weighed<never>,
      'it gave undefined, not a sum with its weight',
    ],
  ])('a measure %s is named', async (_, mine, reason) => {
    const { networks, data } = task;
    const wrong = supervised({ name: 'sine', model: networks[0], loss: squaredError, measures: { mine }, data });
    expect(await failure(early, wrong)).toEqual({ _tag: 'CallbackFailed', what: 'measure mine', reason });
  });

  it('a measure that is called as the loss is', () => {
    const measures = { loss: perExample((_, outputs) => outputs) };
    expect(attempt(() => supervised({ name: 'sine', model: mlp([3, 1]), loss: squaredError, measures }))).toMatchObject(
      E.left({ _tag: 'BadConfig', path: 'measures.loss' }),
    );
  });

  it.each([0, -1, 1.5, NaN])('a data set of %d examples', async (size) => {
    const { train: trained, test } = task.data;
    const error = { _tag: 'BadData', actual: String(size) };
    expect(await failure(early, withTest({ ...test, size }))).toMatchObject({ ...error, source: test.name });
    expect(await failure(early, { ...task, data: { train: { ...trained, size }, test } })).toMatchObject(error);
  });

  it.each<readonly [string, (i: ReadonlyVector) => Batch<Tensor>, string]>([
    [
      'is not finite',
      (indices) => ({
        inputs: generate([indices.length, 3], (i) => (indices[Math.floor(i / 3)] === 999 ? NaN : 1)),
        targets: generate([indices.length, 1], () => 1),
      }),
      'BadData',
    ],
    [
      'has another width',
      (indices) => ({
        inputs: generate([indices.length, Array.from(indices).includes(999) ? 4 : 3], () => 1),
        targets: generate([indices.length, 1], () => 1),
      }),
      'ShapeMismatch',
    ],
  ])('the last example of a test set that is made when it is asked for %s', async (_, batch, tag) => {
    expect(await failure(early, withTest({ name: 'late', size: 1000, batch }))).toMatchObject({ _tag: tag });
  });

  it('a watched number that is not judged, or no metric of a step', async () => {
    expect(await failure(early, { ...task, loss: { name: 'accuracy', label: 'accuracy' } })).toMatchObject({
      _tag: 'BadConfig',
      path: 'loss.name',
      expected: 'one of what is judged, loss, square',
    });
    expect(await failure({}, { ...task, loss: { ...task.loss, metric: 'elbo' } })).toMatchObject({
      _tag: 'BadConfig',
      path: 'loss.metric',
    });
  });

  it('weights that sum to 0', async () => {
    const { batch } = task.data.test;
    const weightless: Dataset = {
      ...task.data.test,
      batch: (indices) => ({
        ...batch(indices),
        weights: tensor(new Array<number>(indices.length).fill(0), [indices.length]),
      }),
    };
    expect(await failure(early, withTest(weightless))).toMatchObject({
      _tag: 'BadData',
      source: 'held out',
      expected: 'examples with weights above 0 in their sum, for loss',
    });
  });

  it('a loss that is infinite to begin with', async () => {
    const far = orThrow(datasetOf('far', gaussian(1, [10, 3]), tensor(new Array<number>(10).fill(1e200), [10, 1])));
    expect(await failure(early, withTest(far))).toMatchObject({
      _tag: 'NonFinite',
      where: 'before the first step',
      what: 'the loss on far',
      advice: 'Look at the first parameters and at the examples.',
    });
  });

  it('says the same of kfac as of sgd: nothing is solved before it', async () => {
    const wide = orThrow(datasetOf('wide', gaussian(1, [10, 5]), gaussian(2, [10, 1])));
    const outcome = await train(referenceEnv(), withTest(wide), kfac(), { ...options, ...early })();
    expect(E.isLeft(outcome) && outcome.left._tag).toBe('ShapeMismatch');
  });
});
