/**
 * Presets whose steps do not depend on the unit of the loss.
 */
import fc from 'fast-check';

import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import type { TrainState } from '../../../src/core/pipeline/trainState.ts';
import { withObjective } from '../../../src/core/pipeline/withObjective.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { optimizerOf } from '../../../src/solvers/presets/registry.ts';
import { scaledError } from '../../support/closeness.ts';
import { multiplied } from '../../../src/core/nn/losses/multiplied.ts';
import { gaussian, mlp, orThrow, runStage, stateOf } from '../../support/training.ts';

const model = mlp([4, 5, 4, 3]);

const run = async (name: string, c: number, seed: number): Promise<TrainState<Tensor>> => {
  // ε is the one setting with a unit.
  const optimizer = orThrow(optimizerOf(name, { epsilon: 1e-30, learningRate: 0.01 }));
  const step = pipeline(withObjective({ model, loss: multiplied(c, squaredError) }), optimizer.step);
  let state = stateOf(model, seed);
  for (let i = 0; i < 6; i += 1) {
    const batch = { inputs: gaussian(seed + 2 * i, [16, 4]), targets: gaussian(seed + 2 * i + 1, [16, 3]) };
    state = (await runStage(step, state, batch)).next;
  }
  return state;
};

it.each(['adam', 'adamw', 'muon', 'shampoo', 'soap', 'kfac-grafted'])(
  'law: multiplying the loss by c changes no step of %s',
  async (name) => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1e6), fc.double({ min: -3, max: 3, noNaN: true }), async (seed, exponent) => {
        const [one, other] = [await run(name, 1, seed), await run(name, 10 ** exponent, seed)];
        const start = stateOf(model, seed).params;
        for (const [path, p] of Object.entries(one.params)) {
          expect(scaledError(p.data, start[path].data)).toBeGreaterThan(1e-4);
          expect(scaledError(other.params[path].data, p.data)).toBeLessThan(1e-6);
        }
      }),
      { numRuns: 8 },
    );
  },
);
