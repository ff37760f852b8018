import { hostKernelBackend } from '../../src/core/backends/gpu/hostMemory/hostKernels.ts';
import { squaredError } from '../../src/core/nn/losses/squaredError.ts';
import type { Batch } from '../../src/core/pipeline/context.ts';
import type { Env } from '../../src/core/pipeline/env.ts';
import { backward, forward } from '../../src/core/pipeline/forward.ts';
import { pipeline } from '../../src/core/pipeline/stage.ts';
import { mapParams } from '../../src/core/params.ts';
import type { Params } from '../../src/core/params.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { cast } from '../../src/core/tensor.ts';
import { blockKfac } from '../../src/curvature/blockKfac.ts';
import { capture } from '../../src/curvature/capture.ts';
import type { Curvature } from '../../src/curvature/curvature.ts';
import { updateFactors } from '../../src/curvature/curvature.ts';
import { dense } from '../../src/curvature/dense.ts';
import { diagonal } from '../../src/curvature/diagonal.ts';
import { exact } from '../../src/curvature/estimators.ts';
import { kfac } from '../../src/curvature/kfac.ts';
import { batchWoodbury } from '../../src/solvers/inverses/batchWoodbury.ts';
import type { Solver } from '../../src/solvers/solver/solver.ts';
import { solve } from '../../src/solvers/solver/solver.ts';
import { scaledError } from '../support/closeness.ts';
import { gaussian, mlp, orThrow, referenceEnv, runStage, stateOf } from '../support/training.ts';
import { withObjective } from '../../src/core/pipeline/withObjective.ts';
import type { Undamped } from '../support/withDamping.ts';
import { withDamping } from '../support/withDamping.ts';
import { kroneckerInverse } from '../../src/solvers/inverses/kroneckerInverse.ts';
import { denseInverse } from '../../src/solvers/inverses/denseInverse.ts';
import { lowRankInverse } from '../../src/solvers/inverses/lowRankInverse.ts';
import { ekfac } from '../../src/solvers/inverses/ekfac.ts';
import { eigen } from '../../src/solvers/inverses/eigen.ts';
import { newtonSchulz } from '../../src/solvers/inverses/newtonSchulz.ts';
import { preconditioned } from '../../src/solvers/solver/preconditioned.ts';

const objective = { model: mlp([6, 5, 3]), loss: squaredError };
const state = stateOf(objective.model, 4);
const { ops } = referenceEnv().backend;

const blocks = { inputs: { count: 2 }, outputs: { count: 2 } };

/** One row per pair of a curvature and a solver; a new solver joins here. */
const pairs: ReadonlyArray<readonly [string, Curvature, (damping: number) => Solver<Undamped>]> = [
  ['kfac, kroneckerInverse', kfac(), (damping) => withDamping(damping, preconditioned(kroneckerInverse))],
  ['kfac, eigen', kfac(), (damping) => withDamping(damping, preconditioned(eigen))],
  ['kfac, ekfac', kfac(), (damping) => withDamping(damping, preconditioned(ekfac()))],
  ['kfac, newtonSchulz', kfac(), (damping) => withDamping(damping, preconditioned(newtonSchulz()))],
  [
    'kfac, lowRankInverse',
    kfac(),
    (damping) => withDamping(damping, preconditioned(lowRankInverse({ rank: 3, oversampling: 2 }))),
  ],
  ['kfac, denseInverse', kfac(), (damping) => withDamping(damping, preconditioned(denseInverse()))],
  ['kfac, batchWoodbury', kfac(), (damping) => withDamping(damping, batchWoodbury())],
  [
    'blockKfac, kroneckerInverse',
    blockKfac({ blocks }),
    (damping) => withDamping(damping, preconditioned(kroneckerInverse)),
  ],
  ['blockKfac, eigen', blockKfac({ blocks }), (damping) => withDamping(damping, preconditioned(eigen))],
  ['blockKfac, ekfac', blockKfac({ blocks }), (damping) => withDamping(damping, preconditioned(ekfac()))],
  [
    'blockKfac, lowRankInverse',
    blockKfac({ blocks }),
    (damping) => withDamping(damping, preconditioned(lowRankInverse({ rank: 2, oversampling: 0 }))),
  ],
  ['blockKfac, newtonSchulz', blockKfac({ blocks }), (damping) => withDamping(damping, preconditioned(newtonSchulz()))],
  ['blockKfac, denseInverse', blockKfac({ blocks }), (damping) => withDamping(damping, preconditioned(denseInverse()))],
  ['diagonal, kroneckerInverse', diagonal(), (damping) => withDamping(damping, preconditioned(kroneckerInverse))],
  ['diagonal, eigen', diagonal(), (damping) => withDamping(damping, preconditioned(eigen))],
  ['dense, denseInverse', dense(), (damping) => withDamping(damping, preconditioned(denseInverse()))],
];

const batch: Batch<Tensor> = { inputs: gaussian(1, [9, 6]), targets: gaussian(2, [9, 3]) };

const directionOf = async (
  curvature: Curvature,
  solver: Solver<Undamped>,
  data: Batch<Tensor>,
  env: Env<Tensor>,
): Promise<Params<Tensor>> => {
  const step = pipeline(
    withObjective(objective),
    forward,
    backward,
    capture(exact()),
    updateFactors(curvature),
    solve(solver),
  );
  const like = (x: Tensor): Tensor => cast(x, env.backend.dtype);
  const start = { ...state, params: mapParams(state.params, like) };
  return (await runStage(step, start, mapParams(data, like), env)).direction;
};

const inner = (x: Params<Tensor>, y: Params<Tensor>): number =>
  Object.keys(x).reduce((sum, path) => sum + ops.dot(x[path], y[path]).data[0], 0);

describe.each(pairs)('%s', (_, curvature, solver) => {
  const gradientOf = async (data: Batch<Tensor>): Promise<Params<Tensor>> =>
    (await runStage(pipeline(withObjective(objective), forward, backward), state, data)).gradient;

  it('law: a descent direction, ⟨d, ∇⟩ > 0, and not longer than ∇ / λ', async () => {
    for (const damping of [0.01, 1, 100]) {
      const direction = await directionOf(curvature, solver(damping), batch, referenceEnv());
      const gradient = await gradientOf(batch);
      expect(inner(direction, gradient)).toBeGreaterThan(0);
      expect(Math.sqrt(inner(direction, direction))).toBeLessThanOrEqual(
        (Math.sqrt(inner(gradient, gradient)) / damping) * (1 + 1e-9),
      );
    }
  });

  it('law: great damping tends to the gradient, λ d → ∇', async () => {
    const direction = await directionOf(curvature, solver(1e10), batch, referenceEnv());
    const gradient = await gradientOf(batch);
    for (const path of Object.keys(gradient)) {
      // Factored damping leaves cross terms of relative size √(‖A‖ ‖G‖ / λ).
      expect(scaledError(ops.scale(1e10, direction[path]).data, gradient[path].data)).toBeLessThan(1e-3);
    }
  });

  it('singular statistics: inputs of zeros, and a single example, give finite directions', async () => {
    const nothing = { ...batch, inputs: ops.full([9, 6], 0) };
    const single = { inputs: gaussian(1, [1, 6]), targets: gaussian(2, [1, 3]) };
    for (const data of [nothing, single]) {
      const direction = await directionOf(curvature, solver(0.01), data, referenceEnv());
      expect(Number.isFinite(inner(direction, direction))).toBe(true);
    }
  });

  it('f32: within 1e-4 of f64 at λ = 0.1', async () => {
    const env = { backend: orThrow(hostKernelBackend('webasm')), clock: () => 0 };
    const low = await directionOf(curvature, solver(0.1), batch, env);
    const high = await directionOf(curvature, solver(0.1), batch, referenceEnv());
    for (const path of Object.keys(high)) {
      expect(scaledError(low[path].data, high[path].data)).toBeLessThan(1e-4);
    }
  });
});
