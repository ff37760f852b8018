/**
 * An inverse that the library does not have, made here: one value serves as solver, as preconditioner, in a step like a
 * preset's, for single sites, beside the steps, and with every curvature.
 */
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import { squaredError } from '../../src/core/nn/losses/squaredError.ts';
import type { BlockOperator } from '../../src/core/operators/blockOperator.ts';
import { shapeOf } from '../../src/core/operators/blockOperator.ts';
import { diagonal } from '../../src/core/operators/factors/factor.ts';
import { blockDiagonal } from '../../src/core/operators/linearOperator.ts';
import { materialise } from '../../src/core/operators/materialise.ts';
import { unvec } from '../../src/core/operators/vec.ts';
import type { Ops } from '../../src/core/ops/ops.ts';
import { calculate } from '../../src/core/pipeline/compute.ts';
import { backward, forward } from '../../src/core/pipeline/forward.ts';
import { pipeline } from '../../src/core/pipeline/stage.ts';
import { withObjective } from '../../src/core/pipeline/withObjective.ts';
import type { Shaped, Tensor } from '../../src/core/tensor.ts';
import { capture } from '../../src/curvature/capture.ts';
import { updateFactors } from '../../src/curvature/curvature.ts';
import { exact } from '../../src/curvature/estimators.ts';
import { kfac } from '../../src/curvature/kfac.ts';
import { eachBlock, invertDiagonal } from '../../src/solvers/inverses/factors/blockwise.ts';
import type { KfacCgNeeds } from '../../src/solvers/iterative/kfacCg.ts';
import { kfacCg } from '../../src/solvers/iterative/kfacCg.ts';
import type { KrylovMethod } from '../../src/solvers/iterative/iterative.ts';
import { iterative } from '../../src/solvers/iterative/iterative.ts';
import { kfacDescent, kfacSettings } from '../../src/solvers/presets/kfac.ts';
import { damp } from '../../src/solvers/solver/damp.ts';
import type { Preconditioner } from '../../src/solvers/solver/inverse.ts';
import { preconditioned } from '../../src/solvers/solver/preconditioned.ts';
import type { Solver } from '../../src/solvers/solver/solver.ts';
import { solve } from '../../src/solvers/solver/solver.ts';
import { settled } from '../../src/solvers/settings/setting.ts';
import { scaledError } from '../support/closeness.ts';
import { gaussian, mlp, orThrow, referenceEnv, runStage, stateOf } from '../support/training.ts';

const { ops } = referenceEnv().backend;

/** The diagonal of a block, by its matrix. */
const diagonalOf = <T extends Shaped>(on: Ops<T>, block: BlockOperator<T>): T => {
  if (block._tag === 'diagonal') return block.values;
  const shape = shapeOf(block);
  const M = materialise(on, block, shape);
  const [n] = M.shape;
  const I = on.addDiagonal(on.full([n, n], 0), 1);
  return unvec(on, on.reshape(on.sum(on.mul(M, I), [0]), [n, 1]), shape);
};

/** Jacobi: the diagonal of every block alone, and how often it was made. */
const jacobi: Preconditioner = {
  name: 'jacobi',
  prepare: (backend, curvature, lambda) =>
    pipe(
      eachBlock('jacobi', curvature, (_, block) =>
        calculate(() => invertDiagonal(backend.ops, diagonalOf(backend.ops, block), lambda)),
      ),
      TE.map((blocks) => ({ operator: blockDiagonal(blocks), metrics: { jacobiBlocks: Object.keys(blocks).length } })),
    ),
};

/** The loss among the metrics. */
const lossIn = ({ loss }: Readonly<Record<string, Tensor | number>>): number =>
  typeof loss === 'number' ? loss : loss.data[0];

const objective = { model: mlp([3, 4, 4, 2]), loss: squaredError };
const start = stateOf(objective.model, 4);
const batch = { inputs: gaussian(1, [9, 3]), targets: gaussian(2, [9, 2]) };

const stepOf = (solver: Solver<KfacCgNeeds>, damping = 0.1) =>
  pipeline(
    withObjective(objective),
    forward,
    backward,
    capture(exact()),
    updateFactors(kfac()),
    damp(damping),
    solve(solver),
  );

describe('an inverse made outside the library', () => {
  it('worked example: on diag(1, 3) with λ = 1 it divides by 2 and 4', async () => {
    const { backend } = referenceEnv();
    const curvature = blockDiagonal({
      b: diagonal(ops.constant({ shape: [2], dtype: 'f64', data: Float64Array.of(1, 3) })),
    });
    const made = await jacobi.prepare(backend, curvature, 1, null)();
    expect(made).toMatchObject({ _tag: 'Right', right: { operator: { blocks: { b: { _tag: 'diagonal' } } } } });
  });

  it('is a solver: refreshed when due, its age and its own metrics reported', async () => {
    const solver = preconditioned(jacobi, { every: 2 });
    const first = await runStage(stepOf(solver), start, batch);
    expect(first.metrics).toMatchObject({ jacobiBlocks: 3, inverseAge: 0 });
    const kept = await runStage(stepOf(solver), { ...first.state, step: 1 }, batch);
    expect(kept.metrics['jacobiBlocks']).toBeUndefined();
    expect(kept.state.solver.prepared).toBe(first.state.solver.prepared);
  });

  it('takes a damping of single sites without knowing of it', async () => {
    const [plain, mixed, strong] = await Promise.all(
      [
        stepOf(preconditioned(jacobi)),
        stepOf(preconditioned(jacobi, { siteDamping: { '2': 10 } })),
        stepOf(preconditioned(jacobi), 1),
      ].map((step) => runStage(step, start, batch)),
    );
    expect(mixed.direction['0.weight']).toEqual(plain.direction['0.weight']);
    expect(mixed.direction['2.weight']).toEqual(strong.direction['2.weight']);
  });

  it.each(['cg', 'minres', 'gmres', 'bicgstab'] as ReadonlyArray<KrylovMethod>)(
    'is a preconditioner of %s: the same solution, and it is reported',
    async (method) => {
      const options = { tolerance: 1e-11, maxIterations: 200 };
      const [plain, preconditionedBy] = await Promise.all(
        [iterative(method, options), iterative(method, { ...options, preconditioner: jacobi })].map((solver) =>
          runStage(stepOf(solver), start, batch),
        ),
      );
      for (const [path, d] of Object.entries(plain.direction)) {
        expect(scaledError(preconditionedBy.direction[path].data, d.data)).toBeLessThan(1e-7);
      }
      expect(preconditionedBy.metrics).toMatchObject({ jacobiBlocks: 3, inverseAge: 0 });
    },
  );

  it('is a preconditioner of conjugate gradients on the Gauss–Newton operator', async () => {
    const options = { tolerance: 1e-11, martens: null, maxIterations: 200 };
    const [plain, ours] = await Promise.all(
      [kfacCg({ ...options, preconditioner: null }), kfacCg({ ...options, preconditioner: jacobi })].map((solver) =>
        runStage(stepOf(solver), start, batch),
      ),
    );
    for (const [path, d] of Object.entries(plain.direction)) {
      expect(scaledError(ours.direction[path].data, d.data)).toBeLessThan(1e-7);
    }
  });

  it('trains in the step of a preset, prepared beside the steps too', async () => {
    for (const options of [{ every: 2 }, { every: 3, overlap: { staleness: 2 } }]) {
      const settings = orThrow(settled('kfac', kfacSettings, { damping: 1, learningRate: 0.5 }));
      const step = pipeline(
        withObjective(objective),
        forward,
        backward,
        kfacDescent(settings, kfac(settings), preconditioned(jacobi, options)),
      );
      const losses: Array<number> = [];
      let state = start;
      for (let i = 0; i < 8; i += 1) {
        const { next, metrics } = await runStage(step, state, batch);
        losses.push(lossIn(metrics));
        state = next;
      }
      expect(losses[7]).toBeLessThan(0.8 * losses[0]);
    }
  });
});
