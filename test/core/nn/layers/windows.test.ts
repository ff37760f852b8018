import fc from 'fast-check';

import { attempt } from '../../../../src/core/errors.ts';
import { evaluating } from '../../../../src/core/nn/layers/circumstances.ts';
import { conv1d, conv2d } from '../../../../src/core/nn/layers/convolution.ts';
import type { Layer } from '../../../../src/core/nn/layers/layer.ts';
import { averagePool, globalAveragePool, maxPool, upsample } from '../../../../src/core/nn/layers/pooling.ts';
import type { Padding } from '../../../../src/core/nn/layers/windows.ts';
import { windowOn } from '../../../../src/core/nn/layers/windows.ts';
import type { Shape, Tensor } from '../../../../src/core/tensor.ts';
import { generate, tensor } from '../../../../src/core/tensor.ts';
import { gaussian, ops } from '../support.ts';

/** A layer on an input, with ones for parameters. */
const applied = (layer: Layer, x: Tensor, path = ''): Tensor => {
  const params = Object.fromEntries(
    layer.parameters(path).map((spec) => [spec.path, generate(spec.shape, () => 1)] as const),
  );
  return layer.apply(ops, params, path, x, evaluating({}));
};

const mismatchOf = (layer: Layer, shape: Shape, path = 'body.0'): unknown => {
  const result = attempt(() =>
    applied(
      layer,
      generate(shape, () => 0),
      path,
    ),
  );
  return result._tag === 'Left' ? result.left : result.right;
};

describe('padding', () => {
  it('law: same leaves ⌈extent / stride⌉ places along each axis', () => {
    const side = fc.integer({ min: 1, max: 4 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), side, side, side, (h, kernel, stride, dilation) => {
        const window = windowOn('conv2d', { kernel: [kernel, 1], stride: [stride, 1], dilation, padding: 'same' });
        const [top, bottom] = window([1, h, 1, 1]).padding;
        expect(Math.floor((h + top + bottom - dilation * (kernel - 1) - 1) / stride) + 1).toBe(Math.ceil(h / stride));
        // An odd zero is at the end, unless there are none.
        expect(bottom - top === 0 || bottom - top === 1).toBe(true);
      }),
    );
  });

  it.each<readonly [Padding, ReadonlyArray<number>]>([
    ['valid', [0, 0, 0, 0]],
    [2, [2, 2, 2, 2]],
    [
      [1, 2],
      [1, 1, 2, 2],
    ],
    [
      [1, 2, 3, 4],
      [1, 2, 3, 4],
    ],
  ])('%j is %j', (padding, expected) => {
    expect(windowOn('conv2d', { kernel: 1, padding })([1, 5, 5, 1]).padding).toEqual(expected);
  });
});

describe('worked examples', () => {
  it('a convolution with ones sums what it sees', () => {
    const x = tensor([1, 2, 3, 4, 5, 6], [1, 2, 3, 1]);
    // With the bias 1.
    expect(applied(conv2d({ in: 1, out: 1, kernel: 2 }), x)).toEqual(tensor([13, 17], [1, 1, 2, 1]));
    expect(applied(conv1d({ in: 1, out: 1, kernel: 2, bias: false }), tensor([1, 2, 4], [1, 3, 1]))).toEqual(
      tensor([3, 6], [1, 2, 1]),
    );
  });

  it('pooling of numbers below 0 never takes its padding', () => {
    const x = tensor([-1, -2, -3, -4], [1, 2, 2, 1]);
    const options = { kernel: 2, stride: 1, padding: 1 } as const;
    expect(applied(maxPool(options), x).data).toEqual(tensor([-1, -1, -2, -1, -1, -2, -3, -3, -4], [9]).data);
    expect(applied(averagePool(options), x).data).toEqual(tensor([-1, -1.5, -2, -2, -2.5, -3, -3, -3.5, -4], [9]).data);
  });

  it('law: the mean over windows of 2 undoes upsampling by 2', () => {
    const x = gaussian(1, [2, 3, 2, 2]);
    expect(applied(averagePool({ kernel: 2 }), applied(upsample(2), x))).toEqual(x);
  });
});

describe('extents that do not fit name the layer', () => {
  it.each<readonly [string, Layer, Shape, string, string, string]>([
    [
      'a kernel larger than the image',
      conv2d({ in: 1, out: 1, kernel: 5, padding: [1, 0] }),
      [1, 2, 6, 1],
      'conv2d at body.0',
      'images of at least 5 x 5 with their padding, not 4 x 6',
      '[1, 2, 6, 1]',
    ],
    [
      'other channels',
      conv2d({ in: 3, out: 1, kernel: 1 }),
      [1, 2, 2, 4],
      'conv2d at body.0',
      'images [n, h, w, 3]',
      '[1, 2, 2, 4]',
    ],
    ['no image', conv2d({ in: 3, out: 1, kernel: 1 }), [1, 3], 'conv2d at body.0', 'images [n, h, w, 3]', '[1, 3]'],
    ['no sequence', conv1d({ in: 3, out: 1, kernel: 1 }), [1, 3], 'conv1d at body.0', 'sequences [n, t, 3]', '[1, 3]'],
    [
      'a window larger than the image',
      maxPool({ kernel: 3 }),
      [1, 2, 2, 1],
      'maxPool at body.0',
      'images of at least 3 x 3 with their padding, not 2 x 2',
      '[1, 2, 2, 1]',
    ],
    ['no image to pool', globalAveragePool(), [1, 2], 'globalAveragePool at body.0', 'images [n, h, w, c]', '[1, 2]'],
    ['no image to enlarge', upsample(2), [1, 2], 'upsample at body.0', 'images [n, h, w, c]', '[1, 2]'],
  ])('%s', (_, layer, shape, where, expected, actual) => {
    expect(mismatchOf(layer, shape)).toEqual({ _tag: 'ShapeMismatch', where, expected, actual });
  });
});

describe('settings that are none', () => {
  it.each<readonly [string, () => Layer, string]>([
    ['groups that do not divide what goes in', () => conv2d({ in: 3, out: 4, kernel: 1, groups: 2 }), 'conv2d.groups'],
    [
      'groups that do not divide what comes out',
      () => conv1d({ in: 4, out: 3, kernel: 1, groups: 2 }),
      'conv1d.groups',
    ],
    ['a kernel of 0', () => conv2d({ in: 1, out: 1, kernel: [1, 0] }), 'conv2d.kernel'],
    ['half a stride', () => maxPool({ kernel: 1, stride: 0.5 }), 'maxPool.stride'],
    ['padding below 0', () => conv2d({ in: 1, out: 1, kernel: 1, padding: -1 }), 'conv2d.padding'],
    ['a dilation of 0', () => averagePool({ kernel: 1, dilation: 0 }), 'averagePool.dilation'],
    ['a factor of 0', () => upsample(0), 'upsample.factor'],
  ])('%s', (_, make, path) => {
    expect(attempt(make)).toMatchObject({ left: { _tag: 'BadConfig', path } });
  });
});
