import fc from 'fast-check';

import { vjp } from '../../../../src/core/autodiff/reverse.ts';
import { squareRootColumns } from '../../../../src/core/nn/losses/columns.ts';
import type { Loss } from '../../../../src/core/nn/losses/loss.ts';
import { hinge, linearScore } from '../../../../src/core/nn/losses/margins.ts';
import { meanOverPositions } from '../../../../src/core/nn/losses/meanOverPositions.ts';
import { scoreOf } from '../../../../src/core/nn/losses/score.ts';
import { sigmoidCrossEntropy } from '../../../../src/core/nn/losses/sigmoidCrossEntropy.ts';
import { squaredError } from '../../../../src/core/nn/losses/squaredError.ts';
import { towards } from '../../../../src/core/nn/losses/towards.ts';
import { keyOf } from '../../../../src/core/random/key.ts';
import type { Tensor } from '../../../../src/core/tensor.ts';
import { generate, tensor } from '../../../../src/core/tensor.ts';
import { scaledError } from '../../../support/closeness.ts';
import { gaussian, ops, values } from '../support.ts';

const seeds = fc.nat(100_000);

const signs = (seed: number, n: number, k: number): Tensor => {
  const { data } = gaussian(seed, [n, k]);
  return generate([n, k], (i) => (data[i] > 0 ? 1 : -1));
};

const straight: ReadonlyArray<readonly [string, Loss]> = [
  ['hinge', hinge],
  ['linearScore', linearScore],
];

describe.each(straight)('%s', (_, loss) => {
  it('law: the gradient is that of the value, for each example', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const [outputs, targets] = [gaussian(seed, [4, 3]), signs(seed + 1, 4, 3)];
        const { pullback } = vjp(ops, (on, { o }, [y]) => loss.value(on, o, y), { o: outputs }, [targets]);
        const expected = pullback(ops.full([4], 1)).params['o'];
        expect(values(loss.gradient(ops, outputs, targets))).toEqual(values(expected));
      }),
    );
  });

  it('law: its curvature is I: products, columns of the root, and what is drawn', () => {
    const outputs = gaussian(3, [500, 2]);
    const v = gaussian(4, [500, 2]);
    expect(loss.hessianProduct(ops, outputs, v)).toEqual(v);
    const columns = squareRootColumns(ops, loss, outputs);
    expect(columns.map((column) => values(column).slice(0, 2))).toEqual([
      [1, 0],
      [0, 1],
    ]);
    const drawn = scoreOf(ops, loss, keyOf(5), outputs);
    const mean = values(ops.mean(drawn, [0]));
    const second = values(ops.scale(1 / 500, ops.gram(drawn)));
    // Of 500 draws: four standard errors, 1 / √500 of the mean and √2 / √500 of a variance.
    for (const m of mean) expect(Math.abs(m)).toBeLessThan(4 / Math.sqrt(500));
    [1, 0, 0, 1].forEach((expected, i) => expect(Math.abs(second[i] - expected)).toBeLessThan(4 * Math.sqrt(2 / 500)));
  });
});

describe('scores that know their targets', () => {
  it('worked example: a hinge asks nothing of a score beyond 1 on its side', () => {
    const outputs = tensor([2, -2, 0.5, 0.5], [2, 2]);
    const targets = tensor([1, -1, 1, -1], [2, 2]);
    expect(values(hinge.value(ops, outputs, targets))).toEqual([0, 2]);
    expect(values(hinge.gradient(ops, outputs, targets)).map((x) => x + 0)).toEqual([0, 0, -1, 1]);
    expect(values(linearScore.value(ops, outputs, targets)).map((x) => x + 0)).toEqual([-4, 0]);
  });

  it('law: a loss towards targets is the loss at those targets, whatever the batch says', () => {
    const outputs = gaussian(1, [5, 2]);
    const [known, other] = [generate([5, 2], (i) => 1 - (i % 2)), gaussian(9, [5, 7])];
    for (const loss of [sigmoidCrossEntropy, squaredError]) {
      const ours = towards(loss, [1, 0]);
      expect(ours.value(ops, outputs, other)).toEqual(loss.value(ops, outputs, known));
      expect(ours.gradient(ops, outputs, other)).toEqual(loss.gradient(ops, outputs, known));
      const drawn = loss.gradient(ops, outputs, loss.sample(ops, keyOf(2), outputs));
      expect(scoreOf(ops, ours, keyOf(2), outputs)).toEqual(drawn);
    }
  });

  it('law: of a mean over positions, what is drawn has the covariance of the mean', () => {
    const outputs = gaussian(1, [3, 4, 2]);
    const drawn = values(scoreOf(ops, hinge, keyOf(2), outputs)).map((x) => x / 2);
    expect(scaledError(values(scoreOf(ops, meanOverPositions(hinge), keyOf(2), outputs)), drawn)).toBeLessThan(1e-15);
  });
});
