import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { materialiseBlocks } from '../../../src/core/operators/materialise.ts';
import type { LinearOperator } from '../../../src/core/operators/linearOperator.ts';
import { kronecker, kroneckerOf } from '../../../src/core/operators/blockOperator.ts';
import { dense, diagonal } from '../../../src/core/operators/factors/factor.ts';
import { scaled } from '../../../src/core/operators/composite.ts';
import { blockDiagonal, blockTridiagonal, damped } from '../../../src/core/operators/linearOperator.ts';
import { backward, forward } from '../../../src/core/pipeline/forward.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import type { TrainState } from '../../../src/core/pipeline/trainState.ts';
import { withObjective } from '../../../src/core/pipeline/withObjective.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { capture } from '../../../src/curvature/capture.ts';
import type { Curvature } from '../../../src/curvature/curvature.ts';
import { updateFactors } from '../../../src/curvature/curvature.ts';
import { exact } from '../../../src/curvature/estimators.ts';
import { kfac } from '../../../src/curvature/kfac.ts';
import { tridiagonalKfac } from '../../../src/curvature/tridiagonalKfac.ts';
import { factoredTikhonov } from '../../../src/solvers/inverses/factors/factoredTikhonov.ts';
import { kfac as kfacPreset } from '../../../src/solvers/presets/kfac.ts';
import type { Optimizer } from '../../../src/solvers/presets/optimizer.ts';
import { tridiagonalKfac as tridiagonalPreset } from '../../../src/solvers/presets/tridiagonalKfac.ts';
import { damp } from '../../../src/solvers/solver/damp.ts';
import type { SolveNeeds, Solver } from '../../../src/solvers/solver/solver.ts';
import { solve } from '../../../src/solvers/solver/solver.ts';
import { scaledError } from '../../support/closeness.ts';
import { matricesOf } from '../../support/factors.ts';
import { gaussian, mlp, orThrow, referenceEnv, runStage, stateOf } from '../../support/training.ts';
import { kroneckerInverse } from '../../../src/solvers/inverses/kroneckerInverse.ts';
import { tridiagonalInverse } from '../../../src/solvers/inverses/tridiagonalInverse.ts';
import { preconditioned } from '../../../src/solvers/solver/preconditioned.ts';
import { inverted } from '../../support/inverses.ts';

const { backend } = referenceEnv();
const { ops } = backend;
const objective = { model: mlp([3, 4, 2, 3, 2]), loss: squaredError };
const batch = { inputs: gaussian(1, [9, 3]), targets: gaussian(2, [9, 2]) };
const names = ['0', '2', '4', '6'] as const;
const shapes = { '0': [4, 4], '2': [2, 5], '4': [3, 3], '6': [2, 4] };
const sizes = [16, 10, 9, 8];
const n = 43;

const stepOf = (curvature: Curvature, solver: Solver<SolveNeeds>, damping = 0.1) =>
  pipeline(
    withObjective(objective),
    forward,
    backward,
    capture(exact()),
    updateFactors(curvature),
    damp(damping),
    solve(solver),
  );

const run = (damping: number) =>
  runStage(stepOf(tridiagonalKfac(), preconditioned(tridiagonalInverse), damping), stateOf(objective.model, 4), batch);

/** The explicit matrix (A ⊗ G)_{(i, p), (j, q)} = A_ij G_pq of any two matrices. */
const product = (A: Tensor, G: Tensor): Tensor => {
  const [[rowsA, columnsA], [rowsG, columnsG]] = [A.shape, G.shape];
  const joined = ops.mul(ops.reshape(A, [rowsA, 1, columnsA, 1]), ops.reshape(G, [1, rowsG, 1, columnsG]));
  return ops.reshape(joined, [rowsA * rowsG, columnsA * columnsG]);
};

/** A + π√λ I and G + π⁻¹√λ I as one matrix. */
const dampedProduct = (A: Tensor, G: Tensor, lambda: number): Tensor => {
  const mean = (m: Tensor): number => ops.trace(m).data[0] / m.shape[0];
  const { ofA, ofG } = factoredTikhonov(lambda, mean(A), mean(G));
  return product(ops.addDiagonal(A, ofA), ops.addDiagonal(G, ofG));
};

const inverseOf = async (m: Tensor): Promise<Tensor> =>
  orThrow(await backend.linearAlgebra.solve(m, ops.addDiagonal(ops.full(m.shape, 0), 1))());

/**
 * F̂: the given blocks on and beside the diagonal, and beyond them what makes blocks i and k independent given what is
 * between them, F̂_ik = F̂_ij F̂_jj⁻¹ F̂_jk with j = i + 1.
 */
const tridiagonalModel = async (
  diagonalBlocks: ReadonlyArray<Tensor>,
  beside: ReadonlyArray<Tensor>,
): Promise<Tensor> => {
  const upper = async (i: number, k: number): Promise<Tensor> => {
    if (i === k) return diagonalBlocks[i];
    if (k === i + 1) return beside[i];
    return ops.matmul(ops.matmul(beside[i], await inverseOf(diagonalBlocks[i + 1])), await upper(i + 1, k));
  };
  const rows = await Promise.all(
    diagonalBlocks.map(async (_, i) => {
      const row = diagonalBlocks.map(async (__, k) => (i <= k ? upper(i, k) : ops.transposed(await upper(k, i))));
      return ops.concat(await Promise.all(row), 1);
    }),
  );
  return ops.concat(rows, 0);
};

const partsOf = (operator: LinearOperator<Tensor>) => {
  if (operator._tag !== 'blockTridiagonal') throw new Error('expected a block-tridiagonal operator');
  const factors = names.map((name) => matricesOf(operator.blocks[name]));
  return { factors, links: operator.links, blocks: operator.blocks };
};

describe('the block-tridiagonal inverse', () => {
  it('worked example: two blocks of one element: the inverse of [[2, 1], [1, 3]] is [[3, −1], [−1, 2]] / 5', async () => {
    const at = (x: number): Tensor => tensor([x], [1, 1]);
    const operator = blockTridiagonal({ a: kroneckerOf(at(2), at(1)), b: kroneckerOf(at(1), at(3)) }, [
      { from: 'b', to: 'a', A: at(1), G: at(1) },
    ]);
    const inverse = orThrow(await inverted(tridiagonalInverse, backend, operator, 1e-18)());
    const matrix = materialiseBlocks(ops, inverse, { a: [1, 1], b: [1, 1] });
    expect(scaledError(matrix.data, [0.6, -0.2, -0.2, 0.4])).toBeLessThan(1e-8);
  });

  it.each([1, 0.1, 1e-3])(
    'law: it is the inverse of the tridiagonal-structured model, λ = %d (f64, 1e-8)',
    async (lambda) => {
      const { operator, state } = await run(lambda);
      const { factors, links } = partsOf(operator);
      const F = await tridiagonalModel(
        factors.map(({ A, G }) => dampedProduct(A, G, lambda)),
        links.map(({ A, G }) => product(A, G)),
      );
      if (state.solver.prepared === null) throw new Error('expected a prepared inverse');
      const inverse = materialiseBlocks(ops, state.solver.prepared, shapes);
      expect(scaledError(ops.matmul(F, inverse).data, ops.addDiagonal(ops.full([n, n], 0), 1).data)).toBeLessThan(1e-8);
      expect(scaledError(inverse.data, (await inverseOf(F)).data)).toBeLessThan(1e-8);
    },
  );

  it('law: symmetric positive definite, and block-tridiagonal', async () => {
    const { state } = await run(1e-3);
    if (state.solver.prepared === null) throw new Error('expected a prepared inverse');
    const M = materialiseBlocks(ops, state.solver.prepared, shapes);
    expect(scaledError(M.data, ops.transposed(M).data)).toBeLessThan(1e-12);
    const { values } = orThrow(await backend.linearAlgebra.eigh(M)());
    expect(values.data[0]).toBeGreaterThan(0);
    expect(ops.slice(M, [0, 26], [16, n - 26])).toEqual(ops.full([16, n - 26], 0));
    expect(ops.slice(M, [16, 35], [10, 8])).toEqual(ops.full([10, 8], 0));
    expect(sizes.reduce((x, y) => x + y)).toBe(n);
  });

  it('law: with cross statistics of zero it is block-diagonal K-FAC', async () => {
    const { operator } = await run(0.1);
    const { blocks, links } = partsOf(operator);
    const nothing = links.map((link) => ({ ...link, A: ops.scale(0, link.A), G: ops.scale(0, link.G) }));
    const [actual, expected] = await Promise.all([
      inverted(tridiagonalInverse, backend, blockTridiagonal(blocks, nothing), 0.1)(),
      inverted(kroneckerInverse, backend, blockDiagonal(blocks), 0.1)(),
    ]);
    const [M, K] = [actual, expected].map((op) => materialiseBlocks(ops, orThrow(op), shapes));
    expect(scaledError(M.data, K.data)).toBeLessThan(1e-11);
  });

  it('law: a block-diagonal operator, and a block beside the chain, are solved as K-FAC does', async () => {
    const { blocks } = partsOf((await run(0.1)).operator);
    const wider = { ...shapes, extra: [3] };
    const operator = blockDiagonal({ ...blocks, extra: diagonal(tensor([1, 2, 3], [3])) });
    const [actual, expected] = await Promise.all([
      inverted(tridiagonalInverse, backend, operator, 0.1)(),
      inverted(kroneckerInverse, backend, operator, 0.1)(),
    ]);
    const [M, K] = [actual, expected].map((op) => materialiseBlocks(ops, orThrow(op), wider));
    expect(scaledError(M.data, K.data)).toBeLessThan(1e-13);
  });

  it('raises the damping of a factor that is not positive definite, and names the block that stays so', async () => {
    const at = (x: number): Tensor => tensor([x], [1, 1]);
    const operatorOf = (g: number) =>
      blockTridiagonal({ a: kroneckerOf(at(1), at(g)), b: kroneckerOf(at(1), at(1)) }, [
        { from: 'b', to: 'a', A: at(0.1), G: at(0.1) },
      ]);
    // π = 1 where a trace is negative: −2 + √λ is positive from λ = 10 on, and −10⁹ + √λ is not up to 10⁶.
    const raised = orThrow(await inverted(tridiagonalInverse, backend, operatorOf(-2), 1)());
    const expected = orThrow(await inverted(tridiagonalInverse, backend, operatorOf(-2), 10)());
    expect(raised).toEqual(expected);
    expect(await inverted(tridiagonalInverse, backend, operatorOf(-1e9), 1)()).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'NotPositiveDefinite', where: 'a', damping: 1e6 },
    });
  });

  it('refuses other operators and blocks', async () => {
    const operator = blockDiagonal({ a: diagonal(tensor([1], [1])) });
    expect(await inverted(tridiagonalInverse, backend, damped(operator, 1), 1)()).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'BadConfig', path: 'operator', actual: 'damped' },
    });
    const whole = blockTridiagonal<Tensor>({ a: scaled(2, dense(tensor([1], [1, 1]))) }, []);
    expect(await inverted(tridiagonalInverse, backend, whole, 1)()).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'BadConfig', path: 'a', actual: 'scaled' },
    });
    const one = tensor([1], [1, 1]);
    const parts = kronecker(diagonal(tensor([1], [1])), dense(one));
    const links = [{ from: 'b', to: 'a', A: one, G: one }];
    expect(
      await inverted(tridiagonalInverse, backend, blockTridiagonal({ a: parts, b: kroneckerOf(one, one) }, links), 1)(),
    ).toMatchObject({ _tag: 'Left', left: { _tag: 'BadConfig', path: 'a' } });
  });

  it('options: damping and every change the direction and its age', async () => {
    const [weak, strong] = [await run(0.1), await run(10)];
    expect(scaledError(weak.direction['2.weight'].data, strong.direction['2.weight'].data)).toBeGreaterThan(1e-3);
    const step = stepOf(tridiagonalKfac(), preconditioned(tridiagonalInverse, { every: 3 }));
    const later = await runStage(step, { ...weak.state, step: 2 }, batch);
    expect(later.metrics).toMatchObject({ damping: 0.1, inverseAge: 2 });
    expect(later.state.solver.prepared).toBe(weak.state.solver.prepared);
  });

  it('the direction is not that of K-FAC', async () => {
    const theirs = await runStage(stepOf(kfac(), preconditioned(kroneckerInverse)), stateOf(objective.model, 4), batch);
    const ours = await run(0.1);
    expect(scaledError(ours.direction['2.weight'].data, theirs.direction['2.weight'].data)).toBeGreaterThan(1e-3);
  });
});

describe('preset tridiagonal-kfac', () => {
  const stepWith = (optimizer: Optimizer) => pipeline(withObjective(objective), optimizer.step);

  const steps = async (optimizer: Optimizer, count = 3): Promise<TrainState<Tensor>> => {
    let state = stateOf(objective.model, 3);
    for (let i = 0; i < count; i += 1) state = (await runStage(stepWith(optimizer), state, batch)).next;
    return state;
  };

  it('is its own trajectory, and resumes from a copy of the state', async () => {
    const optimizer = tridiagonalPreset({ damping: 0.1 });
    const whole = await steps(optimizer);
    const plain = await steps(kfacPreset({ damping: 0.1 }));
    expect(scaledError(whole.params['0.weight'].data, plain.params['0.weight'].data)).toBeGreaterThan(1e-9);
    const half = await steps(optimizer, 2);
    expect((await runStage(stepWith(optimizer), structuredClone(half), batch)).next).toEqual(whole);
  });

  it.each([
    ['damping', { damping: 1 }],
    ['decay', { decay: 0 }],
    ['inverseEvery', { inverseEvery: 1 }],
    ['lossBound', { lossBound: 1e-3 }],
  ] as const)('option: %s changes the trajectory', async (_, option) => {
    const base = { damping: 0.1, inverseEvery: 2, statisticsEvery: 1, settling: 0, share: 0 };
    const [plain, changed] = [
      await steps(tridiagonalPreset(base)),
      await steps(tridiagonalPreset({ ...base, ...option })),
    ];
    const gaps = Object.keys(plain.params).map((p) => scaledError(plain.params[p].data, changed.params[p].data));
    expect(Math.max(...gaps)).toBeGreaterThan(1e-9);
  });
});
