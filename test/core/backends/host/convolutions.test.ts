import { plainKernels } from '../../../../src/core/backends/host/kernels/plain.ts';
import { f32 } from '../../../../src/core/backends/host/kernels/precision.ts';
import type { Products } from '../../../../src/core/backends/host/kernels/products.ts';
import { interpreterOn } from '../../../../src/core/backends/host/interpreter.ts';
import type { Tensor } from '../../../../src/core/tensor.ts';
import { sizeOf } from '../../../../src/core/tensor.ts';
import { siteStatistics } from '../../../../src/curvature/sites/statistics.ts';
import { sharings } from '../../../../src/curvature/statistics/sharing.ts';

/** Products that compute nothing: what is looked at is the room that is taken. */
const products: Products = {
  matmul: () => undefined,
  batchedMatmul: () => undefined,
  affine: () => undefined,
  gram: () => undefined,
};

/** Elements that an act takes from the allocator. */
const takenBy = (act: (ops: ReturnType<typeof interpreterOn>) => void): number => {
  let taken = 0;
  const take = (length: number): Float32Array => {
    taken += length;
    return new Float32Array(length);
  };
  act(
    interpreterOn({
      precision: f32,
      kernels: plainKernels,
      products,
      allocator: { take, zeros: take },
      isInside: () => true,
    }),
  );
  return taken;
};

const array = (...shape: ReadonlyArray<number>): Tensor => ({
  shape,
  dtype: 'f32',
  data: new Float32Array(sizeOf(shape)),
});

describe('the patches of a batch never lie in memory together', () => {
  const window = { kernel: [3, 3], stride: [1, 1], dilation: [1, 1], padding: [1, 1, 1, 1] } as const;
  const [images, filters, outputs] = [array(16, 40, 40, 16), array(16, 9 * 16), array(16, 40, 40, 16)];
  const activation = sizeOf(images.shape);

  it.each(sharings)('law: statistics take at most twice the largest activation, sharing %s', (sharing) => {
    const site = { kind: 'convolution', path: 'c', weight: 'w', bias: 'b', window, groups: 1 } as const;
    const taken = takenBy((ops) => siteStatistics(ops, { site, input: images, cotangents: [outputs] }, { sharing }));
    expect(taken).toBeLessThan(2 * activation);
  });

  it('law: a convolution and its adjoints take less than an activation beyond their results', () => {
    const results = activation;
    expect(takenBy((ops) => ops.convolve(images, filters, window)) - results).toBeLessThan(activation);
    expect(takenBy((ops) => ops.convolveTransposed(outputs, filters, window, images.shape)) - results).toBeLessThan(
      activation,
    );
    expect(takenBy((ops) => ops.correlate(images, outputs, window, 1))).toBeLessThan(activation);
    // As patches the images are nine times as large.
    const frame = 42 * 42 * 16; // an image with its zeros
    expect(takenBy((ops) => ops.patches(images, window))).toBe(9 * activation + frame);
  });
});
