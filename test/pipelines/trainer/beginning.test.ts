/** Training that starts from given parameters, or holds some of them fixed. */
import { mapParams, pickParams } from '../../../src/core/params.ts';
import type { Params } from '../../../src/core/params.ts';
import type { Selection } from '../../../src/core/selection.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import type { TrainOptions } from '../../../src/pipelines/trainer/options.ts';
import type { TrainResult } from '../../../src/pipelines/trainer/conclude.ts';
import { evaluate } from '../../../src/pipelines/trainer/evaluate.ts';
import { train } from '../../../src/pipelines/trainer/train.ts';
import { optimizerNames, optimizerOf } from '../../../src/solvers/presets/registry.ts';
import { kfac } from '../../../src/solvers/presets/kfac.ts';
import { sgd } from '../../../src/solvers/presets/sgd.ts';
import { gaussian, orThrow, referenceEnv } from '../../support/training.ts';
import { errorOf } from '../support.ts';
import { poisoningBackend } from './poisoningBackend.ts';
import { signTask, sineTask } from './support.ts';

const task = sineTask();
const options: TrainOptions = { duration: { steps: 6 }, batch: 8, seed: 1 };

const run = async (changes: Partial<TrainOptions>, optimizer = kfac()): Promise<TrainResult> =>
  orThrow(await train(referenceEnv(), task, optimizer, { ...options, ...changes })());

describe('start', () => {
  it('law: from the parameters that would be drawn, training is the same', async () => {
    const drawn = await run({ duration: { steps: 0 } });
    expect((await run({ start: drawn.params })).params).toEqual((await run({})).params);
  });

  it('begins at the loss of the parameters', async () => {
    const start = mapParams((await run({})).params, (p) =>
      tensor(
        Array.from(p.data, (x) => 2 * x),
        p.shape,
      ),
    );
    const { loss } = orThrow(await evaluate(referenceEnv().backend, task, start, task.data.train)());
    const { history, change } = await run({ start, batch: 24, duration: { steps: 1 } });
    expect(history[0].loss).toBeCloseTo(loss, 12);
    expect(change.before).toBe(loss);
  });

  it('takes parameters of another precision', async () => {
    const { params } = await run({});
    const single = mapParams(params, (p) => tensor(p.data, p.shape, 'f32'));
    const { history } = await run({ start: single, duration: { steps: 1 } });
    expect(history[0].loss).toBeCloseTo((await run({ start: params, duration: { steps: 1 } })).history[0].loss, 5);
  });
});

describe('hold', () => {
  const held: ReadonlyArray<Selection> = [['0'], ['2.bias', '0.weight'], 'vectors', (path) => path.startsWith('2')];

  it.each(optimizerNames.flatMap((name) => held.map((hold, i) => [name, i, hold] as const)))(
    'law: %s leaves what is held as it is and trains the rest: %d',
    async (name, _, hold) => {
      const own = name === 'class-kfac' ? signTask() : task;
      const optimizer = orThrow(optimizerOf(name, name === 'class-kfac' ? { classes: 2 } : {}));
      const { backend, live } = poisoningBackend();
      const from = async (steps: number): Promise<TrainResult> =>
        orThrow(await train({ backend, clock: () => 0 }, own, optimizer, { ...options, duration: { steps }, hold })());
      const [before, after] = [await from(0), await from(4)];
      const fixed = Object.keys(after.state.held);
      expect(fixed.length).toBeGreaterThan(0);
      expect(pickParams(after.params, fixed)).toEqual(pickParams(before.params, fixed));
      for (const path of Object.keys(after.state.params)) {
        expect(after.params[path].data).not.toEqual(before.params[path].data);
      }
      expect(Object.keys(after.params).toSorted()).toEqual(Object.keys(before.params).toSorted());
      expect(live.size).toBe(0);
    },
  );

  it('law: going on holds what was held', async () => {
    const first = await run({ hold: ['0'], duration: { steps: 3 } });
    expect((await run({ from: first.state })).params).toEqual((await run({ hold: ['0'] })).params);
  });

  it('early stopping gives back the best parameters with those that are held', async () => {
    const { params, state, paramsFrom, steps } = await run(
      { hold: ['0'], duration: { steps: 60 }, evaluateEvery: 2, batch: 24, earlyStopping: { patience: 3 } },
      kfac({ damping: 1e-3, inverseEvery: 1 }),
    );
    expect(paramsFrom).toBeLessThan(steps);
    expect(state.step).toBe(steps);
    expect(params['0.weight']).toEqual(state.held['0.weight']);
    expect(params['2.weight']).not.toEqual(state.params['2.weight']);
  });
});

describe('what does not fit is refused before the first step', () => {
  const whole: Params<Tensor> = {
    '0.weight': gaussian(1, [5, 3]),
    '0.bias': gaussian(2, [5]),
    '2.weight': gaussian(3, [1, 5]),
    '2.bias': gaussian(4, [1]),
  };
  const { '2.bias': last, ...short } = whole;

  it.each<readonly [string, Partial<TrainOptions>, object]>([
    ['too few parameters', { start: short }, { _tag: 'ShapeMismatch', expected: '2.bias of shape [1]' }],
    ['parameters of another width', { start: { ...short, '2.bias': gaussian(1, [2]) } }, { actual: '[2]' }],
    ['a parameter more', { start: { ...whole, more: last } }, { _tag: 'ShapeMismatch', actual: 'more as well' }],
    [
      'a parameter that is not finite',
      { start: { ...short, '2.bias': tensor([Infinity], [1]) } },
      { _tag: 'BadData', source: 'parameter 2.bias', actual: 'Infinity at position 0' },
    ],
    ['a path that is none', { hold: ['encoder'] }, { _tag: 'BadConfig', path: 'hold', actual: 'encoder' }],
    ['nothing to train', { hold: 'all' }, { _tag: 'BadConfig', path: 'hold' }],
  ])('%s', async (_, changes, expected) => {
    const listener = (): never => {
      throw new Error('must not begin');
    };
    const { backend, live } = poisoningBackend();
    const wrong = { ...options, ...changes, listeners: [listener] };
    expect(errorOf(await train({ backend, clock: () => 0 }, task, sgd(), wrong)())).toMatchObject(expected);
    expect(live.size).toBe(0);
  });
});
