/**
 * Transposed convolutions of images: the way back from a convolution's outputs to its images, with filters of its own.
 *
 * @module
 */
import { raise } from '../../errors.ts';
import type { Window } from '../../ops/window.ts';
import { joinPath } from '../../params.ts';
import { extent } from '../../settings.ts';
import { shown } from '../../shown.ts';
import type { Shape } from '../../tensor.ts';
import { showShape } from '../../tensor.ts';
import { zeros } from '../initialisers/constant.ts';
import { heNormal } from '../initialisers/varianceScaling.ts';
import type { Conv2dOptions } from './convolution.ts';
import { groupsOf } from './convolution.ts';
import type { Layer } from './layer.ts';
import { leaf, parameterAt } from './layer.ts';
import type { Sides } from './windows.ts';
import { placeOf, windowOn } from './windows.ts';

/** A transposed convolution's extents and initial values; padding is what the convolution of the result would have. */
export interface ConvTranspose2dOptions extends Conv2dOptions {
  /**
   * Rows and columns more at the end of the result, below the stride: of the extents that a convolution takes to the input's,
   * the smallest is made where there are none.
   */
  readonly outputPadding?: Sides;
}

/** Rows and columns more, each below its stride. */
const outputPaddingOf = (given: Sides, stride: readonly [number, number]): readonly [number, number] => {
  const [rows, columns] = typeof given === 'number' ? [given, given] : given;
  const isBelow = [rows, columns].every((more, axis) => Number.isSafeInteger(more) && more >= 0 && more < stride[axis]);
  return isBelow
    ? [rows, columns]
    : raise({
        _tag: 'BadConfig',
        path: 'convTranspose2d.outputPadding',
        expected: `whole numbers from 0 to below the stride ${stride.join(' x ')}`,
        actual: shown(given),
      });
};

/**
 * Images `[n, h, w, in]` to `[n, oh, ow, out]` with oh = (h − 1) stride + dilation (kernel − 1) + 1 − padding + outputPadding, or
 * h stride with the padding `same`, and ow alike. Parameters `weight` `[in, kh * kw * out / groups]` and, with a bias, `bias` `[out]`.
 *
 * @param options - extents, geometry and initial values
 * @example
 * ```ts
 * import { convTranspose2d, model, sequential, summarise } from 'kfac-ts/core';
 * import * as E from 'fp-ts/lib/Either.js';
 *
 * // A DCGAN's step from 7 x 7 to 14 x 14.
 * const up = convTranspose2d({ in: 64, out: 32, kernel: 4, stride: 2, padding: 1 });
 * const summary = summarise(model('up', [7, 7, 64], up), 1);
 * E.isRight(summary) ? summary.right.output : null; // => [1, 14, 14, 32]
 * ```
 */
export const convTranspose2d = (options: ConvTranspose2dOptions): Layer => {
  const { bias: hasBias = true, initialiser = heNormal, biasInitialiser = zeros, padding = 'valid' } = options;
  const groups = groupsOf('convTranspose2d', options);
  const window = windowOn('convTranspose2d', options);
  const { kernel, stride, dilation } = window([1, 1, 1, 1]);
  const more = outputPaddingOf(options.outputPadding ?? 0, stride);
  const out = extent('convTranspose2d.out', options.out);
  const weightAt = (path: string): string => joinPath(path, 'weight');
  const biasAt = (path: string): string => joinPath(path, 'bias');

  /** Extents of the result, and the window that a convolution of it would have. */
  const resultOf = (where: string, x: Shape): { readonly shape: Shape; readonly window: Window } => {
    if (x.length !== 4 || x[3] !== options.in) {
      raise({ _tag: 'ShapeMismatch', where, expected: `images [n, h, w, ${options.in}]`, actual: showShape(x) });
    }
    if (padding === 'same') {
      const shape = [x[0], x[1] * stride[0], x[2] * stride[1], out];
      return { shape, window: window(shape) };
    }
    const found = window(x);
    const [top, bottom, left, right] = found.padding;
    const zerosAlong = [top + bottom, left + right];
    const [height, width] = [0, 1].map(
      (axis) =>
        (x[axis + 1] - 1) * stride[axis] + dilation[axis] * (kernel[axis] - 1) + 1 - zerosAlong[axis] + more[axis],
    );
    if (height < 1 || width < 1) {
      raise({
        _tag: 'ShapeMismatch',
        where,
        expected: `images that padding leaves something of, not ${height} x ${width}`,
        actual: showShape(x),
      });
    }
    return { shape: [x[0], height, width, out], window: found };
  };

  return leaf({
    kind: 'convTranspose2d',
    label: `convTranspose2d ${kernel.join(' x ')}, ${options.in} → ${out}${groups === 1 ? '' : `, ${groups} groups`}`,
    parameters: (path) => [
      { path: weightAt(path), shape: [options.in, (kernel[0] * kernel[1] * out) / groups], initialiser },
      ...(hasBias ? [{ path: biasAt(path), shape: [out], initialiser: biasInitialiser }] : []),
    ],
    apply: (ops, params, path, x) => {
      const { shape, window: found } = resultOf(placeOf('convTranspose2d', path), x.shape);
      const weight = weightAt(path);
      const spread = ops.site(
        {
          kind: 'transposedConvolution',
          path,
          weight,
          bias: null,
          window: found,
          groups,
          extents: [shape[1], shape[2]],
        },
        x,
        ops.convolveTransposed(x, parameterAt(params, weight), found, shape),
      );
      if (!hasBias) return spread;
      const bias = biasAt(path);
      const shifted = ops.add(spread, parameterAt(params, bias));
      return ops.site({ kind: 'shift', path: bias, weight: bias, bias: null }, spread, shifted);
    },
  });
};
