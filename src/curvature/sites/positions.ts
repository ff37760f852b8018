/**
 * A random part of the positions at which weights meet an example: statistics of it cost that part of those of all.
 *
 * T positions, of which M are drawn, are weighed T / M in A, which is a sum over positions, and not in G, which is a mean: under
 * `expand` both are unbiased. In every example as many are drawn, each with the same probability, without drawing one twice.
 * What sums positions first (`reduce`, moments in a basis, a diagonal) needs all of them.
 *
 * Of images whole rows of places are drawn: a row needs the rows of pixels that its filters meet, and no other pixel is looked
 * at. Rows of pixels below each other are images again, on which the filters move by their own height.
 *
 * @module
 */
import type { Ops } from '../../core/ops/ops.ts';
import { patchesShape } from '../../core/ops/shapes.ts';
import type { Window } from '../../core/ops/window.ts';
import type { Key } from '../../core/random/key.ts';
import { keyOf } from '../../core/random/key.ts';
import { permutation } from '../../core/random/permutation.ts';
import { split } from '../../core/random/split.ts';
import { uniform } from '../../core/random/uniform.ts';
import type { Shaped, Tensor } from '../../core/tensor.ts';
import { generate, sizeOf } from '../../core/tensor.ts';
import { positionsOf } from '../statistics/sharing.ts';
import type { Seen } from './kind.ts';
import type { SiteOptions } from './options.ts';

/** Positions of some examples. */
interface Drawn {
  /** M of each example. */
  readonly count: number;
  /** Position j of example i, in [0, T). */
  readonly at: (i: number, j: number) => number;
}

/**
 * Positions drawn of each example: the same of all, further along by a random number of positions in each.
 *
 * @param key - randomness
 * @param examples - n
 * @param positions - T
 * @param count - M
 */
const drawn = (key: Key, examples: number, positions: number, count: number): Drawn => {
  const [ofOrder, ofOffsets] = split(key, 2);
  const order = permutation(ofOrder, positions).data;
  const offsets = uniform(ofOffsets, [examples], 'f64').data;
  return { count, at: (i, j) => (order[j] + Math.floor(offsets[i] * positions)) % positions };
};

/** M of T. */
const countOf = (positions: number, fraction: number): number => Math.max(1, Math.round(fraction * positions));

/** Whether a part of T positions is fewer than all. */
const isPart = (positions: number, { positionsFraction = 1, sharing = 'expand' }: SiteOptions): boolean =>
  sharing === 'expand' && countOf(positions, positionsFraction) < positions;

/** Which rows of `[n T, …]` are drawn. */
const rowsAt = ({ count, at }: Drawn, examples: number, positions: number): Tensor =>
  generate([examples * count], (i) => Math.floor(i / count) * positions + at(Math.floor(i / count), i % count), 'i32');

/** Some rows of `[n T …]`, with T positions of each example cut off from what follows: `[n, M, …rest]`. */
const taken = <T extends Shaped>(
  ops: Ops<T>,
  x: T,
  rows: T,
  [examples, positions, ...rest]: ReadonlyArray<number>,
): T =>
  ops.reshape(ops.gather(ops.reshape(x, [examples * positions, ...rest]), rows), [
    examples,
    rows.shape[0] / examples,
    ...rest,
  ]);

/** Weights of M drawn positions, T / M as much as those of all. */
const weightsOf = <T extends Shaped>(
  ops: Ops<T>,
  weights: T | null | undefined,
  rows: T,
  [examples, positions, ...rest]: ReadonlyArray<number>,
): T => {
  const count = rows.shape[0] / examples;
  const share = positions / count;
  if (weights === null || weights === undefined) return ops.full([examples, count, ...rest], share);
  const uses = examples / weights.shape[0];
  if (weights.shape.length > 1) return ops.scale(share, taken(ops, weights, rows, [examples, positions, ...rest]));
  const each = ops.reshape(weights, [weights.shape[0], 1]);
  return ops.scale(
    share,
    ops.reshape(ops.broadcastTo(each, [weights.shape[0], uses * count * sizeOf(rest)]), [examples, count, ...rest]),
  );
};

/** Randomness of a capture; one that was made by hand may have none. */
const keyIn = <T>({ key = keyOf(0) }: Seen<T>): Key => key;

/**
 * What a site saw at some positions.
 *
 * @param ops - interpreter
 * @param seen - what it saw at all: inputs `[n, …]`, with features in a last axis or none, and cotangents `[n, …, out]`
 * @param featureAxes - how many axes of the inputs are features
 * @param options - how sites are treated
 */
export const atSomePositions = <T extends Shaped>(
  ops: Ops<T>,
  seen: Seen<T>,
  featureAxes: 0 | 1,
  options: SiteOptions,
): Seen<T> => {
  const { input, cotangents } = seen;
  const [n] = input.shape;
  const positions = positionsOf(cotangents[0].shape);
  if (!isPart(positions, options)) return seen;
  const { positionsFraction = 1 } = options;
  const found = drawn(keyIn(seen), n, positions, countOf(positions, positionsFraction));
  const rows = ops.constant(rowsAt(found, n, positions));
  return {
    ...seen,
    input: taken(ops, input, rows, [n, positions, ...input.shape.slice(input.shape.length - featureAxes)]),
    // The roots of the weights are in the cotangents.
    cotangents: cotangents.map((g) =>
      ops.scale(Math.sqrt(positions / found.count), taken(ops, g, rows, [n, positions, g.shape[g.shape.length - 1]])),
    ),
    weights: weightsOf(ops, seen.weights, rows, [n, positions]),
  };
};

/** Filters on images at some of their places. */
export interface SomePlaces<T> {
  /** `[a, M kh, w, c]`: M runs of rows, of each of the images. */
  readonly images: ReadonlyArray<T>;
  /** Outputs `[a, M, ow, out]`. */
  readonly outputs: ReadonlyArray<T>;
  /** Weights of the places, `[a, M, ow]`, T / M as much as those of all. */
  readonly weights: T;
  /** The window whose places on these images they are. */
  readonly window: Window;
}

/**
 * Rows of places, or `null` where all are taken.
 *
 * @param ops - interpreter
 * @param images - `[a, h, w, c]` each, of which the same places are taken
 * @param outputs - values at the places, of as many elements as `[a, oh, ow, out]`
 * @param rooted - whether they carry the roots of the weights, as cotangents do
 * @param window - geometry
 * @param seen - whose weights and randomness
 * @param options - how sites are treated
 */
export const atSomePlaces = <T extends Shaped>(
  ops: Ops<T>,
  images: ReadonlyArray<T>,
  outputs: ReadonlyArray<T>,
  rooted: boolean,
  window: Window,
  seen: Seen<T>,
  options: SiteOptions,
): SomePlaces<T> | null => {
  const [{ shape }] = images;
  const [a, h, w, c] = shape;
  const [, oh, ow] = patchesShape(shape, window);
  if (!isPart(oh, options)) return null;
  const { positionsFraction = 1 } = options;
  const { kernel, stride, dilation, padding } = window;
  const [top, bottom, left, right] = padding;
  const [kh, kw] = kernel;
  const found = drawn(keyIn(seen), a, oh, countOf(oh, positionsFraction));
  const { count } = found;
  /** Row of pixels of its image that tap i lies on; one beside the image is padding. */
  const rowOf = (i: number): number =>
    found.at(Math.floor(i / (count * kh)), Math.floor(i / kh) % count) * stride[0] + (i % kh) * dilation[0] - top;
  const isPixel = (row: number): boolean => row >= 0 && row < h;
  const taps = a * count * kh;
  const pixels = ops.constant(
    generate([taps], (i) => Math.floor(i / (count * kh)) * h + Math.min(h - 1, Math.max(0, rowOf(i))), 'i32'),
  );
  const areThere = top + bottom === 0 ? null : ops.constant(generate([taps, 1, 1], (i) => (isPixel(rowOf(i)) ? 1 : 0)));
  const rows = ops.constant(rowsAt(found, a, oh));
  const below = (x: T): T =>
    ops.within((on) => {
      const met = on.gather(on.reshape(x, [a * h, w, c]), pixels);
      const padded = areThere === null ? met : on.mul(met, areThere);
      return [padded, [padded]];
    });
  return {
    images: images.map((x) => ops.reshape(below(x), [a, count * kh, w, c])),
    outputs: outputs.map((x) =>
      ops.within((on) => {
        const some = taken(on, x, rows, [a, oh, ow, x.shape[x.shape.length - 1]]);
        const times = rooted ? on.scale(Math.sqrt(oh / count), some) : some;
        return [times, [times]];
      }),
    ),
    weights: weightsOf(ops, seen.weights, rows, [a, oh, ow]),
    window: { kernel: [kh, kw], stride: [kh, stride[1]], dilation: [1, dilation[1]], padding: [0, 0, left, right] },
  };
};
