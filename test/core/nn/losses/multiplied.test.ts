import { referenceBackend } from '../../../../src/core/backends/reference/backend.ts';
import { squareRootColumns } from '../../../../src/core/nn/losses/columns.ts';
import { multiplied } from '../../../../src/core/nn/losses/multiplied.ts';
import { scoreOf } from '../../../../src/core/nn/losses/score.ts';
import { sigmoidCrossEntropy } from '../../../../src/core/nn/losses/sigmoidCrossEntropy.ts';
import { softmaxCrossEntropy } from '../../../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { squaredError } from '../../../../src/core/nn/losses/squaredError.ts';
import { keyOf } from '../../../../src/core/random/key.ts';
import { normal } from '../../../../src/core/random/normal.ts';
import type { Tensor } from '../../../../src/core/tensor.ts';

const { ops } = referenceBackend();
const [outputs, v] = [normal(keyOf(1), [4, 3], 'f64'), normal(keyOf(2), [4, 3], 'f64')];
const targets = ops.softmax(v);
const close = (a: Tensor, b: Tensor): void =>
  Array.from(a.data).forEach((x, i) => expect(x).toBeCloseTo(b.data[i], 12));

describe.each([squaredError, softmaxCrossEntropy, sigmoidCrossEntropy])('9 times $name', (loss) => {
  const times = multiplied(9, loss);

  it('has 9 times the value, the gradient and the Hessian', () => {
    close(times.value(ops, outputs, targets), ops.scale(9, loss.value(ops, outputs, targets)));
    close(times.gradient(ops, outputs, targets), ops.scale(9, loss.gradient(ops, outputs, targets)));
    close(times.hessianProduct(ops, outputs, v), ops.scale(9, loss.hessianProduct(ops, outputs, v)));
  });

  it('law: B Bᵀ = H, and draws of 3 times the length', () => {
    const columns = squareRootColumns(ops, times, outputs);
    const product = columns
      .map((b) => ops.mul(b, ops.reshape(ops.sum(ops.mul(b, v), [1]), [4, 1])))
      .reduce((a, b) => ops.add(a, b));
    close(product, times.hessianProduct(ops, outputs, v));
    close(scoreOf(ops, times, keyOf(3), outputs), ops.scale(3, scoreOf(ops, loss, keyOf(3), outputs)));
  });
});
