/** What a step is said to cost on many processes is what it costs there. */
import { portableBackend } from '../../../src/core/backends/portable/backend.ts';
import type { RankCost } from '../../../src/core/parallel/plan/forecast.ts';
import { rankCost, secondsOf } from '../../../src/core/parallel/plan/forecast.ts';
import { simulated } from '../../../src/core/parallel/simulated.ts';
import type { GradientWorkers } from '../../../src/core/parallel/spread/rows.ts';
import { distributed } from '../../../src/core/parallel/spread/distributed.ts';
import type { Spread } from '../../../src/core/parallel/spread/array.ts';
import { takeStep } from '../../../src/core/pipeline/takeStep.ts';
import { placeState } from '../../../src/core/pipeline/transfer.ts';
import type { TrainState } from '../../../src/core/pipeline/trainState.ts';
import { sizeOf } from '../../../src/core/tensor.ts';
import { settledForecast } from '../../../src/pipelines/trainer/counted.ts';
import { optimizerOf } from '../../../src/solvers/presets/registry.ts';
import { sineTask } from '../../pipelines/trainer/support.ts';
import { orThrow } from '../../support/training.ts';
import { deepTask } from './support.ts';

const task = sineTask();
const batch = task.data.train.batch(Int32Array.from({ length: 8 }, (_, i) => i));

const forecastOf = (name: string, steps: number, of = task) =>
  orThrow(settledForecast(of, orThrow(optimizerOf(name)), batch, steps));

const costOf = async (name: string, size: number, workers: GradientWorkers = 'all', steps = 6): Promise<RankCost> =>
  orThrow(await rankCost(forecastOf(name, steps), { ranks: size, gradientWorkers: workers })());

/** Messages of two ranks that take the steps. */
const messagesOf = async (name: string, workers: GradientWorkers): Promise<number> => {
  const { step, state, steps } = forecastOf(name, 6);
  const collective = simulated(2);
  const backend = distributed(orThrow(portableBackend({ threads: 1 })), collective, { gradientWorkers: workers });
  let current: TrainState<Spread> = placeState(backend.ops, state);
  for (let i = 0; i < steps; i += 1) {
    current = orThrow(await takeStep({ backend, clock: () => 0 }, step, current, batch)()).state;
  }
  orThrow(await backend.dispose());
  return collective.traffic().messages / steps;
};

describe('rankCost', () => {
  it('law: a step of a first-order optimizer sends the gradient and the loss once, in one message, and nothing else', async () => {
    const parameters = Object.values(forecastOf('adam', 1).state.params).reduce((sum, x) => sum + sizeOf(x.shape), 0);
    for (const size of [2, 7, 1000]) {
      const { bytes, messages } = await costOf('adam', size);
      expect([bytes, messages]).toEqual([4 * (parameters + 1), 1]);
    }
  });

  it.each(['all', 'one'] as const)('law: messages are those that are sent, inverses with %s', async (workers) => {
    for (const name of ['sgd', 'adam', 'kfac']) {
      expect([name, (await costOf(name, 2, workers)).messages]).toEqual([name, await messagesOf(name, workers)]);
    }
  });

  it('law: what a rank keeps of inverses falls with the share of ranks that keep them, and directions go to those without', async () => {
    const deep = forecastOf('kfac', 6, deepTask());
    const costs = (['all', 0.5, 'one'] as const).map(async (workers) =>
      orThrow(await rankCost(deep, { ranks: 8, gradientWorkers: workers })()),
    );
    const [all, half, one] = await Promise.all(costs);
    expect(half.inverses).toBeLessThan(all.inverses);
    expect(one.inverses).toBeLessThan(half.inverses);
    expect(all.messages).toBeLessThan(one.messages);
    expect(half.carried).toBeGreaterThan(0);
  });

  it('law: work for examples is shared out, and so are factorisations', async () => {
    const [one, two, eight] = [await costOf('kfac', 1), await costOf('kfac', 2), await costOf('kfac', 8)];
    expect(two.operations).toBeLessThan(one.operations);
    expect(eight.operations).toBeLessThan(two.operations);
    expect(two.factorisations).toBeLessThan(one.factorisations);
  });
});

it('secondsOf: worked example. 6 usual operations of half a second and 4 dear ones of a quarter, 6 rounds of a second, 12 bytes of 4 a second', () => {
  const cost = { stages: [{ stage: 'solve', always: 6, periodic: 4, every: 5 }], rounds: 6, carried: 12 };
  expect(secondsOf({ paces: { solve: { always: 1 / 2, periodic: 1 / 4 } }, latency: 1, bandwidth: 4 }, cost)).toBe(
    3 + 1 + 6 + 3,
  );
});
