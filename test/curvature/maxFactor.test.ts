/** Factors above a size are diagonals, and the coverage report says which. */
import { softmaxCrossEntropy } from '../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { materialise } from '../../src/core/operators/materialise.ts';
import { backward, forward } from '../../src/core/pipeline/forward.ts';
import { pipeline } from '../../src/core/pipeline/stage.ts';
import { withObjective } from '../../src/core/pipeline/withObjective.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { generate } from '../../src/core/tensor.ts';
import { capture } from '../../src/curvature/capture.ts';
import { coverage } from '../../src/curvature/coverage.ts';
import type { Curvature } from '../../src/curvature/curvature.ts';
import { updateFactors } from '../../src/curvature/curvature.ts';
import { diagonal } from '../../src/curvature/diagonal.ts';
import { exact } from '../../src/curvature/estimators.ts';
import { kfac } from '../../src/curvature/kfac.ts';
import { tridiagonalKfac } from '../../src/curvature/tridiagonalKfac.ts';
import { ekfac } from '../../src/solvers/inverses/ekfac.ts';
import { damp } from '../../src/solvers/solver/damp.ts';
import { preconditioned } from '../../src/solvers/solver/preconditioned.ts';
import { solve } from '../../src/solvers/solver/solver.ts';
import { scaledError } from '../support/closeness.ts';
import { classifier, imageClassifier, indices } from '../support/sequences.ts';
import { gaussian, mlp, orThrow, referenceEnv, runStage, stateOf } from '../support/training.ts';

const { ops } = referenceEnv().backend;
const objective = { model: mlp([5, 4, 3]), loss: softmaxCrossEntropy };
const batch = { inputs: gaussian(1, [9, 5]), targets: generate([9], (i) => i % 3, 'i32') };

const blocksOf = async (curvature: Curvature, of = objective, on: Readonly<Record<string, Tensor>> = batch) => {
  const step = pipeline(withObjective(of), forward, backward, capture(exact()), updateFactors(curvature));
  const { operator } = await runStage(step, stateOf(of.model, 4), on);
  if (!('blocks' in operator)) throw new Error('expected blocks');
  return operator.blocks;
};

/** m with zeros beside its diagonal. */
const thinned = (m: Tensor): Tensor => ({
  ...m,
  data: Float64Array.from(m.data, (x, i) => (i % (m.shape[0] + 1) === 0 ? x : 0)),
});

it('law: a factor above the bound is its diagonal, one up to it is whole', async () => {
  const [whole, bounded] = [await blocksOf(kfac()), await blocksOf(kfac({ maxFactor: 4 }))];
  const expected: Readonly<Record<string, readonly [boolean, boolean]>> = { '0': [true, false], '2': [true, false] };
  for (const [name, [thinA, thinG]] of Object.entries(expected)) {
    const [full, found] = [whole[name], bounded[name]];
    if (full._tag !== 'kronecker' || found._tag !== 'kronecker') throw new Error('expected products');
    if (full.A._tag !== 'dense' || full.G._tag !== 'dense') throw new Error('expected full factors');
    const [A, G] = [full.A.matrix, full.G.matrix];
    expect([found.A._tag, found.G._tag]).toEqual(['diagonal', 'dense']);
    const sizes = [A.shape[0], G.shape[0]];
    const [ours, theirs] = [found.A, found.G].map((factor, i) => materialise(ops, factor, [sizes[i]]));
    expect(scaledError(ours.data, (thinA ? thinned(A) : A).data)).toBeLessThan(1e-14);
    expect(scaledError(theirs.data, (thinG ? thinned(G) : G).data)).toBeLessThan(1e-14);
  }
});

it('law: it is so on sequences with weights, too', async () => {
  const words = { model: classifier(3), loss: softmaxCrossEntropy };
  const sentences = {
    inputs: indices(1, [6, 3]),
    targets: indices(2, [6], 3),
    weights: generate([6], (i) => (i % 3) + 0.5),
  };
  const [whole, bounded] = [
    await blocksOf(kfac(), words, sentences),
    await blocksOf(kfac({ maxFactor: 2 }), words, sentences),
  ];
  for (const [name, shape] of [
    ['body', [4, 4]],
    ['head', [3, 5]],
  ] as const) {
    const [full, thin] = [whole, bounded].map((blocks) => materialise(ops, blocks[name], shape));
    expect(scaledError(thin.data, thinned(full).data)).toBeLessThan(1e-13);
  }
});

it('law: it is so at convolutions, in groups and transposed too', async () => {
  const pictures = { model: imageClassifier(), loss: softmaxCrossEntropy };
  const images = {
    inputs: gaussian(1, [6, 4, 3, 2]),
    targets: indices(2, [6], 3),
    weights: generate([6], (i) => (i % 3) + 0.5),
  };
  const [whole, bounded] = [
    await blocksOf(kfac(), pictures, images),
    await blocksOf(kfac({ maxFactor: 1 }), pictures, images),
  ];
  for (const [name, shape] of [
    ['filters', [4, 9]],
    ['groups', [4, 18]],
    ['back', [24, 4]],
  ] as const) {
    const [full, thin] = [whole, bounded].map((blocks) => materialise(ops, blocks[name], shape));
    expect(scaledError(thin.data, thinned(full).data)).toBeLessThan(1e-13);
  }
  const words = orThrow(coverage(pictures.model, kfac({ maxFactor: 9 }))).map((row) => row.curvature);
  expect(words).toEqual([
    ...['A ⊗ G', 'A ⊗ G', 'A ⊗ G by group', 'A ⊗ G by group'],
    ...['A ⊗ diag G', 'full', 'A ⊗ G', 'A ⊗ G'],
  ]);
  const thin = orThrow(coverage(pictures.model, kfac({ maxFactor: 8 }))).map((row) => row.curvature);
  expect(thin.slice(0, 4)).toEqual([...['diag A ⊗ G', 'diag A ⊗ G', 'diag A ⊗ G by group', 'diag A ⊗ G by group']]);
});

it('law: with diagonals on both sides EKFAC is the inverse of the diagonal of the Fisher', async () => {
  const directionOf = async (curvature: Curvature) => {
    const step = pipeline(
      ...([withObjective(objective), forward, backward, capture(exact()), updateFactors(curvature)] as const),
      ...([damp(0.1), solve(preconditioned(ekfac()))] as const),
    );
    return (await runStage(step, stateOf(objective.model, 4), batch)).direction;
  };
  const [found, expected] = [await directionOf(kfac({ maxFactor: 1 })), await directionOf(diagonal())];
  for (const [path, x] of Object.entries(expected)) expect(scaledError(found[path].data, x.data)).toBeLessThan(1e-12);
});

it('the coverage report says which factors are diagonals', () => {
  const rows = (curvature: Curvature, of = objective.model): ReadonlyArray<string> =>
    orThrow(coverage(of, curvature)).map((row) => row.curvature);
  expect(rows(kfac({ maxFactor: 5 }))).toEqual(['diag A ⊗ G', 'diag A ⊗ G', 'A ⊗ G', 'A ⊗ G']);
  expect(rows(kfac({ maxFactor: 3 }))).toEqual(['diag A ⊗ diag G', 'diag A ⊗ diag G', 'diag A ⊗ G', 'diag A ⊗ G']);
  expect(rows(kfac())).toEqual(['A ⊗ G', 'A ⊗ G', 'A ⊗ G', 'A ⊗ G']);
  // 8192 inputs and the homogeneous coordinate.
  expect(rows(kfac(), mlp([8192, 2]))).toEqual(['diag A ⊗ G', 'diag A ⊗ G']);
  expect(rows(kfac(), mlp([8192, 2], 'tanh', false))).toEqual(['A ⊗ G']);
});

it('curvature that is made of full factors keeps them', async () => {
  const [found, expected] = [await blocksOf(tridiagonalKfac({ maxFactor: 2 })), await blocksOf(tridiagonalKfac())];
  expect(found).toEqual(expected);
});
