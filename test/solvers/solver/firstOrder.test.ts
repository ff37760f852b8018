import { backward, forward } from '../../../src/core/pipeline/forward.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import { withObjective } from '../../../src/core/pipeline/withObjective.ts';
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { adam } from '../../../src/solvers/solver/firstOrder.ts';
import { solve } from '../../../src/solvers/solver/solver.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { singleBackend } from '../../support/single.ts';
import { mlp, runStage, stateOf } from '../../support/training.ts';

describe('adam', () => {
  it.each([1e-300, 1e-40, 1e-8])(
    'law: a gradient of 0 has direction 0, with an ε of %p in 32 bits',
    async (epsilon) => {
      const objective = { model: mlp([2, 1], 'identity', false), loss: squaredError };
      const step = pipeline(withObjective(objective), forward, backward, solve(adam({ epsilon })));
      const batch = { inputs: tensor([1, 0], [1, 2]), targets: tensor([5], [1, 1]) };
      const env = { backend: singleBackend(), clock: () => 0 };
      const { direction } = await runStage(step, stateOf(objective.model, 1), batch, env);
      expect(direction['0.weight'].data[1]).toBe(0);
      expect(Math.abs(direction['0.weight'].data[0])).toBeCloseTo(1, 6);
    },
  );
});
