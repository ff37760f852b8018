import { softmaxCrossEntropy } from '../../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { applyBlock } from '../../../src/core/operators/apply.ts';
import { materialise } from '../../../src/core/operators/materialise.ts';
import { kroneckerOf } from '../../../src/core/operators/blockOperator.ts';
import { sumOf } from '../../../src/core/operators/composite.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import { withObjective } from '../../../src/core/pipeline/withObjective.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { cast, tensor } from '../../../src/core/tensor.ts';
import { classKfac } from '../../../src/solvers/presets/classKfac.ts';
import { tridiagonalKfac } from '../../../src/solvers/presets/tridiagonalKfac.ts';
import { twoTermInverse } from '../../../src/solvers/inverses/factors/twoTerm.ts';
import { scaledError } from '../../support/closeness.ts';
import { withNative } from '../../support/native.ts';
import { gaussian, mlp, orThrow, referenceEnv, runStage, stateOf } from '../../support/training.ts';

const { backend } = referenceEnv();
const { ops } = backend;
withNative(({ single, double }) => {
  const spd = (seed: number, n: number): Tensor => ops.addDiagonal(ops.gram(gaussian(seed, [n + 1, n])), 0.1);

  it.each([1e-1, 1e-3])(
    'law: two-term solve in f32: the residual is within 4 n κ ε (least eigenvalue %d)',
    async (least) => {
      const shape = [5, 6];
      for (const seed of [1, 2, 3]) {
        const first = { A: ops.addDiagonal(ops.gram(gaussian(seed, [4, 6])), least), G: spd(seed + 1, 5) };
        const second = { A: ops.gram(gaussian(seed + 2, [3, 6])), G: ops.gram(gaussian(seed + 3, [2, 5])) };
        const M = materialise(ops, sumOf([first, second].map(({ A, G }) => kroneckerOf(A, G))), shape);
        const { values } = orThrow(await backend.linearAlgebra.eigh(M)());
        const bound = 4 * 30 * (values.data[29] / values.data[0]) * 2 ** -23;
        const [one, two] = [first, second].map(({ A, G }) => ({ A: cast(A, 'f32'), G: cast(G, 'f32') }));
        const inverse = orThrow(await twoTermInverse(single, one, two, 1)());
        const b = gaussian(seed + 4, shape);
        const x = cast(applyBlock(single.ops, inverse, cast(b, 'f32')), 'f64');
        const image = ops.add(
          applyBlock(ops, kroneckerOf(first.A, first.G), x),
          applyBlock(ops, kroneckerOf(second.A, second.G), x),
        );
        const r = ops.sub(b, image);
        expect(Math.sqrt(ops.dot(r, r).data[0] / ops.dot(b, b).data[0])).toBeLessThan(bound);
      }
    },
  );

  it.each([
    ['tridiagonal-kfac', tridiagonalKfac({ damping: 0.1, inverseEvery: 2 })],
    ['class-kfac', classKfac({ damping: 0.1, classes: 4, tolerance: 1e-12, maxIterations: 300 })],
    ['class-kfac, nearest', classKfac({ damping: 0.1, classes: 4, method: 'nearest' })],
  ])(
    'law: %s: in f64 three steps in scopes of the native backend give the reference’s parameters',
    async (_, optimizer) => {
      const objective = { model: mlp([20, 16, 12, 4]), loss: softmaxCrossEntropy };
      const targets = tensor(
        Array.from({ length: 40 }, (__, i) => (7 * i) % 4),
        [40],
        'i32',
      );
      const batch = { inputs: gaussian(1, [40, 20]), targets };
      const step = pipeline(withObjective(objective), optimizer.step);
      const scope = double.scope();
      const run = async (env: ReturnType<typeof referenceEnv>) => {
        let state = stateOf(objective.model, 3);
        for (let i = 0; i < 3; i += 1) state = (await runStage(step, state, batch, env)).next;
        return state;
      };
      const expected = await run(referenceEnv());
      const actual = await run({ backend: scope.backend, clock: () => 0 });
      for (const [path, p] of Object.entries(expected.params)) {
        expect(scaledError(actual.params[path].data, p.data)).toBeLessThan(1e-7);
      }
      scope.close([]);
    },
  );
});
