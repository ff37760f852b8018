/**
 * Pooling of images, and its inverse in extents.
 *
 * @module
 */
import { raise } from '../../errors.ts';
import { extent } from '../../settings.ts';
import { showShape } from '../../tensor.ts';
import type { Shape, Shaped } from '../../tensor.ts';
import type { Ops } from '../../ops/ops.ts';
import type { Window } from '../../ops/window.ts';
import type { Layer } from './layer.ts';
import { leaf } from './layer.ts';
import type { WindowOptions } from './windows.ts';
import { placeOf, requireImages, windowOn } from './windows.ts';

/** A pooling window's settings; the stride is the kernel unless given. */
export type PoolOptions = WindowOptions;

/** Which taps of each place lie in the images: ones and zeros `[1, oh, ow, taps, 1]`. */
const insideOf = <T extends Shaped>(ops: Ops<T>, [, h, w]: Shape, window: Window): T => {
  const taps = ops.patches(ops.full([1, h, w, 1], 1), window);
  return ops.reshape(taps, [...taps.shape, 1]);
};

const isPadded = ({ padding }: Window): boolean => padding.some((zeros) => zeros > 0);

/** Windows with the taps on an axis of their own, `[n, oh, ow, taps, c]`. */
const tapsOf = <T extends Shaped>(ops: Ops<T>, x: T, window: Window): T => {
  const patches = ops.patches(x, window);
  return ops.reshape(patches, [...patches.shape.slice(0, 3), window.kernel[0] * window.kernel[1], x.shape[3]]);
};

const pool = (
  kind: string,
  word: string,
  options: PoolOptions,
  reduce: <T extends Shaped>(ops: Ops<T>, x: T, window: Window) => T,
): Layer => {
  const window = windowOn(kind, options, options.kernel);
  const { kernel } = window([1, 1, 1, 1]);
  return leaf({
    kind,
    label: `${word} over ${kernel.join(' x ')}`,
    parameters: () => [],
    apply: (ops, _params, path, x) => reduce(ops, x, requireImages(placeOf(kind, path), x.shape, null, window)),
  });
};

/**
 * The largest of each window, channel by channel: images `[n, h, w, c]` to `[n, oh, ow, c]`. Padding is never the largest;
 * several that are alike share the gradient.
 *
 * @param options - the window; its stride is its kernel unless given
 * @example
 * ```ts
 * import { evaluating, maxPool, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const images = tensor([1, 2, 3, 4], [1, 2, 2, 1]);
 * maxPool({ kernel: 2 }).apply(referenceBackend().ops, {}, '', images, evaluating({})).data; // => [4]
 * ```
 */
export const maxPool = (options: PoolOptions): Layer =>
  pool('maxPool', 'maximum', options, (ops, x, window) => {
    const taps = tapsOf(ops, x, window);
    if (!isPadded(window)) return ops.max(taps, [3]);
    return ops.max(ops.select(insideOf(ops, x.shape, window), taps, ops.full([], -Infinity)), [3]);
  });

/**
 * The mean of each window, channel by channel: images `[n, h, w, c]` to `[n, oh, ow, c]`. Padding does not count.
 *
 * @param options - the window; its stride is its kernel unless given
 * @example
 * ```ts
 * import { averagePool, evaluating, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const images = tensor([1, 2, 3, 6], [1, 2, 2, 1]);
 * averagePool({ kernel: 2 }).apply(referenceBackend().ops, {}, '', images, evaluating({})).data; // => [3]
 * ```
 */
export const averagePool = (options: PoolOptions): Layer =>
  pool('averagePool', 'mean', options, (ops, x, window) => {
    const taps = tapsOf(ops, x, window);
    if (!isPadded(window)) return ops.mean(taps, [3]);
    return ops.div(ops.sum(taps, [3]), ops.sum(insideOf(ops, x.shape, window), [3]));
  });

/** Images, or an error that names the layer. */
const refuseOthers = (layer: string, path: string, { shape }: Shaped): void => {
  if (shape.length === 4) return;
  raise({
    _tag: 'ShapeMismatch',
    where: placeOf(layer, path),
    expected: 'images [n, h, w, c]',
    actual: showShape(shape),
  });
};

/**
 * The mean of each channel over the whole image: `[n, h, w, c]` to `[n, c]`.
 *
 * @example
 * ```ts
 * import { evaluating, globalAveragePool, referenceBackend, tensor } from 'kfac-ts/core';
 *
 * const images = tensor([1, 10, 3, 20], [1, 1, 2, 2]);
 * globalAveragePool().apply(referenceBackend().ops, {}, '', images, evaluating({})).data; // => [2, 15]
 * ```
 */
export const globalAveragePool = (): Layer =>
  leaf({
    kind: 'globalAveragePool',
    label: 'mean over the image',
    parameters: () => [],
    apply: (ops, _params, path, x) => {
      refuseOthers('globalAveragePool', path, x);
      return ops.mean(x, [1, 2]);
    },
  });

/**
 * Every pixel repeated: images `[n, h, w, c]` to `[n, factor * h, factor * w, c]`.
 *
 * @param factor - how often, down and across
 * @example
 * ```ts
 * import { evaluating, referenceBackend, tensor, upsample } from 'kfac-ts/core';
 *
 * const images = tensor([1, 2], [1, 1, 2, 1]);
 * upsample(2).apply(referenceBackend().ops, {}, '', images, evaluating({})).data; // => [1, 1, 2, 2, 1, 1, 2, 2]
 * ```
 */
export const upsample = (factor: number): Layer => {
  extent('upsample.factor', factor);
  return leaf({
    kind: 'upsample',
    label: `upsample by ${factor}`,
    parameters: () => [],
    apply: (ops, _params, path, x) => {
      refuseOthers('upsample', path, x);
      const [n, h, w, c] = x.shape;
      const repeated = ops.broadcastTo(ops.reshape(x, [n, h, 1, w, 1, c]), [n, h, factor, w, factor, c]);
      return ops.reshape(repeated, [n, h * factor, w * factor, c]);
    },
  });
};
