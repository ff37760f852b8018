/**
 * Solvers and curvatures that put others together: worked examples, and what only they do.
 */
import { squaredError } from '../../src/core/nn/losses/squaredError.ts';
import { apply } from '../../src/core/operators/apply.ts';
import { applyOn } from '../../src/core/operators/applyOn.ts';
import { materialiseBlocks } from '../../src/core/operators/materialise.ts';
import type { BlockOperator } from '../../src/core/operators/blockOperator.ts';
import { kronecker, kroneckerOf } from '../../src/core/operators/blockOperator.ts';
import { dense, diagonal } from '../../src/core/operators/factors/factor.ts';
import { scaled, sumOf } from '../../src/core/operators/composite.ts';
import { blockDiagonal } from '../../src/core/operators/linearOperator.ts';
import { backward, forward } from '../../src/core/pipeline/forward.ts';
import { pipeline } from '../../src/core/pipeline/stage.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { tensor } from '../../src/core/tensor.ts';
import { bySite } from '../../src/curvature/bySite.ts';
import { capture } from '../../src/curvature/capture.ts';
import { classKfac } from '../../src/curvature/classKfac.ts';
import { coverage } from '../../src/curvature/coverage.ts';
import type { Curvature } from '../../src/curvature/curvature.ts';
import { updateFactors } from '../../src/curvature/curvature.ts';
import { diagonal as diagonalCurvature } from '../../src/curvature/diagonal.ts';
import { exact } from '../../src/curvature/estimators.ts';
import { kfac } from '../../src/curvature/kfac.ts';
import { tridiagonalKfac } from '../../src/curvature/tridiagonalKfac.ts';
import { hssSolver } from '../../src/solvers/iterative/hssSolver.ts';
import { iterative } from '../../src/solvers/iterative/iterative.ts';
import type { Solver } from '../../src/solvers/solver/solver.ts';
import { solve } from '../../src/solvers/solver/solver.ts';
import { scaledError } from '../support/closeness.ts';
import { gaussian, mlp, orThrow, referenceEnv, runStage, stateOf, tryStage } from '../support/training.ts';
import { withObjective } from '../../src/core/pipeline/withObjective.ts';
import type { Undamped } from '../support/withDamping.ts';
import { withDamping } from '../support/withDamping.ts';
import { kroneckerInverse } from '../../src/solvers/inverses/kroneckerInverse.ts';
import { choleskySolve } from '../../src/solvers/inverses/choleskySolve.ts';
import { autoInverse } from '../../src/solvers/inverses/autoInverse.ts';
import { twoTermSolve } from '../../src/solvers/inverses/twoTermSolve.ts';
import { preconditioned } from '../../src/solvers/solver/preconditioned.ts';
import { inverted } from '../support/inverses.ts';

const { backend } = referenceEnv();
const { ops } = backend;

const objective = { model: mlp([3, 4, 4, 2]), loss: squaredError };
const state = stateOf(objective.model, 4);
const batch = { inputs: gaussian(1, [9, 3]), targets: ops.softmax(gaussian(2, [9, 2])) };

const stepOf = (curvature: Curvature, solver: Solver<Undamped>) =>
  pipeline(withObjective(objective), forward, backward, capture(exact()), updateFactors(curvature), solve(solver));

describe('choleskySolve', () => {
  it('worked example: one of each block, 12 / (3 · 4), (2, 4) / 2 / (1, 2), 6 / 3 and 8 / (3 + 1)', async () => {
    const one = (x: number): Tensor => tensor([x], [1, 1]);
    const undamped = blockDiagonal<Tensor>({ k: kroneckerOf(one(3), one(4)) });
    const factors = orThrow(await inverted(choleskySolve, backend, undamped, 0)());
    expect(orThrow(await applyOn(backend, factors, { k: one(12) })())['k'].data[0]).toBeCloseTo(1, 14);
    const others = blockDiagonal<Tensor>({ f: dense(one(2)), d: diagonal(tensor([3], [1])) });
    const solved = orThrow(
      await applyOn(backend, orThrow(await inverted(choleskySolve, backend, others, 1)()), {
        f: one(6),
        d: tensor([8], [1]),
      })(),
    );
    expect([solved['f'].data[0], solved['d'].data[0]].map((x) => Math.round(x * 1e12) / 1e12)).toEqual([2, 2]);
    const embedding = blockDiagonal<Tensor>({ e: kronecker(diagonal(tensor([1, 2], [2])), dense(one(2))) });
    const rows = orThrow(
      await applyOn(backend, orThrow(await inverted(choleskySolve, backend, embedding, 0)()), {
        e: tensor([2, 8], [1, 2]),
      })(),
    );
    expect(scaledError(rows['e'].data, [1, 2])).toBeLessThan(1e-14);
  });

  it('law: the direction of kroneckerInverse, between refreshes too', async () => {
    const [a, b] = [choleskySolve, kroneckerInverse].map((inverse) =>
      stepOf(kfac(), withDamping(0.1, preconditioned(inverse, { every: 2 }))),
    );
    const other = { ...batch, inputs: gaussian(7, [9, 3]) };
    const [first, second] = [await runStage(a, state, batch), await runStage(b, state, batch)];
    const [later, expected] = [
      await runStage(a, { ...first.state, step: 1 }, other),
      await runStage(b, { ...second.state, step: 1 }, other),
    ];
    for (const [path, d] of Object.entries(expected.direction)) {
      expect(scaledError(later.direction[path].data, d.data)).toBeLessThan(1e-10);
    }
    expect(later.metrics).toMatchObject({ inverseAge: 1 });
  });
});

describe('suitableInverse', () => {
  it('law: of operators on different blocks it is the inverse of each, also scaled and damped', async () => {
    const spd = (seed: number, n: number): Tensor => ops.addDiagonal(ops.gram(gaussian(seed, [n + 2, n])), 0.1);
    const shapes = { a: [2, 3], b: [4] };
    const parts: ReadonlyArray<Readonly<Record<string, BlockOperator<Tensor>>>> = [
      { a: dense(spd(1, 6)) },
      { b: diagonal(ops.square(gaussian(2, [4]))) },
    ];
    const operator = scaled(2, sumOf(parts.map((blocks) => blockDiagonal(blocks))));
    const inverse = orThrow(await inverted(autoInverse, backend, operator.operator, 0.3)());
    const M = ops.addDiagonal(materialiseBlocks(ops, operator.operator, shapes), 0.3);
    const product = ops.matmul(M, materialiseBlocks(ops, inverse, shapes));
    expect(scaledError(product.data, ops.addDiagonal(ops.full([10, 10], 0), 1).data)).toBeLessThan(1e-10);
    const half = orThrow(await inverted(autoInverse, backend, scaled(2, blockDiagonal(parts[1])), 0.3)());
    const v = { b: ops.full([4], 1) };
    const again = apply(ops, scaled(2, blockDiagonal(parts[1])), apply(ops, half, v));
    const back = ops.add(again['b'], ops.scale(0.3, apply(ops, half, v)['b']));
    expect(scaledError(back.data, v.b.data)).toBeLessThan(1e-12);
  });
});

describe('bySite', () => {
  const chained = bySite([{ sites: ['4'], curvature: classKfac({ classes: 2 }) }], tridiagonalKfac());

  it('law: each part says of its sites what it says alone', async () => {
    const [joined, chain, classes] = await Promise.all(
      [chained, tridiagonalKfac(), classKfac({ classes: 2 })].map((curvature) =>
        runStage(stepOf(curvature, withDamping(0.1, preconditioned(autoInverse))), state, batch),
      ),
    );
    const averages = joined.state.curvature.averages;
    expect(averages['4']).toEqual(classes.state.curvature.averages['4']);
    expect(averages['0']).toEqual(chain.state.curvature.averages['0']);
    expect(averages['0→2']).toEqual(chain.state.curvature.averages['0→2']);
    expect(Object.keys(averages).sort()).toEqual(['0', '0→2', '2', '4']);
    expect(joined.operator._tag).toBe('sum');
    expect(chained.name).toBe('bySite(classKfac, tridiagonalKfac)');
  });

  it('law: parts that are block-diagonal give a block-diagonal operator, that of the whole', async () => {
    const split = bySite([{ sites: ['2'], curvature: kfac() }], kfac());
    const [a, b] = [split, kfac()].map((curvature) =>
      stepOf(curvature, withDamping(0.1, preconditioned(kroneckerInverse))),
    );
    const [joined, whole] = [await runStage(a, state, batch), await runStage(b, state, batch)];
    expect(joined.direction).toEqual(whole.direction);
  });

  it('law: conjugate gradients solve with it, whatever its preconditioner', async () => {
    const options = { tolerance: 1e-11, maxIterations: 400 };
    const [plain, preconditioned] = [
      await runStage(stepOf(chained, withDamping(1e-3, iterative('cg', options))), state, batch),
      await runStage(
        stepOf(chained, withDamping(1e-3, iterative('cg', { ...options, preconditioner: autoInverse }))),
        state,
        batch,
      ),
    ];
    for (const [path, d] of Object.entries(plain.direction)) {
      expect(scaledError(preconditioned.direction[path].data, d.data)).toBeLessThan(1e-8);
    }
    expect(Number(preconditioned.metrics['solveIterations'])).toBeLessThan(Number(plain.metrics['solveIterations']));
  });

  it('law: a part knows of neighbours within the part only, in its statistics and in the coverage report', () => {
    const wordsOf = (sites: ReadonlyArray<string>): ReadonlyArray<string> =>
      orThrow(coverage(objective.model, bySite([{ sites, curvature: kfac() }], tridiagonalKfac())))
        .filter(({ parameter }) => parameter.endsWith('weight'))
        .map(({ curvature }) => curvature);
    const [alone, linked] = ['A ⊗ G', 'A ⊗ G, with neighbours'];
    expect(wordsOf(['2', '4'])).toEqual([alone, alone, alone]);
    expect(wordsOf(['4'])).toEqual([linked, linked, alone]);
  });

  it('describes each block by its own curvature, and refuses unknown sites and sites in two parts', async () => {
    const site = { kind: 'dense', path: '4', weight: '4.weight', bias: null } as const;
    expect(chained.describe({ kind: 'site', name: '4', site })).toBe('Σ π_c A_c ⊗ G_c');
    expect(chained.describe({ kind: 'site', name: '0', site })).toBe('A ⊗ G, with neighbours');
    for (const sites of [['9'], ['0', '0']]) {
      const step = stepOf(
        bySite([{ sites, curvature: diagonalCurvature() }], kfac()),
        withDamping(1, preconditioned(autoInverse)),
      );
      expect(await tryStage(step, state, batch)).toMatchObject({ _tag: 'Left', left: { path: 'bySite' } });
    }
  });
});

describe('twoTerm and hss as solvers', () => {
  it('two classes: the direct solve is the iterated one where damping is small', async () => {
    const curvature = classKfac({ classes: 2 });
    const direct = await runStage(stepOf(curvature, withDamping(1e-6, preconditioned(twoTermSolve))), state, batch);
    const iterated = await runStage(stepOf(curvature, withDamping(1e-6, preconditioned(autoInverse))), state, batch);
    expect(direct.direction).toEqual(iterated.direction);
    expect(direct.metrics).toMatchObject({ inverseAge: 0 });
  });

  it('option: α changes the number of iterations, not the answer', async () => {
    const solved = await Promise.all(
      [0.5, 4].map((alpha) =>
        runStage(stepOf(kfac(), withDamping(1, hssSolver({ alpha, tolerance: 1e-10 }))), state, batch),
      ),
    );
    expect(solved[0].metrics['solveIterations']).not.toBe(solved[1].metrics['solveIterations']);
    for (const [path, d] of Object.entries(solved[0].direction)) {
      expect(scaledError(solved[1].direction[path].data, d.data)).toBeLessThan(1e-8);
    }
  });
});
