import { attempt } from '../../../../src/core/errors.ts';
import { evaluating } from '../../../../src/core/nn/layers/circumstances.ts';
import { conv2d } from '../../../../src/core/nn/layers/convolution.ts';
import type { ConvTranspose2dOptions } from '../../../../src/core/nn/layers/transposedConvolution.ts';
import { convTranspose2d } from '../../../../src/core/nn/layers/transposedConvolution.ts';
import type { Shape, Tensor } from '../../../../src/core/tensor.ts';
import { tensor } from '../../../../src/core/tensor.ts';
import { gaussian, inner, ops, relativeGap } from '../support.ts';

const at = evaluating<Tensor>({});

describe('transposed convolutions', () => {
  const geometries: ReadonlyArray<readonly [string, Omit<ConvTranspose2dOptions, 'in' | 'out'>, Shape]> = [
    ['plain', { kernel: 3 }, [5, 6]],
    ['strided', { kernel: [3, 2], stride: 2 }, [7, 6]],
    ['with output padding', { kernel: 3, stride: [2, 3], outputPadding: [1, 2], padding: 1 }, [6, 9]],
    ['dilated, in groups', { kernel: 2, dilation: [2, 1], groups: 2, padding: [1, 0, 0, 1] }, [4, 3]],
    ['same', { kernel: 3, stride: 2, padding: 'same' }, [6, 6]],
  ];

  it.each(geometries)('law: adjoint of the convolution with the same filters, %s', (_, options, [h, w]) => {
    const convolution = conv2d({ in: 4, out: 6, bias: false, ...options });
    const transposed = convTranspose2d({ in: 6, out: 4, bias: false, ...options });
    const [spec] = convolution.parameters('');
    expect(transposed.parameters('')[0].shape).toEqual(spec.shape);
    const params = { weight: gaussian(1, spec.shape) };
    const x = gaussian(2, [2, h, w, 4]);
    const y = convolution.apply(ops, params, '', x, at);
    const c = gaussian(3, y.shape);
    const back = transposed.apply(ops, params, '', c, at);
    expect(back.shape).toEqual(x.shape);
    expect(relativeGap(inner(c, y), inner(back, x))).toBeLessThan(1e-12);
  });

  it('worked example: a pixel is spread over 2 x 2, and the bias is added to all', () => {
    const layer = convTranspose2d({ in: 1, out: 1, kernel: 2, stride: 2, outputPadding: [0, 1] });
    const params = { weight: tensor([1, 2, 3, 4], [1, 4]), bias: tensor([10], [1]) };
    const y = layer.apply(ops, params, '', tensor([1], [1, 1, 1, 1]), at);
    expect(y).toEqual(tensor([11, 12, 10, 13, 14, 10], [1, 2, 3, 1]));
  });

  it('refuses output padding that reaches the stride, other channels, and padding that leaves nothing', () => {
    expect(attempt(() => convTranspose2d({ in: 1, out: 1, kernel: 2, stride: 2, outputPadding: 2 }))).toMatchObject({
      left: {
        _tag: 'BadConfig',
        path: 'convTranspose2d.outputPadding',
        expected: 'whole numbers from 0 to below the stride 2 x 2',
        actual: '2',
      },
    });
    const layer = convTranspose2d({ in: 2, out: 1, kernel: 1, padding: 1 });
    const applied = (shape: Shape): unknown =>
      attempt(() => layer.apply(ops, { weight: gaussian(1, [2, 1]) }, 'up', gaussian(1, shape), at));
    expect(applied([1, 3, 3, 3])).toMatchObject({
      left: { where: 'convTranspose2d at up', expected: 'images [n, h, w, 2]', actual: '[1, 3, 3, 3]' },
    });
    expect(applied([1, 2, 3, 2])).toMatchObject({
      left: { where: 'convTranspose2d at up', expected: 'images that padding leaves something of, not 0 x 1' },
    });
  });
});
