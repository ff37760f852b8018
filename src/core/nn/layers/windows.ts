/**
 * Sliding windows as layers are told of them: extents for both axes at once or for each, and padding by a word.
 *
 * @module
 */
import { raise } from '../../errors.ts';
import type { Window } from '../../ops/window.ts';
import { extent } from '../../settings.ts';
import { shown } from '../../shown.ts';
import type { Shape } from '../../tensor.ts';
import { showShape } from '../../tensor.ts';

/** An extent of height and width, or one for both. */
export type Sides = number | readonly [height: number, width: number];

/**
 * Zeros around images: `valid` is none; `same` is as many as give extent / stride places, rounded up, an odd one at the end; a number is
 * the same on every side, two are above and below and left and right, and four are `[top, bottom, left, right]`.
 */
export type Padding =
  | 'same'
  | 'valid'
  | number
  | readonly [vertical: number, horizontal: number]
  | readonly [top: number, bottom: number, left: number, right: number];

/** A sliding window's settings. */
export interface WindowOptions {
  /** Extent of the window in pixels, or taps. */
  readonly kernel: Sides;
  /** Pixels from one place to the next. */
  readonly stride?: Sides;
  /** Pixels from one tap to the next; 1 unless given, which is no gap. */
  readonly dilation?: Sides;
  /** Zeros around the images, `valid` unless given. */
  readonly padding?: Padding;
}

/** A window once the images are known. */
export type WindowOn = (images: Shape) => Window;

const sides = (path: string, given: Sides): readonly [number, number] => {
  const [height, width] = typeof given === 'number' ? [given, given] : given;
  return [extent(path, height), extent(path, width)];
};

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;

/** `[top, bottom, left, right]`, or `null` where it depends on the images. */
const explicit = (path: string, padding: Padding): Window['padding'] | null => {
  if (padding === 'same') return null;
  if (padding === 'valid') return [0, 0, 0, 0];
  const given: ReadonlyArray<number> = typeof padding === 'number' ? [padding, padding] : padding;
  if ((given.length !== 2 && given.length !== 4) || !given.every(isCount)) {
    return raise({
      _tag: 'BadConfig',
      path,
      expected: 'same, valid, or one, two or four whole numbers of at least 0',
      actual: shown(padding),
    });
  }
  const [top, bottom, left, right] = given.length === 2 ? [given[0], given[0], given[1], given[1]] : given;
  return [top, bottom, left, right];
};

/** Zeros at the begin and the end of an axis that leave extent / stride places, rounded up. */
const sameAlong = (along: number, kernel: number, stride: number, dilation: number): readonly [number, number] => {
  const span = (Math.ceil(along / stride) - 1) * stride + dilation * (kernel - 1) + 1;
  const missing = Math.max(span - along, 0);
  return [Math.floor(missing / 2), Math.ceil(missing / 2)];
};

/**
 * The window of a layer, checked.
 *
 * @param path - the layer, for errors
 * @param options - as given
 * @param unlessGiven - stride where none is given
 */
export const windowOn = (path: string, options: WindowOptions, unlessGiven: Sides = 1): WindowOn => {
  const kernel = sides(`${path}.kernel`, options.kernel);
  const stride = sides(`${path}.stride`, options.stride ?? unlessGiven);
  const dilation = sides(`${path}.dilation`, options.dilation ?? 1);
  const padding = explicit(`${path}.padding`, options.padding ?? 'valid');
  return ([, h, w]) => {
    if (padding !== null) return { kernel, stride, dilation, padding };
    const [top, bottom] = sameAlong(h, kernel[0], stride[0], dilation[0]);
    const [left, right] = sameAlong(w, kernel[1], stride[1], dilation[1]);
    return { kernel, stride, dilation, padding: [top, bottom, left, right] };
  };
};

/**
 * Images that a window fits into, or an error that names the layer.
 *
 * @param where - the layer and its path
 * @param images - shape of what came
 * @param channels - how many channels are expected; any number where it is `null`
 * @param window - the window
 */
export const requireImages = (where: string, images: Shape, channels: number | null, window: WindowOn): Window => {
  const misfit = (expected: string): never =>
    raise({ _tag: 'ShapeMismatch', where, expected, actual: showShape(images) });
  if (images.length !== 4 || (channels !== null && images[3] !== channels)) {
    return misfit(`images [n, h, w, ${channels ?? 'c'}]`);
  }
  const found = window(images);
  const { kernel, dilation, padding } = found;
  const [needed, broad] = [0, 1].map((axis) => dilation[axis] * (kernel[axis] - 1) + 1);
  const [height, width] = [images[1] + padding[0] + padding[1], images[2] + padding[2] + padding[3]];
  return height >= needed && width >= broad
    ? found
    : misfit(`images of at least ${needed} x ${broad} with their padding, not ${height} x ${width}`);
};

/** A layer with its path, as errors name it. */
export const placeOf = (layer: string, path: string): string => (path === '' ? layer : `${layer} at ${path}`);
