import { softmaxCrossEntropy } from '../../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import { materialise } from '../../../src/core/operators/materialise.ts';
import type { BlockOperator, Product } from '../../../src/core/operators/blockOperator.ts';
import type { LinearOperator } from '../../../src/core/operators/linearOperator.ts';
import { kroneckerOf, dampedBlock } from '../../../src/core/operators/blockOperator.ts';
import { dense, diagonal } from '../../../src/core/operators/factors/factor.ts';
import { sumOf } from '../../../src/core/operators/composite.ts';
import { blockDiagonal, damped } from '../../../src/core/operators/linearOperator.ts';
import { nearestKronecker } from '../../../src/core/operators/nearestKronecker.ts';
import { backward, forward } from '../../../src/core/pipeline/forward.ts';
import { pipeline } from '../../../src/core/pipeline/stage.ts';
import type { TrainState } from '../../../src/core/pipeline/trainState.ts';
import { withObjective } from '../../../src/core/pipeline/withObjective.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { toBlocks } from '../../../src/curvature/blocks.ts';
import { capture } from '../../../src/curvature/capture.ts';
import { classKfac } from '../../../src/curvature/classKfac.ts';
import type { Curvature } from '../../../src/curvature/curvature.ts';
import { updateFactors } from '../../../src/curvature/curvature.ts';
import { exact } from '../../../src/curvature/estimators.ts';
import { kfac } from '../../../src/curvature/kfac.ts';
import type { ClassWiseMethod } from '../../../src/solvers/inverses/classWiseInverse.ts';
import type { ClassWiseOptions } from '../../../src/solvers/iterative/classWise.ts';
import { factoredTikhonov } from '../../../src/solvers/inverses/factors/factoredTikhonov.ts';
import { classKfac as classPreset } from '../../../src/solvers/presets/classKfac.ts';
import type { Optimizer } from '../../../src/solvers/presets/optimizer.ts';
import { optimizerOf } from '../../../src/solvers/presets/registry.ts';
import { damp } from '../../../src/solvers/solver/damp.ts';
import type { SolveNeeds, Solver } from '../../../src/solvers/solver/solver.ts';
import { solve } from '../../../src/solvers/solver/solver.ts';
import { scaledError } from '../../support/closeness.ts';
import { matricesOf } from '../../support/factors.ts';
import { gaussian, mlp, orThrow, referenceEnv, runStage, stateOf } from '../../support/training.ts';
import { kroneckerInverse } from '../../../src/solvers/inverses/kroneckerInverse.ts';
import { classWiseInverse } from '../../../src/solvers/inverses/classWiseInverse.ts';
import { classWise } from '../../../src/solvers/iterative/classWise.ts';
import { preconditioned } from '../../../src/solvers/solver/preconditioned.ts';
import { inverted } from '../../support/inverses.ts';

const { backend } = referenceEnv();
const { ops } = backend;
const objective = { model: mlp([3, 4, 3]), loss: softmaxCrossEntropy };
const labels = (values: ReadonlyArray<number>): Tensor => tensor(values, [values.length], 'i32');
const batch = { inputs: gaussian(1, [12, 3]), targets: labels([0, 1, 2, 1, 0, 1, 1, 0, 2, 2, 0, 1]) };
const two = { ...batch, targets: labels([0, 1, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1]) };

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

const run = (curvature: Curvature, solver: Solver<SolveNeeds>, data = batch, damping = 0.1) =>
  runStage(stepOf(curvature, solver, damping), stateOf(objective.model, 4), data);

interface DampedOptions extends ClassWiseOptions {
  readonly damping?: number;
}

const solved = (classes: number, { damping = 0.1, ...options }: DampedOptions = {}, data = batch) =>
  run(classKfac({ classes }), classWise(options), data, damping);

/** (block + λ I)⁻¹ applied to the gradient of a dense site, by elimination. */
const exactDirection = async (
  result: Awaited<ReturnType<typeof run>>,
  path: string,
  lambda: number,
): Promise<Tensor> => {
  const site = { kind: 'dense', path, weight: `${path}.weight`, bias: `${path}.bias` } as const;
  const V = toBlocks(ops, [{ kind: 'site', name: path, site }], result.gradient)[path];
  const M = ops.addDiagonal(materialise(ops, blockAt(result.operator, path), V.shape), lambda);
  const column = ops.reshape(ops.transposed(V), [V.data.length, 1]);
  const x = orThrow(await backend.linearAlgebra.solve(M, column)());
  return ops.transposed(ops.reshape(x, [V.shape[1], V.shape[0]]));
};

const blockAt = (operator: LinearOperator<Tensor>, name: string): BlockOperator<Tensor> => {
  if (operator._tag !== 'blockDiagonal') throw new Error('expected blocks');
  return operator.blocks[name];
};

const weightOf = (V: Tensor): Tensor => ops.slice(V, [0, 0], [V.shape[0], V.shape[1] - 1]);

const spd = (seed: number, n: number): Tensor => ops.addDiagonal(ops.gram(gaussian(seed, [n + 1, n])), 0.1);
const terms = (count: number): ReadonlyArray<Product<Tensor>> =>
  Array.from({ length: count }, (_, k) => ({ A: spd(2 * k, 3), G: spd(2 * k + 1, 2) }));
const sumOfProducts = (products: ReadonlyArray<Product<Tensor>>): BlockOperator<Tensor> =>
  sumOf(products.map(({ A, G }) => kroneckerOf(A, G)));
const nearestOf = (products: ReadonlyArray<Product<Tensor>>): BlockOperator<Tensor> => {
  const { A, G } = nearestKronecker(ops, products);
  return kroneckerOf(A, G);
};

describe('class-wise inverses', () => {
  it('law: two terms: it is the inverse of Σ (A_c + π_c√λ_c I) ⊗ (G_c + π_c⁻¹√λ_c I) with Σ λ_c = λ (f64, 1e-8)', async () => {
    const [first, second] = terms(2);
    const mean = (m: Tensor): number => ops.trace(m).data[0] / m.shape[0];
    const sizes = [first, second].map(({ A, G }) => mean(A) * mean(G));
    const lambdas = sizes.map((s) => (0.3 * s) / (sizes[0] + sizes[1]));
    const dampedTerms = [first, second].map(({ A, G }, c) => {
      const { ofA, ofG } = factoredTikhonov(lambdas[c], mean(A), mean(G));
      return kroneckerOf(ops.addDiagonal(A, ofA), ops.addDiagonal(G, ofG));
    });
    const M = materialise(ops, sumOf(dampedTerms), [2, 3]);
    for (const order of [
      [first, second],
      [second, first],
    ]) {
      const operator = blockDiagonal<Tensor>({ a: sumOfProducts(order) });
      const inverse = blockAt(orThrow(await inverted(classWiseInverse(), backend, operator, 0.3)()), 'a');
      expect(inverse._tag).toBe('twoTerm');
      const identity = ops.addDiagonal(ops.full([6, 6], 0), 1);
      expect(scaledError(ops.matmul(M, materialise(ops, inverse, [2, 3])).data, identity.data)).toBeLessThan(1e-8);
    }
  });

  it('law: more terms are prepared as the damped inverse of their nearest Kronecker product', async () => {
    const sum = sumOfProducts(terms(3));
    const both = { a: sum, b: kroneckerOf(spd(9, 2), spd(10, 2)), c: diagonal(tensor([1, 2], [2])) };
    const nearest = { ...both, a: nearestOf(terms(3)) };
    const [ours, theirs] = await Promise.all([
      inverted(classWiseInverse(), backend, blockDiagonal(both), 0.3)(),
      inverted(kroneckerInverse, backend, blockDiagonal<Tensor>(nearest), 0.3)(),
    ]);
    expect(orThrow(ours)).toEqual(orThrow(theirs));
  });

  it('a class that was never seen, and terms in any order of size, are no trouble', async () => {
    const nothing = kroneckerOf(ops.full([3, 3], 0), ops.full([2, 2], 0));
    const first = nearestOf(terms(1));
    const operatorOf = (...parts: ReadonlyArray<BlockOperator<Tensor>>) => blockDiagonal({ a: sumOf(parts) });
    const alone = orThrow(await inverted(kroneckerInverse, backend, blockDiagonal<Tensor>({ a: first }), 0.3)());
    for (const operator of [operatorOf(nothing, first), operatorOf(first, nothing)]) {
      const inverse = orThrow(await inverted(classWiseInverse(), backend, operator, 0.3)());
      const [M, K] = [inverse, alone].map((op) => materialise(ops, blockAt(op, 'a'), [2, 3]));
      expect(scaledError(M.data, K.data)).toBeLessThan(1e-12);
    }
    const empty = orThrow(await inverted(classWiseInverse(), backend, operatorOf(nothing, nothing), 4)());
    const I = ops.addDiagonal(ops.full([6, 6], 0), 0.25);
    expect(scaledError(materialise(ops, blockAt(empty, 'a'), [2, 3]).data, I.data)).toBeLessThan(1e-14);
  });

  it('raises the damping where needed, and names the block', async () => {
    const bad = kroneckerOf(tensor([-1e9], [1, 1]), tensor([1], [1, 1]));
    const operator = blockDiagonal({ head: sumOf([bad, bad]) });
    expect(await inverted(classWiseInverse(), backend, operator, 1)()).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'NotPositiveDefinite', where: 'head', damping: 1e6 },
    });
  });

  it.each([
    ['an operator', damped(blockDiagonal({ a: dense(spd(1, 2)) }), 1), 'operator'],
    ['a block', blockDiagonal({ a: dampedBlock(dense(spd(1, 2)), 1) }), 'a'],
    ['a sum', blockDiagonal({ a: sumOf([dense(spd(1, 2)), dense(spd(2, 2))]) }), 'a'],
  ])('refuses %s of another kind', async (_, operator, path) => {
    expect(await inverted(classWiseInverse(), backend, operator, 1)()).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'BadConfig', path },
    });
  });
});

describe('the class-wise solver', () => {
  it('law: one class is K-FAC, bit for bit', async () => {
    const data = { ...batch, targets: labels(Array.from({ length: 12 }, () => 0)) };
    const ours = await solved(1, {}, data);
    const theirs = await run(kfac(), preconditioned(kroneckerInverse), data);
    expect(ours.direction).toEqual(theirs.direction);
  });

  it('law: two classes that share statistics are K-FAC, however frequent they are', async () => {
    const data = {
      inputs: ops.concat([batch.inputs, batch.inputs, batch.inputs], 0),
      targets: labels(Array.from({ length: 36 }, (_, i) => (i < 12 ? 1 : 0))),
    };
    const ours = await solved(2, {}, data);
    const theirs = await run(kfac(), preconditioned(kroneckerInverse), data);
    for (const [path, d] of Object.entries(theirs.direction)) {
      expect(scaledError(ours.direction[path].data, d.data)).toBeLessThan(1e-8);
    }
    expect(ours.metrics['cgIterations']).toBeUndefined();
  });

  it.each([
    ['three classes', 3, 'auto', batch],
    ['two classes, method cg', 2, 'cg', two],
  ] as const)(
    'law: %s: conjugate gradients solve Σ_c π_c A_c ⊗ G_c + λ I (f64, 1e-8)',
    async (_, classes, method, data) => {
      const result = await solved(classes, { method, tolerance: 1e-12, maxIterations: 200 }, data);
      for (const path of ['0', '2']) {
        const expected = weightOf(await exactDirection(result, path, 0.1));
        expect(scaledError(result.direction[`${path}.weight`].data, expected.data)).toBeLessThan(1e-8);
      }
      expect(result.metrics['cgResidual']).toBeLessThanOrEqual(1e-12);
      expect(result.metrics).toMatchObject({ damping: 0.1, inverseAge: 0 });
    },
  );

  it('law: where classes share statistics the nearest product is exact, and one iteration is enough', async () => {
    // Factored damping differs from λ I by terms of √λ = 1e-8. Squared error has H = I, so no factor is singular; the exact estimator does not look at the one-hot targets.
    const regression = { model: mlp([3, 4, 3]), loss: squaredError };
    const data = {
      inputs: ops.concat([batch.inputs, batch.inputs, batch.inputs], 0),
      targets: ops.oneHot(labels(Array.from({ length: 36 }, (_, i) => Math.floor(i / 12))), 3),
    };
    const iterations = async (prepared: LinearOperator<Tensor> | null): Promise<number> => {
      const step = pipeline(
        withObjective(regression),
        forward,
        backward,
        capture(exact()),
        updateFactors(classKfac({ classes: 3 })),
        damp(1e-16),
        solve(classWise({ every: 2, tolerance: 1e-6, maxIterations: 100 })),
      );
      const start = stateOf(regression.model, 4);
      const { metrics } = await runStage(step, { ...start, step: 1, solver: { ...start.solver, prepared } }, data);
      return Number(metrics['cgIterations']);
    };
    expect(await iterations(null)).toBe(1);
    // A prepared identity is no preconditioner at all.
    const identity = { '0': diagonal(ops.full([4, 4], 1)), '2': diagonal(ops.full([3, 5], 1)) };
    expect(await iterations(blockDiagonal(identity))).toBeGreaterThan(4);
  });

  it('method nearest: the direction is that of the nearest products, and nothing iterates', async () => {
    const result = await solved(3, { method: 'nearest' });
    const operator = blockDiagonal(
      Object.fromEntries(
        ['0', '2'].map((name) => {
          const block = blockAt(result.operator, name);
          const found = block._tag === 'sum' ? block.operators.map(matricesOf) : [];
          return [name, nearestOf(found)];
        }),
      ),
    );
    expect(result.state.solver.prepared).toEqual(orThrow(await inverted(kroneckerInverse, backend, operator, 0.1)()));
    expect(result.metrics['cgIterations']).toBeUndefined();
  });

  it.each([
    ['damping', { damping: 1 }],
    ['method', { method: 'nearest' }],
    ['tolerance', { tolerance: 0.5 }],
    ['maxIterations', { maxIterations: 1 }],
  ] as const)('option: %s changes the direction', async (_, option) => {
    const [plain, changed] = [await solved(3), await solved(3, option)];
    expect(scaledError(changed.direction['0.weight'].data, plain.direction['0.weight'].data)).toBeGreaterThan(1e-7);
  });

  it('option every: the preconditioner is kept, the operator is not', async () => {
    const step = stepOf(classKfac({ classes: 3 }), classWise({ every: 3 }));
    const first = await runStage(step, stateOf(objective.model, 4), batch);
    const later = await runStage(step, { ...first.state, step: 1 }, { ...batch, inputs: gaussian(7, [12, 3]) });
    expect(later.state.solver.prepared).toBe(first.state.solver.prepared);
    expect(later.metrics['inverseAge']).toBe(1);
    expect(later.operator).not.toEqual(first.operator);
    expect(later.metrics['cgResidual']).toBeLessThanOrEqual(1e-4);
  });

  it('refuses a method that does not exist', () => {
    expect(optimizerOf('class-kfac', { classes: 3, method: 'guess' })).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'BadConfig', path: 'class-kfac.method', actual: '"guess"' },
    });
  });
});

describe('preset class-kfac', () => {
  const stepWith = (optimizer: Optimizer) => pipeline(withObjective(objective), optimizer.step);

  const steps = async (optimizer: Optimizer, count = 3): Promise<TrainState<Tensor>> => {
    let state = stateOf(objective.model, 3);
    for (let i = 0; i < count; i += 1) state = (await runStage(stepWith(optimizer), state, batch)).next;
    return state;
  };

  it.each([
    ['classes', { classes: 4, method: 'nearest' }, { classes: 3, sites: '2', method: 'nearest' }],
    ['sites', { sites: '0, 2' }, { sites: '2' }],
    ['method', {}, { method: 'nearest' }],
    ['tolerance', {}, { tolerance: 0.5 }],
    ['maxIterations', {}, { maxIterations: 1 }],
  ] as const)('option: %s changes the trajectory', async (_, one, other) => {
    const base: { damping: number; classes: number; method?: ClassWiseMethod } = { damping: 0.1, classes: 3 };
    const [plain, changed] = [
      await steps(classPreset({ ...base, ...one })),
      await steps(classPreset({ ...base, ...other })),
    ];
    const gaps = Object.keys(plain.params).map((p) => scaledError(plain.params[p].data, changed.params[p].data));
    expect(Math.max(...gaps)).toBeGreaterThan(1e-9);
  });

  it('law: resume = uninterrupted, through a copy of the state', async () => {
    const optimizer = classPreset({ damping: 0.1, classes: 3, inverseEvery: 2 });
    const half = structuredClone(await steps(optimizer, 2));
    expect((await runStage(stepWith(optimizer), half, batch)).next).toEqual(await steps(optimizer, 3));
  });
});
