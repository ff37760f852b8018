import { softmaxCrossEntropy } from '../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { materialiseBlocks } from '../../src/core/operators/apply.ts';
import type { LinearOperator } from '../../src/core/operators/linearOperator.ts';
import {
  blockDiagonal,
  damped,
  dense,
  diagonal,
  eigenKronecker,
  kronecker,
  lowRankKronecker,
  lowRankPlusDiagonal,
  partitionedKronecker,
  scaled,
  sumOf,
  symmetricPart,
} from '../../src/core/operators/linearOperator.ts';
import { stack } from '../../src/core/operators/vec.ts';
import type { Params } from '../../src/core/params.ts';
import { mapParams } from '../../src/core/params.ts';
import { backward, forward } from '../../src/core/pipeline/forward.ts';
import { pipeline } from '../../src/core/pipeline/stage.ts';
import { initialState } from '../../src/core/pipeline/trainState.ts';
import { keyOf } from '../../src/core/random/key.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { tensor } from '../../src/core/tensor.ts';
import { capture } from '../../src/curvature/capture.ts';
import { updateFactors } from '../../src/curvature/curvature.ts';
import { exact } from '../../src/curvature/estimators.ts';
import { kfac } from '../../src/curvature/kfac.ts';
import type { IterativeOptions, KrylovMethod } from '../../src/solvers/iterative.ts';
import { iterative } from '../../src/solvers/iterative.ts';
import { invertFactors } from '../../src/solvers/kroneckerInverse.ts';
import { solve } from '../../src/solvers/solver.ts';
import { scaledError } from '../support/closeness.ts';
import { gaussian, mlp, orThrow, referenceEnv, runStage, stateOf } from '../support/training.ts';

const env = referenceEnv();
const { ops } = env.backend;

const spd = (seed: number, n: number): Tensor => ops.addDiagonal(ops.gram(gaussian(seed, [n + 2, n])), 0.2);
const positive = (seed: number, shape: ReadonlyArray<number>): Tensor =>
  ops.add(ops.square(gaussian(seed, shape)), ops.full([], 0.2));

/** One row per kind of operator, symmetric positive definite, on a block `w` of shape [3, 4]. */
const operators: ReadonlyArray<readonly [string, LinearOperator<Tensor>]> = [
  ['kronecker', blockDiagonal({ w: kronecker(spd(1, 4), spd(2, 3)) })],
  ['eigenKronecker', blockDiagonal({ w: eigenKronecker(spd(1, 4), spd(2, 3), positive(3, [3, 4])) })],
  ['partitionedKronecker', blockDiagonal({ w: partitionedKronecker([spd(1, 3), spd(2, 1)], [spd(3, 1), spd(4, 2)]) })],
  [
    'lowRankKronecker',
    blockDiagonal({
      w: lowRankKronecker(
        { U: gaussian(1, [4, 2]), core: spd(2, 2), shift: 0.5 },
        { U: gaussian(3, [3, 1]), core: spd(4, 1), shift: 0.2 },
      ),
    }),
  ],
  ['diagonal', blockDiagonal({ w: diagonal(positive(1, [3, 4])) })],
  ['dense', blockDiagonal({ w: dense(spd(1, 12)) })],
  ['lowRankPlusDiagonal', blockDiagonal({ w: lowRankPlusDiagonal(gaussian(1, [12, 3]), positive(2, [3]), 0.5) })],
  [
    'sum',
    sumOf([
      blockDiagonal({ w: kronecker(spd(1, 4), spd(2, 3)) }),
      blockDiagonal({ w: kronecker(spd(3, 4), spd(4, 3)) }),
    ]),
  ],
  ['scaled', scaled(0.3, blockDiagonal({ w: kronecker(spd(1, 4), spd(2, 3)) }))],
  ['damped', damped(blockDiagonal({ w: dense(ops.gram(gaussian(1, [3, 12]))) }), 0.5)],
  [
    'symmetricPart',
    symmetricPart(blockDiagonal({ w: dense(ops.add(spd(1, 12), ops.pad(ops.full([1, 1], 1), [0, 5], [12, 12]))) })),
  ],
];

const methods: ReadonlyArray<KrylovMethod> = ['cg', 'minres', 'gmres', 'bicgstab'];

const gradient: Params<Tensor> = { w: gaussian(9, [3, 4]) };

const directionOf = async (method: KrylovMethod, operator: LinearOperator<Tensor>, options: IterativeOptions) => {
  const state = initialState({ w: gaussian(8, [3, 4]) }, keyOf(1));
  const context = { state, sites: [], gradient, operator, metrics: {} };
  return orThrow(await iterative(method, options).run(context)(env)());
};

describe.each(operators)('operator %s', (_, operator) => {
  it.each(methods)(
    'law: residual. The direction of %s solves (curvature + λ I) d = ∇, against the dense solution',
    async (method) => {
      const lambda = 0.1;
      const { direction, metrics } = await directionOf(method, operator, { damping: lambda, tolerance: 1e-12 });
      const M = ops.addDiagonal(materialiseBlocks(ops, operator, { w: [3, 4] }), lambda);
      const expected = orThrow(await env.backend.linearAlgebra.solve(M, stack(ops, gradient, ['w']))());
      expect(scaledError(stack(ops, direction, ['w']).data, expected.data)).toBeLessThan(1e-8);
      expect(Number(metrics['solveResidual'])).toBeLessThanOrEqual(1e-12);
      expect(metrics).toMatchObject({ damping: lambda });
    },
  );
});

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

  const stepOf = (method: KrylovMethod, options: IterativeOptions) =>
    pipeline(
      forward(objective),
      backward(objective),
      capture(exact(), objective.loss),
      updateFactors(kfac()),
      solve(iterative(method, options)),
    );

  it.each(methods)(
    '%s: the factored inverse is nearly exact, and as preconditioner saves iterations',
    async (method) => {
      const options = { damping: 1e-3, tolerance: 1e-9, warmStart: 0 };
      const plain = await runStage(stepOf(method, options), start, batch);
      const preconditioned = await runStage(stepOf(method, { ...options, prepare: invertFactors }), start, batch);
      expect(Number(preconditioned.metrics['solveIterations'])).toBeLessThan(Number(plain.metrics['solveIterations']));
      for (const [path, d] of Object.entries(plain.direction)) {
        expect(scaledError(preconditioned.direction[path].data, d.data)).toBeLessThan(1e-4);
      }
      expect(plain.metrics['inverseAge']).toBeUndefined();
      expect(preconditioned.metrics).toMatchObject({ inverseAge: 0 });
    },
  );

  it.each<readonly [string, IterativeOptions]>([
    ['damping', { damping: 1 }],
    ['maxIterations', { damping: 0.1, maxIterations: 1 }],
    ['tolerance', { damping: 0.1, tolerance: 0.5 }],
    ['prepare', { damping: 0.1, prepare: invertFactors }],
  ])('option: %s changes the direction', async (_, options) => {
    const base = await runStage(stepOf('cg', { damping: 0.1, maxIterations: 4 }), start, batch);
    const changed = await runStage(stepOf('cg', { maxIterations: 4, ...options }), start, batch);
    const gaps = mapParams(base.direction, (d, path) => scaledError(changed.direction[path].data, d.data));
    expect(Math.max(...Object.values(gaps))).toBeGreaterThan(1e-9);
  });

  it('option: warmStart and every act in the next step', async () => {
    const options = { damping: 0.1, prepare: invertFactors, every: 2, tolerance: 1e-8 };
    const first = await runStage(stepOf('cg', options), start, batch);
    const next = { ...first.state, step: 1 };
    const warm = await runStage(stepOf('cg', { ...options, warmStart: 1 }), next, batch);
    expect(warm.metrics).toMatchObject({ solveIterations: 0, inverseAge: 1 });
    const cold = await runStage(stepOf('cg', { ...options, warmStart: 0 }), next, batch);
    expect(cold.metrics['solveIterations']).toBe(first.metrics['solveIterations']);
  });

  it('law: purity', async () => {
    const before = structuredClone({ start, batch });
    await runStage(stepOf('gmres', { damping: 0.1, prepare: invertFactors }), start, batch);
    expect({ start, batch }).toEqual(before);
  });
});
