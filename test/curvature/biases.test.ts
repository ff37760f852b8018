/** Biases in blocks of their own: other sites, of which no curvature knows. */
import { softmaxCrossEntropy } from '../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { materialise } from '../../src/core/operators/materialise.ts';
import type { Params } from '../../src/core/params.ts';
import type { Objective } from '../../src/core/pipeline/objective.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { generate } from '../../src/core/tensor.ts';
import type { Biases } from '../../src/curvature/sites/biases.ts';
import { coverage } from '../../src/curvature/coverage.ts';
import type { Curvature } from '../../src/curvature/curvature.ts';
import { dense } from '../../src/curvature/dense.ts';
import { exact } from '../../src/curvature/estimators.ts';
import { kfac } from '../../src/curvature/kfac.ts';
import { kfra } from '../../src/curvature/kfra.ts';
import { scaledError } from '../support/closeness.ts';
import { classifier, curved, imageClassifier, indices } from '../support/sequences.ts';
import { gaussian, mlp, orThrow, referenceEnv, runStage, stateOf, tryStage } from '../support/training.ts';

const { ops } = referenceEnv().backend;

interface Setting {
  readonly objective: Objective;
  readonly batch: Params<Tensor>;
}

const flat: Setting = {
  objective: { model: mlp([4, 3, 3]), loss: softmaxCrossEntropy },
  batch: { inputs: gaussian(1, [7, 4]), targets: indices(2, [7], 3) },
};
const words: Setting = {
  objective: { model: classifier(3), loss: softmaxCrossEntropy },
  batch: { inputs: indices(1, [9, 3]), targets: indices(2, [9], 3) },
};
const pictures: Setting = {
  objective: { model: imageClassifier(), loss: softmaxCrossEntropy },
  batch: { inputs: gaussian(1, [5, 4, 3, 2]), targets: indices(2, [5], 3) },
};

const run = ({ objective, batch }: Setting, curvature: Curvature, biases: Biases) =>
  runStage(curved(objective, curvature, exact(), { biases }), stateOf(objective.model, 3), batch);

/** The rows and columns of a matrix on column-stacked elements that belong to some columns of the block. */
const partOf = (m: Tensor, begin: number, size: number): Tensor => ops.slice(m, [begin, begin], [size, size]);

it('the weights of a dense layer have A without the homogeneous coordinate, and biases E[g gᵀ]', async () => {
  const [joint, separate] = [await run(flat, kfac(), 'joint'), await run(flat, kfac(), 'separate')];
  const [whole, found] = [joint, separate].map(({ state }) => state.curvature.averages);
  expect(Object.keys(found).sort()).toEqual(['0', '0.bias', '2', '2.bias']);
  for (const name of ['0', '2']) {
    const { A, G } = whole[name];
    expect(found[name]).toEqual({ A: partOf(A, 0, A.shape[0] - 1), G });
    expect(scaledError(found[`${name}.bias`]['F'].data, G.data)).toBeLessThan(1e-14);
  }
});

it.each([
  ['words', words],
  ['pictures', pictures],
  ['flat', flat],
])('law: the whole Fisher of weights and of biases are its parts on the diagonal: %s', async (_, setting) => {
  const [joint, separate] = [await run(setting, dense(), 'joint'), await run(setting, dense(), 'separate')];
  const { state } = joint;
  const matricesOf = ({ state: { curvature } }: typeof joint): Params<Tensor> =>
    Object.fromEntries(Object.entries(curvature.averages).map(([name, { F }]) => [name, F]));
  const [whole, found] = [matricesOf(joint), matricesOf(separate)];
  for (const name of Object.keys(found)) {
    if (!name.endsWith('.bias') || name in whole) continue;
    const site = name.slice(0, -'.bias'.length);
    const out = state.params[name].shape[0];
    // The bias is the last column of each of the block's parts, and of those elements in the other parts nothing is left.
    const columns = whole[site].shape[0] / out;
    const groups = site === 'groups' ? 2 : 1;
    const biasAt = Array.from({ length: out }, (_, row) => {
      const part = Math.floor((row * groups) / out);
      return (((part + 1) * columns) / groups - 1) * out + row;
    });
    const expected = generate([out, out], (i) => {
      const [a, b] = [biasAt[Math.floor(i / out)], biasAt[i % out]];
      return whole[site].data[a * whole[site].shape[1] + b];
    });
    expect(scaledError(found[name].data, expected.data)).toBeLessThan(1e-13);
    if (groups > 1) continue;
    const weights = partOf(whole[site], 0, whole[site].shape[0] - out);
    expect(scaledError(found[site].data, weights.data)).toBeLessThan(1e-13);
  }
});

it('KFRA keeps its chain, with biases beside it', async () => {
  const [joint, separate] = [await run(flat, kfra(), 'joint'), await run(flat, kfra(), 'separate')];
  const [whole, found] = [joint, separate].map(({ state }) => state.curvature.averages);
  expect(Object.keys(found).sort()).toEqual(['0', '0.bias', '2', '2.bias']);
  for (const name of ['0', '2']) {
    expect(found[name]['A'].shape).toEqual(whole[name]['A'].shape.map((order) => order - 1));
    expect(scaledError(found[name]['G'].data, whole[name]['G'].data)).toBeLessThan(1e-13);
  }
});

it('the coverage report says so, and where a block is too large to be full', () => {
  const rows = (maxFactor?: number) =>
    orThrow(coverage(flat.objective.model, kfac(maxFactor === undefined ? {} : { maxFactor }), { biases: 'separate' }));
  expect(rows().map(({ parameter, site, curvature }) => [parameter, site, curvature])).toEqual([
    ['0.weight', '0', 'A ⊗ G'],
    ['0.bias', '0.bias', 'full'],
    ['2.weight', '2', 'A ⊗ G'],
    ['2.bias', '2.bias', 'full'],
  ]);
  expect(rows(2).map(({ curvature }) => curvature)).toEqual([
    'diag A ⊗ diag G',
    'diagonal',
    'diag A ⊗ diag G',
    'diagonal',
  ]);
});

it('law: above the largest order gain, shift and bias are their diagonals', async () => {
  const [whole, bounded] = [await run(words, kfac(), 'separate'), await run(words, kfac({ maxFactor: 2 }), 'separate')];
  for (const name of ['norm', 'norm.bias', 'body.bias']) {
    const { F } = whole.state.curvature.averages[name];
    const { second } = bounded.state.curvature.averages[name];
    const n = F.shape[0];
    const diagonal = materialise(ops, { _tag: 'diagonal', values: second }, second.shape);
    const expected = generate([n, n], (i) => (i % (n + 1) === 0 ? F.data[i] : 0));
    expect(scaledError(diagonal.data, expected.data)).toBeLessThan(1e-14);
  }
});

it('a treatment that does not exist is refused by name', async () => {
  const biases = JSON.parse('"none"') as Biases;
  const { objective, batch } = flat;
  const outcome = await tryStage(curved(objective, kfac(), exact(), { biases }), stateOf(objective.model, 3), batch);
  expect(outcome).toMatchObject({
    left: { _tag: 'BadConfig', path: 'capture.biases', expected: 'one of joint, separate', actual: 'none' },
  });
});
