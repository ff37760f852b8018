import { programOf } from '../support/programOf.ts';
import fc from 'fast-check';

import { gaussNewtonProduct } from '../../src/core/autodiff/products.ts';
import { squaredError } from '../../src/core/nn/losses/squaredError.ts';
import { sigmoidCrossEntropy } from '../../src/core/nn/losses/sigmoidCrossEntropy.ts';
import { softmaxCrossEntropy } from '../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { materialise } from '../../src/core/operators/materialise.ts';
import type { Objective } from '../../src/core/pipeline/objective.ts';
import { backward, forward } from '../../src/core/pipeline/forward.ts';
import { pipeline } from '../../src/core/pipeline/stage.ts';
import type { TrainState } from '../../src/core/pipeline/trainState.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { generate, sizeOf, tensor } from '../../src/core/tensor.ts';
import type { Block } from '../../src/core/pipeline/blocks.ts';
import { blocksOf } from '../../src/core/pipeline/blocks.ts';
import { fromBlocks, toBlocks } from '../../src/curvature/blocks.ts';
import { capture } from '../../src/curvature/capture.ts';
import { updateFactors } from '../../src/curvature/curvature.ts';
import type { Estimator } from '../../src/curvature/estimators.ts';
import { empirical, exact, monteCarlo } from '../../src/curvature/estimators.ts';
import { kfac } from '../../src/curvature/kfac.ts';
import { scaledError } from '../support/closeness.ts';
import { gaussian, mlp, referenceEnv, runStage, stateOf } from '../support/training.ts';
import { withObjective } from '../../src/core/pipeline/withObjective.ts';

const env = referenceEnv();
const { ops } = env.backend;

const curvatureOf = async (
  objective: Objective,
  state: TrainState<Tensor>,
  batch: { readonly inputs: Tensor; readonly targets: Tensor },
  estimator: Estimator,
) =>
  runStage(
    pipeline(withObjective(objective), forward, backward, capture(estimator), updateFactors(kfac())),
    state,
    batch,
  );

/** The block of the mean Gauss–Newton matrix that belongs to a site, by products with basis vectors. */
const gaussNewtonBlock = (objective: Objective, state: TrainState<Tensor>, inputs: Tensor, block: Block): Tensor => {
  const blocks = [block];
  const like = toBlocks(ops, blocks, state.params)[block.name];
  const columns = Array.from({ length: sizeOf(like.shape) }, (_, j) => {
    const transposedBasis = generate([like.shape[1], like.shape[0]], (i) => (i === j ? 1 : 0));
    const v = fromBlocks(ops, blocks, { [block.name]: ops.transposed(transposedBasis) });
    const full = Object.fromEntries(
      Object.entries(state.params).map(([path, p]) => [path, v[path] ?? ops.full(p.shape, 0)]),
    );
    const image = gaussNewtonProduct(
      ops,
      programOf(objective.model),
      (outputs, u) => objective.loss.hessianProduct(ops, outputs, u),
      state.params,
      full,
      [inputs],
    );
    const column = toBlocks(ops, blocks, image)[block.name];
    return ops.scale(1 / inputs.shape[0], ops.reshape(ops.transposed(column), [sizeOf(like.shape), 1]));
  });
  return ops.concat(columns, 1);
};

const siteBlocks = (
  state: TrainState<Tensor>,
  sites: ReadonlyArray<{ readonly site: Parameters<typeof blocksOf>[0][number]['site'] }>,
) => blocksOf(sites, Object.keys(state.params)).filter((block) => block.kind === 'site');

describe('K-FAC against the Gauss–Newton matrix', () => {
  it.each([true, false])(
    'law: deep linear network, squared error: A ⊗ G is the Gauss–Newton block (bias: %s)',
    async (bias) => {
      const objective = { model: mlp([3, 2, 4, 2], 'identity', bias), loss: squaredError };
      const state = stateOf(objective.model, 5);
      const batch = { inputs: gaussian(1, [7, 3]), targets: gaussian(2, [7, 2]) };
      const { operator, sites } = await curvatureOf(objective, state, batch, exact());
      if (operator._tag !== 'blockDiagonal') throw new Error('expected blocks');
      for (const block of siteBlocks(state, sites)) {
        const shape = toBlocks(ops, [block], state.params)[block.name].shape;
        const kroneckerBlock = materialise(ops, operator.blocks[block.name], shape);
        const expected = gaussNewtonBlock(objective, state, batch.inputs, block);
        expect(scaledError(kroneckerBlock.data, expected.data)).toBeLessThan(1e-9);
      }
    },
  );

  it.each([
    ['softmax', softmaxCrossEntropy, tensor([1], [1], 'i32')],
    ['sigmoid', sigmoidCrossEntropy, tensor([1, 0, 1], [1, 3])],
    ['squared', squaredError, tensor([1, 0, 1], [1, 3])],
  ] as const)('law: one example: A ⊗ G is the Fisher block (%s)', async (_, loss, targets) => {
    const objective = { model: mlp([3, 4, 3]), loss };
    const state = stateOf(objective.model, 6);
    const inputs = gaussian(3, [1, 3]);
    const { operator, sites } = await curvatureOf(objective, state, { inputs, targets }, exact());
    if (operator._tag !== 'blockDiagonal') throw new Error('expected blocks');
    // The output layer's Jacobian has one g per output, so A ⊗ Σ g gᵀ = Σ (A ⊗ g gᵀ) with A = ā āᵀ of one example.
    for (const block of siteBlocks(state, sites)) {
      const shape = toBlocks(ops, [block], state.params)[block.name].shape;
      const expected = gaussNewtonBlock(objective, state, inputs, block);
      expect(scaledError(materialise(ops, operator.blocks[block.name], shape).data, expected.data)).toBeLessThan(1e-12);
    }
  });

  it('law: monteCarlo tends to exact: every entry of G within 5 standard errors over 400 keys', async () => {
    const objective = { model: mlp([3, 4, 3]), loss: softmaxCrossEntropy };
    const state = stateOf(objective.model, 8);
    const batch = { inputs: gaussian(4, [6, 3]), targets: tensor([0, 1, 2, 0, 1, 2], [6], 'i32') };
    const reference = await curvatureOf(objective, state, batch, exact());
    const expected = reference.state.curvature.averages['0']['G'].data;
    const draws = await Promise.all(
      Array.from({ length: 400 }, async (_, i) => {
        const keyed = { ...state, key: { hi: 1, lo: i } };
        const { state: after } = await curvatureOf(objective, keyed, batch, monteCarlo());
        return after.curvature.averages['0']['G'].data;
      }),
    );
    for (let i = 0; i < expected.length; i += 1) {
      const mean = draws.reduce((sum, d) => sum + d[i], 0) / draws.length;
      const variance = draws.reduce((sum, d) => sum + (d[i] - mean) ** 2, 0) / (draws.length - 1);
      expect(Math.abs(mean - expected[i])).toBeLessThan(5 * Math.sqrt(variance / draws.length));
    }
  });

  it('option: the number of samples changes the draw but not the scale', async () => {
    const objective = { model: mlp([3, 4, 2]), loss: squaredError };
    const state = stateOf(objective.model, 8);
    const batch = { inputs: gaussian(4, [200, 3]), targets: gaussian(5, [200, 2]) };
    const traceOfG = async (estimator: Estimator): Promise<number> => {
      const { state: after } = await curvatureOf(objective, state, batch, estimator);
      return ops.trace(after.curvature.averages['0']['G']).data[0];
    };
    const reference = await traceOfG(exact());
    const one = await traceOfG(monteCarlo());
    const eight = await traceOfG(monteCarlo({ samples: 8 }));
    expect(one).not.toBe(eight);
    // 200 · 8 draws of a sum of squares: a relative standard error of about √(2 / 1600) = 3.5 %.
    expect(Math.abs(eight / reference - 1)).toBeLessThan(5 * 0.035);
  });

  it('empirical: G is the second moment of the training cotangents', async () => {
    const objective = { model: mlp([3, 2]), loss: squaredError };
    const state = stateOf(objective.model, 8);
    const batch = { inputs: gaussian(4, [6, 3]), targets: gaussian(5, [6, 2]) };
    const { state: after, outputs } = await curvatureOf(objective, state, batch, empirical());
    const residual = ops.sub(outputs, batch.targets);
    const expected = ops.scale(1 / 6, ops.matmul(residual, residual, { transposeA: true }));
    expect(scaledError(after.curvature.averages['0']['G'].data, expected.data)).toBeLessThan(1e-14);
  });
});

describe('factors', () => {
  const objective = { model: mlp([3, 4, 2]), loss: squaredError };

  it('law: symmetric and positive semidefinite', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1000), fc.integer({ min: 1, max: 6 }), async (seed, n) => {
        const batch = { inputs: gaussian(seed, [n, 3]), targets: gaussian(seed + 1, [n, 2]) };
        const { state } = await curvatureOf(objective, stateOf(objective.model, seed), batch, monteCarlo());
        for (const averages of Object.values(state.curvature.averages)) {
          for (const factor of Object.values(averages)) {
            expect(ops.transposed(factor).data).toEqual(factor.data);
            const v = gaussian(seed + 2, [factor.shape[0], 1]);
            expect(ops.dot(v, ops.matmul(factor, v)).data[0]).toBeGreaterThanOrEqual(-1e-12);
          }
        }
      }),
      { numRuns: 25 },
    );
  });
});
