import * as E from 'fp-ts/lib/Either.js';
import fc from 'fast-check';

import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { apply } from '../../../src/core/operators/apply.ts';
import { costOf } from '../../../src/core/operators/cost.ts';
import type { BlockOperator } from '../../../src/core/operators/blockOperator.ts';
import { kroneckerOf, dampedBlock } from '../../../src/core/operators/blockOperator.ts';
import { dense, diagonal, orderOf } from '../../../src/core/operators/factors/factor.ts';
import { blockDiagonal } from '../../../src/core/operators/linearOperator.ts';
import { blocksOf } from '../../../src/core/pipeline/blocks.ts';
import { computation } from '../../../src/core/pipeline/compute.ts';
import { backward, forward } from '../../../src/core/pipeline/forward.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import type { TrainState } from '../../../src/core/pipeline/trainState.ts';
import { withObjective } from '../../../src/core/pipeline/withObjective.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { hostKernelBackend } from '../../../src/core/backends/gpu/hostMemory/hostKernels.ts';
import { cast, generate, tensor } from '../../../src/core/tensor.ts';
import { capture } from '../../../src/curvature/capture.ts';
import { updateFactors } from '../../../src/curvature/curvature.ts';
import { exact, monteCarlo } from '../../../src/curvature/estimators.ts';
import { kfac } from '../../../src/curvature/kfac.ts';
import { batchWoodbury } from '../../../src/solvers/inverses/batchWoodbury.ts';
import { lowRankKfac } from '../../../src/solvers/presets/lowRankKfac.ts';
import type { RangeOptions } from '../../../src/solvers/inverses/factors/rangeFinder.ts';
import { leadingEigen } from '../../../src/solvers/inverses/factors/rangeFinder.ts';
import { damp } from '../../../src/solvers/solver/damp.ts';
import { solve } from '../../../src/solvers/solver/solver.ts';
import { scaledError } from '../../support/closeness.ts';
import { gaussian, mlp, orThrow, referenceEnv, runStage, stateOf } from '../../support/training.ts';
import { kroneckerInverse } from '../../../src/solvers/inverses/kroneckerInverse.ts';
import { lowRankInverse } from '../../../src/solvers/inverses/lowRankInverse.ts';
import { preconditioned } from '../../../src/solvers/solver/preconditioned.ts';
import { inverted } from '../../support/inverses.ts';

const { backend } = referenceEnv();
const { ops, linearAlgebra } = backend;

const spd = (seed: number, n: number): Tensor => ops.gram(gaussian(seed, [n + 2, n]));

/** U diag(values) Uᵀ with orthonormal U. */
const withSpectrum = async (seed: number, values: ReadonlyArray<number>): Promise<Tensor> => {
  const n = values.length;
  const { vectors } = orThrow(await linearAlgebra.eigh(spd(seed, n))());
  return ops.matmul(ops.mul(vectors, tensor(values, [1, n])), vectors, { transposeB: true });
};

const rebuilt = (found: { readonly vectors: Tensor; readonly values: Tensor }): Tensor =>
  ops.matmul(ops.mul(found.vectors, ops.reshape(found.values, [1, found.values.shape[0]])), found.vectors, {
    transposeB: true,
  });

const norm = (x: Tensor): number => Math.sqrt(ops.dot(x, x).data[0]);

describe('randomised range finder', () => {
  it('law: a matrix of rank k ≤ r is found exactly, with orthonormal vectors', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1000), fc.integer({ min: 1, max: 4 }), async (seed, k) => {
        const M = ops.gram(gaussian(seed, [k, 14]));
        const found = orThrow(await leadingEigen(backend, M, { rank: 4, oversampling: 2 })());
        expect(scaledError(rebuilt(found).data, M.data)).toBeLessThan(1e-10);
        const top = ops.slice(found.vectors, [0, 4 - k], [14, k]);
        expect(scaledError(ops.gram(top).data, ops.addDiagonal(ops.full([k, k], 0), 1).data)).toBeLessThan(1e-10);
      }),
      { numRuns: 25 },
    );
  });

  it('law: error of the range finder near the best, ‖M − M_r‖_F ≤ 1.1 √(Σ_{i > r} μ_i²)', async () => {
    const values = Array.from({ length: 24 }, (_, i) => 2 ** -i);
    const M = await withSpectrum(3, values);
    const found = orThrow(await leadingEigen(backend, M, { rank: 6, oversampling: 6 })());
    const best = Math.sqrt(values.slice(6).reduce((sum, v) => sum + v * v, 0));
    expect(norm(ops.sub(M, rebuilt(found)))).toBeLessThanOrEqual(1.1 * best);
    expect(scaledError(found.values.data, values.slice(0, 6).reverse())).toBeLessThan(1e-3);
  });

  it('law: oversampling and power iterations each bring the eigenvalues of a flat spectrum closer', async () => {
    const values = Array.from({ length: 30 }, (_, i) => 1 / (1 + i));
    const M = await withSpectrum(5, values);
    const errorOf = async (options: RangeOptions): Promise<number> =>
      scaledError(orThrow(await leadingEigen(backend, M, options)()).values.data, values.slice(0, 5).reverse());
    const plain = await errorOf({ rank: 5, oversampling: 0, powerIterations: 0 });
    expect(await errorOf({ rank: 5, oversampling: 8, powerIterations: 0 })).toBeLessThan(plain);
    expect(await errorOf({ rank: 5, oversampling: 0, powerIterations: 2 })).toBeLessThan(plain);
  });

  it('law: determinism, the same matrix gives the same vectors', async () => {
    const M = spd(1, 20);
    const run = leadingEigen(backend, M, { rank: 3, oversampling: 2 });
    expect(await run()).toEqual(await run());
  });
});

/** ‖found − expected‖ / ‖expected‖. */
const relativeGap = (found: Tensor, expected: Tensor): number => {
  const gap = ops.sub(cast(found, 'f64'), expected);
  return Math.sqrt(ops.dot(gap, gap).data[0] / ops.dot(expected, expected).data[0]);
};

describe('lowRankInverse', () => {
  const solveWith = async (
    options: RangeOptions,
    block: BlockOperator<Tensor>,
    lambda: number,
    V: Tensor,
  ): Promise<Tensor> => {
    const inverse = orThrow(await inverted(lowRankInverse(options), backend, blockDiagonal({ block }), lambda)());
    return apply(ops, inverse, { block: V })['block'];
  };

  it('law: full rank is the exact inverse', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1000), fc.double({ min: 1e-2, max: 10, noNaN: true }), async (seed, lambda) => {
        const block = kroneckerOf(spd(seed, 5), spd(seed + 1, 3));
        const V = gaussian(seed + 2, [3, 5]);
        const exactInverse = orThrow(await inverted(kroneckerInverse, backend, blockDiagonal({ block }), lambda)());
        const expected = apply(ops, exactInverse, { block: V })['block'];
        expect(scaledError((await solveWith({ rank: 5 }, block, lambda, V)).data, expected.data)).toBeLessThan(1e-8);
      }),
      { numRuns: 25 },
    );
  });

  it('worked example in f32: A = 2, G = 3, λ = 1e-4 is 1 / ((2 + π 0.01) (3 + 0.01 / π)) with π² = 2 / 3, to the last digits', async () => {
    const single = orThrow(hostKernelBackend('webasm'));
    const block = kroneckerOf(cast(tensor([2], [1, 1]), 'f32'), cast(tensor([3], [1, 1]), 'f32'));
    const inverse = orThrow(await inverted(lowRankInverse({ rank: 4 }), single, blockDiagonal({ block }), 1e-4)());
    const image = apply(single.ops, inverse, { block: cast(tensor([1], [1, 1]), 'f32') })['block'];
    const pi = Math.sqrt(2 / 3);
    expect(image.data[0] * (2 + pi * 0.01) * (3 + 0.01 / pi)).toBeCloseTo(1, 6);
  });

  it('law: at a rank of the order or more f32 solves as well as the factors are conditioned, however small λ', async () => {
    const single = orThrow(hostKernelBackend('webasm'));
    await fc.assert(
      fc.asyncProperty(fc.nat(1000), fc.constantFrom(1e-2, 1e-6, 9e-13), async (seed, lambda) => {
        const [A, G] = [ops.addDiagonal(spd(seed, 5), 0.05), ops.addDiagonal(spd(seed + 1, 3), 0.05)];
        const V = gaussian(seed + 2, [3, 5]);
        const block = kroneckerOf(cast(A, 'f32'), cast(G, 'f32'));
        const curvature = blockDiagonal({ block });
        const low = orThrow(await inverted(lowRankInverse({ rank: 8 }), single, curvature, lambda)());
        const exact = orThrow(
          await inverted(kroneckerInverse, backend, blockDiagonal({ block: kroneckerOf(A, G) }), lambda)(),
        );
        const [found, expected] = [
          apply(single.ops, low, { block: cast(V, 'f32') })['block'],
          apply(ops, exact, { block: V })['block'],
        ];
        const conditionOf = async (M: Tensor): Promise<number> => {
          const { values } = orThrow(await backend.linearAlgebra.eigh(M)());
          return values.data[values.data.length - 1] / values.data[0];
        };
        const condition = (await conditionOf(A)) * (await conditionOf(G));
        expect(relativeGap(found, expected)).toBeLessThan(16 * condition * 2 ** -23);
      }),
      { numRuns: 25 },
    );
  });

  it('law: exact for factors of rank r plus a multiple of I, as power iterations separate the two', async () => {
    const factor = (seed: number, n: number): Tensor => ops.addDiagonal(ops.gram(gaussian(seed, [3, n])), 0.4);
    const block = kroneckerOf(factor(1, 20), factor(2, 18));
    const V = gaussian(3, [18, 20]);
    const exactInverse = orThrow(await inverted(kroneckerInverse, backend, blockDiagonal({ block }), 0.1)());
    const expected = apply(ops, exactInverse, { block: V })['block'];
    const actual = await solveWith({ rank: 3, oversampling: 4, powerIterations: 12 }, block, 0.1, V);
    expect(scaledError(actual.data, expected.data)).toBeLessThan(1e-8);
  });

  it('law: (U D Uᵀ + ρ I) keeps the trace: ρ is the mean of the eigenvalues left out', async () => {
    const block = kroneckerOf(tensor([5, 0, 0, 0, 1, 0, 0, 0, 3], [3, 3]), tensor([1], [1, 1]));
    const inverse = orThrow(await inverted(lowRankInverse({ rank: 1 }), backend, blockDiagonal({ block }), 1)());
    const image = apply(ops, inverse, { block: tensor([1, 1, 1], [1, 3]) })['block'];
    // π² = (9 / 3) / 1; A gains √3, G gains 1 / √3. A ≈ diag(5, 2, 2).
    const root = Math.sqrt(3);
    const expected = [5, 2, 2].map((a) => 1 / ((a + root) * (1 + 1 / root)));
    expect(scaledError(image.data, expected)).toBeLessThan(1e-14);
  });

  it('law: what is held is r columns, not a square', async () => {
    const block = kroneckerOf(spd(1, 40), spd(2, 30));
    const inverse = orThrow(await inverted(lowRankInverse({ rank: 4 }), backend, blockDiagonal({ block }), 1)());
    if (inverse._tag !== 'blockDiagonal') throw new Error('expected blocks');
    const [low, full] = [inverse.blocks['block'], block].map((op) => costOf(op, [30, 40]).numbers);
    expect(low).toBe(4 * (40 + 30) + 2 * 4 + 2);
    expect(low).toBeLessThan(full / 6);
  });

  it('divides diagonal blocks, refuses others by name, and refuses settings that make no sense', async () => {
    const image = await solveWith({ rank: 1 }, diagonal(tensor([1, 3], [2])), 1, tensor([4, 8], [2]));
    expect(Array.from(image.data)).toEqual([2, 2]);
    const head = blockDiagonal({ head: dampedBlock(dense(tensor([1], [1, 1])), 1) });
    expect(await inverted(lowRankInverse({ rank: 1 }), backend, head, 1)()).toMatchObject(
      E.left({ _tag: 'BadConfig', path: 'head', actual: 'damped' }),
    );
    expect(await inverted(lowRankInverse({ rank: 0 }), backend, head, 1)()).toMatchObject(
      E.left({ path: 'lowRankInverse.rank', actual: '0' }),
    );
    expect(await inverted(lowRankInverse({ rank: 1, oversampling: -1 }), backend, head, 1)()).toMatchObject(
      E.left({ path: 'lowRankInverse.oversampling' }),
    );
    expect(await inverted(lowRankInverse({ rank: 1, powerIterations: 2 ** 53 }), backend, head, 1)()).toMatchObject(
      E.left({ path: 'lowRankInverse.powerIterations', expected: 'a whole number from 0 to 100' }),
    );
  });

  it('a factor of zeros without damping is not positive definite, and the error names the block', async () => {
    const nothing = blockDiagonal({ head: kroneckerOf(ops.full([3, 3], 0), spd(1, 3)) });
    expect(await inverted(lowRankInverse({ rank: 1 }), backend, nothing, 0)()).toMatchObject(
      E.left({ _tag: 'NotPositiveDefinite', where: 'head' }),
    );
  });

  it.each([
    ['rank', { rank: 3 }],
    ['oversampling', { oversampling: 4 }],
    ['powerIterations', { powerIterations: 3 }],
  ] as const)('option of the preset: %s changes the trajectory', async (_, option) => {
    const objective = { model: mlp([9, 8, 2]), loss: squaredError };
    const batch = { inputs: gaussian(1, [12, 9]), targets: gaussian(2, [12, 2]) };
    const run = async (options: object): Promise<TrainState<Tensor>> => {
      const optimizer = lowRankKfac({ damping: 0.1, rank: 2, oversampling: 1, ...options });
      const step = pipeline(withObjective(objective), optimizer.step);
      let state = stateOf(objective.model, 3);
      for (let i = 0; i < 2; i += 1) state = (await runStage(step, state, batch)).next;
      return state;
    };
    const [base, changed] = [await run({}), await run(option)];
    const gaps = Object.keys(base.params).map((path) => scaledError(base.params[path].data, changed.params[path].data));
    expect(Math.max(...gaps)).toBeGreaterThan(1e-9);
  });
});

describe('batchWoodbury', () => {
  const objective = { model: mlp([7, 6, 3]), loss: squaredError };
  const batchOf = (n: number) => ({ inputs: gaussian(1, [n, 7]), targets: gaussian(2, [n, 3]) });
  const woodburyStep = (damping: number, estimator = exact()) =>
    pipeline(withObjective(objective), forward, backward, capture(estimator), damp(damping), solve(batchWoodbury()));
  const kfacStep = (damping: number, estimator = exact()) =>
    pipeline(
      withObjective(objective),
      forward,
      backward,
      capture(estimator),
      updateFactors(kfac({ decay: 0 })),
      damp(damping),
      solve(preconditioned(kroneckerInverse)),
    );

  it('law: Woodbury is the dense inverse: the direction is that of K-FAC with decay 0, whatever the batch', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 12 }),
        fc.double({ min: 1e-2, max: 10, noNaN: true }),
        fc.boolean(),
        async (n, damping, sampled) => {
          const state = stateOf(objective.model, 4);
          const estimator = sampled ? monteCarlo({ samples: 2 }) : exact();
          const actual = await runStage(woodburyStep(damping, estimator), state, batchOf(n));
          const expected = await runStage(kfacStep(damping, estimator), state, batchOf(n));
          for (const path of Object.keys(expected.direction)) {
            const [x, y] = [actual.direction[path], expected.direction[path]];
            expect(scaledError(x.data, y.data)).toBeLessThan(1e-8);
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  it('worked example: one row (3, 4), δ = 25 and N = 1: I / 25 − (3, 4)ᵀ(3, 4) / (25 · 50)', async () => {
    const one = { model: mlp([2, 1], 'identity', false), loss: squaredError };
    const step = pipeline(withObjective(one), forward, backward, capture(exact()), damp(50), solve(batchWoodbury()));
    // tr A / 2 = 12.5 and G = 1, so π √50 = √12.5 √50 = 25 for A and √50 / √12.5 = 2 for G.
    const state = { ...stateOf(one.model, 1), params: { '0.weight': tensor([0, 0], [1, 2]) } };
    const { direction } = await runStage(step, state, {
      inputs: tensor([3, 4], [1, 2]),
      targets: tensor([-1], [1, 1]),
    });
    // The gradient is (3, 4), an eigenvector: (3, 4) / ((25 + 25) (1 + 2)).
    expect(scaledError(direction['0.weight'].data, [3 / 150, 4 / 150])).toBeLessThan(1e-14);
  });

  it('law: what is prepared has the order of the batch, and no factor is kept in the state', async () => {
    const wide = { model: mlp([60, 2]), loss: squaredError };
    const step = pipeline(
      withObjective(wide),
      forward,
      backward,
      capture(monteCarlo()),
      damp(1),
      solve(batchWoodbury()),
    );
    const batch = { inputs: gaussian(1, [3, 60]), targets: gaussian(2, [3, 2]) };
    const { state } = await runStage(step, stateOf(wide.model, 1), batch);
    expect(state.curvature.averages).toEqual({});
    const block = state.solver.prepared?._tag === 'blockDiagonal' ? state.solver.prepared.blocks['0'] : null;
    if (block?._tag !== 'kronecker' || block.A._tag !== 'lowRank') throw new Error('expected low rank');
    expect([block.A.U.shape, orderOf(block.A.core)]).toEqual([[61, 3], 3]);
  });

  it('a step without a capture uses the last inverse, and damping and age are reported', async () => {
    const first = await runStage(woodburyStep(1), stateOf(objective.model, 4), batchOf(5));
    const nothing = computation<never, 'captured'>('nothing', () => ({ captured: null }));
    const later = pipeline(withObjective(objective), forward, backward, nothing, damp(1), solve(batchWoodbury()));
    const second = await runStage(later, { ...first.state, step: 1 }, batchOf(5));
    expect(second.direction).toEqual(first.direction);
    expect(second.metrics).toMatchObject({ damping: 1, inverseAge: 1 });
  });

  it('option: damping changes the direction', async () => {
    const state = stateOf(objective.model, 4);
    const [one, two] = [
      await runStage(woodburyStep(1), state, batchOf(5)),
      await runStage(woodburyStep(2), state, batchOf(5)),
    ];
    expect(scaledError(one.direction['0.weight'].data, two.direction['0.weight'].data)).toBeGreaterThan(1e-4);
  });

  it('parameters without a site are divided by their second moment plus λ', async () => {
    const given = await runStage(woodburyStep(1), stateOf(objective.model, 4), batchOf(5));
    const captured = {
      ...given.captured,
      sites: [],
      uncovered: [{ scale: tensor([2, 4], [2]) }],
      examples: 4,
      more: [],
    };
    const context = {
      ...given,
      blocks: blocksOf([], ['scale']),
      captured: { ...captured, targets: gaussian(1, [4, 1]) },
      gradient: { scale: tensor([4, 10], [2]) },
      state: { ...given.state, params: { scale: generate([2], () => 0) } },
    };
    const { direction } = orThrow(await batchWoodbury().run(context)(referenceEnv())());
    // Squares of the sums over 4: 1 and 4.
    expect(Array.from(direction['scale'].data)).toEqual([4 / 2, 10 / 5]);
  });
});
