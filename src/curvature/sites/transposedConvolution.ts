/**
 * Transposed convolutions, y = unpatches(x W): at each place t a pixel x_t times W is added to a patch of the result, so the
 * cotangent there is a patch c_t of the result's. The block is that of a dense site with inputs x and cotangents c: Wᵀ
 * `[kh kw out, in]` with A = E[Σ_t x_t x_tᵀ] and G = E[(1/T) Σ_t c_t c_tᵀ]. The bias is added to pixels of the result, which lie
 * in several patches, and is a site of its own.
 *
 * @module
 */
import type { Ops } from '../../core/ops/ops.ts';
import { axesOf, patchesShape } from '../../core/ops/shapes.ts';
import type { TransposedConvolutionSite } from '../../core/ops/site.ts';
import type { Shape, Shaped } from '../../core/tensor.ts';
import { sizeOf } from '../../core/tensor.ts';
import { inputSums, mostFull, partGrams } from '../statistics/factors.ts';
import { asRows, columnOf, knownSharing, sumOfPositions } from '../statistics/sharing.ts';
import { totalOf } from '../statistics/statistics.ts';
import type { AtSomePlaces } from './convolution.ts';
import { diagonalParts, patchSums } from './convolution.ts';
import { forgetting, sumByExamples } from './byExamples.ts';
import { dense } from './dense.ts';
import { inGroups } from './groups.ts';
import type { Seen, SiteBlock, SiteKind } from './kind.ts';
import type { SiteOptions } from './options.ts';
import { atSomePlaces } from './positions.ts';

/** The results' cotangents as images `[n u, h, w, out]`, u uses one after another. */
const images = <T extends Shaped>(ops: Ops<T>, g: T, [height, width]: readonly [number, number]): T => {
  const out = g.shape[g.shape.length - 1];
  return ops.reshape(g, [sizeOf(g.shape) / (height * width * out), height, width, out]);
};

/** Weights of examples: one that is weighed by position weighs as its heaviest position does. */
const ofExamples = <T extends Shaped>(ops: Ops<T>, { weights }: Seen<T>): T | null => {
  if (weights === null || weights === undefined) return null;
  return weights.shape.length === 1 ? weights : ops.max(weights, axesOf(weights.shape).slice(1));
};

/** What a dense site would see: pixels `[n, t, in]` and patches of cotangents `[n, t, kh kw out]`. */
const patched = <T extends Shaped>(ops: Ops<T>, seen: Seen<T>, site: TransposedConvolutionSite): Seen<T> => {
  const { input, cotangents } = seen;
  const [n] = input.shape;
  const channels = input.shape[input.shape.length - 1];
  const positions = sizeOf(input.shape.slice(1, -1));
  const weights = ofExamples(ops, seen);
  return {
    input: ops.reshape(input, [n, positions, channels]),
    cotangents: cotangents.map((g) => {
      const columns = ops.patches(images(ops, g, site.extents), site.window);
      return ops.reshape(columns, [n, positions, columns.shape[3]]);
    }),
    ...(weights === null ? {} : { weights }),
  };
};

/** What a dense site would see of the mean pixel and the sum of the patches of cotangents, without the patches. */
const reduced = <T extends Shaped>(ops: Ops<T>, seen: Seen<T>, site: TransposedConvolutionSite): Seen<T> => {
  const [n, ...rest] = seen.input.shape;
  const weights = ofExamples(ops, seen);
  return {
    input: ops.scale(1 / sizeOf(rest.slice(0, -1)), sumOfPositions(ops, seen.input)),
    cotangents: seen.cotangents.map((g) => {
      const sums = patchSums(ops, images(ops, g, site.extents), site.window, null);
      const length = sizeOf(sums.shape.slice(1));
      const [all] = sums.shape;
      return all === n ? ops.reshape(sums, [n, length]) : ops.sum(ops.reshape(sums, [n, all / n, length]), [1]);
    }),
    ...(weights === null ? {} : { weights }),
  };
};

/** A site, what it saw, and how it is treated, at a random part of its pixels; `null` where all are taken. */
const atPixels = <T extends Shaped>(
  ops: Ops<T>,
  seen: Seen<T>,
  site: TransposedConvolutionSite,
  options: SiteOptions,
): AtSomePlaces<T> | null => {
  const { input, cotangents } = seen;
  const [n] = input.shape;
  const weighed: Seen<T> = { ...seen, weights: ofExamples(ops, seen) };
  const all = cotangents.map((g) => images(ops, g, site.extents));
  const found = atSomePlaces(ops, all, [input], false, site.window, weighed, options);
  if (found === null) return null;
  const [a, m, w] = found.weights.shape;
  const [, height, width, channels] = found.images[0].shape;
  return {
    block: whole({ ...site, window: found.window, extents: [height, width] }),
    seen: {
      ...seen,
      input: ops.reshape(found.outputs[0], [n, a / n, m, w, input.shape[input.shape.length - 1]]),
      cotangents: found.images.map((x) => ops.reshape(x, [n, (a / n) * height, width, channels])),
      weights: ops.reshape(found.weights, [n, (a / n) * m, w]),
    },
    options: { ...options, positionsFraction: 1 },
  };
};

/** The block of one group, of W in as many groups as the site has. */
const whole = (site: TransposedConvolutionSite): SiteBlock => {
  const { path, weight, window, extents, groups } = site;
  const onPatches = dense({ kind: 'dense', path, weight, bias: null });
  const { rows, eigenMoments, partitioned } = onPatches;

  /** Pixels as rows, with the roots of their weights. */
  const inputRows = <T extends Shaped>(ops: Ops<T>, seen: Seen<T>): T => {
    const x = asRows(ops, seen.input);
    const weights = ofExamples(ops, seen);
    const positions = x.shape[0] / seen.input.shape[0];
    return weights === null ? x : ops.mul(ops.sqrt(columnOf(ops, weights, positions)), x);
  };
  /** (1/T) Σ c cᵀ over all places and passes. */
  const cotangentGram = <T extends Shaped>(ops: Ops<T>, { input, cotangents }: Seen<T>): T =>
    ops.scale(
      1 / sizeOf(input.shape.slice(1, -1)),
      totalOf(
        ops,
        cotangents.map((g) => ops.patchGram(images(ops, g, extents), window, null, false)),
      ),
    );

  /** (1/T) Σ c² over all places and passes, element by element: a patch's squares are a patch of the squares. */
  const cotangentSquares = <T extends Shaped>(ops: Ops<T>, { input, cotangents }: Seen<T>): T => {
    const sums = cotangents.map((g) => {
      const squares = ops.square(images(ops, g, extents));
      const places = ops.full([...patchesShape(squares.shape, window).slice(0, 3), 1], 1);
      return ops.reshape(ops.correlate(squares, places, window, 1), [orderOfPatch(g.shape)]);
    });
    return ops.scale(1 / sizeOf(input.shape.slice(1, -1)), totalOf(ops, sums));
  };
  /** Elements that are formed of one example: some arrays as large as patches of its cotangents, and its gradients. */
  const patchElements = <T extends Shaped>({ input, cotangents }: Seen<T>, arrays: number): number => {
    const rest = input.shape.slice(1);
    const length = orderOfPatch(cotangents[0].shape);
    const positions = sizeOf(rest.slice(0, -1));
    return cotangents.length * (arrays * positions + 2 * rest[rest.length - 1]) * length;
  };
  const orderOfPatch = (image: Shape): number => window.kernel[0] * window.kernel[1] * image[image.length - 1];

  return {
    ...onPatches,
    // W `[in, length]` group after group is `[length, in / groups]` each, one below the other.
    join: (ops, params) => {
      const [inputs, length] = params[weight].shape;
      const apart = ops.reshape(params[weight], [groups, inputs / groups, length]);
      return ops.reshape(ops.transpose(apart, [0, 2, 1]), [groups * length, inputs / groups]);
    },
    split: (ops, block) => {
      const [lengths, each] = block.shape;
      const apart = ops.transpose(ops.reshape(block, [groups, lengths / groups, each]), [0, 2, 1]);
      return { [weight]: ops.reshape(apart, [groups * each, lengths / groups]) };
    },
    featureAxes: 3,
    affine: false,
    order: ({ input, cotangents: [{ shape }] }) =>
      window.kernel[0] * window.kernel[1] * shape[shape.length - 1] * input.shape[input.shape.length - 1],
    gradients: (ops, seen) => onPatches.gradients(ops, patched(ops, seen, site)),
    squares: (ops, seen) =>
      sumByExamples(ops, seen, patchElements(seen, 3), (on, part) => onPatches.squares(on, patched(on, part, site))),
    statistics: (ops, seen, options) => {
      const { maxFactor = mostFull } = options;
      if (knownSharing(options.sharing) === 'reduce')
        return onPatches.statistics(ops, reduced(ops, seen, site), { ...options, sharing: 'expand' });
      const part = atPixels(ops, seen, site, options);
      if (part !== null) return part.block.statistics(ops, part.seen, part.options);
      return {
        sums: {
          ...forgetting(ops, seen, (on) => inputSums(on, inputRows(on, seen), maxFactor)),
          ...forgetting(ops, seen, (on) =>
            seen.isotropic !== true && orderOfPatch(seen.cotangents[0].shape) <= maxFactor
              ? { G: cotangentGram(on, seen) }
              : { g: cotangentSquares(on, seen) },
          ),
        },
        weight: seen.input.shape[0],
      };
    },
    words: ({ maxFactor = mostFull }, shapes) => {
      const word = (name: string, order: number): string => (order <= maxFactor ? name : `diag ${name}`);
      return shapes === undefined
        ? 'A ⊗ G'
        : `${word('A', shapes.input[shapes.input.length - 1])} ⊗ ${word('G', orderOfPatch(shapes.output))}`;
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
              const part = atPixels(ops, seen, site, options);
              if (part !== null && part.block.partitioned !== null)
                return part.block.partitioned.statistics(ops, part.seen, cuts, part.options);
              return {
                sums: {
                  ...forgetting(ops, seen, (on) => partGrams(on, 'A', inputRows(on, seen), cuts.inputs)),
                  ...forgetting(ops, seen, (on) =>
                    seen.isotropic === true
                      ? { g: cotangentSquares(on, seen) }
                      : diagonalParts(on, 'G', cotangentGram(on, seen), cuts.outputs),
                  ),
                },
                weight: seen.input.shape[0],
              };
            },
          },
    eigenMoments:
      eigenMoments === null
        ? null
        : (ops, seen, basis) =>
            sumByExamples(ops, seen, patchElements(seen, 4), (on, part) =>
              eigenMoments(on, patched(on, part, site), basis),
            ),
  };
};

/** Transposed convolutions. */
export const transposedConvolution: SiteKind<TransposedConvolutionSite> = (site) =>
  site.groups === 1
    ? whole(site)
    : inGroups(site, whole(site), (out) => site.window.kernel[0] * site.window.kernel[1] * out);
