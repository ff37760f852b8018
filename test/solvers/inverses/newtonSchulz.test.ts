import fc from 'fast-check';

import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { backward, forward } from '../../../src/core/pipeline/forward.ts';
import { kronecker } from '../../../src/core/operators/blockOperator.ts';
import { dense } from '../../../src/core/operators/factors/factor.ts';
import { blockDiagonal } from '../../../src/core/operators/linearOperator.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import type { TrainState } from '../../../src/core/pipeline/trainState.ts';
import { withObjective } from '../../../src/core/pipeline/withObjective.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { capture } from '../../../src/curvature/capture.ts';
import { updateFactors } from '../../../src/curvature/curvature.ts';
import { exact } from '../../../src/curvature/estimators.ts';
import { kfac } from '../../../src/curvature/kfac.ts';
import { newtonSchulzKfac } from '../../../src/solvers/presets/newtonSchulzKfac.ts';
import { damp } from '../../../src/solvers/solver/damp.ts';
import type { Solver, SolveNeeds } from '../../../src/solvers/solver/solver.ts';
import { solve } from '../../../src/solvers/solver/solver.ts';
import { scaledError } from '../../support/closeness.ts';
import { gaussian, mlp, orThrow, referenceEnv, runStage, stateOf, tryStage } from '../../support/training.ts';
import { kroneckerInverse } from '../../../src/solvers/inverses/kroneckerInverse.ts';
import { newtonSchulz, newtonSchulzInverse } from '../../../src/solvers/inverses/newtonSchulz.ts';
import { preconditioned } from '../../../src/solvers/solver/preconditioned.ts';

const { backend } = referenceEnv();
const { ops, linearAlgebra } = backend;

const spd = (seed: number, n: number, damping: number): Tensor =>
  ops.addDiagonal(ops.gram(gaussian(seed, [n + 2, n])), damping);

describe('Newton–Schulz inverse', () => {
  it('law: M X = I to the tolerance, and X is symmetric and the Cholesky inverse', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(1000),
        fc.integer({ min: 1, max: 6 }),
        fc.double({ min: 1e-3, max: 10, noNaN: true }),
        async (seed, n, damping) => {
          const M = spd(seed, n, damping);
          const { inverse, report } = orThrow(await newtonSchulzInverse(backend, M, null, { tolerance: 1e-12 })());
          const expected = orThrow(await linearAlgebra.inverse(M)());
          expect(scaledError(inverse.data, expected.data)).toBeLessThan(1e-8);
          expect(ops.transposed(inverse).data).toEqual(inverse.data);
          expect(report.residual).toBeLessThan(1e-8);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('worked example: M = diag(1, 2), X₀ = I / 2, residuals diag(½, 0), diag(¼, 0), diag(1/16, 0)', async () => {
    const M = tensor([1, 0, 0, 2], [2, 2]);
    const { inverse, report } = orThrow(await newtonSchulzInverse(backend, M, null, { iterations: 2 })());
    expect(Array.from(inverse.data)).toEqual([15 / 16, 0, 0, 1 / 2]);
    expect(report).toEqual({ residual: 1 / 16, iterations: 2 });
  });

  it('law: the residual squares in every turn, R ← R²', async () => {
    const M = spd(3, 4, 0.5);
    const residuals = await Promise.all(
      [6, 7].map(async (iterations) => {
        const { inverse } = orThrow(await newtonSchulzInverse(backend, M, null, { iterations, tolerance: 0 })());
        return ops.addDiagonal(ops.neg(ops.matmul(M, inverse)), 1);
      }),
    );
    expect(scaledError(residuals[1].data, ops.matmul(residuals[0], residuals[0]).data)).toBeLessThan(1e-12);
  });

  it('law: a warm start gives the same inverse in fewer turns; a useless one is left aside', async () => {
    const M = spd(3, 5, 0.1);
    const near = ops.addDiagonal(M, 0.01);
    const options = { tolerance: 1e-10 };
    const cold = orThrow(await newtonSchulzInverse(backend, near, null, options)());
    const first = orThrow(await newtonSchulzInverse(backend, M, null, options)());
    const warm = orThrow(await newtonSchulzInverse(backend, near, first.inverse, options)());
    expect(warm.report.iterations).toBeLessThan(cold.report.iterations / 2);
    expect(scaledError(warm.inverse.data, cold.inverse.data)).toBeLessThan(1e-8);
    const useless = orThrow(await newtonSchulzInverse(backend, near, ops.scale(100, M), options)());
    expect(useless).toEqual(cold);
  });

  it.each([
    ['negative', [-1]],
    ['indefinite', [1, 0, 0, -0.01]],
    ['indefinite, not diagonal', [1, 2, 2, 1]],
    ['not a number', [Number.NaN]],
  ])('law: not positive definite is an error (%s)', async (_, values) => {
    const n = Math.sqrt(values.length);
    const result = await newtonSchulzInverse(backend, tensor(values, [n, n]), null)();
    expect(result).toMatchObject({ _tag: 'Left', left: { _tag: 'NotPositiveDefinite', where: 'newtonSchulz' } });
  });

  it('a singular matrix is not inverted in silence: the residual says so', async () => {
    const { report } = orThrow(await newtonSchulzInverse(backend, tensor([1, 0, 0, 0], [2, 2]), null)());
    expect(report).toEqual({ residual: 1, iterations: 40 });
  });
});

describe('newtonSchulz', () => {
  const objective = { model: mlp([3, 4, 2]), loss: squaredError };
  const batch = { inputs: gaussian(1, [8, 3]), targets: gaussian(2, [8, 2]) };
  const stepOf = (solver: Solver<SolveNeeds>) =>
    pipeline(
      withObjective(objective),
      forward,
      backward,
      capture(exact()),
      updateFactors(kfac()),
      damp(0.3),
      solve(solver),
    );

  it('law: the direction is that of kroneckerInverse, and residual and iterations are reported', async () => {
    const state = stateOf(objective.model, 4);
    const [actual, expected] = await Promise.all(
      [preconditioned(newtonSchulz({ tolerance: 1e-12 })), preconditioned(kroneckerInverse)].map((solver) =>
        runStage(stepOf(solver), state, batch),
      ),
    );
    for (const path of Object.keys(expected.direction)) {
      expect(scaledError(actual.direction[path].data, expected.direction[path].data)).toBeLessThan(1e-8);
    }
    expect(actual.metrics['inverseResidual']).toBeLessThanOrEqual(1e-10);
    expect(actual.metrics['inverseIterations']).toBeGreaterThan(1);
  });

  it('starts from the last inverse: a refresh on the same batch needs no turn', async () => {
    const step = stepOf(preconditioned(newtonSchulz({ tolerance: 1e-6 })));
    const first = await runStage(step, stateOf(objective.model, 4), batch);
    const second = await runStage(step, { ...first.state, step: 1 }, batch);
    expect(first.metrics['inverseIterations']).toBeGreaterThan(1);
    expect(second.metrics['inverseIterations']).toBe(0);
  });

  it('an error names the block', async () => {
    const { backend } = referenceEnv();
    const nan = blockDiagonal<Tensor>({
      '0': kronecker(dense(tensor([Number.NaN], [1, 1])), dense(tensor([1], [1, 1]))),
    });
    expect(await newtonSchulz().prepare(backend, nan, 0.1, null)()).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'NotPositiveDefinite', where: '0' },
    });
  });

  it('a batch that is not a number is named where it came from', async () => {
    const poisoned = { ...batch, inputs: ops.scale(Number.NaN, batch.inputs) };
    const step = stepOf(preconditioned(newtonSchulz()));
    expect(await tryStage(step, stateOf(objective.model, 4), poisoned)).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'NonFinite', where: 'forward' },
    });
  });

  it.each([
    ['tolerance', { tolerance: 0.3 }],
    ['iterations', { iterations: 2 }],
    ['damping', { damping: 1 }],
  ] as const)('option of the preset: %s changes the trajectory', async (_, option) => {
    const run = async (options: object): Promise<TrainState<Tensor>> => {
      const step = pipeline(withObjective(objective), newtonSchulzKfac({ damping: 0.1, ...options }).step);
      let state = stateOf(objective.model, 3);
      for (let i = 0; i < 2; i += 1) state = (await runStage(step, state, batch)).next;
      return state;
    };
    const [base, changed] = [await run({}), await run(option)];
    const gaps = Object.keys(base.params).map((path) => scaledError(base.params[path].data, changed.params[path].data));
    expect(Math.max(...gaps)).toBeGreaterThan(1e-9);
  });
});
