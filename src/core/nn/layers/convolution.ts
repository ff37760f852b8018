/**
 * Convolutions of images and of sequences.
 *
 * @module
 */
import { raise } from '../../errors.ts';
import type { Ops } from '../../ops/ops.ts';
import type { Window } from '../../ops/window.ts';
import type { Params } from '../../params.ts';
import { joinPath } from '../../params.ts';
import { extent } from '../../settings.ts';
import type { Shaped } from '../../tensor.ts';
import { showShape } from '../../tensor.ts';
import { zeros } from '../initialisers/constant.ts';
import type { Initialiser } from '../initialisers/initialiser.ts';
import { heNormal } from '../initialisers/varianceScaling.ts';
import type { Layer, ParameterSpec } from './layer.ts';
import { leaf, parameterAt } from './layer.ts';
import type { Padding, WindowOptions } from './windows.ts';
import { placeOf, requireImages, windowOn } from './windows.ts';

/** What every convolution is told. */
interface FilterOptions {
  /** Channels that go in. */
  readonly in: number;
  /** Channels that come out. */
  readonly out: number;
  /**
   * Runs of channels that are convolved apart, each with its share of the filters; 1 unless given. As many as channels is a
   * depthwise convolution.
   */
  readonly groups?: number;
  /** Whether there is a bias; there is unless this is `false`. */
  readonly bias?: boolean;
  /** Of the filters; He's normal unless given. */
  readonly initialiser?: Initialiser;
  /** Of the bias; zeros unless given. */
  readonly biasInitialiser?: Initialiser;
}

/** A convolution's extents and initial values. */
export interface Conv2dOptions extends FilterOptions, WindowOptions {}

/** A convolution of sequences: extents along the one axis. */
export interface Conv1dOptions extends FilterOptions {
  /** Taps. */
  readonly kernel: number;
  /** Positions from one place to the next, 1 unless given. */
  readonly stride?: number;
  /** Positions from one tap to the next, 1 unless given. */
  readonly dilation?: number;
  /** Zeros around a sequence: `same`, `valid` (unless given), a number for both ends, or one for each. */
  readonly padding?: 'same' | 'valid' | number | readonly [before: number, after: number];
}

/**
 * Groups that divide the channels, or an error.
 *
 * @param layer - which kind
 * @param options - extents
 */
export const groupsOf = (layer: string, { groups = 1, ...options }: FilterOptions): number => {
  extent(`${layer}.groups`, groups);
  for (const side of ['in', 'out'] as const) {
    if (extent(`${layer}.${side}`, options[side]) % groups !== 0) {
      raise({
        _tag: 'BadConfig',
        path: `${layer}.groups`,
        expected: `groups that divide ${options.in} channels in and ${options.out} out`,
        actual: String(groups),
      });
    }
  }
  return groups;
};

/** The part of a convolution that knows of parameters alone. */
const filters = (
  options: FilterOptions,
  groups: number,
  taps: number,
): {
  readonly parameters: (path: string) => ReadonlyArray<ParameterSpec>;
  readonly convolve: <T extends Shaped>(ops: Ops<T>, params: Params<T>, path: string, images: T, window: Window) => T;
} => {
  const { bias: hasBias = true, initialiser = heNormal, biasInitialiser = zeros, out } = options;
  const weightAt = (path: string): string => joinPath(path, 'weight');
  const biasAt = (path: string): string => joinPath(path, 'bias');
  return {
    parameters: (path) => [
      { path: weightAt(path), shape: [out, (taps * options.in) / groups], initialiser },
      ...(hasBias ? [{ path: biasAt(path), shape: [out], initialiser: biasInitialiser }] : []),
    ],
    convolve: (ops, params, path, images, window) => {
      const [weight, bias] = [weightAt(path), hasBias ? biasAt(path) : null];
      const products = ops.convolve(images, parameterAt(params, weight), window);
      const output = bias === null ? products : ops.add(products, parameterAt(params, bias));
      return ops.site({ kind: 'convolution', path, weight, bias, window, groups }, images, output);
    },
  };
};

const nameOf = (layer: string, { in: from, out }: FilterOptions, kernel: string, groups: number): string =>
  `${layer} ${kernel}, ${from} → ${out}${groups === 1 ? '' : `, ${groups} groups`}`;

/**
 * Images `[n, h, w, in]` convolved: `[n, oh, ow, out]`. Parameters `weight` `[out, kh * kw * in / groups]`, whose rows are the
 * filters with their channels last, and, with a bias, `bias` `[out]`.
 *
 * @param options - extents, geometry and initial values
 * @example
 * ```ts
 * import { activation, conv2d, dense, flatten, maxPool, sequential } from 'kfac-ts/core';
 *
 * // Images of 28 x 28 pixels to ten classes.
 * const layers = sequential([
 *   conv2d({ in: 1, out: 8, kernel: 5, padding: 'same' }),
 *   activation('relu'),
 *   maxPool({ kernel: 2 }),
 *   flatten(),
 *   dense({ in: 14 * 14 * 8, out: 10 }),
 * ]);
 * layers.parameters('')[0].shape; // => [8, 25]
 * ```
 */
export const conv2d = (options: Conv2dOptions): Layer => {
  const groups = groupsOf('conv2d', options);
  const window = windowOn('conv2d', options);
  const { kernel } = window([1, 1, 1, 1]);
  const { parameters, convolve } = filters(options, groups, kernel[0] * kernel[1]);
  return leaf({
    kind: 'conv2d',
    label: nameOf('conv2d', options, kernel.join(' x '), groups),
    parameters,
    apply: (ops, params, path, x) =>
      convolve(ops, params, path, x, requireImages(placeOf('conv2d', path), x.shape, options.in, window)),
  });
};

/** Padding along the height of images of width 1. */
const alongHeight = (padding: Conv1dOptions['padding']): Padding => {
  if (padding === undefined) return 'valid';
  if (typeof padding === 'string') return padding;
  const [before, after] = typeof padding === 'number' ? [padding, padding] : padding;
  return [before, after, 0, 0];
};

/**
 * Sequences `[n, t, in]` convolved: `[n, ot, out]`. Parameters `weight` `[out, kernel * in / groups]`, whose rows are the
 * filters with their channels last, and, with a bias, `bias` `[out]`.
 *
 * @param options - extents, geometry and initial values
 * @example
 * ```ts
 * import { conv1d } from 'kfac-ts/core';
 *
 * // Causal: zeros before the first position only.
 * const layer = conv1d({ in: 16, out: 32, kernel: 3, padding: [2, 0] });
 * layer.label; // => 'conv1d 3, 16 → 32'
 * ```
 */
export const conv1d = (options: Conv1dOptions): Layer => {
  const { kernel, stride = 1, dilation = 1 } = options;
  const groups = groupsOf('conv1d', options);
  const window = windowOn('conv1d', {
    kernel: [kernel, 1],
    stride: [stride, 1],
    dilation: [dilation, 1],
    padding: alongHeight(options.padding),
  });
  const { parameters, convolve } = filters(options, groups, kernel);
  return leaf({
    kind: 'conv1d',
    label: nameOf('conv1d', options, String(kernel), groups),
    parameters,
    apply: (ops, params, path, x) => {
      const where = placeOf('conv1d', path);
      if (x.shape.length !== 3) {
        raise({
          _tag: 'ShapeMismatch',
          where,
          expected: `sequences [n, t, ${options.in}]`,
          actual: showShape(x.shape),
        });
      }
      const [n, t, c] = x.shape;
      const images = ops.reshape(x, [n, t, 1, c]);
      const y = convolve(ops, params, path, images, requireImages(where, images.shape, options.in, window));
      return ops.reshape(y, [n, y.shape[1], options.out]);
    },
  });
};
