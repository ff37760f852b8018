import fc from 'fast-check';

import { referenceBackend } from '../../src/core/backends/reference/backend.ts';
import type { DenseSite } from '../../src/core/ops/site.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { tensor } from '../../src/core/tensor.ts';
import { denseStatistics } from '../../src/curvature/sites/dense.ts';
import { blockStatistics } from '../../src/curvature/sites/statistics.ts';
import { parameterStatistics } from '../../src/curvature/statistics/parameters.ts';
import type { Statistics } from '../../src/curvature/statistics/statistics.ts';
import { averageInto, combine, means } from '../../src/curvature/statistics/statistics.ts';
import { scaledError } from '../support/closeness.ts';
import { gaussian } from '../support/training.ts';

const { ops } = referenceBackend();
const site: DenseSite = { kind: 'dense', path: 'l', weight: 'l.weight', bias: 'l.bias' };

const statisticsOf = (input: Tensor, cotangent: Tensor): Statistics<Tensor> =>
  denseStatistics(ops, { site, input, cotangents: [cotangent] });

const rows = (x: Tensor, from: number, to: number): Tensor => ops.slice(x, [from, 0], [to - from, x.shape[1]]);

const near = (a: Statistics<Tensor>, b: Statistics<Tensor>): void => {
  expect(a.weight).toBe(b.weight);
  for (const name of Object.keys(b.sums)) expect(scaledError(a.sums[name].data, b.sums[name].data)).toBeLessThan(1e-12);
};

describe('statistics of a dense site', () => {
  it('worked example: homogeneous coordinate and means over two examples', () => {
    const averages = means(ops, statisticsOf(tensor([1, 2, 3, 4], [2, 2]), tensor([1, -1], [2, 1])));
    // ā₁ = (1, 2, 1), ā₂ = (3, 4, 1): A = ½ (ā₁ā₁ᵀ + ā₂ā₂ᵀ); G = ½ (1 + 1).
    expect(Array.from(averages['A'].data)).toEqual([5, 7, 2, 7, 10, 3, 2, 3, 1]);
    expect(Array.from(averages['G'].data)).toEqual([1]);
  });

  it('without a bias there is no homogeneous coordinate', () => {
    const bare = denseStatistics(ops, {
      site: { ...site, bias: null },
      input: gaussian(1, [3, 2]),
      cotangents: [gaussian(2, [3, 4])],
    });
    expect(bare.sums['A'].shape).toEqual([2, 2]);
  });

  it('law: factors do not depend on how a batch is split', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 2, max: 9 }), fc.nat(), (seed, n, cut) => {
        const at = 1 + (cut % (n - 1));
        const [a, g] = [gaussian(seed, [n, 3]), gaussian(seed + 1, [n, 2])];
        const whole = statisticsOf(a, g);
        const parts = combine(
          ops,
          statisticsOf(rows(a, 0, at), rows(g, 0, at)),
          statisticsOf(rows(a, at, n), rows(g, at, n)),
        );
        near(parts, whole);
      }),
    );
  });

  it('law: combining is commutative and associative', () => {
    const [x, y, z] = [1, 2, 3].map((seed) => statisticsOf(gaussian(seed, [4, 3]), gaussian(seed + 9, [4, 2])));
    near(combine(ops, x, y), combine(ops, y, x));
    near(combine(ops, combine(ops, x, y), z), combine(ops, x, combine(ops, y, z)));
  });

  it('law: a repeated batch has the same means', () => {
    const [a, g] = [gaussian(1, [4, 3]), gaussian(2, [4, 2])];
    const once = means(ops, statisticsOf(a, g));
    const twice = means(ops, statisticsOf(ops.concat([a, a], 0), ops.concat([g, g], 0)));
    for (const name of ['A', 'G']) expect(scaledError(twice[name].data, once[name].data)).toBeLessThan(1e-12);
  });

  it('law: uses are positions. A site that is passed twice has A of both uses, mean G, and counts its examples once', () => {
    const capture = { site, input: gaussian(1, [4, 3]), cotangents: [gaussian(2, [4, 2])] };
    const blocks = blockStatistics(ops, {
      sites: [capture, capture],
      uncovered: [],
      targets: gaussian(3, [4, 1]),
      examples: 4,
      more: [],
    });
    const { A, G } = denseStatistics(ops, capture).sums;
    near(blocks['l'], { sums: { A: ops.scale(2, A), G }, weight: 4 });
  });
});

describe('statistics of a parameter without a site', () => {
  it('worked example: squares of summed cotangents, added over passes', () => {
    const { sums, weight } = parameterStatistics(ops, [tensor([1, 2], [2]), tensor([3, 0], [2])], 5);
    expect(Array.from(sums['second'].data)).toEqual([10, 4]);
    expect(weight).toBe(5);
  });
});

describe('moving average', () => {
  it('law: closed form, X_n = Σ_k w_k X̂_k with ρ_k = min(1 − 1/k, ρ)', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 1, maxLength: 30 }),
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        (samples, decay) => {
          const average = samples.reduce(
            (x: Readonly<Record<string, Tensor>> | undefined, sample, i) =>
              averageInto(ops, decay, i + 1, x, { sums: { x: tensor([3 * sample], [1]) }, weight: 3 }),
            undefined,
          );
          const rho = (k: number): number => Math.min(1 - 1 / k, decay);
          const n = samples.length;
          const expected = samples.reduce((sum, sample, i) => {
            let weight = 1 - rho(i + 1);
            for (let k = i + 2; k <= n; k += 1) weight *= rho(k);
            return sum + weight * sample;
          }, 0);
          expect(average?.['x'].data[0]).toBeCloseTo(expected, 10);
        },
      ),
    );
  });

  it('law: the first update is exact, and until ρ binds the average is the plain mean', () => {
    const samples = [4, 1, 7];
    const average = samples.reduce(
      (x: Readonly<Record<string, Tensor>> | undefined, sample, i) =>
        averageInto(ops, 0.95, i + 1, x, { sums: { x: tensor([sample], [1]) }, weight: 1 }),
      undefined,
    );
    expect(average?.['x'].data[0]).toBeCloseTo(4, 12);
  });
});
