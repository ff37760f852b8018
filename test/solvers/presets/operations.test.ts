import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { evaluating } from '../../../src/core/nn/layers/circumstances.ts';
import { softmaxCrossEntropy } from '../../../src/core/nn/losses/softmaxCrossEntropy.ts';
import type { Ops } from '../../../src/core/ops/ops.ts';
import type { Objective } from '../../../src/core/pipeline/objective.ts';
import { tensor } from '../../../src/core/tensor.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { siteBlock } from '../../../src/curvature/sites/kinds.ts';
import { adam } from '../../../src/solvers/presets/adam.ts';
import { kfac } from '../../../src/solvers/presets/kfac.ts';
import type { Optimizer } from '../../../src/solvers/presets/optimizer.ts';
import { vjp } from '../../../src/core/autodiff/reverse.ts';
import { gaussian, mlp, orThrow, stateOf } from '../../support/training.ts';

const objective: Objective = { model: mlp([3, 4, 4, 2]), loss: softmaxCrossEntropy };
const batch = { inputs: gaussian(1, [8, 3]), targets: tensor([0, 1, 0, 1, 1, 0, 0, 1], [8], 'i32') };

/** Array operations that each of some steps asks for. */
const operationsOf = async ({ step }: Optimizer, steps: number): Promise<ReadonlyArray<number>> => {
  const inner = referenceBackend();
  let asked = 0;
  const ops: Ops<Tensor> = new Proxy(inner.ops, {
    get: (target, name): unknown => {
      asked += 1;
      return Reflect.get(target, name);
    },
  });
  const env = { backend: { ...inner, ops }, clock: () => 0 };
  const counts: Array<number> = [];
  let state = stateOf(objective.model, 1);
  for (let i = 0; i < steps; i += 1) {
    const before = asked;
    const ended = orThrow(await step.run<Tensor>({ state, batch, objective })(env)());
    state = ended.next;
    counts.push(asked - before);
  }
  return counts;
};

describe('what a step of a small network costs', () => {
  it('law: between two looks at curvature K-FAC asks for no more than 1.6 times the array operations of Adam', async () => {
    const [, ofAdam] = await operationsOf(adam(), 2);
    const ofKfac = await operationsOf(kfac({ settling: 0, share: 0 }), 5);
    const between = Math.max(...ofKfac.slice(1));
    expect(between).toBeLessThanOrEqual(1.6 * ofAdam);
    expect(between).toBeLessThan(ofKfac[0] / 2);
  });

  it('law: a layer’s site is one object in all passes, and so is its block', () => {
    const { ops } = referenceBackend();
    const { params } = stateOf(objective.model, 1);
    const sitesOf = () =>
      vjp(ops, (on, theta, [inputs]) => objective.model.program(on, theta, evaluating({ inputs })), params, [
        batch.inputs,
      ]).sites.map(({ site }) => site);
    const [first, second] = [sitesOf(), sitesOf()];
    first.forEach((site, i) => {
      expect(second[i]).toBe(site);
      expect(siteBlock(second[i])).toBe(siteBlock(site));
    });
  });
});
