import { softmaxCrossEntropy } from '../../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { mapParams } from '../../../src/core/params.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import { withObjective } from '../../../src/core/pipeline/withObjective.ts';
import { cast, tensor } from '../../../src/core/tensor.ts';
import { bicgstab } from '../../../src/solvers/krylov/bicgstab.ts';
import { conjugateGradient } from '../../../src/solvers/krylov/conjugateGradient.ts';
import { gmres } from '../../../src/solvers/krylov/gmres.ts';
import { minres } from '../../../src/solvers/krylov/minres.ts';
import { kfacCg } from '../../../src/solvers/presets/kfacCg.ts';
import { scaledError } from '../../support/closeness.ts';
import { withNative } from '../../support/native.ts';
import { gaussian, mlp, orThrow, referenceEnv, runStage, stateOf } from '../../support/training.ts';
import { acting, backend, definiteMatrix, residualOf, vectorOf } from './support.ts';

withNative(({ single, double }) => {
  describe('f32', () => {
    it.each([
      ['conjugateGradient', conjugateGradient],
      ['minres', minres],
      ['gmres', gmres],
      ['bicgstab', bicgstab],
    ] as const)('law: %s reaches a residual of the tolerance plus 4 n κ ε', async (_, solve) => {
      for (const seed of [1, 2, 3, 4, 5]) {
        const M = definiteMatrix(seed);
        const { values } = orThrow(await backend.linearAlgebra.eigh(M)());
        const bound = 4 * 10 * (values.data[9] / values.data[0]) * 2 ** -23;
        const b = mapParams(vectorOf(seed), (leaf) => cast(leaf, 'f32'));
        const { _tag, x } = orThrow(
          await solve(single, acting(cast(M, 'f32')), b, { tolerance: 1e-5, maxIterations: 100 })(),
        );
        expect(_tag).toBe('Converged');
        const x64 = mapParams(x, (leaf) => cast(leaf, 'f64'));
        const b64 = mapParams(b, (leaf) => cast(leaf, 'f64'));
        expect(residualOf(M, x64, b64)).toBeLessThan(1e-5 + bound);
      }
    });
  });

  describe('kfac-cg', () => {
    it('law: in f64 two steps in scopes of the native backend give the reference’s parameters', async () => {
      // Large enough for the arrays to go through the backend's pool.
      const objective = { model: mlp([40, 30, 40]), loss: softmaxCrossEntropy };
      const targets = tensor(
        Array.from({ length: 50 }, (_, i) => (7 * i) % 40),
        [50],
        'i32',
      );
      const batch = { inputs: gaussian(1, [50, 40]), targets };
      const optimizer = kfacCg({ damping: 0.1, maxIterations: 12, progress: 0 });
      const step = pipeline(withObjective(objective), optimizer.step);
      const scope = double.scope();
      const [env, native] = [referenceEnv(), { backend: scope.backend, clock: () => 0 }];
      const start = stateOf(objective.model, 3);
      const first = await runStage(step, start, batch, env);
      const expected = await runStage(step, first.next, batch, env);
      const nativeFirst = await runStage(step, start, batch, native);
      const actual = await runStage(step, nativeFirst.next, batch, native);
      for (const [path, p] of Object.entries(expected.next.params)) {
        expect(scaledError(actual.next.params[path].data, p.data)).toBeLessThan(1e-7);
      }
      scope.close([]);
    });
  });
});
