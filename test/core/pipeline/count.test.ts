import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { countStep, meanFlops } from '../../../src/core/pipeline/count.ts';
import { initialState } from '../../../src/core/pipeline/trainState.ts';
import type { Shaped } from '../../../src/core/tensor.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import { backward, forward } from '../../../src/core/pipeline/forward.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import { capture } from '../../../src/curvature/capture.ts';
import { updateFactors } from '../../../src/curvature/curvature.ts';
import { empirical } from '../../../src/curvature/estimators.ts';
import { kfac } from '../../../src/curvature/kfac.ts';
import { kroneckerInverse } from '../../../src/solvers/inverses/kroneckerInverse.ts';
import { damp } from '../../../src/solvers/solver/damp.ts';
import { preconditioned } from '../../../src/solvers/solver/preconditioned.ts';
import { solve } from '../../../src/solvers/solver/solver.ts';
import { update } from '../../../src/solvers/update/update.ts';
import { sgd } from '../../../src/solvers/presets/sgd.ts';
import { mlp, orThrow } from '../../support/training.ts';

const objective = { model: mlp([5, 3], 'tanh', false), loss: squaredError };
const state = initialState<Shaped>({ '0.weight': { shape: [3, 5] } }, keyOf(1));
const batch = { inputs: { shape: [7, 5] }, targets: { shape: [7, 3] } };
const given = { state, batch, objective };

/** K-FAC of its parts, with inverses every so many steps. */
const curved = (every: number) =>
  pipeline(
    forward,
    backward,
    capture(empirical()),
    updateFactors(kfac()),
    damp(0.1),
    solve(preconditioned(kroneckerInverse, { every })),
    update({ learningRate: 0.1 }),
  );

describe('countStep', () => {
  it('worked example: a plain step forms x Wᵀ and gᵀ x, and what it does beyond them is linear in the sizes', async () => {
    const { flops, next } = orThrow(await countStep(sgd().step, given)());
    const products = 2 * (2 * 7 * 5 * 3);
    expect(flops).toBeGreaterThanOrEqual(products);
    expect(flops - products).toBeLessThan(10 * (7 * 3 + 3 * 5));
    expect(next.step).toBe(1);
    expect(next.params['0.weight'].shape).toEqual([3, 5]);
  });

  it('worked example: by stage, products and factorisations of K-FAC are what a hand counts', async () => {
    const { flops, stages, statistics, reports } = orThrow(await countStep(curved(1), given)());
    // x Wᵀ; gᵀ x; A and G, half of each; two inverses and G⁻¹ ∇ A⁻¹.
    const hand = {
      forward: 2 * 7 * 5 * 3,
      backward: 2 * 7 * 5 * 3,
      updateFactors: 7 * 5 ** 2 + 7 * 3 ** 2,
      solve: 5 ** 3 + 3 ** 3 + 2 * 3 * 3 * 5 + 2 * 3 * 5 * 5,
    };
    for (const [stage, products] of Object.entries(hand)) {
      expect(stages[stage]).toBeGreaterThanOrEqual(products);
      expect(stages[stage] - products).toBeLessThan(8 * (5 * 5 + 3 * 3 + 7 * 3 + 3 * 5));
    }
    expect(Object.values(stages).reduce((sum, x) => sum + x, 0)).toBeCloseTo(flops, 6);
    expect(statistics).toBe(7);
    expect(reports).toEqual(expect.arrayContaining(['loss', 'damping', 'inverseAge']));
    expect(reports.some((name) => name.startsWith('seconds.'))).toBe(false);
  });
});

describe('meanFlops', () => {
  it('law: the mean over a period is that of its steps, and a refresh costs n³ for each factor', async () => {
    const step = curved(2);
    const first = orThrow(await countStep(step, given)());
    const second = orThrow(await countStep(step, { ...given, state: first.next })());
    expect(first.flops - second.flops).toBeGreaterThanOrEqual(5 ** 3 + 3 ** 3 - 200);
    const third = orThrow(await countStep(step, { ...given, state: second.next })());
    const mean = orThrow(await meanFlops(step, given, 3)());
    expect(mean).toBeCloseTo((first.flops + second.flops + third.flops) / 3, 6);
  });
});
