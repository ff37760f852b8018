import fc from 'fast-check';

import { apply, applyBlock } from '../../../src/core/operators/apply.ts';
import { materialise } from '../../../src/core/operators/materialise.ts';
import type { BlockOperator } from '../../../src/core/operators/blockOperator.ts';
import { eigenKronecker, kroneckerOf } from '../../../src/core/operators/blockOperator.ts';
import { dense, diagonal } from '../../../src/core/operators/factors/factor.ts';
import { scaled } from '../../../src/core/operators/composite.ts';
import { blockDiagonal } from '../../../src/core/operators/linearOperator.ts';
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { backward, forward } from '../../../src/core/pipeline/forward.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import { withObjective } from '../../../src/core/pipeline/withObjective.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { capture } from '../../../src/curvature/capture.ts';
import { updateFactors } from '../../../src/curvature/curvature.ts';
import { exact } from '../../../src/curvature/estimators.ts';
import { kfac } from '../../../src/curvature/kfac.ts';
import { damp } from '../../../src/solvers/solver/damp.ts';
import { solve } from '../../../src/solvers/solver/solver.ts';
import { scaledError } from '../../support/closeness.ts';
import { gaussian, mlp, orThrow, referenceEnv, runStage, stateOf } from '../../support/training.ts';
import { eigen } from '../../../src/solvers/inverses/eigen.ts';
import { preconditioned } from '../../../src/solvers/solver/preconditioned.ts';
import { inverted } from '../../support/inverses.ts';

const { backend } = referenceEnv();
const { ops } = backend;

const spd = (seed: number, n: number): Tensor => ops.gram(gaussian(seed, [n + 2, n]));

const applyInverse = async (block: BlockOperator<Tensor>, lambda: number, v: Tensor): Promise<Tensor> => {
  const operator = orThrow(await inverted(eigen, backend, blockDiagonal({ block }), lambda)());
  return apply(ops, operator, { block: v })['block'];
};

describe('eigen', () => {
  it('law: exact damping, (A ⊗ G + λ I) applied to its solution gives V back', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(1000),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 5 }),
        fc.double({ min: 1e-3, max: 10, noNaN: true }),
        async (seed, out, inputs, lambda) => {
          const block = kroneckerOf(spd(seed, inputs), spd(seed + 1, out));
          const V = gaussian(seed + 2, [out, inputs]);
          const solution = await applyInverse(block, lambda, V);
          const back = ops.add(applyBlock(ops, block, solution), ops.scale(lambda, solution));
          expect(scaledError(back.data, V.data)).toBeLessThan(1e-8);
        },
      ),
    );
  });

  it('law: equals a dense solve in f64, also for a singular factor', async () => {
    const singular = ops.gram(gaussian(1, [2, 4]));
    const block = kroneckerOf(singular, spd(2, 3));
    const V = gaussian(3, [3, 4]);
    const matrix = ops.addDiagonal(materialise(ops, block, [3, 4]), 0.1);
    const column = ops.reshape(ops.transposed(V), [12, 1]);
    const expected = orThrow(await backend.linearAlgebra.solve(matrix, column)());
    const solution = ops.reshape(ops.transposed(await applyInverse(block, 0.1, V)), [12, 1]);
    expect(scaledError(solution.data, expected.data)).toBeLessThan(1e-8);
  });

  it('worked example: diagonal factors, 6 / (2 · 1 + 1) and 14 / (2 · 3 + 1)', async () => {
    const block = kroneckerOf(tensor([1, 0, 0, 3], [2, 2]), tensor([2], [1, 1]));
    const solution = await applyInverse(block, 1, tensor([6, 14], [1, 2]));
    expect(scaledError(solution.data, [2, 2])).toBeLessThan(1e-14);
  });

  it('an eigenvalue below 0 counts as 0', async () => {
    const block = kroneckerOf(tensor([-1, 0, 0, 3], [2, 2]), tensor([1], [1, 1]));
    const solution = await applyInverse(block, 0.5, tensor([1, 7], [1, 2]));
    expect(scaledError(solution.data, [2, 2])).toBeLessThan(1e-14);
  });

  it('divides diagonal and eigenKronecker blocks by their values plus λ, and refuses others by name', async () => {
    const I = tensor([1, 0, 0, 1], [2, 2]);
    const S = tensor([1, 3, 0, 7], [2, 2]);
    const V = tensor([2, 4, 1, 8], [2, 2]);
    for (const block of [diagonal(S), eigenKronecker(dense(I), dense(I), S)]) {
      expect(Array.from((await applyInverse(block, 1, V)).data)).toEqual([1, 1, 1, 1]);
    }
    const refused = await inverted(eigen, backend, blockDiagonal({ head: scaled(2, diagonal(I)) }), 1)();
    expect(refused).toMatchObject({ _tag: 'Left', left: { _tag: 'BadConfig', path: 'head', actual: 'scaled' } });
  });

  it('reports the smallest and the largest eigenvalue of all factors when it refreshes, and only then', async () => {
    const objective = { model: mlp([2, 3, 2]), loss: squaredError };
    const step = pipeline(
      withObjective(objective),
      forward,
      backward,
      capture(exact()),
      updateFactors(kfac()),
      damp(1),
      solve(preconditioned(eigen, { every: 2 })),
    );
    const batch = { inputs: gaussian(1, [5, 2]), targets: gaussian(2, [5, 2]) };
    const { state, metrics } = await runStage(step, stateOf(objective.model, 3), batch);
    const factors = Object.values(state.curvature.averages).flatMap((averages) => Object.values(averages));
    const values = await Promise.all(
      factors.map(async (m) => Array.from(orThrow(await backend.linearAlgebra.eigh(m)()).values.data)),
    );
    const smallest = metrics['smallestEigenvalue'];
    const largest = metrics['largestEigenvalue'];
    if (typeof smallest !== 'object' || typeof largest !== 'object') throw new Error('expected scalars');
    expect(smallest.data[0]).toBe(Math.min(...values.flat()));
    expect(largest.data[0]).toBe(Math.max(...values.flat()));
    const later = await runStage(step, { ...state, step: 1 }, batch);
    expect(Object.keys(later.metrics)).not.toContain('smallestEigenvalue');
    expect(later.metrics['inverseAge']).toBe(1);
  });

  it.each([
    ['damping', { damping: 2 }],
    ['every', { every: 1 }],
  ])('option: %s changes the direction', async (_, option) => {
    const objective = { model: mlp([2, 3, 2]), loss: squaredError };
    const batch = { inputs: gaussian(1, [5, 2]), targets: gaussian(2, [5, 2]) };
    const directionAt = async ({ damping = 1, every = 2 }: { damping?: number; every?: number }): Promise<Tensor> => {
      const step = pipeline(
        withObjective(objective),
        forward,
        backward,
        capture(exact()),
        updateFactors(kfac()),
        damp(damping),
        solve(preconditioned(eigen, { every })),
      );
      const { state } = await runStage(step, stateOf(objective.model, 3), batch);
      const other = { ...batch, inputs: gaussian(4, [5, 2]) };
      return (await runStage(step, { ...state, step: 1 }, other)).direction['0.weight'];
    };
    const [base, changed] = [await directionAt({}), await directionAt(option)];
    expect(scaledError(base.data, changed.data)).toBeGreaterThan(1e-6);
  });
});
