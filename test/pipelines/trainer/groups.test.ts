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
