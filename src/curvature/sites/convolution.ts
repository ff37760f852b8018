/**
 * Convolutions: what the filters meet at a place is a patch of the images, so a convolution is a dense site on patches, whose
 * positions are the places. K-FAC's block is KFC's [GM16 §3.1]: A = E[Σ_t ā_t ā_tᵀ] over the T places, with one homogeneous
 * coordinate, and G = E[(1/T) Σ_t g_t g_tᵀ]; `reduce` takes the mean patch and the sum of the cotangents instead [E23].
 *
 * Patches are kh · kw times as large as the images. The sums that K-FAC keeps under `expand` never hold those of a batch.
 * Filters in groups are a block per group, as parts of Block K-FAC are.
 *
 * @module
 */
import { kronecker } from '../../core/operators/blockOperator.ts';
import type { Factor } from '../../core/operators/factors/factor.ts';
import { directSumOf } from '../../core/operators/factors/factor.ts';
import type { Ops } from '../../core/ops/ops.ts';
import type { Window } from '../../core/ops/window.ts';
import { patchesShape } from '../../core/ops/shapes.ts';
import type { ConvolutionSite } from '../../core/ops/site.ts';
import type { Params } from '../../core/params.ts';
import type { Shape, Shaped } from '../../core/tensor.ts';
import { sizeOf } from '../../core/tensor.ts';
import { cotangentPartGrams, cotangentRows, cotangentSums, factorOf, mostFull } from '../statistics/factors.ts';
import { partitionOf } from '../statistics/partition.ts';
import type { Cut } from '../statistics/partition.ts';
import { columnOf, knownSharing, markOf, sumOfPositions } from '../statistics/sharing.ts';
import { forgetting, sumByExamples } from './byExamples.ts';
import { dense } from './dense.ts';
import { inGroups } from './groups.ts';
import type { Seen, SiteBlock, SiteKind } from './kind.ts';
import type { SiteOptions } from './options.ts';
import { atSomePlaces } from './positions.ts';

/** Images of all uses one after another, `[n u, h, w, c]` of `[n, u, h, w, c]`. */
const imagesOf = <T extends Shaped>(ops: Ops<T>, { input }: Seen<T>): T => {
  const { shape } = input;
  return shape.length === 4 ? input : ops.reshape(input, [sizeOf(shape.slice(0, -3)), ...shape.slice(-3)]);
};

/** Positions on one axis, `[n, t, d]`. */
const inOneAxis = <T extends Shaped>(ops: Ops<T>, x: T): T => {
  const [n] = x.shape;
  const d = x.shape[x.shape.length - 1];
  return ops.reshape(x, [n, sizeOf(x.shape.slice(1, -1)), d]);
};

/** Weights by position in one axis, as the cotangents have them. */
const weightsInOneAxis = <T extends Shaped>(ops: Ops<T>, { weights }: Seen<T>): Pick<Seen<T>, 'weights'> => {
  if (weights === null || weights === undefined) return {};
  const { shape } = weights;
  return { weights: shape.length <= 2 ? weights : ops.reshape(weights, [shape[0], sizeOf(shape.slice(1))]) };
};

/** What a dense site would see: patches `[n, t, kh kw c]`. */
const patched = <T extends Shaped>(ops: Ops<T>, seen: Seen<T>, { window }: ConvolutionSite): Seen<T> => {
  const patches = ops.patches(imagesOf(ops, seen), window);
  const [n] = seen.input.shape;
  const [, oh, ow, length] = patches.shape;
  return {
    input: ops.reshape(patches, [n, (patches.shape[0] / n) * oh * ow, length]),
    cotangents: seen.cotangents.map((g) => inOneAxis(ops, g)),
    ...weightsInOneAxis(ops, seen),
    ...markOf(seen),
  };
};

/**
 * The sum of the patches of each example, `[n, kh kw c]`, without them: examples are groups of channels of one image, and the
 * places' weights the outputs that it is correlated with.
 *
 * @param ops - interpreter
 * @param images - `[n, h, w, c]`
 * @param window - geometry
 * @param weights - of the places, `[n, oh, ow]`; `null` where all weigh alike
 */
export const patchSums = <T extends Shaped>(ops: Ops<T>, images: T, window: Window, weights: T | null): T => {
  const [n, h, w, c] = images.shape;
  const [, oh, ow] = patchesShape(images.shape, window);
  const side = ops.reshape(ops.transpose(images, [1, 2, 0, 3]), [1, h, w, n * c]);
  const places = weights === null ? ops.full([oh, ow, n], 1) : ops.transpose(weights, [1, 2, 0]);
  return ops.correlate(side, ops.reshape(places, [1, oh, ow, n]), window, n);
};

/** Least weight of an example's places: where nothing counts nothing is divided by zero. */
const tiny = 1e-30;

/** What a dense site would see of the mean patch over the places that count, and the sum of the cotangents. */
const reduced = <T extends Shaped>(ops: Ops<T>, seen: Seen<T>, { window }: ConvolutionSite): Seen<T> => {
  const images = imagesOf(ops, seen);
  const [n] = seen.input.shape;
  const { weights = null } = seen;
  const [all, oh, ow, length] = patchesShape(images.shape, window);
  const ofPlaces = weights === null || weights.shape.length === 1 ? null : ops.reshape(weights, [all, oh, ow]);
  const sums = ops.sum(ops.reshape(patchSums(ops, images, window, ofPlaces), [n, all / n, length]), [1]);
  const cotangents = seen.cotangents.map((g) => sumOfPositions(ops, g));
  if (ofPlaces === null) {
    return { input: ops.scale(n / (all * oh * ow), sums), cotangents, ...(weights === null ? {} : { weights }) };
  }
  const perExample = ops.reshape(ofPlaces, [n, (all / n) * oh * ow]);
  const total = ops.maximum(ops.reshape(ops.sum(perExample, [1]), [n, 1]), ops.full([], tiny));
  return { input: ops.div(sums, total), cotangents, weights: ops.max(perExample, [1]) };
};

/**
 * Blocks on the diagonal of a matrix.
 *
 * @param ops - interpreter
 * @param name - name of the factor
 * @param m - the matrix
 * @param cut - how to cut its rows and columns
 * @returns sums named `A:0`, `A:1`, … for the factor A
 */
export const diagonalParts = <T extends Shaped>(ops: Ops<T>, name: string, m: T, cut: Cut): Params<T> =>
  Object.fromEntries(
    partitionOf(m.shape[0], cut).map(({ begin, size }, i) => [
      `${name}:${i}`,
      size === m.shape[0] ? m : ops.slice(m, [begin, begin], [size, size]),
    ]),
  );

/** A site, what it saw, and how it is treated, at a random part of its places. */
export interface AtSomePlaces<T> {
  readonly block: SiteBlock;
  readonly seen: Seen<T>;
  readonly options: SiteOptions;
}

/** Filters on rows of pixels below each other, or `null` where all places are taken. */
const atPlaces = <T extends Shaped>(
  ops: Ops<T>,
  seen: Seen<T>,
  site: ConvolutionSite,
  options: SiteOptions,
): AtSomePlaces<T> | null => {
  const found = atSomePlaces(ops, [imagesOf(ops, seen)], seen.cotangents, true, site.window, seen, options);
  if (found === null) return null;
  const {
    images: [images],
    outputs,
    weights,
    window,
  } = found;
  const [n] = seen.input.shape;
  const [a, m] = weights.shape;
  const ofExample = (x: T): T => ops.reshape(x, [n, (a / n) * m, ...x.shape.slice(2)]);
  return {
    block: whole({ ...site, window }),
    seen: {
      ...seen,
      input: ops.reshape(images, [n, a / n, ...images.shape.slice(1)]),
      cotangents: outputs.map(ofExample),
      weights: ofExample(weights),
    },
    options: { ...options, positionsFraction: 1 },
  };
};

/** A convolution in one group. */
const whole = (site: ConvolutionSite): SiteBlock => {
  const { path, weight, bias, window } = site;
  const onPatches = dense({ kind: 'dense', path, weight, bias });
  const { rows, eigenMoments, partitioned } = onPatches;
  const taps = window.kernel[0] * window.kernel[1];
  const orderOfPatch = (input: Shape): number => taps * input[input.length - 1] + (bias === null ? 0 : 1);
  /** Elements that are formed of one example: some arrays as large as its patches, and its gradients, squared too. */
  const patchElements = <T extends Shaped>({ input, cotangents }: Seen<T>, arrays: number): number => {
    const [n] = input.shape;
    const order = orderOfPatch(input.shape);
    const [{ shape }] = cotangents;
    const out = shape[shape.length - 1];
    return arrays * (sizeOf(shape.slice(0, -1)) / n) * order + cotangents.length * 2 * order * out;
  };

  /** Weights of all places as a column; `null` where all weigh alike. */
  const placeWeights = <T extends Shaped>(ops: Ops<T>, seen: Seen<T>): T | null => {
    const { weights } = seen;
    if (weights === null || weights === undefined) return null;
    const images = imagesOf(ops, seen);
    const [all, oh, ow] = patchesShape(images.shape, window);
    return columnOf(ops, weights, (all / seen.input.shape[0]) * oh * ow);
  };
  /** Σ ā āᵀ over all places. */
  const inputGram = <T extends Shaped>(ops: Ops<T>, seen: Seen<T>): T => {
    return ops.patchGram(imagesOf(ops, seen), window, placeWeights(ops, seen), bias !== null);
  };
  /** Σ ā² over all places, element by element: a patch's squares are a patch of the squares. */
  const inputSquares = <T extends Shaped>(ops: Ops<T>, seen: Seen<T>): T => {
    const images = imagesOf(ops, seen);
    const [n, oh, ow, length] = patchesShape(images.shape, window);
    const weights = placeWeights(ops, seen) ?? ops.full([n * oh * ow, 1], 1);
    const sums = ops.correlate(ops.square(images), ops.reshape(weights, [n, oh, ow, 1]), window, 1);
    const squares = ops.reshape(sums, [length]);
    return bias === null ? squares : ops.concat([squares, ops.reshape(ops.sum(weights, [0, 1]), [1])], 0);
  };
  /** The second moments of a pixel, each counted as often as a tap sees it, over the number of taps; and the sum of the ones. */
  const pixelSums = <T extends Shaped>(ops: Ops<T>, seen: Seen<T>): Params<T> => {
    const images = imagesOf(ops, seen);
    const [n, h, w, c] = images.shape;
    const [, oh, ow] = patchesShape(images.shape, window);
    const weights = placeWeights(ops, seen) ?? ops.full([n * oh * ow, 1], 1);
    const places = ops.reshape(weights, [n, oh, ow, 1]);
    const counts = ops.convolveTransposed(places, ops.full([1, taps], 1 / taps), window, [n, h, w, 1]);
    const pixels = ops.reshape(ops.mul(ops.sqrt(counts), images), [n * h * w, c]);
    return {
      pixel: ops.gram(pixels),
      ...(bias === null ? {} : { ones: ops.reshape(ops.sum(weights, [0, 1]), [1, 1]) }),
    };
  };
  /** What is kept of the inputs. */
  const inputSums = <T extends Shaped>(ops: Ops<T>, seen: Seen<T>, options: SiteOptions): Params<T> => {
    const { maxFactor = mostFull, uncorrelated = false } = options;
    if (uncorrelated) return pixelSums(ops, seen);
    return orderOfPatch(seen.input.shape) <= maxFactor ? { A: inputGram(ops, seen) } : { a: inputSquares(ops, seen) };
  };
  /** A block for each tap, all alike, and one for the bias. */
  const alikeTaps = <T>(averages: Params<T>): Factor<T> =>
    directSumOf([
      ...Array.from({ length: taps }, () => averages['pixel']),
      ...('ones' in averages ? [averages['ones']] : []),
    ]);

  return {
    ...onPatches,
    featureAxes: 3,
    affine: false,
    order: ({ input, cotangents: [{ shape }] }) => orderOfPatch(input.shape) * shape[shape.length - 1],
    gradients: (ops, seen) => onPatches.gradients(ops, patched(ops, seen, site)),
    squares: (ops, seen) =>
      sumByExamples(ops, seen, patchElements(seen, 4), (on, part) => onPatches.squares(on, patched(on, part, site))),
    statistics: (ops, seen, options) => {
      const { maxFactor = mostFull } = options;
      if (knownSharing(options.sharing) === 'reduce')
        return onPatches.statistics(ops, reduced(ops, seen, site), { maxFactor });
      const part = atPlaces(ops, seen, site, options);
      if (part !== null) return part.block.statistics(ops, part.seen, part.options);
      return {
        sums: {
          ...forgetting(ops, seen, (on) => inputSums(on, seen, options)),
          ...forgetting(ops, seen, (on) => cotangentSums(on, cotangentRows(on, seen), maxFactor)),
        },
        weight: seen.input.shape[0],
      };
    },
    operator: (averages, ops) =>
      'pixel' in averages ? kronecker(alikeTaps(averages), factorOf(averages, 'G')) : onPatches.operator(averages, ops),
    words: ({ sharing = 'expand', maxFactor = mostFull, uncorrelated = false }, shapes) => {
      if (uncorrelated && sharing === 'expand') return '(⊕ A) ⊗ G';
      const word = (name: string, order: number): string => (order <= maxFactor ? name : `diag ${name}`);
      return shapes === undefined
        ? 'A ⊗ G'
        : `${word('A', orderOfPatch(shapes.input))} ⊗ ${word('G', shapes.output[shapes.output.length - 1])}`;
    },
    rows:
      rows === null
        ? null
        : (ops, seen, sharing) =>
            knownSharing(sharing) === 'reduce'
              ? rows(ops, reduced(ops, seen, site), 'expand')
              : rows(ops, patched(ops, seen, site), sharing),
    partitioned:
      partitioned === null
        ? null
        : {
            ...partitioned,
            statistics: (ops, seen, cuts, options) => {
              if (knownSharing(options.sharing) === 'reduce')
                return partitioned.statistics(ops, reduced(ops, seen, site), cuts, {});
              const part = atPlaces(ops, seen, site, options);
              if (part !== null && part.block.partitioned !== null)
                return part.block.partitioned.statistics(ops, part.seen, cuts, part.options);
              return {
                sums: {
                  ...forgetting(ops, seen, (on) => diagonalParts(on, 'A', inputGram(on, seen), cuts.inputs)),
                  ...forgetting(ops, seen, (on) => cotangentPartGrams(on, cotangentRows(on, seen), cuts.outputs)),
                },
                weight: seen.input.shape[0],
              };
            },
          },
    eigenMoments:
      eigenMoments === null
        ? null
        : (ops, seen, basis) =>
            sumByExamples(ops, seen, patchElements(seen, 5), (on, part) =>
              eigenMoments(on, patched(on, part, site), basis),
            ),
  };
};

/** Convolutions. */
export const convolution: SiteKind<ConvolutionSite> = (site) =>
  site.groups === 1 ? whole(site) : inGroups(site, whole({ ...site, groups: 1 }));
