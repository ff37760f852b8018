import * as E from 'fp-ts/lib/Either.js';

import { describeError } from '../../../src/core/errors.ts';
import { choleskySolve } from '../../../src/solvers/inverses/choleskySolve.ts';
import { softmaxCrossEntropy } from '../../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { mapParams } from '../../../src/core/params.ts';
import { backward, forward } from '../../../src/core/pipeline/forward.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import { withObjective } from '../../../src/core/pipeline/withObjective.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { capture } from '../../../src/curvature/capture.ts';
import { updateFactors } from '../../../src/curvature/curvature.ts';
import { exact } from '../../../src/curvature/estimators.ts';
import { kfac } from '../../../src/curvature/kfac.ts';
import type { IterativeOptions, KrylovMethod } from '../../../src/solvers/iterative/iterative.ts';
import { iterative } from '../../../src/solvers/iterative/iterative.ts';
import { damp } from '../../../src/solvers/solver/damp.ts';
import { solve } from '../../../src/solvers/solver/solver.ts';
import { scaledError } from '../../support/closeness.ts';
import { gaussian, mlp, runStage, stateOf, tryStage } from '../../support/training.ts';
import { kroneckerInverse } from '../../../src/solvers/inverses/kroneckerInverse.ts';

const methods: ReadonlyArray<KrylovMethod> = ['cg', 'minres', 'gmres', 'bicgstab'];

describe('iterative', () => {
  const objective = { model: mlp([3, 5, 4]), loss: softmaxCrossEntropy };
  const batch = {
    inputs: gaussian(1, [16, 3]),
    targets: tensor(
      Array.from({ length: 16 }, (_, i) => i % 4),
      [16],
      'i32',
    ),
  };
  const start = stateOf(objective.model, 3);

  interface Options extends IterativeOptions {
    readonly damping: number;
  }

  const stepOf = (method: KrylovMethod, { damping, ...options }: Options) =>
    pipeline(
      withObjective(objective),
      forward,
      backward,
      capture(exact()),
      updateFactors(kfac()),
      damp(damping),
      solve(iterative(method, options)),
    );

  it('Cholesky factors, which act by triangular solves, are refused by the compiler, and in words without it', async () => {
    // @ts-expect-error -- an inverse that acts by solves is no preconditioner
    const step = stepOf('cg', { damping: 0.1, preconditioner: choleskySolve });
    const result = await tryStage(step, start, batch);
    expect(E.isLeft(result) && describeError(result.left)).toMatch(/Cholesky factors, which act by triangular solves/);
  });

  it.each(methods)(
    '%s: the factored inverse is nearly exact, and as preconditioner saves iterations',
    async (method) => {
      const options = { damping: 1e-3, tolerance: 1e-9, warmStart: 0 };
      const plain = await runStage(stepOf(method, options), start, batch);
      const preconditioned = await runStage(
        stepOf(method, { ...options, preconditioner: kroneckerInverse }),
        start,
        batch,
      );
      expect(Number(preconditioned.metrics['solveIterations'])).toBeLessThan(Number(plain.metrics['solveIterations']));
      for (const [path, d] of Object.entries(plain.direction)) {
        expect(scaledError(preconditioned.direction[path].data, d.data)).toBeLessThan(1e-4);
      }
      expect(plain.metrics['inverseAge']).toBeUndefined();
      expect(preconditioned.metrics).toMatchObject({ inverseAge: 0 });
    },
  );

  it.each<readonly [string, Options]>([
    ['damping', { damping: 1 }],
    ['maxIterations', { damping: 0.1, maxIterations: 1 }],
    ['tolerance', { damping: 0.1, tolerance: 0.5 }],
    ['prepare', { damping: 0.1, preconditioner: kroneckerInverse }],
  ])('option: %s changes the direction', async (_, options) => {
    const base = await runStage(stepOf('cg', { damping: 0.1, maxIterations: 4 }), start, batch);
    const changed = await runStage(stepOf('cg', { maxIterations: 4, ...options }), start, batch);
    const gaps = mapParams(base.direction, (d, path) => scaledError(changed.direction[path].data, d.data));
    expect(Math.max(...Object.values(gaps))).toBeGreaterThan(1e-9);
  });

  it('option: warmStart and every act in the next step', async () => {
    const options = { damping: 0.1, preconditioner: kroneckerInverse, every: 2, tolerance: 1e-8 };
    const first = await runStage(stepOf('cg', options), start, batch);
    const next = { ...first.state, step: 1 };
    const warm = await runStage(stepOf('cg', { ...options, warmStart: 1 }), next, batch);
    expect(warm.metrics).toMatchObject({ solveIterations: 0, inverseAge: 1 });
    const cold = await runStage(stepOf('cg', { ...options, warmStart: 0 }), next, batch);
    expect(cold.metrics['solveIterations']).toBe(first.metrics['solveIterations']);
  });

  it('law: purity', async () => {
    const before = structuredClone({ start, batch });
    await runStage(stepOf('gmres', { damping: 0.1, preconditioner: kroneckerInverse }), start, batch);
    expect({ start, batch }).toEqual(before);
  });
});
