/** A table that is looked up and makes the logits: one block with two uses. */
import { vjp } from '../../src/core/autodiff/reverse.ts';
import { dense as denseLayer } from '../../src/core/nn/layers/dense.ts';
import { activation } from '../../src/core/nn/layers/activation.ts';
import { embedding } from '../../src/core/nn/layers/embedding.ts';
import { meanPool } from '../../src/core/nn/layers/meanPool.ts';
import { sequential } from '../../src/core/nn/layers/sequential.ts';
import { tiedProjection } from '../../src/core/nn/layers/tiedProjection.ts';
import { squareRootColumns } from '../../src/core/nn/losses/columns.ts';
import { softmaxCrossEntropy } from '../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { model } from '../../src/core/nn/model.ts';
import { materialise } from '../../src/core/operators/materialise.ts';
import { mapParams } from '../../src/core/params.ts';
import type { Batch } from '../../src/core/pipeline/context.ts';
import { backward, forward } from '../../src/core/pipeline/forward.ts';
import { pipeline } from '../../src/core/pipeline/stage.ts';
import { takeStep } from '../../src/core/pipeline/takeStep.ts';
import { placeState, readState } from '../../src/core/pipeline/transfer.ts';
import type { TrainState } from '../../src/core/pipeline/trainState.ts';
import { learn, withObjective } from '../../src/core/pipeline/withObjective.ts';
import type { Backend } from '../../src/core/backends/backend.ts';
import type { Shaped, Tensor } from '../../src/core/tensor.ts';
import { capture } from '../../src/curvature/capture.ts';
import { coverage } from '../../src/curvature/coverage.ts';
import type { Curvature } from '../../src/curvature/curvature.ts';
import { updateFactors } from '../../src/curvature/curvature.ts';
import { dense } from '../../src/curvature/dense.ts';
import { diagonal } from '../../src/curvature/diagonal.ts';
import { exact } from '../../src/curvature/estimators.ts';
import { kfac } from '../../src/curvature/kfac.ts';
import { optimizerOf } from '../../src/solvers/presets/registry.ts';
import { scaledError } from '../support/closeness.ts';
import { onEveryBackend } from '../support/everyBackend.ts';
import { programOf } from '../support/programOf.ts';
import { examplesOf, indices } from '../support/sequences.ts';
import { orThrow, referenceEnv, runStage, stateOf } from '../support/training.ts';

const { ops } = referenceEnv().backend;

const [vocabulary, features] = [5, 3];

/** A word from the two before it; logits at one position, or at each. */
const network = (pooled: boolean) =>
  model(
    'tied',
    [2],
    sequential({
      words: embedding({ vocabulary, out: features, tied: true }),
      mix: denseLayer({ in: features, out: features }),
      tanh: activation('tanh'),
      ...(pooled ? { pool: meanPool() } : {}),
      head: tiedProjection({ table: 'words', vocabulary }),
    }),
  );

const pooled = { model: network(true), loss: softmaxCrossEntropy };
const everywhere = { model: network(false), loss: softmaxCrossEntropy };
const inputs = indices(1, [6, 2], vocabulary);
const batchOf = (objective: typeof pooled): Batch<Tensor> => ({
  inputs,
  targets: indices(2, objective === pooled ? [6] : [6, 2], vocabulary),
});
const n = 6;

const curved = async (objective: typeof pooled, curvature: Curvature, batch = batchOf(objective)) => {
  const step = pipeline(withObjective(objective), forward, backward, capture(exact()), updateFactors(curvature));
  const { operator, state } = await runStage(step, stateOf(objective.model, 3), batch);
  if (!('blocks' in operator)) throw new Error('expected blocks');
  return { block: operator.blocks['words'], averages: state.curvature.averages['words'] };
};

/** Rows vec(V)ᵀ of Wᵀ for every example and column of the root of its loss's Hessian, from the reverse mode alone. */
const truth = (objective: typeof pooled): Tensor => {
  const { params } = stateOf(objective.model, 3);
  const rows = Array.from({ length: n }, (_, i) => {
    const { outputs, pullback } = vjp(ops, programOf(objective.model), params, [examplesOf(ops, inputs, i, 1)]);
    return squareRootColumns(ops, objective.loss, outputs).map((column) =>
      ops.reshape(pullback(column).params['words.weight'], [1, vocabulary * features]),
    );
  }).flat();
  return ops.scale(1 / n, ops.gram(ops.concat(rows, 0)));
};

describe.each([
  ['logits at one position', pooled],
  ['logits at every position', everywhere],
] as const)('%s', (_, objective) => {
  it('law: the dense curvature is the Fisher of both uses, products of one with the other included', async () => {
    const { block } = await curved(objective, dense());
    const found = materialise(ops, block, [features, vocabulary]);
    expect(scaledError(found.data, truth(objective).data)).toBeLessThan(1e-13);
  });

  it('law: the diagonal curvature is its diagonal', async () => {
    const { block } = await curved(objective, diagonal());
    const matrix = truth(objective);
    const order = matrix.shape[0];
    const expected = Array.from({ length: order }, (__, i) => matrix.data[i * order + i]);
    if (block._tag !== 'diagonal') throw new Error('expected a diagonal');
    expect(scaledError(ops.transposed(block.values).data, expected)).toBeLessThan(1e-13);
  });

  it('law: the block of K-FAC is one product, nearer to the sum of both than either is, and than the merged one', async () => {
    const { block, averages } = await curved(objective, kfac());
    const { a, G, g, H } = averages;
    if (block._tag !== 'kronecker') throw new Error('expected a product');
    expect([block.A._tag, block.G._tag]).toEqual(['diagonal', 'dense']);
    const product = (A: Tensor, of: Tensor): Tensor =>
      ops.reshape(ops.mul(ops.reshape(A, [vocabulary, 1]), ops.reshape(of, [1, features ** 2])), [
        vocabulary * features ** 2,
      ]);
    const both = ops.add(product(a, G), product(g, H));
    const found = product(materialiseDiagonal(block.A), materialise(ops, block.G, [features]));
    const away = (x: Tensor): number => ops.dot(ops.sub(x, both), ops.sub(x, both)).data[0];
    const merged = ops.scale(0.5, product(ops.add(a, g), ops.add(G, H)));
    for (const other of [product(a, G), product(g, H), merged]) expect(away(found)).toBeLessThan(away(other));
  });
});

const materialiseDiagonal = (factor: Parameters<typeof materialise<Tensor>>[1]): Tensor => {
  const matrix = materialise(ops, factor, [vocabulary]);
  return {
    shape: [vocabulary],
    dtype: 'f64',
    data: Float64Array.from({ length: vocabulary }, (_, i) => matrix.data[i * (vocabulary + 1)]),
  };
};

it('law: averages of halves of a batch add up', async () => {
  const batch = batchOf(everywhere);
  const half = (begin: number): Batch<Tensor> => mapParams(batch, (x) => examplesOf(ops, x, begin, 3));
  const [whole, first, second] = [
    await curved(everywhere, kfac()),
    await curved(everywhere, kfac(), half(0)),
    await curved(everywhere, kfac(), half(3)),
  ];
  expect(Object.keys(whole.averages)).toEqual(['a', 'G', 'g', 'H']);
  for (const [name, x] of Object.entries(whole.averages)) {
    const mean = ops.scale(0.5, ops.add(first.averages[name], second.averages[name]));
    expect(scaledError(x.data, mean.data)).toBeLessThan(1e-14);
  }
});

it('the coverage report has one block for the table', () => {
  expect(
    orThrow(coverage(pooled.model, kfac())).map(({ parameter, site, curvature }) => [parameter, site, curvature]),
  ).toEqual([
    ['words.weight', 'words', 'diag A ⊗ G of both uses'],
    ['mix.weight', 'mix', 'A ⊗ G'],
    ['mix.bias', 'mix', 'A ⊗ G'],
  ]);
});

it('refuses a table that the model does not have', () => {
  const lost = model('lost', [2, 3], tiedProjection({ table: 'word', vocabulary }));
  expect(() =>
    lost.program(ops, { 'words.weight': ops.full([5, 3], 1) }, { arrays: { inputs }, key: null, running: {} }),
  ).toThrow('expected a parameter word.weight, got words.weight');
});

onEveryBackend((name, use) => {
  it.each(['kfac', 'ekfac', 'block-kfac', 'adam'])(
    `law: two steps of %s on ${name} are those of the reference`,
    (optimizer) =>
      use(async (backend) => {
        // Of equal eigenvalues 32 bits do not say which basis is theirs, and EKFAC's moments depend on it.
        if (optimizer === 'ekfac' && backend.dtype === 'f32') return;
        const given = optimizer === 'adam' ? {} : { estimator: 'empirical' };
        const learning = learn(everywhere, orThrow(optimizerOf(optimizer, given)).step);
        const trained = async <S extends Shaped>(on: Backend<S>): Promise<TrainState<Tensor>> => {
          let state = placeState(on.ops, stateOf(everywhere.model, 3));
          for (let i = 0; i < 2; i += 1) {
            state = orThrow(
              await takeStep({ backend: on, clock: () => 0 }, learning, state, batchOf(everywhere))(),
            ).state;
          }
          return orThrow(await readState(on, state)());
        };
        const [found, expected] = [await trained(backend), await trained(referenceEnv().backend)];
        for (const [path, x] of Object.entries(expected.params)) {
          expect(scaledError(found.params[path].data, x.data)).toBeLessThan(backend.dtype === 'f32' ? 2e-3 : 1e-9);
        }
      }),
  );
});
