import { evaluating } from '../../../src/core/nn/layers/circumstances.ts';
import { mapParams } from '../../../src/core/params.ts';
import { outputsAt } from '../../../src/core/pipeline/linearise.ts';
import { gatherRows } from '../../../src/core/rows.ts';
import type { Dataset } from '../../../src/pipelines/data/dataset.ts';
import { rowsOf } from '../../../src/pipelines/data/dataset.ts';
import { defineTask } from '../../../src/pipelines/tasks/define.ts';
import type { TrainOptions } from '../../../src/pipelines/trainer/options.ts';
import { turns } from '../../../src/solvers/games/turns.ts';
import { gameBatch, playersOf, toTell } from '../../solvers/games/twoNetworks.ts';
import type { Env } from '../../../src/core/pipeline/env.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import type { TrainResult } from '../../../src/pipelines/trainer/conclude.ts';
import { train } from '../../../src/pipelines/trainer/train.ts';
import { partition } from '../../../src/solvers/groups/partition.ts';
import { adam } from '../../../src/solvers/presets/adam.ts';
import { ekfac } from '../../../src/solvers/presets/ekfac.ts';
import { kfac } from '../../../src/solvers/presets/kfac.ts';
import type { Optimizer } from '../../../src/solvers/presets/optimizer.ts';
import { orThrow, referenceEnv } from '../../support/training.ts';
import { poisoningBackend } from './poisoningBackend.ts';
import { sineTask } from './support.ts';

const run = async (optimizer: Optimizer, env: Env<Tensor>): Promise<TrainResult> =>
  orThrow(await train(env, sineTask(), optimizer, { duration: { steps: 7 }, batch: 8, seed: 1 })());

// Inverses are still being made when the run ends, in a group and in a group of a group.
const late = { damping: 1, inverseEvery: 2, inverseStaleness: 3 };
const grouped: Optimizer = partition({
  first: { parameters: ['0.weight'], optimizer: kfac(late) },
  rest: {
    parameters: 'rest',
    optimizer: partition({
      weights: { parameters: 'weights', optimizer: ekfac(late) },
      vectors: { parameters: 'vectors', optimizer: adam() },
    }),
  },
});
const still: Optimizer = partition({
  weights: { parameters: 'weights', optimizer: kfac(late) },
  vectors: { parameters: 'vectors', optimizer: null },
});

describe.each([
  ['groups of groups', grouped],
  ['a group that stays', still],
])('training by groups: %s', (_, optimizer) => {
  it('law: no group uses what its scopes handed back, nothing is left under way, no array is kept', async () => {
    const { backend, live, openScopes } = poisoningBackend();
    const poisoned = await run(optimizer, { backend, clock: () => 0 });
    expect(poisoned).toEqual(await run(optimizer, referenceEnv()));
    expect([live.size, openScopes()]).toEqual([0, 0]);
  });
});

describe('training a game', () => {
  /** Data of a game as a data set. */
  const numbers: Dataset = {
    name: 'numbers',
    size: 48,
    batch: (rows) => mapParams(gameBatch(0), (array) => gatherRows(rowsOf(array), rows)),
  };
  const game = defineTask({
    name: 'game',
    networks: [toTell.model],
    // The optimizer that is asked for tells, Adam fools.
    step: (optimizer) => turns(playersOf(optimizer, adam({ learningRate: 0.05 }))),
    judge: (ops, { params, held, running }, batch) => {
      const outputs = outputsAt(ops, { model: toTell.model, params, held, at: evaluating(batch, running) });
      return {
        loss: { sum: ops.sum(toTell.loss.value(ops, outputs, batch['told'], null), [0]), weight: outputs.shape[0] },
      };
    },
    data: { train: numbers, test: numbers },
  });
  const play = async (options: Partial<TrainOptions> = {}, env: Env<Tensor> = referenceEnv()): Promise<TrainResult> =>
    orThrow(await train(env, game, ekfac(late), { duration: { steps: 7 }, batch: 8, seed: 1, ...options })());

  it('law: no player uses what its scopes handed back, nothing is left under way, no array is kept', async () => {
    const { backend, live, openScopes } = poisoningBackend();
    expect(await play({}, { backend, clock: () => 0 })).toEqual(await play());
    expect([live.size, openScopes()]).toEqual([0, 0]);
  });

  it('law: it goes on from a returned state bit for bit', async () => {
    const half = await play({ duration: { steps: 4 } });
    expect((await play({ from: structuredClone(half.state) })).params).toEqual((await play()).params);
  });
});
