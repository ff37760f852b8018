import fc from 'fast-check';

import type { Program } from '../../src/core/autodiff/program.ts';
import { vjp } from '../../src/core/autodiff/reverse.ts';
import { attempt } from '../../src/core/errors.ts';
import { affineOfLast } from '../../src/core/nn/layers/dense.ts';
import { materialise } from '../../src/core/operators/materialise.ts';
import { kronecker } from '../../src/core/operators/blockOperator.ts';
import type { Factor } from '../../src/core/operators/factors/factor.ts';
import { dense as matrix, directSum, identity } from '../../src/core/operators/factors/factor.ts';
import type { Ops } from '../../src/core/ops/ops.ts';
import type { Window } from '../../src/core/ops/window.ts';
import type {
  AnySite,
  ConvolutionSite,
  DenseSite,
  EmbeddingSite,
  ScaleShiftSite,
  ShiftSite,
  TiedSite,
  TransposedConvolutionSite,
  Site,
} from '../../src/core/ops/site.ts';
import { parametersOfSite } from '../../src/core/ops/site.ts';
import type { Params } from '../../src/core/params.ts';
import { mapParams } from '../../src/core/params.ts';
import type { Shape, Shaped, Tensor } from '../../src/core/tensor.ts';
import { tensor } from '../../src/core/tensor.ts';
import { convolution } from '../../src/curvature/sites/convolution.ts';
import { dense } from '../../src/curvature/sites/dense.ts';
import { embedding } from '../../src/curvature/sites/embedding.ts';
import type { Seen, SiteBlock, SiteKind, SiteKinds } from '../../src/curvature/sites/kind.ts';
import { siteBlock } from '../../src/curvature/sites/kinds.ts';
import { tied } from '../../src/curvature/sites/tied.ts';
import { scaleShift, shift } from '../../src/curvature/sites/scaleShift.ts';
import { transposedConvolution } from '../../src/curvature/sites/transposedConvolution.ts';
import { cotangentGram } from '../../src/curvature/statistics/factors.ts';
import { sharings } from '../../src/curvature/statistics/sharing.ts';
import { means } from '../../src/curvature/statistics/statistics.ts';
import { scaledError } from '../support/closeness.ts';
import { examplesOf, indices } from '../support/sequences.ts';
import { gaussian, referenceEnv } from '../support/training.ts';

const { ops } = referenceEnv().backend;

/** A kind that the library does not have: sliding windows of images `[n, h, w, c]` that meet W `[out, kh · kw · c]`. */
interface SlidingSite extends AnySite {
  readonly kind: 'sliding';
  readonly window: Window;
}

/** A dense site on the patches of the images: one record is all that curvature asks of it. */
const sliding: SiteKind<SlidingSite> = ({ window, ...site }) => {
  const onPatches = dense({ ...site, kind: 'dense' });
  const patched = <T extends Shaped>(on: Ops<T>, { input, cotangents }: Seen<T>): Seen<T> => ({
    input: on.patches(input, window),
    cotangents,
  });
  const { rows, eigenMoments } = onPatches;
  const patch = window.kernel[0] * window.kernel[1];
  return {
    ...onPatches,
    featureAxes: 3,
    affine: false,
    order: ({ input, cotangents }) => {
      const [channels, out] = [input, cotangents[0]].map(({ shape }) => shape[3]);
      return (patch * channels + (site.bias === null ? 0 : 1)) * out;
    },
    gradients: (on, seen) => onPatches.gradients(on, patched(on, seen)),
    squares: (on, seen) => onPatches.squares(on, patched(on, seen)),
    statistics: (on, seen, options) => onPatches.statistics(on, patched(on, seen), options),
    partitioned: null,
    rows: rows === null ? null : (on, seen, sharing) => rows(on, patched(on, seen), sharing),
    eigenMoments: eigenMoments === null ? null : (on, seen, basis) => eigenMoments(on, patched(on, seen), basis),
  };
};

describe('the table of kinds', () => {
  it('law: a table without a row, or with a row for another kind, does not compile', () => {
    const known = { dense, convolution, transposedConvolution, embedding, tied, scaleShift, shift };
    const whole: SiteKinds<Site | SlidingSite> = { ...known, sliding };
    // @ts-expect-error a new member of the union asks for its row
    const without: SiteKinds<Site | SlidingSite> = { ...known };
    // @ts-expect-error an embedding is no scaleShift: it has a vocabulary
    const swapped: SiteKinds = { ...known, scaleShift: embedding };
    // @ts-expect-error a kind that is not in the union has no row
    const more: SiteKinds = { dense, convolution, transposedConvolution, embedding, tied, scaleShift, shift, sliding };
    const n = Object.keys(known).length;
    expect([whole, without, swapped, more].map((table) => Object.keys(table).length)).toEqual([n + 1, n, n, n + 1]);
  });

  it('a site of a kind without a row is refused by name', () => {
    const untyped = JSON.parse('{ "kind": "spiral", "path": "l", "weight": "l.weight", "bias": null }') as Site;
    expect(attempt(() => siteBlock(untyped))).toMatchObject({
      left: {
        _tag: 'BadConfig',
        path: 'l',
        expected: 'a site of kind dense, convolution, transposedConvolution, embedding, tied, scaleShift, shift',
        actual: 'spiral',
      },
    });
  });
});

const named = { path: 'l', weight: 'l.weight', bias: 'l.bias' } as const;
const denseSite: DenseSite = { kind: 'dense', ...named };
const table: TiedSite = {
  ...{ path: 'l', weight: 'l.weight', bias: null, vocabulary: 4 },
  kind: 'tied',
  use: 'lookup',
};
const words: EmbeddingSite = { kind: 'embedding', path: 'l', weight: 'l.weight', bias: null, vocabulary: 4 };
const gains: ScaleShiftSite = { kind: 'scaleShift', ...named };
const window: Window = { kernel: [2, 2], stride: [1, 1], dilation: [1, 1], padding: [0, 0, 0, 0] };
const slides: SlidingSite = { kind: 'sliding', ...named, window };
const filters: ConvolutionSite = { kind: 'convolution', ...named, window, groups: 1 };
const backWindow: Window = { kernel: [2, 3], stride: [2, 2], dilation: [1, 1], padding: [0, 0, 0, 0] };
const back: TransposedConvolutionSite = {
  kind: 'transposedConvolution',
  path: 'l',
  weight: 'l.weight',
  bias: null,
  window: backWindow,
  groups: 1,
  extents: [2, 3],
};
const shifts: ShiftSite = { kind: 'shift', path: 'l', weight: 'l.weight', bias: null };
const inTwo: ConvolutionSite = { ...filters, groups: 2 };
const uneven: Window = { kernel: [2, 1], stride: [1, 2], dilation: [2, 1], padding: [1, 1, 0, 1] };

/** What the laws need of a kind: a site of it, what it computes, and inputs of n examples with t positions. */
interface Row {
  readonly site: AnySite;
  readonly block: SiteBlock;
  readonly shapes: Params<Shape>;
  readonly program: Program;
  readonly input: (seed: number, n: number, t: number) => Tensor;
  /** Shape of the block. */
  readonly blockShape: readonly [number, number];
  /** Parts along the diagonal of the block, beside which there is nothing; one unless given. */
  readonly groups?: number;
}

const rows: ReadonlyArray<Row> = [
  {
    site: denseSite,
    block: siteBlock(denseSite),
    shapes: { 'l.weight': [3, 2], 'l.bias': [3] },
    program: (on, params, [x]) => affineOfLast(on, x, params['l.weight'], params['l.bias']),
    input: (seed, n, t) => gaussian(seed, [n, t, 2]),
    blockShape: [3, 3],
  },
  {
    site: { ...denseSite, bias: null },
    block: siteBlock({ ...denseSite, bias: null }),
    shapes: { 'l.weight': [3, 2] },
    program: (on, params, [x]) => affineOfLast(on, x, params['l.weight'], null),
    input: (seed, n, t) => gaussian(seed, [n, t, 2]),
    blockShape: [3, 2],
  },
  {
    site: words,
    block: siteBlock(words),
    shapes: { 'l.weight': [4, 3] },
    program: (on, params, [x]) => on.gather(params['l.weight'], x),
    input: (seed, n, t) => indices(seed, [n, t], 4),
    blockShape: [3, 4],
  },
  {
    site: table,
    block: siteBlock(table),
    shapes: { 'l.weight': [4, 3] },
    program: (on, params, [x]) => on.gather(params['l.weight'], x),
    input: (seed, n, t) => indices(seed, [n, t], 4),
    blockShape: [3, 4],
  },
  {
    site: gains,
    block: siteBlock(gains),
    shapes: { 'l.weight': [3], 'l.bias': [3] },
    program: (on, params, [x]) => on.add(on.mul(x, params['l.weight']), params['l.bias']),
    input: (seed, n, t) => gaussian(seed, [n, t, 3]),
    blockShape: [3, 2],
  },
  {
    site: { ...gains, bias: null },
    block: siteBlock({ ...gains, bias: null }),
    shapes: { 'l.weight': [3] },
    program: (on, params, [x]) => on.mul(x, params['l.weight']),
    input: (seed, n, t) => gaussian(seed, [n, t, 3]),
    blockShape: [3, 1],
  },
  {
    site: slides,
    block: sliding(slides),
    shapes: { 'l.weight': [2, 12], 'l.bias': [2] },
    program: (on, params, [x]) => affineOfLast(on, on.patches(x, window), params['l.weight'], params['l.bias']),
    input: (seed, n, t) => gaussian(seed, [n, t + 1, 2, 3]),
    blockShape: [2, 13],
  },
  {
    site: filters,
    block: siteBlock(filters),
    shapes: { 'l.weight': [2, 12], 'l.bias': [2] },
    program: (on, params, [x]) => on.add(on.convolve(x, params['l.weight'], window), params['l.bias']),
    input: (seed, n, t) => gaussian(seed, [n, t + 1, 2, 3]),
    blockShape: [2, 13],
  },
  {
    site: { ...filters, bias: null },
    block: siteBlock({ ...filters, bias: null, window: uneven }),
    shapes: { 'l.weight': [3, 4] },
    program: (on, params, [x]) => on.convolve(x, params['l.weight'], uneven),
    input: (seed, n, t) => gaussian(seed, [n, t, 1, 2]),
    blockShape: [3, 4],
  },
  {
    site: inTwo,
    block: siteBlock(inTwo),
    shapes: { 'l.weight': [4, 4], 'l.bias': [4] },
    program: (on, params, [x]) => on.add(on.convolve(x, params['l.weight'], window), params['l.bias']),
    input: (seed, n, t) => gaussian(seed, [n, t + 1, 2, 2]),
    blockShape: [4, 10],
    groups: 2,
  },
  ...([1, 2] as const).map((groups): Row => {
    const site = { ...back, groups };
    return {
      site,
      block: siteBlock(site),
      shapes: { 'l.weight': [4, 12 / groups] },
      program: (on, params, [x]) => on.convolveTransposed(x, params['l.weight'], backWindow, [x.shape[0], 2, 3, 2]),
      input: (seed, n) => gaussian(seed, [n, 1, 1, 4]),
      blockShape: [12, 4],
      ...(groups === 1 ? {} : { groups }),
    };
  }),
  {
    site: shifts,
    block: siteBlock(shifts),
    shapes: { 'l.weight': [3] },
    program: (on, params, [x]) => on.add(x, params['l.weight']),
    input: (seed, n, t) => gaussian(seed, [n, t, 3]),
    blockShape: [3, 1],
  },
];

/** What a site saw, with two passes. */
const seenOf = ({ program, shapes, input }: Row, seed: number, n: number, t: number): Seen<Tensor> => {
  const x = input(seed, n, t);
  const { shape } = program(
    ops,
    mapParams(shapes, (extents) => ops.full(extents, 0)),
    [x],
  );
  return { input: x, cotangents: [gaussian(seed + 1, shape), gaussian(seed + 2, shape)] };
};

/** Rows vec(V_n)ᵀ from the reverse mode, one example after another. */
const truth = ({ block, program, shapes }: Row, { input, cotangents }: Seen<Tensor>): ReadonlyArray<Tensor> => {
  const params = mapParams(shapes, (shape) => gaussian(5, shape));
  return cotangents.map((g) =>
    ops.concat(
      Array.from({ length: input.shape[0] }, (_, i) => {
        const { pullback } = vjp(ops, program, params, [examplesOf(ops, input, i, 1)]);
        const v = block.join(ops, pullback(examplesOf(ops, g, i, 1)).params);
        return ops.reshape(ops.transposed(v), [1, v.data.length]);
      }),
      0,
    ),
  );
};

/** Σ over examples and passes of vec(V_n) vec(V_n)ᵀ. */
const fisherOf = (gradients: ReadonlyArray<Tensor>): Tensor =>
  gradients.map((each) => ops.gram(each)).reduce((x, y) => ops.add(x, y));

/** The diagonal of a matrix on column-stacked elements, in the shape of the block. */
const diagonalOf = (matrix: Tensor, [out, columns]: readonly [number, number]): Tensor =>
  ops.transposed(
    tensor(
      Array.from({ length: out * columns }, (_, i) => matrix.data[i * (out * columns) + i]),
      [columns, out],
    ),
  );

/**
 * What a matrix on the elements of a block says of elements of one part: groups are independent of each other, and what a
 * product says of the zeros beside them is never looked at.
 */
const withinGroups = (m: Tensor, [out, columns]: readonly [number, number], groups = 1): Tensor => {
  const n = out * columns;
  const partOf = (element: number): number | null => {
    const part = Math.floor((Math.floor(element / out) * groups) / columns);
    return part === Math.floor(((element % out) * groups) / out) ? part : null;
  };
  const isSeen = (i: number): boolean => partOf(i % n) !== null && partOf(Math.floor(i / n)) === partOf(i % n);
  return tensor(
    Array.from(m.data, (x, i) => (isSeen(i) ? x : 0)),
    [n, n],
  );
};

/** A basis in parts. */
const basisOf = (seed: number, order: number, groups = 1): Factor<Tensor> =>
  directSum(
    Array.from({ length: groups }, (_, i) => matrix(gaussian(seed + 10 * i, [order / groups, order / groups]))),
  );

const drawn = fc.record({
  seed: fc.nat(),
  n: fc.integer({ min: 1, max: 4 }),
  t: fc.integer({ min: 1, max: 3 }),
});

describe.each(
  rows.map((row) => {
    const { kind, bias } = row.site;
    const groups = row.groups === undefined ? '' : ' in groups';
    return [`${kind}${bias === null ? ' without a bias' : ''}${groups}`, row] as const;
  }),
)('what every kind says of its sites: %s', (_, row) => {
  const { site, block, shapes, blockShape } = row;

  it('law: split is the inverse of join, and both keep inner products', () => {
    const [x, y] = [1, 2].map((seed) => mapParams(shapes, (shape, path) => gaussian(seed + path.length, shape)));
    const [u, v] = [x, y].map((params) => block.join(ops, params));
    expect(u.shape).toEqual(blockShape);
    expect(Object.keys(block.split(ops, u))).toEqual(parametersOfSite(site));
    expect(block.split(ops, u)).toEqual(x);
    const inner = Object.keys(x).reduce((sum, path) => sum + ops.dot(x[path], y[path]).data[0], 0);
    expect(ops.dot(u, v).data[0]).toBeCloseTo(inner, 12);
  });

  it('law: gradients are those of the reverse mode at single examples, with positions summed', () => {
    fc.assert(
      fc.property(drawn, ({ seed, n, t }) => {
        const seen = seenOf(row, seed, n, t);
        const expected = truth(row, seen);
        const found = block.gradients(ops, seen);
        expect(found.map(({ shape }) => shape)).toEqual(expected.map(() => [n, block.order(seen)]));
        found.forEach((each, pass) => expect(scaledError(each.data, expected[pass].data)).toBeLessThan(1e-13));
      }),
      { numRuns: 20 },
    );
  });

  it('law: squares are the diagonal of the Fisher of the gradients', () => {
    fc.assert(
      fc.property(drawn, ({ seed, n, t }) => {
        const seen = seenOf(row, seed, n, t);
        const expected = diagonalOf(fisherOf(truth(row, seen)), blockShape);
        const found = block.squares(ops, seen);
        expect(found.shape).toEqual(blockShape);
        expect(scaledError(found.data, expected.data)).toBeLessThan(1e-13);
      }),
      { numRuns: 20 },
    );
  });

  it('law: of one example, one position and one pass the operator is the Fisher, in one part too', () => {
    const both = seenOf(row, 3, 1, 1);
    const seen = { ...both, cotangents: both.cotangents.slice(1) };
    const expected = withinGroups(fisherOf(truth(row, seen)), blockShape, row.groups);
    const whole = block.operator(means(ops, block.statistics(ops, seen, {})), ops);
    const found = withinGroups(materialise(ops, whole, blockShape), blockShape, row.groups);
    expect(scaledError(found.data, expected.data)).toBeLessThan(1e-13);
    const { partitioned } = block;
    if (partitioned === null) return;
    const one = { inputs: { count: 1 }, outputs: { count: 1 } };
    const inParts = partitioned.operator(means(ops, partitioned.statistics(ops, seen, one, {})));
    expect(scaledError(materialise(ops, inParts, blockShape).data, expected.data)).toBeLessThan(1e-13);
  });

  it('law: batch split. Sums over parts of a batch add up to those of the batch, whatever is kept', () => {
    const blocks = { inputs: { count: 2 }, outputs: { count: 2 } };
    const seen = seenOf(row, 6, 4, 2);
    const parts = [
      [0, 3],
      [3, 1],
    ].map(([begin, count]): Seen<Tensor> => ({
      input: examplesOf(ops, seen.input, begin, count),
      cotangents: seen.cotangents.map((g) => examplesOf(ops, g, begin, count)),
    }));
    const isotropic = (of: Seen<Tensor>): Seen<Tensor> => ({ ...of, isotropic: true });
    const { partitioned } = block;
    const kept: ReadonlyArray<(of: Seen<Tensor>) => Params<Tensor>> = [
      ...sharings.map((sharing) => (of: Seen<Tensor>) => block.statistics(ops, of, { sharing }).sums),
      (of) => block.statistics(ops, of, { scaleShift: 'diagonal', maxFactor: 1 }).sums,
      (of) => block.statistics(ops, of, { uncorrelated: true }).sums,
      (of) => block.statistics(ops, isotropic(of), {}).sums,
      (of) => ({ second: block.squares(ops, of) }),
      ...(partitioned === null
        ? []
        : sharings.map((sharing) => (of: Seen<Tensor>) => partitioned.statistics(ops, of, blocks, { sharing }).sums)),
    ];
    for (const sums of kept) {
      const [first, second] = parts.map(sums);
      for (const [name, sum] of Object.entries(sums(seen))) {
        expect(scaledError(ops.add(first[name], second[name]).data, sum.data)).toBeLessThan(1e-13);
      }
    }
  });

  it('law: rows make the factors of the operator', () => {
    if (block.rows === null) return;
    const seen = seenOf(row, 4, 3, 2);
    for (const sharing of sharings) {
      const { input, cotangents, positions } = block.rows(ops, seen, sharing);
      const { A, G } = block.statistics(ops, seen, { sharing }).sums;
      expect(A).toEqual(ops.gram(input));
      expect(G).toEqual(cotangentGram(ops, { cotangents, positions }));
      expect(input.shape[0] / positions).toBe(3);
    }
  });

  it('law: eigenMoments are the diagonal of the Fisher in the basis, with positions summed', () => {
    const { eigenMoments } = block;
    if (eigenMoments === null) return;
    fc.assert(
      fc.property(drawn, ({ seed, n, t }) => {
        const seen = seenOf(row, seed, n, t);
        const [out, columns] = blockShape;
        const UA = ['embedding', 'tied'].includes(site.kind)
          ? identity(columns)
          : basisOf(seed + 3, columns, row.groups);
        const UG = basisOf(seed + 4, out, row.groups);
        const S = eigenMoments(ops, seen, { UA, UG });
        const U = materialise(ops, kronecker(UA, UG), blockShape);
        const inBasis = ops.matmul(ops.matmul(U, fisherOf(truth(row, seen)), { transposeA: true }), U);
        expect(scaledError(S.data, diagonalOf(inBasis, blockShape).data)).toBeLessThan(1e-12);
      }),
      { numRuns: 20 },
    );
  });
});
