/** What statistics hold beyond the activations: at most twice as much as the largest of them. */
import { convolutionExtents, patchesShape } from '../../src/core/ops/shapes.ts';
import type { ConvolutionSite, DenseSite, Site, TiedSite, TransposedConvolutionSite } from '../../src/core/ops/site.ts';
import type { Captured, SiteCapture } from '../../src/core/pipeline/context.ts';
import type { Shape, Tensor } from '../../src/core/tensor.ts';
import { sizeOf } from '../../src/core/tensor.ts';
import { blockKfac } from '../../src/curvature/blockKfac.ts';
import { classKfac } from '../../src/curvature/classKfac.ts';
import type { Curvature } from '../../src/curvature/curvature.ts';
import { diagonal } from '../../src/curvature/diagonal.ts';
import { kfac } from '../../src/curvature/kfac.ts';
import { blockEigenMoments } from '../../src/curvature/sites/eigenMoments.ts';
import { siteBlock } from '../../src/curvature/sites/kinds.ts';
import type { BlockStatistics } from '../../src/curvature/statistics/statistics.ts';
import { tridiagonalKfac } from '../../src/curvature/tridiagonalKfac.ts';
import { dense as fullFactor, diagonal as diagonalFactor } from '../../src/core/operators/factors/factor.ts';
import type { Ops } from '../../src/core/ops/ops.ts';
import { scaledError } from '../support/closeness.ts';
import { ledger, plain } from '../support/ledger.ts';
import { indices } from '../support/sequences.ts';
import { gaussian } from '../support/training.ts';
import { mlp } from '../support/training.ts';

const named = { path: 'l', weight: 'l.weight', bias: 'l.bias' } as const;
const window = { kernel: [3, 3], stride: [1, 1], dilation: [1, 1], padding: [1, 1, 1, 1] } as const;

const filters: ConvolutionSite = { kind: 'convolution', ...named, window, groups: 1 };
const inGroups: ConvolutionSite = { ...filters, groups: 4 };
const back: TransposedConvolutionSite = {
  ...{ ...named, bias: null, groups: 1, extents: [16, 16] },
  kind: 'transposedConvolution',
  window: { kernel: [4, 4], stride: [2, 2], dilation: [1, 1], padding: [1, 1, 1, 1] },
};
const sequence: DenseSite = { kind: 'dense', ...named };
const table: TiedSite = { kind: 'tied', path: 'l', weight: 'l.weight', bias: null, use: 'projection' };

const n = 32;

/** Sites with the shapes of what they see. */
const rows: ReadonlyArray<readonly [string, Site, Shape, Shape]> = [
  ['filters', filters, [n, 16, 16, 8], [n, 16, 16, 8]],
  ['filters in groups', inGroups, [n, 16, 16, 8], [n, 16, 16, 8]],
  ['transposed filters', back, [n, 8, 8, 8], [n, 16, 16, 8]],
  ['a sequence', sequence, [n, 64, 32], [n, 64, 32]],
  ['a table of logits', table, [n, 64, 16], [n, 64, 32]],
];

const seenBy = (site: Site, input: Shape, output: Shape): SiteCapture<Tensor> => ({
  site,
  input: gaussian(1, input),
  cotangents: [gaussian(2, output)],
});

const capturedOf = (...sites: ReadonlyArray<SiteCapture<Tensor>>): Captured<Tensor> => ({
  sites,
  uncovered: [],
  targets: indices(1, [n], 2),
  examples: n,
  more: [],
});

const at = { model: mlp([1, 1]), params: {} };

type Statistics = (ops: Ops<Tensor>, captured: Captured<Tensor>) => BlockStatistics<Tensor>;

const by =
  (curvature: Curvature): Statistics =>
  (ops, captured) =>
    curvature.statistics(ops, captured, at);

/** Moments in some basis: orthonormal or not does not matter here. */
const moments: Statistics = (ops, captured) => {
  const [{ site, input, cotangents }] = captured.sites;
  const out = cotangents[0].shape[cotangents[0].shape.length - 1];
  const order = siteBlock(site).order({ input, cotangents });
  const [columns, lines] =
    site.kind === 'transposedConvolution'
      ? [input.shape[3], order / input.shape[3]]
      : site.kind === 'tied'
        ? [out, input.shape[2]]
        : [order / out, out];
  const groups = siteBlock(site).groups ?? 1;
  const basis = (size: number) =>
    groups === 1
      ? fullFactor(gaussian(size, [size, size]))
      : {
          _tag: 'directSum' as const,
          parts: Array.from({ length: groups }, () => fullFactor(gaussian(size, [size / groups, size / groups]))),
        };
  const UA = site.kind === 'tied' ? diagonalFactor(gaussian(3, [columns])) : basis(columns);
  return blockEigenMoments(ops, captured, { l: { UA, UG: basis(lines) } });
};

const blocks = { inputs: { count: 2 }, outputs: { count: 2 } };

const curvatures: ReadonlyArray<readonly [string, Statistics]> = [
  ['kfac', by(kfac())],
  ['kfac of uncorrelated pixels', by(kfac({ uncorrelated: true }))],
  ['kfac, reduced', by(kfac({ sharing: 'reduce' }))],
  ['kfac of some positions', by(kfac({ positionsFraction: 0.25 }))],
  ['kfac of diagonals', by(kfac({ maxFactor: 1 }))],
  ['blockKfac', by(blockKfac({ blocks }))],
  ['diagonal', by(diagonal())],
  ['classKfac', by(classKfac({ classes: 2 }))],
  ['moments in a basis', moments],
];

const largestOf = ({ sites }: Captured<Tensor>): number =>
  Math.max(...sites.flatMap(({ input, cotangents }) => [input, ...cotangents].map(({ shape }) => sizeOf(shape))));

const expectWithin = (captured: Captured<Tensor>, statistics: Statistics): void => {
  const { ops, peak } = ledger();
  const found = statistics(ops, captured);
  expect(peak()).toBeLessThan(2 * largestOf(captured));
  for (const [name, { sums }] of Object.entries(statistics(plain, captured))) {
    for (const [sum, x] of Object.entries(sums)) {
      expect(scaledError(found[name].sums[sum].data, x.data)).toBeLessThan(1e-12);
    }
  }
};

describe.each(rows)('what statistics hold: %s', (_, site, input, output) => {
  const captured = capturedOf(seenBy(site, input, output));
  it.each(curvatures)(
    'law: at most twice the largest activation, and the same sums as at once: %s',
    (__, statistics) => {
      expectWithin(captured, statistics);
    },
  );
});

it('law: so do the cross statistics of neighbours', () => {
  const [input, output] = [
    [n, 16, 16, 8],
    [n, 16, 16, 8],
  ];
  const first = seenBy(filters, input, output);
  const second = {
    ...seenBy(filters, output, output),
    site: { ...filters, path: 'm', weight: 'm.weight', bias: null },
  };
  expectWithin(capturedOf(first, second), by(tridiagonalKfac()));
});

it('these sizes are worth it: all patches are nine times as large as the images', () => {
  const { outputs } = convolutionExtents([n, 16, 16, 8], [8, 72], window);
  expect(sizeOf(patchesShape([n, 16, 16, 8], window))).toBe(9 * sizeOf(outputs));
});
