import { squaredError } from '../../src/core/nn/losses/squaredError.ts';
import { applyBlock } from '../../src/core/operators/apply.ts';
import { materialise } from '../../src/core/operators/materialise.ts';
import { costOf } from '../../src/core/operators/cost.ts';
import { kronecker, kroneckerOf } from '../../src/core/operators/blockOperator.ts';
import { dense, directSumOf } from '../../src/core/operators/factors/factor.ts';
import { blockDiagonal } from '../../src/core/operators/linearOperator.ts';
import { backward, forward } from '../../src/core/pipeline/forward.ts';
import { pipeline } from '../../src/core/pipeline/stage.ts';
import type { TrainState } from '../../src/core/pipeline/trainState.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import type { BlockKfacOptions } from '../../src/curvature/blockKfac.ts';
import { blockKfac, partitionedStatistics } from '../../src/curvature/blockKfac.ts';
import { capture } from '../../src/curvature/capture.ts';
import type { Curvature } from '../../src/curvature/curvature.ts';
import { updateFactors } from '../../src/curvature/curvature.ts';
import { exact } from '../../src/curvature/estimators.ts';
import { kfac } from '../../src/curvature/kfac.ts';
import { denseStatistics } from '../../src/curvature/sites/dense.ts';
import { blockKfac as blockKfacPreset } from '../../src/solvers/presets/blockKfac.ts';
import { kfac as kfacPreset } from '../../src/solvers/presets/kfac.ts';
import type { Optimizer } from '../../src/solvers/presets/optimizer.ts';
import { solve } from '../../src/solvers/solver/solver.ts';
import { factoredTikhonov } from '../../src/solvers/inverses/factors/factoredTikhonov.ts';
import { scaledError } from '../support/closeness.ts';
import { factoredDamping, meanEigenvalue, partMatrices } from '../support/factors.ts';
import { gaussian, mlp, orThrow, referenceEnv, runStage, stateOf, tryStage } from '../support/training.ts';
import { withObjective } from '../../src/core/pipeline/withObjective.ts';
import { damp } from '../../src/solvers/solver/damp.ts';
import { kroneckerInverse } from '../../src/solvers/inverses/kroneckerInverse.ts';
import { preconditioned } from '../../src/solvers/solver/preconditioned.ts';
import { inverted } from '../support/inverses.ts';

const env = referenceEnv();
const { ops } = env.backend;
const objective = { model: mlp([5, 4, 3]), loss: squaredError };
const batch = { inputs: gaussian(1, [9, 5]), targets: gaussian(2, [9, 3]) };

const stepOf = (curvature: Curvature) =>
  pipeline(
    withObjective(objective),
    forward,
    backward,
    capture(exact()),
    updateFactors(curvature),
    damp(0.2),
    solve(preconditioned(kroneckerInverse)),
  );

const run = (blocks: BlockKfacOptions['blocks']) =>
  runStage(stepOf(blockKfac({ blocks })), stateOf(objective.model, 4), batch);

const blockAt = (operator: Awaited<ReturnType<typeof run>>['operator'], name: string) => {
  if (operator._tag !== 'blockDiagonal') throw new Error('expected blocks');
  return operator.blocks[name];
};

describe('Block K-FAC', () => {
  it('law: one part is K-FAC, in operator and direction', async () => {
    const whole = await runStage(stepOf(kfac()), stateOf(objective.model, 4), batch);
    const one = await run({ inputs: { count: 1 }, outputs: { size: 100 } });
    const [actual, expected] = [one, whole].map(({ operator }) => materialise(ops, blockAt(operator, '0'), [4, 6]));
    expect(actual).toEqual(expected);
    expect(one.direction).toEqual(whole.direction);
  });

  it('law: parts of one are diag(A) ⊗ diag(G)', async () => {
    const whole = await runStage(stepOf(kfac()), stateOf(objective.model, 4), batch);
    const ones = await run({ inputs: { size: 1 }, outputs: { count: 4 } });
    const { A, G } = whole.state.curvature.averages['0'];
    const I = (n: number): Tensor => ops.addDiagonal(ops.full([n, n], 0), 1);
    const expected = kroneckerOf(ops.mul(A, I(6)), ops.mul(G, I(4)));
    const matrix = materialise(ops, blockAt(ones.operator, '0'), [4, 6]);
    expect(scaledError(matrix.data, materialise(ops, expected, [4, 6]).data)).toBeLessThan(1e-14);
  });

  it('law: each part is the part of the full factor, and the full factor is not kept', () => {
    const seen = {
      site: { kind: 'dense', path: 'l', weight: 'l.weight', bias: 'l.bias' } as const,
      input: gaussian(1, [9, 5]),
      cotangents: [gaussian(2, [9, 4]), gaussian(3, [9, 4])],
    };
    const parts = partitionedStatistics(ops, seen, { inputs: { count: 3 }, outputs: { size: 3 } }).sums;
    const { A, G } = denseStatistics(ops, seen).sums;
    const part = (m: Tensor, begin: number, size: number): Tensor => ops.slice(m, [begin, begin], [size, size]);
    expect(Object.keys(parts)).toEqual(['A:0', 'A:1', 'A:2', 'G:0', 'G:1']);
    for (const [name, expected] of [
      ['A:0', part(A, 0, 2)],
      ['A:1', part(A, 2, 2)],
      ['A:2', part(A, 4, 2)],
      ['G:0', part(G, 0, 3)],
      ['G:1', part(G, 3, 1)],
    ] as const) {
      expect(scaledError(parts[name].data, expected.data)).toBeLessThan(1e-14);
    }
  });

  it('law: b parts hold 1 / b of the numbers, in operator and in state', async () => {
    const numbersOf = (state: TrainState<Tensor>): number =>
      Object.values(state.curvature.averages['0']).reduce((sum, x) => sum + x.data.length, 0);
    const whole = await run({ inputs: { count: 1 }, outputs: { count: 1 } });
    const halves = await run({ inputs: { count: 2 }, outputs: { count: 2 } });
    const [full, half] = [whole, halves].map(({ operator }) => costOf(blockAt(operator, '0'), [4, 6]).numbers);
    expect(half * 2).toBe(full);
    expect(numbersOf(halves.state) * 2).toBe(numbersOf(whole.state));
  });

  it('law: residual, every pair of parts is solved with one π for the layer', async () => {
    const { operator } = await run({ inputs: { count: 2 }, outputs: { count: 3 } });
    const block = blockAt(operator, '0');
    if (block._tag !== 'kronecker') throw new Error('expected parts');
    const inverse = orThrow(await inverted(kroneckerInverse, env.backend, operator, 0.2)());
    const V = gaussian(9, [4, 6]);
    const solution = applyBlock(ops, blockAt(inverse, '0'), V);
    expect([partMatrices(block.A).length, partMatrices(block.G).length]).toEqual([2, 3]);
    const { ofA, ofG } = factoredTikhonov(0.2, meanEigenvalue(block.A), meanEigenvalue(block.G));
    const back = applyBlock(ops, factoredDamping(block, 0.2), solution);
    expect(scaledError(back.data, V.data)).toBeLessThan(1e-8);
    expect(ofA * ofG).toBeCloseTo(0.2, 12);
  });

  it('names a part that cannot be inverted by its block', async () => {
    const hopeless = ops.constant({ shape: [1, 1], dtype: 'f64', data: Float64Array.of(-1e9) });
    const one = ops.full([1, 1], 1);
    const operator = blockDiagonal({ head: kronecker(dense(hopeless), directSumOf([one, one])) });
    expect(await inverted(kroneckerInverse, env.backend, operator, 1)()).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'NotPositiveDefinite', where: 'head' },
    });
  });

  it.each([0, 1.5, -2])('refuses %d parts', async (count) => {
    const step = stepOf(blockKfac({ blocks: { inputs: { count }, outputs: { count: 1 } } }));
    expect(await tryStage(step, stateOf(objective.model, 4), batch)).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'BadConfig', path: 'blocks.inputs' },
    });
  });
});

describe('preset block-kfac', () => {
  const steps = async (optimizer: Optimizer): Promise<TrainState<Tensor>> => {
    let state = stateOf(objective.model, 3);
    for (let i = 0; i < 3; i += 1)
      state = (await runStage(pipeline(withObjective(objective), optimizer.step), state, batch)).next;
    return state;
  };
  const difference = (a: TrainState<Tensor>, b: TrainState<Tensor>): number =>
    Math.max(...Object.keys(a.params).map((path) => scaledError(a.params[path].data, b.params[path].data)));

  it('law: with one part it is the preset kfac', async () => {
    const one = await steps(blockKfacPreset({ damping: 0.1, inputBlocks: 1, outputBlocks: 1 }));
    expect(one.params).toEqual((await steps(kfacPreset({ damping: 0.1 }))).params);
  });

  it.each([
    ['inputBlocks', { inputBlocks: 3 }],
    ['outputBlocks', { outputBlocks: 3 }],
    ['blockSize', { blockSize: 1 }],
  ] as const)('option: %s changes the trajectory', async (_, option) => {
    const base = { damping: 0.1, inputBlocks: 2, outputBlocks: 2 };
    const [plain, changed] = [await steps(blockKfacPreset(base)), await steps(blockKfacPreset({ ...base, ...option }))];
    expect(difference(plain, changed)).toBeGreaterThan(1e-9);
  });
});
