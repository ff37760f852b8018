/**
 * Equilibration: what shares a unit has a mean curvature of 1, damping is that of Levenberg and Marquardt whatever solves,
 * and steps do not depend on the units that a problem is stated in.
 */
import fc from 'fast-check';
import * as TE from 'fp-ts/lib/TaskEither.js';

import { shapeInterpreter } from '../../src/core/autodiff/shape.ts';
import type { Backend } from '../../src/core/backends/backend.ts';
import type { KfacError } from '../../src/core/errors.ts';
import { attempt } from '../../src/core/errors.ts';
import type { Loss } from '../../src/core/nn/losses/loss.ts';
import { softmaxCrossEntropy } from '../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { squaredError } from '../../src/core/nn/losses/squaredError.ts';
import { kronecker } from '../../src/core/operators/blockOperator.ts';
import { sumOf } from '../../src/core/operators/composite.ts';
import { dense as denseFactor } from '../../src/core/operators/factors/factor.ts';
import type { LinearOperator } from '../../src/core/operators/linearOperator.ts';
import { blockDiagonal, damped } from '../../src/core/operators/linearOperator.ts';
import { materialiseBlocks } from '../../src/core/operators/materialise.ts';
import { stack, unstack } from '../../src/core/operators/vec.ts';
import { innerProduct } from '../../src/core/ops/innerProduct.ts';
import type { Ops } from '../../src/core/ops/ops.ts';
import type { Params } from '../../src/core/params.ts';
import { mapParams } from '../../src/core/params.ts';
import type { BlockInUnits } from '../../src/core/pipeline/blocks.ts';
import { blocksOf } from '../../src/core/pipeline/blocks.ts';
import type { Batch } from '../../src/core/pipeline/context.ts';
import { backward, forward } from '../../src/core/pipeline/forward.ts';
import type { Objective } from '../../src/core/pipeline/objective.ts';
import { pipeline } from '../../src/core/pipeline/stage.ts';
import type { TrainState } from '../../src/core/pipeline/trainState.ts';
import { initialState } from '../../src/core/pipeline/trainState.ts';
import { withObjective } from '../../src/core/pipeline/withObjective.ts';
import { keyOf } from '../../src/core/random/key.ts';
import type { Shape, Shaped, Tensor } from '../../src/core/tensor.ts';
import { generate } from '../../src/core/tensor.ts';
import { changeToBlocks, fromBlocks, toBlocks } from '../../src/curvature/blocks.ts';
import { blockKfac } from '../../src/curvature/blockKfac.ts';
import { capture } from '../../src/curvature/capture.ts';
import { classKfac } from '../../src/curvature/classKfac.ts';
import type { Curvature } from '../../src/curvature/curvature.ts';
import { updateFactors } from '../../src/curvature/curvature.ts';
import { dense } from '../../src/curvature/dense.ts';
import { diagonal } from '../../src/curvature/diagonal.ts';
import type { EquilibrateOptions, Equilibration } from '../../src/curvature/equilibrate.ts';
import { equilibrate } from '../../src/curvature/equilibrate.ts';
import { exact } from '../../src/curvature/estimators.ts';
import { kfac } from '../../src/curvature/kfac.ts';
import { tridiagonalKfac } from '../../src/curvature/tridiagonalKfac.ts';
import { autoInverse } from '../../src/solvers/inverses/autoInverse.ts';
import { batchWoodbury } from '../../src/solvers/inverses/batchWoodbury.ts';
import { choleskySolve } from '../../src/solvers/inverses/choleskySolve.ts';
import { denseInverse } from '../../src/solvers/inverses/denseInverse.ts';
import { eigen } from '../../src/solvers/inverses/eigen.ts';
import { ekfac } from '../../src/solvers/inverses/ekfac.ts';
import { kroneckerInverse } from '../../src/solvers/inverses/kroneckerInverse.ts';
import { lowRankInverse } from '../../src/solvers/inverses/lowRankInverse.ts';
import { newtonSchulz } from '../../src/solvers/inverses/newtonSchulz.ts';
import { tridiagonalInverse } from '../../src/solvers/inverses/tridiagonalInverse.ts';
import { classWise } from '../../src/solvers/iterative/classWise.ts';
import { hssSolver } from '../../src/solvers/iterative/hssSolver.ts';
import { iterative } from '../../src/solvers/iterative/iterative.ts';
import { kfacCg } from '../../src/solvers/iterative/kfacCg.ts';
import { damp } from '../../src/solvers/solver/damp.ts';
import { preconditioned } from '../../src/solvers/solver/preconditioned.ts';
import type { Solver } from '../../src/solvers/solver/solver.ts';
import { solve } from '../../src/solvers/solver/solver.ts';
import { scaledError } from '../support/closeness.ts';
import { multiplied } from '../../src/core/nn/losses/multiplied.ts';
import { gaussian, mlp, orThrow, referenceEnv, runStage, stateOf, tryStage } from '../support/training.ts';
import type { UndampedOfBatch } from '../support/withDamping.ts';

const { backend } = referenceEnv();
const { ops, linearAlgebra } = backend;

const objective: Objective = { model: mlp([3, 4, 2]), loss: squaredError };
const state = stateOf(objective.model, 4);
const batch = { inputs: gaussian(1, [9, 3]), targets: gaussian(2, [9, 2]) };
const shapes: Params<Shape> = { '0': [4, 4], '2': [2, 5] };
const names = Object.keys(shapes);

const labelled: Objective = { model: mlp([3, 4, 3]), loss: softmaxCrossEntropy };
const labels = { inputs: batch.inputs, targets: generate([9], (i) => i % 3, 'i32') };

const rules = ['whole', 'block', 'column'] as const;

const statistics = (curvature: Curvature, of: Objective = objective) =>
  pipeline(withObjective(of), forward, backward, capture(exact()), updateFactors(curvature));

const inUnits = (curvature: Curvature, options: EquilibrateOptions, of: Objective = objective) =>
  pipeline(statistics(curvature, of), equilibrate(options));

const curvatures: ReadonlyArray<readonly [string, Curvature]> = [
  ['kfac', kfac()],
  ['blockKfac', blockKfac({ blocks: { inputs: { count: 2 }, outputs: { count: 2 } } })],
  ['tridiagonalKfac', tridiagonalKfac()],
  ['dense', dense()],
  ['diagonal', diagonal()],
];

/** Elements of a block's diagonal, `[out, in]`. */
const diagonalsOf = (operator: LinearOperator<Tensor>): Params<Tensor> => {
  const M = materialiseBlocks(ops, operator, shapes);
  const n = M.shape[0];
  return unstack(
    ops,
    generate([n, 1], (i) => M.data[i * n + i]),
    shapes,
  );
};

const meanOf = (x: Tensor): number =>
  ops.mean(
    x,
    x.shape.map((_, axis) => axis),
  ).data[0];

describe.each(curvatures)('the units of %s', (_, curvature) => {
  it('law: with one for all parameters the mean of the diagonal is 1', async () => {
    const { operator } = await runStage(inUnits(curvature, { by: 'whole' }), state, batch);
    const all = stack(ops, diagonalsOf(operator), names);
    expect(meanOf(all)).toBeCloseTo(1, 12);
  });

  it('law: by block the mean of the diagonal is 1 over weights, and over biases', async () => {
    const { operator } = await runStage(inUnits(curvature, { by: 'block' }), state, batch);
    for (const x of Object.values(diagonalsOf(operator))) {
      const [out, n] = x.shape;
      expect(meanOf(ops.slice(x, [0, 0], [out, n - 1]))).toBeCloseTo(1, 12);
      expect(meanOf(ops.slice(x, [0, n - 1], [out, 1]))).toBeCloseTo(1, 12);
    }
  });

  it('law: by column the mean of the diagonal is 1 in each', async () => {
    const { operator } = await runStage(inUnits(curvature, { by: 'column' }), state, batch);
    for (const x of Object.values(diagonalsOf(operator))) {
      const means = ops.mean(x, [0]).data;
      expect(
        scaledError(
          means,
          Array.from(means, () => 1),
        ),
      ).toBeLessThan(1e-12);
    }
  });

  it('law: without any, operator, blocks and state are what they were', async () => {
    const [plain, none] = [
      await runStage(statistics(curvature), state, batch),
      await runStage(inUnits(curvature, { by: 'none' }), state, batch),
    ];
    expect(none.operator).toEqual(plain.operator);
    expect(none.blocks).toEqual(plain.blocks);
    expect(none.state).toEqual(plain.state);
  });
});

/** (F + λ D⁻²)⁻¹ g by dense algebra, with F and g as they are without units and D from the units found. */
const oracle = async (
  F: LinearOperator<Tensor>,
  blocks: ReadonlyArray<BlockInUnits<Tensor>>,
  gradient: Params<Tensor>,
  lambda: number,
): Promise<Params<Tensor>> => {
  const plain = blocks.map((block): BlockInUnits<Tensor> => ({ ...block, units: ops.full([], 1) }));
  const weight = mapParams(Object.fromEntries(blocks.map((block) => [block.name, block])), ({ name, units }) =>
    ops.mul(ops.full(shapes[name], 1), ops.div(ops.full([], lambda), ops.square(units ?? ops.full([], 1)))),
  );
  const penalty = materialiseBlocks(
    ops,
    (on: typeof ops, v: Params<Tensor>) => mapParams(v, (x, name) => on.mul(weight[name], x)),
    shapes,
  );
  const matrix = ops.add(materialiseBlocks(ops, F, shapes), penalty);
  const b = stack(ops, toBlocks(ops, plain, gradient), names);
  const x = orThrow(await linearAlgebra.solve(matrix, b)());
  return fromBlocks(ops, plain, unstack(ops, x, shapes));
};

type AnySolver = Solver<UndampedOfBatch | 'damping'>;

const tight = { tolerance: 1e-12, maxIterations: 400, warmStart: 0 };

const gapBetween = (x: Params<Tensor>, y: Params<Tensor>): number =>
  Math.max(...Object.keys(y).map((path) => scaledError(x[path].data, y[path].data)));

/** Solvers that solve with curvature + λ I, whatever the curvature. */
const exactly: ReadonlyArray<readonly [string, Curvature, AnySolver]> = [
  ['kfac, denseInverse', kfac(), preconditioned(denseInverse())],
  ['blockKfac, denseInverse', curvatures[1][1], preconditioned(denseInverse())],
  ['dense, denseInverse', dense(), preconditioned(denseInverse())],
  ['kfac, eigen', kfac(), preconditioned(eigen)],
  ['blockKfac, eigen', curvatures[1][1], preconditioned(eigen)],
  ['diagonal, eigen', diagonal(), preconditioned(eigen)],
  ['dense, eigen', dense(), preconditioned(eigen)],
  ['diagonal, kroneckerInverse', diagonal(), preconditioned(kroneckerInverse)],
  ['dense, kroneckerInverse', dense(), preconditioned(kroneckerInverse)],
  ['kfac, cg', kfac(), iterative('cg', tight)],
  ['kfac, cg, preconditioned', kfac(), iterative('cg', { ...tight, preconditioner: kroneckerInverse })],
  ['kfac, minres', kfac(), iterative('minres', tight)],
  ['kfac, gmres', kfac(), iterative('gmres', tight)],
  ['kfac, bicgstab', kfac(), iterative('bicgstab', tight)],
  ['kfac, hss', kfac(), hssSolver({ ...tight, alpha: 0.5, preconditioner: null })],
  ['tridiagonalKfac, minres', tridiagonalKfac(), iterative('minres', tight)],
  [
    'tridiagonalKfac, minres, preconditioned',
    tridiagonalKfac(),
    iterative('minres', { ...tight, preconditioner: autoInverse }),
  ],
];

/** What a direction is taken at. */
interface Given {
  readonly of: Objective;
  readonly from: TrainState<Tensor>;
  readonly data: Batch<Tensor>;
  readonly lambda: number;
}

const directionOf = async (
  curvature: Curvature,
  solver: AnySolver,
  options: EquilibrateOptions,
  { of = objective, from = state, data = batch, lambda = 0.3 }: Partial<Given> = {},
): Promise<Params<Tensor>> =>
  (await runStage(pipeline(inUnits(curvature, options, of), damp(lambda), solve(solver)), from, data)).direction;

describe.each(exactly)('%s', (_, curvature, solver) => {
  it.each(rules)('law: by %s it is (F + λ D⁻²)⁻¹ ∇, by dense algebra', async (by) => {
    const { operator, gradient } = await runStage(statistics(curvature), state, batch);
    const { blocks } = await runStage(inUnits(curvature, { by }), state, batch);
    for (const lambda of [0.3, 3]) {
      const expected = await oracle(operator, blocks, gradient, lambda);
      const found = await directionOf(curvature, solver, { by }, { lambda });
      expect(gapBetween(found, expected)).toBeLessThan(1e-8);
    }
  });
});

/** Solvers with an approximation of their own: factored damping, other moments, the batch's own curvature. */
const nearly: ReadonlyArray<readonly [string, Curvature, AnySolver, Objective, Batch<Tensor>]> = [
  ['kroneckerInverse', kfac(), preconditioned(kroneckerInverse), objective, batch],
  ['choleskySolve', kfac(), preconditioned(choleskySolve), objective, batch],
  ['newtonSchulz', kfac(), preconditioned(newtonSchulz()), objective, batch],
  ['lowRankInverse', kfac(), preconditioned(lowRankInverse({ rank: 3, oversampling: 1 })), objective, batch],
  ['ekfac', kfac(), preconditioned(ekfac()), objective, batch],
  ['suitableInverse', kfac(), preconditioned(autoInverse), objective, batch],
  ['tridiagonalInverse', tridiagonalKfac(), preconditioned(tridiagonalInverse), objective, batch],
  ['classWise', classKfac({ classes: 3 }), classWise(), labelled, labels],
  [
    'classWise, two classes',
    classKfac({ classes: 2 }),
    classWise(),
    { ...labelled, model: mlp([3, 4, 2]) },
    {
      ...labels,
      targets: generate([9], (i) => i % 2, 'i32'),
    },
  ],
  ['kfacCg', kfac(), kfacCg({ ...tight, martens: null }), objective, batch],
];

describe.each(nearly)('%s', (_, curvature, solver, of, data) => {
  const from = stateOf(of.model, 4);

  it.each(rules)(
    'law: by %s a descent direction, the same each time, that is no other for a loss times c',
    async (by) => {
      const direction = await directionOf(curvature, solver, { by }, { of, from, data });
      const { gradient } = await runStage(statistics(curvature, of), from, data);
      const slope = innerProduct(ops, direction, gradient).data[0];
      expect(slope).toBeGreaterThan(0);
      expect(slope).toBeLessThan(Infinity);
      expect(await directionOf(curvature, solver, { by }, { of, from, data })).toEqual(direction);
      for (const c of [1e-3, 1e3]) {
        const other = { ...of, loss: multiplied(c, of.loss) };
        expect(
          gapBetween(await directionOf(curvature, solver, { by }, { of: other, from, data }), direction),
        ).toBeLessThan(1e-7);
      }
    },
  );
});

describe('units that a problem is stated in', () => {
  const by = (rule: Equilibration): EquilibrateOptions => ({ by: rule });
  const inverse = preconditioned(kroneckerInverse);

  it.each(rules)('law: by %s a step of K-FAC is the same whatever the loss is multiplied by', async (rule) => {
    const one = await directionOf(kfac(), inverse, by(rule));
    await fc.assert(
      fc.asyncProperty(fc.double({ min: -3, max: 3, noNaN: true }), async (exponent) => {
        const of = { ...objective, loss: multiplied(10 ** exponent, squaredError) };
        expect(gapBetween(await directionOf(kfac(), inverse, by(rule), { of }), one)).toBeLessThan(1e-10);
      }),
      { numRuns: 20 },
    );
  });

  it('without units it is not', async () => {
    const of = { ...objective, loss: multiplied(1e3, squaredError) };
    const [one, other] = [
      await directionOf(kfac(), inverse, by('none')),
      await directionOf(kfac(), inverse, by('none'), { of }),
    ];
    expect(gapBetween(other, one)).toBeGreaterThan(1e-2);
  });

  const times = (from: TrainState<Tensor>, path: string, c: number): TrainState<Tensor> => ({
    ...from,
    params: { ...from.params, [path]: ops.scale(c, from.params[path]) },
  });

  it.each(['block', 'column'] as const)(
    'law: by %s features times c, with first weights divided by it, change the step of those weights alone, to 1 / c',
    async (rule) => {
      const one = await directionOf(kfac(), inverse, by(rule));
      for (const c of [1e-3, 0.1, 20, 1e3]) {
        const data = { ...batch, inputs: ops.scale(c, batch.inputs) };
        const found = await directionOf(kfac(), inverse, by(rule), { from: times(state, '0.weight', 1 / c), data });
        const back = { ...found, '0.weight': ops.scale(c, found['0.weight']) };
        expect(gapBetween(back, one)).toBeLessThan(1e-10);
      }
    },
  );

  it('law: by column each feature has units of its own', async () => {
    const scales = ops.reshape(
      generate([3], (i) => 10 ** (i - 1)),
      [1, 3],
    );
    const one = await directionOf(kfac(), inverse, by('column'));
    const data = { ...batch, inputs: ops.mul(batch.inputs, scales) };
    const params = { ...state.params, '0.weight': ops.div(state.params['0.weight'], scales) };
    const found = await directionOf(kfac(), inverse, by('column'), { from: { ...state, params }, data });
    expect(gapBetween({ ...found, '0.weight': ops.mul(scales, found['0.weight']) }, one)).toBeLessThan(1e-10);
  });

  it.each(['block', 'column'] as const)(
    'law: by %s outputs and targets times c change the step of the last layer alone, to c times it',
    async (rule) => {
      const one = await directionOf(kfac(), inverse, by(rule));
      for (const c of [1e-3, 0.1, 20, 1e3]) {
        const data = { ...batch, targets: ops.scale(c, batch.targets) };
        const from = times(times(state, '2.weight', c), '2.bias', c);
        const found = await directionOf(kfac(), inverse, by(rule), { from, data });
        const back = mapParams(found, (x, path) => (path.startsWith('2') ? ops.scale(1 / c, x) : x));
        expect(gapBetween(back, one)).toBeLessThan(1e-10);
      }
    },
  );
});

describe('block vectors in units', () => {
  it.each(rules)(
    'law: by %s ⟨toBlocks x, y⟩ = ⟨x, fromBlocks y⟩, and changeToBlocks inverts fromBlocks',
    async (by) => {
      const { blocks, gradient } = await runStage(inUnits(kfac(), { by }), state, batch);
      fc.assert(
        fc.property(fc.nat(), (seed) => {
          const x = mapParams(gradient, ({ shape }) => gaussian(seed, shape));
          const y = mapParams(shapes, (shape) => gaussian(seed + 1, shape));
          const [left, right] = [
            innerProduct(ops, toBlocks(ops, blocks, x), y).data[0],
            innerProduct(ops, x, fromBlocks(ops, blocks, y)).data[0],
          ];
          expect(Math.abs(left - right)).toBeLessThan(1e-12 * (1 + Math.abs(left)));
          expect(gapBetween(changeToBlocks(ops, blocks, fromBlocks(ops, blocks, y)), y)).toBeLessThan(1e-14);
          expect(gapBetween(fromBlocks(ops, blocks, changeToBlocks(ops, blocks, x)), x)).toBeLessThan(1e-14);
        }),
      );
    },
  );
});

describe('equilibrate', () => {
  const unitsIn = (after: TrainState<Tensor>): Params<Tensor> | undefined => after.solver.slots['units'];
  const another = { inputs: gaussian(11, [9, 3]), targets: gaussian(12, [9, 2]) };

  it('option: units follow the curvature every so many steps, and are kept in the state between', async () => {
    const step = inUnits(kfac({ decay: 0 }), { every: 3 });
    const first = (await runStage(step, state, batch)).state;
    const kept = await runStage(step, { ...first, step: 1 }, another);
    expect(unitsIn(kept.state)).toEqual(unitsIn(first));
    expect(kept.blocks.map(({ units }) => units)).toEqual(Object.values(unitsIn(first) ?? {}));
    const due = await runStage(step, { ...kept.state, step: 3 }, another);
    expect(gapBetween(unitsIn(due.state) ?? {}, unitsIn(first) ?? {})).toBeGreaterThan(1e-3);
    const fresh = await runStage(step, { ...state, step: 1 }, another);
    expect(unitsIn(fresh.state)).toEqual(unitsIn(due.state));
  });

  it.each(rules)(
    'law: by %s an old inverse is right in new units where the curvature only changed in size',
    async (by) => {
      const at = (c: number) =>
        pipeline(
          inUnits(kfac({ decay: 0 }), { by }, { ...objective, loss: multiplied(c, squaredError) }),
          damp(0.3),
          solve(preconditioned(kroneckerInverse, { every: 4 })),
        );
      const first = await runStage(at(1), state, batch);
      const second = await runStage(at(100), { ...first.state, step: 1 }, batch);
      expect(second.state.solver.prepared).toBe(first.state.solver.prepared);
      expect(gapBetween(second.direction, first.direction)).toBeLessThan(1e-12);
    },
  );

  it('law: whatever the order of a factor, no interpreter is given an integer that 32 bits do not hold', async () => {
    const given: Array<number> = [];
    const shapesOnly = shapeInterpreter().ops;
    const strict: Ops<Shaped> = {
      ...shapesOnly,
      constant: (value) => {
        given.push(Math.max(...Array.from(value.data)));
        return shapesOnly.constant(value);
      },
    };
    const none = (): TE.TaskEither<KfacError, never> => TE.left({ _tag: 'NonFinite', where: '', what: '', advice: '' });
    const onShapes: Backend<Shaped> = {
      name: 'shapes',
      dtype: 'f32',
      ops: strict,
      linearAlgebra: { cholesky: none, choleskySolve: none, inverse: none, solve: none, eigh: none },
      read: none,
      scope: () => ({ backend: onShapes, close: () => undefined }),
      report: () => ({ backend: 'shapes', library: '', threads: 1, factorisations: '', warnings: [] }),
      dispose: TE.right(undefined),
    };
    for (const n of [10, 4096, 4097, 50_000]) {
      const gradient: Params<Shaped> = { weight: { shape: [3, n] } };
      const [A, G] = [n, 3].map((order) => denseFactor<Shaped>({ shape: [order, order] }));
      const context = {
        state: initialState(gradient, keyOf(1)),
        blocks: blocksOf([{ site: { kind: 'dense', path: '', weight: 'weight', bias: null } as const }], ['weight']),
        gradient,
        operator: blockDiagonal({ '': kronecker(A, G) }),
      };
      orThrow(await equilibrate({ by: 'column' }).run<Shaped>(context)({ backend: onShapes, clock: () => 0 })());
    }
    expect(given).toHaveLength(2); // of smaller factors, where diagonals are gathered
    expect(Math.max(...given)).toBeLessThan(2 ** 24);
  });

  it('units that lack a block, which was held fixed when they were made, are made anew', async () => {
    const step = inUnits(kfac(), { every: 5 });
    const first = (await runStage(step, state, batch)).state;
    const whole = unitsIn(first) ?? {};
    const slots = { ...first.solver.slots, units: { '0': whole['0'] } };
    const found = await runStage(step, { ...first, step: 1, solver: { ...first.solver, slots } }, batch);
    expect(Object.keys(unitsIn(found.state) ?? {})).toEqual(names);
  });

  it.each(rules)('by %s features that are zero, and units that are dead, leave steps finite', async (by) => {
    const nothing = { ...batch, inputs: ops.full([9, 3], 0) };
    const column = {
      ...batch,
      inputs: ops.mul(
        batch.inputs,
        generate([1, 3], (i) => (i === 1 ? 0 : 1)),
      ),
    };
    const dead = { ...state, params: { ...state.params, '2.weight': ops.full([2, 4], 0) } };
    for (const solver of [kroneckerInverse, eigen, ekfac(), denseInverse()]) {
      for (const [from, data] of [
        [state, nothing],
        [state, column],
        [dead, batch],
      ] as const) {
        const direction = await directionOf(kfac(), preconditioned(solver), { by }, { from, data });
        const square = innerProduct(ops, direction, direction).data[0];
        expect(Number.isFinite(square)).toBe(true);
        expect(square).toBeGreaterThan(0);
      }
    }
  });

  it.each(rules)('by %s a curvature of nothing but zeros leaves steps finite', async (by) => {
    const flat: Loss = { ...squaredError, squareRoot: (on, outputs) => () => on.full(outputs.shape, 0) };
    const direction = await directionOf(
      kfac(),
      preconditioned(kroneckerInverse),
      { by },
      { of: { ...objective, loss: flat } },
    );
    expect(Number.isFinite(innerProduct(ops, direction, direction).data[0])).toBe(true);
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses a period of %d', (every) => {
    expect(attempt(() => equilibrate({ every }))).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'BadConfig', path: 'equilibrate.every' },
    });
  });

  it('is refused by an inverse that is made of the captured batch, which has no units', async () => {
    const step = pipeline(inUnits(kfac(), {}), damp(0.1), solve(batchWoodbury()));
    expect(await tryStage(step, state, batch)).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'BadConfig', path: 'equilibrate' },
    });
  });

  it('refuses what is no curvature in blocks', async () => {
    const given = await runStage(statistics(kfac()), state, batch);
    for (const operator of [damped(given.operator, 0.1), sumOf([given.operator, given.operator])]) {
      const found = await equilibrate().run<Tensor>({ ...given, operator })(referenceEnv())();
      expect(found).toMatchObject({ _tag: 'Left', left: { _tag: 'BadConfig', path: 'equilibrate' } });
    }
  });
});
