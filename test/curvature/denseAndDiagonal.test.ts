import { programOf } from '../support/programOf.ts';
import { gaussNewtonProduct } from '../../src/core/autodiff/products.ts';
import { sigmoidCrossEntropy } from '../../src/core/nn/losses/sigmoidCrossEntropy.ts';
import { squaredError } from '../../src/core/nn/losses/squaredError.ts';
import { materialise } from '../../src/core/operators/materialise.ts';
import type { BlockOperator } from '../../src/core/operators/blockOperator.ts';
import { backward, forward } from '../../src/core/pipeline/forward.ts';
import { pipeline } from '../../src/core/pipeline/stage.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { tensor } from '../../src/core/tensor.ts';
import { blocksOf } from '../../src/core/pipeline/blocks.ts';
import { fromBlocks, toBlocks } from '../../src/curvature/blocks.ts';
import { capture } from '../../src/curvature/capture.ts';
import type { Curvature } from '../../src/curvature/curvature.ts';
import { updateFactors } from '../../src/curvature/curvature.ts';
import { dense, fisherStatistics } from '../../src/curvature/dense.ts';
import { diagonal, diagonalStatistics } from '../../src/curvature/diagonal.ts';
import { exact } from '../../src/curvature/estimators.ts';
import { scaledError } from '../support/closeness.ts';
import { gaussian, mlp, referenceEnv, runStage, stateOf, tryStage } from '../support/training.ts';
import { withObjective } from '../../src/core/pipeline/withObjective.ts';

const { ops } = referenceEnv().backend;
const objective = { model: mlp([3, 2, 2]), loss: sigmoidCrossEntropy };
const batch = { inputs: gaussian(1, [6, 3]), targets: tensor([1, 0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 1], [6, 2]) };
const state = stateOf(objective.model, 4);

const stepOf = (curvature: Curvature) =>
  pipeline(withObjective(objective), forward, backward, capture(exact()), updateFactors(curvature));

const blocksWith = async (curvature: Curvature): Promise<Readonly<Record<string, BlockOperator<Tensor>>>> => {
  const { operator } = await runStage(stepOf(curvature), state, batch);
  if (operator._tag !== 'blockDiagonal') throw new Error('expected blocks');
  return operator.blocks;
};

const shapes = { '0': [2, 4], '2': [2, 3] } as const;

describe('dense curvature', () => {
  it('law: it is the Gauss–Newton block of each site, F v = Jᵀ H J v on the block', async () => {
    const operators = await blocksWith(dense());
    const { sites } = await runStage(stepOf(dense()), state, batch);
    for (const block of blocksOf(sites, Object.keys(state.params))) {
      const v = gaussian(9, block.name === '0' ? shapes['0'] : shapes['2']);
      const zeros = Object.fromEntries(Object.entries(state.params).map(([path, p]) => [path, ops.full(p.shape, 0)]));
      const image = gaussNewtonProduct(
        ops,
        programOf(objective.model),
        (outputs, u) => objective.loss.hessianProduct(ops, outputs, u),
        state.params,
        { ...zeros, ...fromBlocks(ops, [block], { [block.name]: v }) },
        [batch.inputs],
      );
      const expected = ops.scale(1 / 6, toBlocks(ops, [block], image)[block.name]);
      const matrix = materialise(ops, operators[block.name], v.shape);
      const actual = ops.matmul(matrix, ops.reshape(ops.transposed(v), [v.data.length, 1]));
      const column = ops.reshape(ops.transposed(expected), [v.data.length, 1]);
      expect(scaledError(actual.data, column.data)).toBeLessThan(1e-12);
    }
  });

  it('worked example: one example with ā = (2, 1) and g = (3), F = vec(V) vec(V)ᵀ with V = (6, 3)', () => {
    const seen = {
      site: { kind: 'dense', path: 'l', weight: 'w', bias: 'b' } as const,
      input: tensor([2], [1, 1]),
      cotangents: [tensor([3], [1, 1])],
    };
    expect(Array.from(fisherStatistics(ops, seen, 2).sums['F'].data)).toEqual([36, 18, 18, 9]);
    expect(Array.from(diagonalStatistics(ops, seen).sums['second'].data)).toEqual([36, 9]);
  });

  it('option: a block above the limit is an error that names it', async () => {
    expect(await tryStage(stepOf(dense({ limit: 7 })), state, batch)).toMatchObject({
      _tag: 'Left',
      left: { _tag: 'BadConfig', path: '0', actual: '8 parameters' },
    });
    expect(await tryStage(stepOf(dense({ limit: 8 })), state, batch)).toMatchObject({ _tag: 'Right' });
  });
});

describe('diagonal curvature', () => {
  it('law: it is the diagonal of the dense curvature', async () => {
    const [full, thin] = [await blocksWith(dense()), await blocksWith(diagonal())];
    for (const name of ['0', '2'] as const) {
      const matrix = materialise(ops, full[name], shapes[name]);
      const n = matrix.shape[0];
      const block = thin[name];
      if (block._tag !== 'diagonal') throw new Error('expected a diagonal');
      const expected = Array.from({ length: n }, (_, i) => matrix.data[i * n + i]);
      expect(scaledError(ops.transposed(block.values).data, expected)).toBeLessThan(1e-14);
    }
  });
});

describe.each([
  ['dense', dense, 'dense'],
  ['diagonal', diagonal, 'diagonal'],
])('%s curvature', (name, make, described) => {
  const linear = { model: mlp([3, 2]), loss: squaredError };
  const seen = { inputs: gaussian(1, [6, 3]), targets: gaussian(2, [6, 2]) };

  it('options: decay and strict are kept, and the report names the curvature', () => {
    expect(make({ decay: 0.5, strict: true })).toMatchObject({ name, decay: 0.5, strict: true });
    expect(make()).toMatchObject({ decay: 0.95, strict: false });
    expect(
      make().describe({ kind: 'site', name: '0', site: { kind: 'dense', path: '0', weight: 'w', bias: null } }),
    ).toBe(described);
    expect(make().describe({ kind: 'parameter', name: 'scale' })).toBe('diagonal');
  });

  it('option: decay changes the second average', async () => {
    const second = async (decay: number) => {
      const step = pipeline(withObjective(linear), forward, backward, capture(exact()), updateFactors(make({ decay })));
      const first = await runStage(step, stateOf(linear.model, 1), seen);
      const other = { ...seen, inputs: gaussian(5, [6, 3]) };
      return Object.values((await runStage(step, first.state, other)).state.curvature.averages['0'])[0];
    };
    expect(scaledError((await second(0)).data, (await second(0.9)).data)).toBeGreaterThan(1e-3);
  });
});
