import { blockDiagonal } from '../../../src/core/operators/linearOperator.ts';
import { eigen } from '../../../src/solvers/inverses/eigen.ts';
import { iterative } from '../../../src/solvers/iterative/iterative.ts';
import type { Preconditioner } from '../../../src/solvers/solver/inverse.ts';
import fc from 'fast-check';

import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { softmaxCrossEntropy } from '../../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { materialise } from '../../../src/core/operators/materialise.ts';
import { dampedBlock, eigenKronecker, kronecker, kroneckerOf } from '../../../src/core/operators/blockOperator.ts';
import { dense, directSumOf } from '../../../src/core/operators/factors/factor.ts';
import type { DenseSite } from '../../../src/core/ops/site.ts';
import type { SiteCapture } from '../../../src/core/pipeline/context.ts';
import { backward, forward } from '../../../src/core/pipeline/forward.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import type { TrainState } from '../../../src/core/pipeline/trainState.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { blocksOf } from '../../../src/core/pipeline/blocks.ts';
import { withObjective } from '../../../src/core/pipeline/withObjective.ts';
import { toBlocks } from '../../../src/curvature/blocks.ts';
import { partitionedStatistics } from '../../../src/curvature/blockKfac.ts';
import { capture } from '../../../src/curvature/capture.ts';
import { updateFactors } from '../../../src/curvature/curvature.ts';
import { exact, monteCarlo } from '../../../src/curvature/estimators.ts';
import { kfac } from '../../../src/curvature/kfac.ts';
import { denseStatistics } from '../../../src/curvature/sites/dense.ts';
import { eigenMoments } from '../../../src/curvature/sites/eigenMoments.ts';
import { perExampleGradients } from '../../../src/curvature/sites/statistics.ts';
import type { Sharing } from '../../../src/curvature/statistics/sharing.ts';
import { sharings } from '../../../src/curvature/statistics/sharing.ts';
import { means } from '../../../src/curvature/statistics/statistics.ts';
import type { EkfacOptions } from '../../../src/solvers/inverses/ekfac.ts';
import type { RefreshOptions } from '../../../src/solvers/solver/refresh.ts';
import { ekfac as ekfacPreset } from '../../../src/solvers/presets/ekfac.ts';
import { damp } from '../../../src/solvers/solver/damp.ts';
import { solve } from '../../../src/solvers/solver/solver.ts';
import { scaledError } from '../../support/closeness.ts';
import { formed } from '../../support/factors.ts';
import { gaussian, mlp, orThrow, referenceEnv, runStage, stateOf } from '../../support/training.ts';
import { ekfac } from '../../../src/solvers/inverses/ekfac.ts';
import { eigenOf } from '../../../src/solvers/inverses/eigen.ts';
import { preconditioned } from '../../../src/solvers/solver/preconditioned.ts';

const { backend } = referenceEnv();
const { ops } = backend;

const captureOf = (
  seed: number,
  n: number,
  inputs: number,
  out: number,
  passes = 1,
  positions: ReadonlyArray<number> = [],
): SiteCapture<Tensor, DenseSite> => ({
  site: { kind: 'dense', path: 'l', weight: 'l.weight', bias: 'l.bias' },
  input: gaussian(seed, [n, ...positions, inputs]),
  cotangents: Array.from({ length: passes }, (_, i) => gaussian(seed + i + 1, [n, ...positions, out])),
});

/** The dense per-example Fisher, K-FAC's factors and EKFAC's moments of one capture. */
const curvaturesOf = async (seen: SiteCapture<Tensor, DenseSite>, sharing: Sharing = 'expand') => {
  const n = seen.input.shape[0];
  const { A, G } = means(ops, denseStatistics(ops, seen, sharing));
  const shape = [G.shape[0], A.shape[0]];
  const fisher = perExampleGradients(ops, seen)
    .map((rows) => ops.scale(1 / n, ops.gram(rows)))
    .reduce((x, y) => ops.add(x, y));
  const basis = orThrow(await eigenOf(backend, kroneckerOf(A, G))());
  const { S } = means(ops, eigenMoments(ops, seen, basis));
  return { fisher, kfac: kroneckerOf(A, G), ekfac: eigenKronecker(basis.UA, basis.UG, S), shape, basis, S };
};

const frobenius = (x: Tensor, y: Tensor): number => Math.sqrt(ops.sum(ops.square(ops.sub(x, y)), [0, 1]).data[0]);

describe('EKFAC as an approximation', () => {
  const cases = [fc.nat(1000), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 3 })] as const;

  it('law: ‖F − EKFAC‖_F ≤ ‖F − KFAC‖_F with F the per-example Fisher [G18]', async () => {
    await fc.assert(
      fc.asyncProperty(...cases, async (seed, n, passes) => {
        const found = await curvaturesOf(captureOf(seed, n, 2, 3, passes));
        const [kfacMatrix, ekfacMatrix] = [found.kfac, found.ekfac].map((op) => materialise(ops, op, found.shape));
        const floor = 1e-12 * frobenius(found.fisher, ops.full(found.fisher.shape, 0));
        expect(frobenius(found.fisher, ekfacMatrix)).toBeLessThanOrEqual(frobenius(found.fisher, kfacMatrix) + floor);
      }),
      { numRuns: 40 },
    );
  });

  it.each(sharings)('law: so it is with positions, whatever K-FAC takes them for (%s)', async (sharing) => {
    await fc.assert(
      fc.asyncProperty(...cases, fc.integer({ min: 1, max: 4 }), async (seed, n, passes, t) => {
        const found = await curvaturesOf(captureOf(seed, n, 2, 3, passes, [t]), sharing);
        const [kfacMatrix, ekfacMatrix] = [found.kfac, found.ekfac].map((op) => materialise(ops, op, found.shape));
        const floor = 1e-12 * frobenius(found.fisher, ops.full(found.fisher.shape, 0));
        expect(frobenius(found.fisher, ekfacMatrix)).toBeLessThanOrEqual(frobenius(found.fisher, kfacMatrix) + floor);
      }),
      { numRuns: 40 },
    );
  });

  it('worked example: one weight, positions 1 and 3, g = ½ at both: V = 2, so S = 4 and not ¼ (1 + 9)', () => {
    const seen = {
      site: { kind: 'dense', path: 'l', weight: 'l.weight', bias: null } as const,
      input: tensor([1, 3], [1, 2, 1]),
      cotangents: [tensor([0.5, 0.5], [1, 2, 1])],
    };
    const one = tensor([1], [1, 1]);
    expect(Array.from(eigenMoments(ops, seen, { UA: dense(one), UG: dense(one) }).sums['S'].data)).toEqual([4]);
  });

  it('law: S is the diagonal of F in the eigenbasis, S = diag((U_A ⊗ U_G)ᵀ F (U_A ⊗ U_G))', async () => {
    await fc.assert(
      fc.asyncProperty(...cases, async (seed, n, passes) => {
        const { fisher, basis, S, shape } = await curvaturesOf(captureOf(seed, n, 2, 3, passes));
        const U = materialise(ops, kronecker(basis.UA, basis.UG), shape);
        const rotated = ops.matmul(ops.matmul(U, fisher, { transposeA: true }), U);
        const n2 = rotated.shape[0];
        const diagonal = Array.from({ length: n2 }, (_, i) => rotated.data[i * n2 + i]);
        expect(scaledError(ops.transposed(S).data, diagonal)).toBeLessThan(1e-12);
      }),
      { numRuns: 40 },
    );
  });

  it('law: of a partition, S is the diagonal of F in the bases of the parts', async () => {
    await fc.assert(
      fc.asyncProperty(...cases, async (seed, n, passes) => {
        const seen = captureOf(seed, n, 2, 3, passes);
        const { fisher, shape } = await curvaturesOf(seen);
        const blocks = { inputs: { count: 2 }, outputs: { size: 2 } };
        const found = means(ops, partitionedStatistics(ops, seen, blocks));
        const [As, Gs] = [
          [found['A:0'], found['A:1']],
          [found['G:0'], found['G:1']],
        ];
        const basis = orThrow(await eigenOf(backend, kronecker(directSumOf(As), directSumOf(Gs)))());
        const { S } = means(ops, eigenMoments(ops, seen, basis));
        const U = materialise(ops, kronecker(basis.UA, basis.UG), shape);
        const rotated = ops.matmul(ops.matmul(U, fisher, { transposeA: true }), U);
        const n2 = rotated.shape[0];
        const diagonal = Array.from({ length: n2 }, (_, i) => rotated.data[i * n2 + i]);
        expect(scaledError(ops.transposed(S).data, diagonal)).toBeLessThan(1e-12);
      }),
      { numRuns: 20 },
    );
  });

  it('worked example: two examples in the standard basis, S = ½ Σ g² ā²ᵀ', () => {
    const I2 = tensor([1, 0, 0, 1], [2, 2]);
    const seen = {
      site: { kind: 'dense', path: 'l', weight: 'l.weight', bias: 'l.bias' } as const,
      input: tensor([1, 3], [2, 1]),
      cotangents: [tensor([2, 0, 1, 1], [2, 2])],
    };
    // Example 1: g² = (4, 0), ā² = (1, 1); example 2: g² = (1, 1), ā² = (9, 1).
    const { S } = means(ops, eigenMoments(ops, seen, { UA: dense(I2), UG: dense(I2) }));
    expect(Array.from(S.data)).toEqual([(4 + 9) / 2, (4 + 1) / 2, 9 / 2, 1 / 2]);
  });
});

describe('EKFAC as a solver', () => {
  const objective = { model: mlp([3, 4, 2]), loss: squaredError };
  const batchOf = (seed: number) => ({ inputs: gaussian(seed, [8, 3]), targets: gaussian(seed + 1, [8, 2]) });
  const stepOf = ({ decay, ...options }: EkfacOptions & RefreshOptions, statisticsEvery = 1) =>
    pipeline(
      withObjective(objective),
      forward,
      backward,
      capture(exact(), { every: statisticsEvery }),
      updateFactors(kfac()),
      damp(0.3),
      solve(preconditioned(ekfac(decay === undefined ? {} : { decay }), { every: 3, ...options })),
    );
  const at = (state: TrainState<Tensor>, step: number): TrainState<Tensor> => ({ ...state, step });

  it('law: residual, (EKFAC + λ I) applied to the direction gives the gradient back', async () => {
    const { direction, gradient, captured, sites, state } = await runStage(
      stepOf({}),
      stateOf(objective.model, 4),
      batchOf(1),
    );
    const blocks = blocksOf(sites, Object.keys(state.params));
    const [d, g] = [direction, gradient].map((v) => toBlocks(ops, blocks, v));
    for (const seen of captured?.sites ?? []) {
      const { site } = seen;
      if (site.kind !== 'dense') throw new Error('expected dense sites');
      const { ekfac: operator, shape } = await curvaturesOf({ ...seen, site });
      const matrix = ops.addDiagonal(materialise(ops, operator, shape), 0.3);
      const column = (v: Tensor): Tensor => ops.reshape(ops.transposed(v), [v.data.length, 1]);
      const back = ops.matmul(matrix, column(d[seen.site.path]));
      expect(scaledError(back.data, column(g[seen.site.path]).data)).toBeLessThan(1e-8);
    }
    expect(captured?.sites.length).toBe(2);
  });

  it('the basis stays between refreshes while the second moments move', async () => {
    const step = stepOf({ decay: 0 });
    const first = await runStage(step, stateOf(objective.model, 4), batchOf(1));
    const second = await runStage(step, at(first.state, 1), batchOf(5));
    const third = await runStage(step, at(second.state, 3), batchOf(7));
    const blockAt = (state: TrainState<Tensor>) => {
      const block = state.solver.prepared?._tag === 'blockDiagonal' ? state.solver.prepared.blocks['0'] : null;
      if (block?._tag !== 'eigenKronecker') throw new Error('expected an eigenbasis');
      return block;
    };
    expect(blockAt(second.state).UA).toEqual(blockAt(first.state).UA);
    expect(scaledError(blockAt(second.state).S.data, blockAt(first.state).S.data)).toBeGreaterThan(1e-3);
    expect(scaledError(formed(blockAt(third.state).UG).data, formed(blockAt(first.state).UG).data)).toBeGreaterThan(
      1e-3,
    );
    expect([first, second, third].map(({ state }) => state.scalars['ekfac'])).toEqual([1, 2, 1]);
    expect(second.metrics).toMatchObject({ inverseAge: 1, damping: 0.3 });
    expect(Object.keys(first.metrics)).toContain('largestEigenvalue');
  });

  it('law: the average of S is bias-corrected: after two batches with ρ > ½ it is their mean', async () => {
    const step = stepOf({ every: 10 });
    const first = await runStage(step, stateOf(objective.model, 4), batchOf(1));
    const second = await runStage(step, at(first.state, 1), batchOf(5));
    const alone = await runStage(stepOf({ every: 10, decay: 0 }), at(first.state, 1), batchOf(5));
    const S = (state: TrainState<Tensor>): Tensor => state.solver.slots['ekfac']['0'];
    const mean = ops.linearCombination(0.5, S(first.state), 0.5, S(alone.state));
    expect(scaledError(S(second.state).data, mean.data)).toBeLessThan(1e-14);
  });

  it('a new basis in a step without a capture starts from λ_G λ_Aᵀ, which the next capture replaces', async () => {
    const step = stepOf({}, 4);
    const first = await runStage(step, stateOf(objective.model, 4), batchOf(1));
    const refreshed = await runStage(step, at(first.state, 3), batchOf(5));
    const { A, G } = refreshed.state.curvature.averages['0'];
    const { values } = orThrow(await eigenOf(backend, kroneckerOf(A, G))());
    expect(refreshed.state.solver.slots['ekfac']['0']).toEqual(values);
    expect(refreshed.state.scalars['ekfac']).toBe(0);
    const captured = await runStage(step, at(refreshed.state, 4), batchOf(5));
    expect(captured.state.scalars['ekfac']).toBe(1);
  });

  it('refuses a curvature without Kronecker factors, naming the block', async () => {
    const solver = preconditioned(ekfac());
    const given = await runStage(stepOf({}), stateOf(objective.model, 4), batchOf(1));
    const operator = { _tag: 'blockDiagonal', blocks: { head: dampedBlock(dense(tensor([1], [1, 1])), 1) } } as const;
    const fresh = { ...given, operator, state: stateOf(objective.model, 4) };
    const result = await solver.run(fresh)(referenceEnv())();
    expect(result).toMatchObject({ _tag: 'Left', left: { _tag: 'BadConfig', path: 'head', actual: 'damped' } });
  });

  it.each([
    ['momentDecay', { momentDecay: 0 }],
    ['inverseEvery', { inverseEvery: 2 }],
    ['damping', { damping: 1 }],
    ['estimator', { estimator: 'empirical' }],
  ] as const)('option of the preset: %s changes the trajectory', async (_, option) => {
    const run = async (options: object): Promise<TrainState<Tensor>> => {
      const optimizer = ekfacPreset({
        damping: 0.1,
        inverseEvery: 3,
        statisticsEvery: 1,
        settling: 0,
        share: 0,
        ...options,
      });
      const step = pipeline(withObjective(objective), optimizer.step);
      let state = stateOf(objective.model, 3);
      for (let i = 0; i < 4; i += 1) state = (await runStage(step, state, batchOf(i))).next;
      return state;
    };
    const [base, changed] = [await run({}), await run(option)];
    const gaps = Object.keys(base.params).map((path) => scaledError(base.params[path].data, changed.params[path].data));
    expect(Math.max(...gaps)).toBeGreaterThan(1e-9);
  });

  it('runs with class indices as targets and sampled cotangents', async () => {
    const classifier = { model: mlp([3, 3]), loss: softmaxCrossEntropy };
    const step = pipeline(
      withObjective(classifier),
      forward,
      backward,
      capture(monteCarlo()),
      updateFactors(kfac()),
      damp(0.3),
      solve(preconditioned(ekfac())),
    );
    const batch = { inputs: gaussian(1, [6, 3]), targets: tensor([0, 1, 2, 0, 1, 2], [6], 'i32') };
    const { direction } = await runStage(step, stateOf(classifier.model, 1), batch);
    expect(direction['0.weight'].shape).toEqual([3, 3]);
  });

  it('is a preconditioner of conjugate gradients, with its second moments kept up to date', async () => {
    const stepWith = (preconditioner: Preconditioner<'captured'> | null) =>
      pipeline(
        withObjective(objective),
        forward,
        backward,
        capture(exact()),
        updateFactors(kfac()),
        damp(0.3),
        solve(iterative('cg', { preconditioner, every: 3, tolerance: 1e-11, maxIterations: 200 })),
      );
    const [plain, ours] = [
      await runStage(stepWith(null), stateOf(objective.model, 4), batchOf(1)),
      await runStage(stepWith(ekfac()), stateOf(objective.model, 4), batchOf(1)),
    ];
    for (const [path, d] of Object.entries(plain.direction)) {
      expect(scaledError(ours.direction[path].data, d.data)).toBeLessThan(1e-8);
    }
    const later = await runStage(stepWith(ekfac()), at(ours.state, 1), batchOf(5));
    expect(later.state.scalars['ekfac']).toBe(2);
    expect(later.state.solver.slots['ekfac']['0']).not.toEqual(ours.state.solver.slots['ekfac']['0']);
    expect(later.metrics).toMatchObject({ inverseAge: 1 });
  });

  it('law: what it prepares is the inverse of K-FAC in its eigenbasis, before any second moments', async () => {
    const spd = (seed: number, n: number): Tensor => ops.addDiagonal(ops.gram(gaussian(seed, [n + 1, n])), 0.1);
    const curvature = blockDiagonal({ b: kroneckerOf(spd(1, 3), spd(2, 2)) });
    const [ours, theirs] = [
      orThrow(await ekfac().prepare(backend, curvature, 0.2, null)()),
      orThrow(await eigen.prepare(backend, curvature, 0.2, null)()),
    ];
    expect(ours.operator).toEqual(theirs.operator);
    expect(ours.metrics).toEqual(theirs.metrics);
  });
});
