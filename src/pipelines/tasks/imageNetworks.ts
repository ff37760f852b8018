/**
 * Convolutional networks for grey images, which come as rows of pixels.
 *
 * @module
 */
import { activation } from '../../core/nn/layers/activation.ts';
import { batchNorm } from '../../core/nn/layers/batchNorm.ts';
import { conv2d } from '../../core/nn/layers/convolution.ts';
import { dense } from '../../core/nn/layers/dense.ts';
import type { Layer } from '../../core/nn/layers/layer.ts';
import { globalAveragePool, maxPool } from '../../core/nn/layers/pooling.ts';
import { flatten, reshape } from '../../core/nn/layers/reshape.ts';
import { residual } from '../../core/nn/layers/residual.ts';
import { sequential } from '../../core/nn/layers/sequential.ts';
import { heUniform } from '../../core/nn/initialisers/varianceScaling.ts';
import type { Model } from '../../core/nn/model.ts';
import { model } from '../../core/nn/model.ts';
import type { ImageSize } from '../data/images.ts';

/** Rectified. */
const relu = (layer: Layer): ReadonlyArray<Layer> => [layer, activation('relu')];

/** Half of an extent, as pooling by 2 leaves it, and at least 1. */
const half = (extent: number): number => Math.max(1, Math.floor(extent / 2));

/** Pooling by 2 along the axes that are long enough for it. */
const poolOf = (height: number, width: number): Layer => maxPool({ kernel: [Math.min(2, height), Math.min(2, width)] });

/** Least side of an image of which a window of 5 x 5 leaves something after pooling. */
const roomy = 12;

/**
 * LeNet-5 with rectified units: two convolutions by 5 x 5 with pooling, three dense layers. The second convolution is padded
 * only for images of fewer than 12 pixels along a side.
 *
 * @param name - name of the model
 * @param image - height and width of an image
 * @param classes - outputs
 * @example
 * ```ts
 * import { lenet } from 'kfac-ts/pipelines';
 *
 * const paths = lenet('lenet', [28, 28], 10).layer.parameters('').map(({ path }) => path);
 * paths.at(-1); // => 'output.bias'
 * ```
 */
export const lenet = (name: string, [height, width]: ImageSize, classes: number): Model => {
  const isRoomy = Math.min(height, width) >= roomy;
  const inner = [half(height), half(width)].map((extent) => (isRoomy ? extent - 4 : extent));
  const features = half(inner[0]) * half(inner[1]) * 16;
  return model(
    name,
    [height * width],
    sequential({
      image: reshape([height, width, 1]),
      first: sequential([...relu(conv2d({ in: 1, out: 6, kernel: 5, padding: 'same' })), poolOf(height, width)]),
      second: sequential([
        ...relu(conv2d({ in: 6, out: 16, kernel: 5, padding: isRoomy ? 'valid' : 'same' })),
        poolOf(inner[0], inner[1]),
      ]),
      flat: flatten(),
      hidden: sequential([
        ...relu(dense({ in: features, out: 120, initialiser: heUniform })),
        ...relu(dense({ in: 120, out: 84, initialiser: heUniform })),
      ]),
      output: dense({ in: 84, out: classes }),
    }),
  );
};

/** A convolution by 3 x 3 without a bias, and batch norm, which has one. */
const normed = (from: number, out: number, stride: number, kernel = 3): ReadonlyArray<Layer> => [
  conv2d({ in: from, out, kernel, stride, padding: 'same', bias: false }),
  batchNorm({ features: out }),
];

/** A residual block: two convolutions, the first with a stride, and a convolution by 1 x 1 past them where shapes change. */
const block = (from: number, out: number, stride: number): ReadonlyArray<Layer> => [
  residual(
    sequential([...normed(from, out, stride), activation('relu'), ...normed(out, out, 1)]),
    from === out && stride === 1 ? null : sequential(normed(from, out, stride, 1)),
  ),
  activation('relu'),
];

/**
 * A residual network with batch norm [H16]: a convolution, three blocks of which the last two halve the image and double the
 * channels, and the mean over the image. Of 8 layers with weights.
 *
 * @param name - name of the model
 * @param image - height and width of an image
 * @param classes - outputs
 * @param channels - of the first block
 * @example
 * ```ts
 * import { resnet8 } from 'kfac-ts/pipelines';
 *
 * resnet8('resnet', [28, 28], 10).layer.parameters('').length; // => 29
 * ```
 */
export const resnet8 = (name: string, [height, width]: ImageSize, classes: number, channels = 16): Model =>
  model(
    name,
    [height * width],
    sequential({
      image: reshape([height, width, 1]),
      stem: sequential([...normed(1, channels, 1), activation('relu')]),
      one: sequential(block(channels, channels, 1)),
      two: sequential(block(channels, 2 * channels, 2)),
      three: sequential(block(2 * channels, 4 * channels, 2)),
      pool: globalAveragePool(),
      output: dense({ in: 4 * channels, out: classes }),
    }),
  );
