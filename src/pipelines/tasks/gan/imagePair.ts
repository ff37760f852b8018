/**
 * Networks that make grey images and tell them apart, after DCGAN [RMC16]: transposed convolutions up, convolutions down, each
 * by a stride of 2 in place of pooling; and one that knows classes, whose features are what images are compared by.
 *
 * @module
 */
import { activation } from '../../../core/nn/layers/activation.ts';
import { batchNorm } from '../../../core/nn/layers/batchNorm.ts';
import { conv2d } from '../../../core/nn/layers/convolution.ts';
import { dense } from '../../../core/nn/layers/dense.ts';
import { latent } from '../../../core/nn/layers/latent.ts';
import type { Layer } from '../../../core/nn/layers/layer.ts';
import { flatten, reshape } from '../../../core/nn/layers/reshape.ts';
import { sequential } from '../../../core/nn/layers/sequential.ts';
import { convTranspose2d } from '../../../core/nn/layers/transposedConvolution.ts';
import type { ImageSize } from '../../data/images.ts';

/** Extents of a pair. */
export interface ImagePairOptions {
  /** Height and width of an image, multiples of 4. */
  readonly image: ImageSize;
  /** Numbers that an image is made of. */
  readonly noise: number;
  /** Channels next to the image; twice as many one step further. */
  readonly channels: number;
}

/**
 * From noise to images as rows of pixels in (0, 1): a dense layer, and two transposed convolutions by 4 x 4 that double each
 * side.
 *
 * @param options - extents
 * @example
 * ```ts
 * import { imageGenerator } from 'kfac-ts/pipelines';
 *
 * imageGenerator({ image: [28, 28], noise: 32, channels: 16 }).children.length; // => 9
 * ```
 */
export const imageGenerator = ({ image: [height, width], noise, channels }: ImagePairOptions): Layer => {
  const [rows, columns] = [height / 4, width / 4];
  const first = rows * columns * 2 * channels;
  return sequential([
    latent({ features: noise }),
    dense({ in: noise, out: first }),
    reshape([rows, columns, 2 * channels]),
    batchNorm({ features: 2 * channels }),
    activation('relu'),
    sequential([
      convTranspose2d({ in: 2 * channels, out: channels, kernel: 4, stride: 2, padding: 1, bias: false }),
      batchNorm({ features: channels }),
      activation('relu'),
    ]),
    convTranspose2d({ in: channels, out: 1, kernel: 4, stride: 2, padding: 1 }),
    activation('sigmoid'),
    flatten(),
  ]);
};

/** Two convolutions by 4 x 4 that halve each side, of an image that comes as a row of pixels; features in a row. */
const downwards = ([height, width]: ImageSize, channels: number, kind: 'gelu' | 'relu'): ReadonlyArray<Layer> => [
  reshape([height, width, 1]),
  conv2d({ in: 1, out: channels, kernel: 4, stride: 2, padding: 1 }),
  activation(kind),
  conv2d({ in: channels, out: 2 * channels, kernel: 4, stride: 2, padding: 1 }),
  activation(kind),
  flatten(),
];

/**
 * Scores of images: two convolutions that halve each side, a dense layer. Its units are smooth, so that a penalty on its gradient
 * has a derivative everywhere; it has no batch norm, so that each image has a gradient of its own.
 *
 * @param options - extents
 * @example
 * ```ts
 * import { imageDiscriminator } from 'kfac-ts/pipelines';
 *
 * const paths = imageDiscriminator({ image: [28, 28], noise: 32, channels: 16 }).parameters('');
 * paths.at(-1)?.path; // => '6.bias'
 * ```
 */
export const imageDiscriminator = ({ image, channels }: ImagePairOptions): Layer =>
  sequential([
    ...downwards(image, channels, 'gelu'),
    dense({ in: (image[0] / 4) * (image[1] / 4) * 2 * channels, out: 1 }),
  ]);

/** Features of an image, and what they are taken for. */
export interface ImageJudge {
  /** Rows of pixels to features `[n, 64]`. */
  readonly features: Layer;
  /** Rows of pixels to logits of classes. */
  readonly whole: Layer;
}

/** Features that images are compared by. */
const features = 64;

/**
 * A network that learns classes, for its features.
 *
 * @param image - height and width
 * @param classes - how many
 */
export const imageJudge = (image: ImageSize, classes: number): ImageJudge => {
  const inner = sequential([
    ...downwards(image, 8, 'relu'),
    dense({ in: (image[0] / 4) * (image[1] / 4) * 16, out: features }),
    activation('relu'),
  ]);
  return {
    features: sequential({ features: inner }),
    whole: sequential({ features: inner, output: dense({ in: features, out: classes }) }),
  };
};
