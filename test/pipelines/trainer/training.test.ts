/** Loops of one's own: the steps of `train`, whose arrays go back however the loop ends. */
import * as E from 'fp-ts/lib/Either.js';

import type { KfacError } from '../../../src/core/errors.ts';
import { backward, forward } from '../../../src/core/pipeline/forward.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import { prefetched } from '../../../src/core/scan.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { batchesOf } from '../../../src/pipelines/trainer/batchesOf.ts';
import { evaluate } from '../../../src/pipelines/trainer/evaluate.ts';
import type { TrainTask } from '../../../src/pipelines/trainer/learning.ts';
import type { TrainOptions } from '../../../src/pipelines/trainer/options.ts';
import type { Trained, TrainingOptions, TrainingStep } from '../../../src/pipelines/trainer/training.ts';
import { training } from '../../../src/pipelines/trainer/training.ts';
import { train } from '../../../src/pipelines/trainer/train.ts';
import { partition } from '../../../src/solvers/groups/partition.ts';
import { adam } from '../../../src/solvers/presets/adam.ts';
import { exact } from '../../../src/curvature/estimators.ts';
import { capture } from '../../../src/curvature/capture.ts';
import { updateFactors } from '../../../src/curvature/curvature.ts';
import { kfac as kroneckerCurvature } from '../../../src/curvature/kfac.ts';
import { kfac } from '../../../src/solvers/presets/kfac.ts';
import { kfacGrafted } from '../../../src/solvers/presets/kfacGrafted.ts';
import type { Optimizer } from '../../../src/solvers/presets/optimizer.ts';
import { optimizerNames, optimizerOf } from '../../../src/solvers/presets/registry.ts';
import { sgd } from '../../../src/solvers/presets/sgd.ts';
import { kroneckerInverse } from '../../../src/solvers/inverses/kroneckerInverse.ts';
import { damp } from '../../../src/solvers/solver/damp.ts';
import { preconditioned } from '../../../src/solvers/solver/preconditioned.ts';
import { identity } from '../../../src/solvers/solver/firstOrder.ts';
import { solve } from '../../../src/solvers/solver/solver.ts';
import { update } from '../../../src/solvers/update/update.ts';
import { memoryBackend } from '../../core/backends/gpu/device/support.ts';
import { orThrow } from '../../support/training.ts';
import { game } from '../publicSpine/game.ts';
import { languageModel } from '../publicSpine/languageModel.ts';
import { errorOf } from '../support.ts';
import { poisoningBackend } from './poisoningBackend.ts';
import { signTask, sineTask, wordsTask } from './support.ts';

/** Batches of 7 from 24 examples: they do not fit into epochs. */
const drawing = { batch: 7, seed: 3 };
const steps = 6;

const made = (name: string, more: Readonly<Record<string, number>> = {}): Optimizer =>
  orThrow(optimizerOf(name, { ...(name === 'class-kfac' ? { classes: 2 } : {}), ...more }));

const taskFor = (name: string): TrainTask => (name === 'class-kfac' ? signTask() : sineTask());

type Asked = Optimizer | ((step: number) => Optimizer);

/** Where a loop on a poisoning backend stands, and what it has left behind. */
const loopOn = (task: TrainTask, optimizer: Asked, changes: Partial<TrainingOptions> = {}) => {
  const { backend, live, openScopes } = poisoningBackend();
  const options = { seed: drawing.seed, batches: batchesOf(task.data.train, drawing), ...changes };
  return {
    // As `train` does, it knows of how many examples the batches are made.
    stream: training({ backend, clock: () => 0, examples: task.data.train.size }, task, optimizer, options),
    live,
    left: () => [live.size, openScopes()],
  };
};

/** The steps of a loop that is left after some, and a copy of where it came to. */
const looped = async (
  { stream, left }: ReturnType<typeof loopOn>,
  until = steps,
): Promise<Trained & { readonly losses: ReadonlyArray<number> }> => {
  const losses: Array<number> = [];
  for await (const step of stream) {
    const { step: taken, loss, copy } = orThrow(step);
    losses.push(loss);
    if (taken === until) {
      const copied = orThrow(await copy());
      await stream.return();
      expect(left()).toEqual([0, 0]);
      return { ...copied, losses };
    }
  }
  throw new Error(`the stream ended after ${losses.length} steps`);
};

const trained = async (task: TrainTask, optimizer: Optimizer, changes: Partial<TrainOptions> = {}) => {
  const { backend } = poisoningBackend();
  const options = { ...drawing, duration: { steps }, ...changes };
  const result = orThrow(await train({ backend, clock: () => 0 }, task, optimizer, options)());
  const { params, running, state, history } = result;
  return { params, running, state, losses: history.map(({ loss }) => loss) };
};

describe('law: a loop of one’s own is train, bit for bit', () => {
  it.each(optimizerNames)('with %s', async (name) => {
    const task = taskFor(name);
    expect(await looped(loopOn(task, made(name)))).toEqual(await trained(task, made(name)));
  });

  it.each(optimizerNames.filter((name) => 'inverseStaleness' in made(name).hyperparameters))(
    'with %s, whose inverses are under way when the loop is left',
    async (name) => {
      const late = made(name, { inverseEvery: 2, inverseStaleness: 3 });
      const task = taskFor(name);
      for (const until of [4, 5, 6]) {
        const expected = await trained(task, late, { duration: { steps: until } });
        expect(await looped(loopOn(task, late), until)).toEqual(expected);
      }
    },
  );

  it('where batches are prepared before they are wanted', async () => {
    const task = sineTask();
    for (const ahead of [1, 4]) {
      const batches = prefetched(batchesOf(task.data.train, drawing), ahead);
      expect(await looped(loopOn(task, made('kfac'), { batches }))).toEqual(await trained(task, made('kfac')));
    }
  });

  it('on words, with every kind of site', async () => {
    expect(await looped(loopOn(wordsTask(), made('ekfac')))).toEqual(await trained(wordsTask(), made('ekfac')));
  });

  it.each<readonly [string, TrainTask]>([
    ['a game of two networks, whose loss has a name of its own', game(made('kfac'))],
    ['a language model with masks, dropout and running state', languageModel()],
  ])('on %s', async (_, task) => {
    expect(await looped(loopOn(task, made('kfac')))).toEqual(await trained(task, made('kfac')));
  });

  it('from where another one ended', async () => {
    const task = sineTask();
    const first = await looped(loopOn(task, kfac()), 4);
    const batches = batchesOf(task.data.train, { ...drawing, from: 4 });
    const { losses, ...rest } = await looped(loopOn(task, kfac(), { from: first.state, batches }));
    const { losses: all, ...whole } = await trained(task, kfac());
    expect(rest).toEqual(whole);
    expect([...first.losses, ...losses]).toEqual(all);
  });

  it('from given parameters, some of them held', async () => {
    const task = sineTask();
    const begun = { start: task.initial(keyOf(7), 'f64').params, hold: ['0'] };
    expect(await looped(loopOn(task, adam(), begun))).toEqual(await trained(task, adam(), begun));
  });

  it('with a rate that changes between two steps', async () => {
    const task = sineTask();
    const rate = (step: number) => sgd({ learningRate: step < 3 ? 0.1 : 0.01 });
    const steered = await trained(task, rate(0), {
      steer: ({ step }) => (step === 3 ? { optimizer: rate(step) } : {}),
    });
    expect(await looped(loopOn(task, rate))).toEqual(steered);
  });

  it('on a device, in single precision', async () => {
    const task = sineTask();
    const env = { backend: memoryBackend('cpu'), clock: () => 0 };
    const result = orThrow(await train(env, task, kfac(), { ...drawing, duration: { steps: 3 } })());
    const losses: Array<number> = [];
    const options = { seed: drawing.seed, batches: batchesOf(task.data.train, drawing) };
    for await (const step of training(env, task, kfac(), options)) {
      losses.push(orThrow(step).loss);
      if (losses.length === 3) break;
    }
    expect(losses).toEqual(result.history.map(({ loss }) => loss));
  });
});

describe('what a loop holds', () => {
  it('law: the number of live arrays does not grow with the steps', async () => {
    const loop = loopOn(sineTask(), kfac({ inverseEvery: 3, dampingEvery: 1, statisticsEvery: 1 }));
    const counts: Array<number> = [];
    for await (const step of loop.stream) {
      counts.push(loop.live.size);
      if (orThrow(step).step === 12) break;
    }
    // A step that is not taken leaves fewer: what it would have remembered goes.
    expect(Math.max(...counts.slice(2))).toBe(counts[1]);
    expect(loop.left()).toEqual([0, 0]);
  });

  it('is nothing before it begins, and nothing after the last batch', async () => {
    const task = sineTask();
    const [a, b] = batchesOf(task.data.train, drawing);
    const loop = loopOn(task, kfac({ inverseEvery: 1, inverseStaleness: 2 }), { batches: [orThrow(a), b] });
    expect(loop.left()).toEqual([0, 0]);
    const seen: Array<number> = [];
    for await (const step of loop.stream) seen.push(orThrow(step).step);
    expect(seen).toEqual([1, 2]);
    expect(loop.left()).toEqual([0, 0]);
  });

  it('goes back when groups of groups have inverses under way', async () => {
    const late = kfac({ damping: 0.1, inverseEvery: 1, inverseStaleness: 3 });
    const inner = partition({
      first: { parameters: ['0'], optimizer: late },
      rest: { parameters: 'rest', optimizer: adam() },
    });
    const nested = partition({ all: { parameters: 'all', optimizer: inner } });
    const { state } = await looped(loopOn(sineTask(), nested), 2);
    expect(state.groups['all'].groups['first'].solver.pending).not.toBeNull();
  });

  it('goes back when whoever reads it throws', async () => {
    const loop = loopOn(sineTask(), kfac());
    const read = async () => {
      for await (const step of loop.stream) throw new Error(`enough after ${orThrow(step).step}`);
    };
    await expect(read()).rejects.toThrow('enough after 1');
    expect(loop.left()).toEqual([0, 0]);
  });

  it('tells the source that it is over', async () => {
    const closed: Array<string> = [];
    const task = sineTask();
    async function* source() {
      try {
        for (const batch of batchesOf(task.data.train, drawing)) yield await Promise.resolve(batch);
      } finally {
        closed.push('closed');
      }
    }
    await looped(loopOn(task, sgd(), { batches: source() }), 2);
    expect(closed).toEqual(['closed']);
  });
});

describe('what may be asked of a step', () => {
  it('means over a data set, which are those of the copied parameters', async () => {
    const task = sineTask();
    const loop = loopOn(task, kfac());
    for await (const step of loop.stream) {
      const { evaluate: judge, copy } = orThrow(step);
      const judged = orThrow(await judge(task.data.test)());
      const { params } = orThrow(await copy());
      expect(judged).toEqual(orThrow(await evaluate(poisoningBackend().backend, task, params, task.data.test)()));
      break;
    }
    expect(loop.left()).toEqual([0, 0]);
  });

  it('before the next one only: later it is an error, not other numbers', async () => {
    const task = sineTask();
    const { stream, left } = loopOn(task, kfac());
    const taken = async (): Promise<TrainingStep> => {
      const next = await stream.next();
      if (next.done === true) throw new Error('the stream ended');
      return orThrow(next.value);
    };
    const first = await taken();
    const begun = first.copy(); // and not waited for
    const second = await taken();
    const early = await begun;
    if (E.isRight(early)) expect(early.right.state).toEqual((await looped(loopOn(task, kfac()), 1)).state);
    for (const late of [await first.copy(), await first.evaluate(task.data.test)()]) {
      expect(errorOf<unknown>(late)).toMatchObject({ _tag: 'BadConfig', path: 'step 1' });
    }
    expect(E.isRight(await second.copy())).toBe(true);
    await stream.return();
    expect(errorOf(await second.copy())).toMatchObject({ _tag: 'BadConfig', path: 'step 2' });
    expect(left()).toEqual([0, 0]);
  });
});

describe('what cannot be trained', () => {
  const task = sineTask();
  const batch = (values: ReadonlyArray<number>, rows = 1) => ({
    inputs: tensor(values, [rows, 3]),
    targets: tensor([1], [1, 1]),
  });
  const good = batch([1, 2, 3]);

  /** The last value of a stream, its only error, after so many steps; everything has gone back. */
  const failure = async (
    taken: number,
    optimizer: Asked,
    changes: Partial<TrainingOptions>,
    learned: TrainTask = task,
  ): Promise<KfacError> => {
    const loop = loopOn(learned, optimizer, changes);
    const all: Array<E.Either<KfacError, TrainingStep>> = [];
    for await (const step of loop.stream) all.push(step);
    expect(all.map(({ _tag }) => _tag)).toEqual([...Array.from({ length: taken }, () => 'Right'), 'Left']);
    expect(loop.left()).toEqual([0, 0]);
    return errorOf(all[taken]);
  };

  it('settings: a seed, a state with parameters beside it, parameters of another network', async () => {
    expect(await failure(0, sgd(), { seed: 0.5 })).toMatchObject({ _tag: 'BadConfig', path: 'seed' });
    const { state, params } = await trained(task, sgd());
    expect(await failure(0, sgd(), { from: state, start: params })).toMatchObject({ _tag: 'BadConfig', path: 'start' });
    expect(await failure(0, sgd(), { start: {} })).toMatchObject({ _tag: 'ShapeMismatch' });
  });

  it.each<readonly [string, TrainingOptions['batches'], object]>([
    ['a number that is none', [good, batch([1, NaN, 3])], { _tag: 'BadData', source: 'batch of step 2, inputs' }],
    [
      'rows that do not match',
      [good, batch([1, 2, 3, 4, 5, 6], 2)],
      { _tag: 'BadData', source: 'batch of step 2, targets' },
    ],
    ['no arrays', [good, {}], { _tag: 'ShapeMismatch' }],
    ['other arrays', [good, { pixels: good.inputs }], { _tag: 'ShapeMismatch' }],
    ['another width', [good, { ...good, inputs: tensor([1, 2], [1, 2]) }], { _tag: 'ShapeMismatch' }],
    [
      'an error',
      [good, E.left({ _tag: 'CollectiveFailed', operation: 'read', rank: 0, reason: 'cut' } as const)],
      { operation: 'read' },
    ],
  ])('a batch with %s', async (_, batches, error) => {
    expect(await failure(1, sgd(), { batches })).toMatchObject(error);
  });

  it('class ids outside the outputs', async () => {
    const batches = [{ inputs: tensor([1, 2, 3], [1, 3]), targets: tensor([2], [1], 'i32') }];
    expect(await failure(0, sgd(), { batches }, signTask())).toMatchObject({ _tag: 'BadData' });
  });

  it('a source that throws or rejects, an optimizer that is not there, both by name', async () => {
    function* throwing() {
      yield good;
      throw new Error('no space is left');
    }
    async function* rejecting() {
      yield await Promise.resolve(good);
      throw new Error('no space is left');
    }
    for (const batches of [throwing(), rejecting()]) {
      const named = { _tag: 'CallbackFailed', what: 'the source of batches', reason: 'no space is left' };
      expect(await failure(1, sgd(), { batches })).toEqual(named);
    }
    const choose = (step: number): Optimizer => {
      if (step === 2) throw new Error('none for this one');
      return sgd();
    };
    expect(await failure(2, choose, {})).toMatchObject({ _tag: 'CallbackFailed', reason: 'none for this one' });
  });

  it('a schedule that ends below zero, at the step where it does', async () => {
    const step = pipeline(
      forward,
      backward,
      capture(exact()),
      updateFactors(kroneckerCurvature()),
      damp((at) => (at < 2 ? 0.1 : -0.1)),
      solve(preconditioned(kroneckerInverse)),
      update({ learningRate: 0.1 }),
    );
    const error = await failure(2, { name: 'backwards', hyperparameters: {}, step }, {});
    expect(error).toMatchObject({ _tag: 'BadConfig', actual: '-0.1 at step 2' });
  });

  it('a schedule that throws, before the step at which it does', async () => {
    const failing = (at: number): number => {
      if (at === 2) throw new TypeError('no rate for it');
      return 0.1;
    };
    const step = pipeline(forward, backward, solve(identity), update({ learningRate: failing }));
    const error = await failure(2, { name: 'own', hyperparameters: {}, step }, {});
    expect(error).toMatchObject({
      _tag: 'CallbackFailed',
      what: 'a schedule of forward → backward → solve → update',
      reason: 'no rate for it',
    });
  });

  it('a rate that diverges, with the step, while inverses are under way', async () => {
    const late = (learningRate: number) => kfacGrafted({ inverseEvery: 1, inverseStaleness: 2, learningRate });
    const error = await failure(3, (step) => late(step < 3 ? 1 : 1e200), {});
    expect(error).toMatchObject({ _tag: 'NonFinite', where: expect.stringMatching(/^training step 4/) as string });
  });

  it('more than a data set has', async () => {
    const batches = batchesOf(task.data.train, { batch: 25, seed: 1 });
    expect(await failure(0, sgd(), { batches })).toMatchObject({ _tag: 'BadConfig', path: 'batch' });
  });
});
