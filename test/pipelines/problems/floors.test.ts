import fc from 'fast-check';
import { EigenvalueDecomposition, Matrix, SVD } from 'ml-matrix';

import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { sigmoidCrossEntropy } from '../../../src/core/nn/losses/sigmoidCrossEntropy.ts';
import { softmaxCrossEntropy } from '../../../src/core/nn/losses/softmaxCrossEntropy.ts';
import type { Loss } from '../../../src/core/nn/losses/loss.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { generate, tensor } from '../../../src/core/tensor.ts';
import { range } from '../../../src/pipelines/data/batches.ts';
import { nodeFileSystem } from '../../../src/pipelines/files/fileSystem.ts';
import { binaryEntropy, entropy, leastSquares, logistic } from '../../../src/pipelines/problems/floors.ts';
import type { Ready } from '../../../src/pipelines/problems/problem.ts';
import { problems } from '../../../src/pipelines/problems/suite.ts';
import { gaussian, orThrow } from '../../support/training.ts';

const { ops } = referenceBackend();

const readyOf = async (name: string): Promise<Ready> => {
  const found = problems.find((problem) => problem.name === name);
  if (found === undefined) throw new Error(name);
  return orThrow(await found.make(nodeFileSystem)());
};

const trainedOn = ({ task }: Ready): { readonly inputs: Tensor; readonly targets: Tensor } => {
  const { inputs, targets } = task.data.train.batch(range(0, task.data.train.size));
  return { inputs, targets };
};

const rowsOf = ({ shape: [n, d], data }: Tensor): Array<Array<number>> =>
  Array.from({ length: n }, (_, i) => Array.from({ length: d }, (_unused, j) => data[i * d + j]));

const meanLoss = (loss: Loss, outputs: Tensor, targets: Tensor): number =>
  ops.mean(loss.value(ops, outputs, targets), [0]).data[0];

describe('the floor of a linear regression', () => {
  it.each(['linear-regression', 'linear-raw-units', 'linear-ill-conditioned'])(
    '%s: what singular values give for the least squares',
    async (name) => {
      const ready = await readyOf(name);
      const { inputs, targets } = trainedOn(ready);
      const x = new Matrix(rowsOf(inputs).map((row) => [...row, 1]));
      const y = new Matrix(rowsOf(targets));
      const residual = Matrix.sub(x.mmul(new SVD(x, { autoTranspose: true }).solve(y)), y);
      const expected = residual.norm('frobenius') ** 2 / (2 * x.rows);
      expect(Math.abs(ready.floor / expected - 1)).toBeLessThan(1e-6);
    },
  );

  it('linear-ill-conditioned has covariance of condition 10⁸, up to the draw', async () => {
    const { inputs } = trainedOn(await readyOf('linear-ill-conditioned'));
    const x = new Matrix(rowsOf(inputs));
    const singular = new SVD(x).diagonal;
    expect(Math.log10((singular[0] / singular[singular.length - 1]) ** 2)).toBeCloseTo(8, 0);
  });

  it('y = 2 x + 1 with an error of 1 at one of four points, by hand', async () => {
    // Errors 0, 0, 0, 1 at 0, 1, 2, 3: Syy = 0.75, Sxy = 1.5, Sxx = 5, and 0.75 − 1.5² / 5 = 0.3 is left.
    const inputs = tensor([0, 1, 2, 3], [4, 1]);
    const targets = tensor([1, 3, 5, 8], [4, 1]);
    expect(orThrow(await leastSquares({ inputs, targets })())).toBeCloseTo(0.3 / 8, 12);
  });
});

describe('the floor of a logistic regression', () => {
  /** ∂/∂w of the mean loss at given weights, by ml-matrix. */
  const gradientAt = (x: Matrix, y: Matrix, w: Matrix): Matrix => {
    const p = x.mmul(w).apply(function (this: Matrix, i, j) {
      this.set(i, j, 1 / (1 + Math.exp(-this.get(i, j))));
    });
    return x.transpose().mmul(Matrix.sub(p, y)).div(x.rows);
  };

  it.each(['logistic-regression', 'logistic-rare'])(
    '%s: what gradient descent in the features’ eigenbasis comes to',
    async (name) => {
      const ready = await readyOf(name);
      const { inputs, targets } = trainedOn(ready);
      // Features whitened, which changes no optimum; steps of 4 are at most 1 / L, since H ≤ 1/4.
      const raw = new Matrix(rowsOf(inputs).map((row) => [...row, 1]));
      const { eigenvectorMatrix, realEigenvalues } = new EigenvalueDecomposition(
        raw.transpose().mmul(raw).div(raw.rows),
        { assumeSymmetric: true },
      );
      const whitening = eigenvectorMatrix.mulRowVector(realEigenvalues.map((value) => 1 / Math.sqrt(value)));
      const x = raw.mmul(whitening);
      const y = new Matrix(rowsOf(targets));
      let w = Matrix.zeros(x.columns, 1);
      for (let i = 0; i < 3000; i += 1) w = Matrix.sub(w, gradientAt(x, y, w).mul(4));
      expect(gradientAt(x, y, w).norm('frobenius')).toBeLessThan(1e-5);
      const outputs = tensor(x.mmul(w).to1DArray(), [x.rows, 1]);
      expect(Math.abs(meanLoss(sigmoidCrossEntropy, outputs, targets) - ready.floor)).toBeLessThan(1e-8);
    },
  );

  it('is log 2 where features say nothing, by hand', async () => {
    const inputs = tensor([1, 1, -1, -1], [4, 1]);
    const targets = tensor([1, 0, 1, 0], [4, 1]);
    expect(orThrow(await logistic({ inputs, targets })())).toBeCloseTo(Math.LN2, 12);
  });
});

describe('the floor of a linear autoencoder', () => {
  it('is half the mean square of what singular values beyond the fifth hold', async () => {
    const ready = await readyOf('linear-autoencoder');
    const { inputs } = trainedOn(ready);
    const x = new Matrix(rowsOf(inputs));
    const singular = new SVD(x.clone().center('column')).diagonal;
    const left = singular.slice(5).reduce((sum, s) => sum + s * s, 0);
    expect(ready.floor).toBeCloseTo(left / (2 * x.rows), 10);
  });
});

describe('entropies as floors', () => {
  const seeds = fc.integer({ min: 0, max: 1e6 });

  it('law: of sigmoid cross-entropy: reached at the logits of the targets, and by no others', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const logits = gaussian(seed, [5, 3]);
        const targets = ops.sigmoid(logits);
        const floor = orThrow(await binaryEntropy({ targets })());
        expect(meanLoss(sigmoidCrossEntropy, logits, targets)).toBeCloseTo(floor, 10);
        expect(meanLoss(sigmoidCrossEntropy, gaussian(seed + 1, [5, 3]), targets)).toBeGreaterThan(floor);
      }),
    );
  });

  it('law: of softmax cross-entropy: reached at the logits of the targets, and by no others', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const logits = gaussian(seed, [5, 4]);
        const targets = ops.softmax(logits);
        const floor = orThrow(await entropy({ targets })());
        expect(meanLoss(softmaxCrossEntropy, logits, targets)).toBeCloseTo(floor, 10);
        expect(meanLoss(softmaxCrossEntropy, gaussian(seed + 1, [5, 4]), targets)).toBeGreaterThan(floor);
      }),
    );
  });

  it('are 0 for certain targets', async () => {
    const targets = generate([2, 2], (i) => i % 2);
    expect([orThrow(await entropy({ targets })()), orThrow(await binaryEntropy({ targets })())]).toEqual([0, 0]);
  });
});
