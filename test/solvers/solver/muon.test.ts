import { softmaxCrossEntropy } from '../../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { parametersOfSite } from '../../../src/core/ops/site.ts';
import type { Params } from '../../../src/core/params.ts';
import { backward, forward } from '../../../src/core/pipeline/forward.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import { withObjective } from '../../../src/core/pipeline/withObjective.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import type { FirstOrderNeeds } from '../../../src/solvers/solver/firstOrder.ts';
import { adam } from '../../../src/solvers/solver/firstOrder.ts';
import type { HeadMover } from '../../../src/solvers/solver/muon.ts';
import { headMovers, muon } from '../../../src/solvers/solver/muon.ts';
import { orthogonalised } from '../../../src/solvers/solver/orthogonalise.ts';
import type { Solver } from '../../../src/solvers/solver/solver.ts';
import { solve } from '../../../src/solvers/solver/solver.ts';
import { scaledError } from '../../support/closeness.ts';
import { classifier, indices } from '../../support/sequences.ts';
import { referenceEnv, runStage, stateOf } from '../../support/training.ts';

const { ops } = referenceEnv().backend;

/** An embedding, dense layers, gain and shift, a head. */
const objective = { model: classifier(3), loss: softmaxCrossEntropy };
const batch = { inputs: indices(1, [9, 3]), targets: indices(2, [9], 3) };

const found = async (solver: Solver<FirstOrderNeeds | 'blocks'>) => {
  const { direction, gradient, blocks } = await runStage(
    pipeline(withObjective(objective), forward, backward, solve(solver)),
    stateOf(objective.model, 3),
    batch,
  );
  return { direction, gradient, blocks };
};

const weightsOf = async (kind: string): Promise<ReadonlyArray<string>> =>
  (await found(muon())).blocks.flatMap((block) =>
    block.kind === 'site' && block.site.kind === kind ? [parametersOfSite(block.site)[0]] : [],
  );

describe('muon', () => {
  it.each(headMovers)(
    'law: weights of dense layers are orthogonalised, all else is Adam’s; the head is %s’s',
    async (head) => {
      const dense = await weightsOf('dense');
      expect(dense.length).toBeGreaterThan(1);
      const expectedHidden: Readonly<Record<HeadMover, ReadonlyArray<string>>> = {
        adam: dense.slice(0, -1),
        muon: dense,
      };
      const { direction, gradient } = await found(muon({ head, beta2: 0.9 }));
      const byAdam: Params<Tensor> = (await found(adam({ beta2: 0.9 }))).direction;
      expect(Object.keys(direction)).toEqual(Object.keys(gradient));
      for (const [path, d] of Object.entries(direction)) {
        const own = expectedHidden[head].includes(path)
          ? ops.scale(0.2 * Math.sqrt(Math.max(...d.shape)), orthogonalised(ops, gradient[path], 5))
          : byAdam[path];
        expect(scaledError(d.data, own.data)).toBeLessThan(1e-12);
      }
      expect(await weightsOf('embedding')).toHaveLength(1);
    },
  );

  it('option: adamRate scales Adam’s part alone', async () => {
    const [plain, half] = [await found(muon()), await found(muon({ adamRate: 0.5 }))];
    const [hidden] = await weightsOf('dense');
    for (const [path, d] of Object.entries(plain.direction)) {
      expect(half.direction[path].data).toEqual(ops.scale(path === hidden ? 1 : 0.5, d).data);
    }
  });
});
