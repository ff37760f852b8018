import type { Objective } from '../../../src/core/pipeline/objective.ts';
import { takeStep } from '../../../src/core/pipeline/takeStep.ts';
import { placeState } from '../../../src/core/pipeline/transfer.ts';
import { learn } from '../../../src/core/pipeline/withObjective.ts';
import { softmaxCrossEntropy } from '../../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { optimizerNames, optimizerOf } from '../../../src/solvers/presets/registry.ts';
import { poisoningBackend } from '../../pipelines/trainer/poisoningBackend.ts';
import { gaussian, mlp, orThrow, stateOf } from '../../support/training.ts';

const objective: Objective = { model: mlp([3, 2]), loss: softmaxCrossEntropy };
const targets = tensor([0, 1, 0, 1], [4], 'i32');
const batch = { inputs: gaussian(1, [4, 3]), targets };
const inputs = tensor(
  Array.from(batch.inputs.data, (x, i) => (i === 7 ? NaN : x)),
  [4, 3],
);

describe.each(optimizerNames)('a step of %s', (name) => {
  const { step } = orThrow(optimizerOf(name, name === 'class-kfac' ? { classes: 2 } : {}));

  it('law: a loss that is no number is an error with the step, and everything goes back', async () => {
    const { backend, live, openScopes } = poisoningBackend();
    const start = placeState(backend.ops, stateOf(objective.model, 1));
    const env = { backend, clock: () => 0 };
    const { state } = orThrow(await takeStep(env, learn(objective, step), start, batch)());
    expect(await takeStep(env, learn(objective, step), state, { inputs, targets })()).toMatchObject({
      left: { _tag: 'NonFinite', where: expect.stringContaining('training step 2') as string },
    });
    expect([live.size, openScopes()]).toEqual([0, 0]);
  });
});
