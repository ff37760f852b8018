import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { backward, forward } from '../../../src/core/pipeline/forward.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import { withObjective } from '../../../src/core/pipeline/withObjective.ts';
import { captureGradient } from '../../../src/curvature/captureGradient.ts';
import { updateFactors } from '../../../src/curvature/curvature.ts';
import { equilibrate } from '../../../src/curvature/equilibrate.ts';
import { gradientFactors } from '../../../src/curvature/gradientFactors.ts';
import { rootInverse } from '../../../src/solvers/inverses/rootInverse.ts';
import { soap } from '../../../src/solvers/inverses/soap.ts';
import { damp } from '../../../src/solvers/solver/damp.ts';
import { adam } from '../../../src/solvers/solver/firstOrder.ts';
import { muon } from '../../../src/solvers/solver/muon.ts';
import { ownMemory, remembering } from '../../../src/solvers/solver/ownMemory.ts';
import { preconditioned } from '../../../src/solvers/solver/preconditioned.ts';
import { solve } from '../../../src/solvers/solver/solver.ts';
import { update } from '../../../src/solvers/update/update.ts';
import { gaussian, mlp, runStage, stateOf } from '../../support/training.ts';

const objective = { model: mlp([3, 4, 2]), loss: squaredError };
const batchAt = (i: number) => ({ inputs: gaussian(20 + i, [16, 3]), targets: gaussian(40 + i, [16, 2]) });
const curved = pipeline(
  withObjective(objective),
  forward,
  backward,
  captureGradient(),
  updateFactors(gradientFactors({ vectors: 'diagonal' })),
  equilibrate({ by: 'whole', every: 3 }),
);
const solvers = {
  adam: pipeline(curved, solve(adam()), update({ learningRate: 0.01 })),
  muon: pipeline(curved, solve(muon()), update({ learningRate: 0.01 })),
  soap: pipeline(curved, solve(soap()), update({ learningRate: 0.01 })),
  preconditioned: pipeline(curved, damp(0.1), solve(preconditioned(rootInverse)), update({ learningRate: 0.01 })),
};

describe('memory of solvers', () => {
  it.each(Object.entries(solvers))(
    'law: %s leaves units of the curvature as they are until they are due',
    async (_, step) => {
      let state = stateOf(objective.model, 3);
      const units: Array<unknown> = [];
      for (let i = 0; i < 4; i += 1) {
        state = (await runStage(step, state, batchAt(i))).next;
        units.push(state.solver.slots['units']);
      }
      expect(units[0]).toBeDefined();
      expect([units[1] === units[0], units[2] === units[0], units[3] === units[0]]).toEqual([true, true, false]);
    },
  );

  it('begins where another optimizer has taken the steps before, and goes on where it has itself', () => {
    const begin = { ...stateOf(objective.model, 3), step: 5 };
    expect(ownMemory(begin, 'm')).toEqual({ slots: {}, begun: 5, t: 1 });
    const own = { m: begin.params, v: begin.params };
    const after = { ...remembering(begin, 5, own), step: 7 };
    expect(ownMemory(after, 'm')).toEqual({ slots: own, begun: 5, t: 3 });
    expect(ownMemory(after, 'muon')).toEqual({ slots: {}, begun: 7, t: 1 });
  });
});
