import * as E from 'fp-ts/lib/Either.js';
import fc from 'fast-check';

import { nativeBackend } from '../../../../src/core/backends/native/backend.ts';
import type { Tensor } from '../../../../src/core/tensor.ts';
import { generate, tensor } from '../../../../src/core/tensor.ts';
import { eightGaussians, ringCentres, ringPoints } from '../../../../src/pipelines/data/ring.ts';
import { frechetDistance, momentsOf } from '../../../../src/pipelines/tasks/gan/frechet.ts';
import { overlapOf, reachOf } from '../../../../src/pipelines/tasks/gan/manifold.ts';
import { energyDistance, ringMeasures } from '../../../../src/pipelines/tasks/gan/ringMeasures.ts';
import type { Weighed } from '../../../../src/pipelines/trainer/learning.ts';
import { loopBackend } from '../../../core/backends/host/support.ts';
import { gaussian, orThrow } from '../../../support/training.ts';

const { backend } = loopBackend('f64');
const { ops } = backend;
const seeds = fc.nat(100_000);

const mean = ({ sum, weight }: Weighed<Tensor>): number =>
  sum.data[0] / (typeof weight === 'number' ? weight : weight.data[0]);

/** The root of a symmetric matrix by its eigenvalues. */
const rootOf = async (matrix: Tensor): Promise<Tensor> => {
  const { values, vectors } = orThrow(await backend.linearAlgebra.eigh(matrix)());
  const roots = generate(values.shape, (i) => Math.sqrt(Math.max(0, values.data[i])));
  return ops.matmul(ops.mul(vectors, roots), vectors, { transposeB: true });
};

/** The Fréchet distance as its formula has it. */
const exact = async (x: Tensor, y: Tensor): Promise<number> => {
  const [a, b] = [momentsOf(ops, x), momentsOf(ops, y)];
  const root = await rootOf(a.covariance);
  const inner = await rootOf(ops.matmul(root, ops.matmul(b.covariance, root)));
  const apart = ops.sum(ops.square(ops.sub(a.mean, b.mean)), [0]).data[0];
  return apart + ops.trace(a.covariance).data[0] + ops.trace(b.covariance).data[0] - 2 * ops.trace(inner).data[0];
};

const spreadOf = (x: Tensor): number => ops.trace(momentsOf(ops, x).covariance).data[0];

/** Features of which some are nearly constant. */
const featuresOf = (seed: number, scale: number): Tensor =>
  ops.add(ops.mul(gaussian(seed, [40, 6]), tensor([scale, 1, 2, 0.1, 1e-4, 0], [6])), gaussian(seed + 1, [1, 6]));

describe('Fréchet distance', () => {
  it('law: it is that of the eigenvalues, to a percent of the spread, constant features or not', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, async (seed) => {
        const [x, y] = [featuresOf(seed, 1), featuresOf(seed + 7, 3)];
        const distance = frechetDistance(ops, momentsOf(ops, x), momentsOf(ops, y)).data[0];
        expect(Math.abs(distance - (await exact(x, y)))).toBeLessThan(0.01 * (spreadOf(x) + spreadOf(y)));
      }),
      { numRuns: 20 },
    );
  });

  it('law: which is which does not matter, and of a set to itself there is none', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const [a, b] = [featuresOf(seed, 1), featuresOf(seed + 3, 2)].map((x) => momentsOf(ops, x));
        const spread = ops.trace(a.covariance).data[0] + ops.trace(b.covariance).data[0];
        const [one, other] = [frechetDistance(ops, a, b).data[0], frechetDistance(ops, b, a).data[0]];
        expect(Math.abs(one - other)).toBeLessThan(0.01 * spread);
        expect(Math.abs(frechetDistance(ops, a, a).data[0])).toBeLessThan(0.01 * spread);
      }),
      { numRuns: 20 },
    );
  });

  it('single precision gives the same', () => {
    const opened = nativeBackend({ dtype: 'f32' });
    if (E.isLeft(opened)) return; // there is none here
    const native = opened.right;
    for (const seed of [1, 2, 3]) {
      const [x, y] = [featuresOf(seed, 1), featuresOf(seed + 7, 3)];
      const [p, q] = [x, y].map((each) => momentsOf(native.ops, native.ops.constant(each)));
      const single = frechetDistance(native.ops, p, q).data[0];
      const double = frechetDistance(ops, momentsOf(ops, x), momentsOf(ops, y)).data[0];
      expect(Math.abs(single - double)).toBeLessThan(0.01 * (spreadOf(x) + spreadOf(y)));
    }
  });
});

describe('precision and recall', () => {
  /** By sorting, as the paper has it. */
  const sharesOf = (made: Tensor, data: Tensor) => {
    const rowsOf = ({ shape: [n, d], data: x }: Tensor) =>
      Array.from({ length: n }, (_, i) => Array.from({ length: d }, (__, j) => x[i * d + j]));
    const distance = (a: ReadonlyArray<number>, b: ReadonlyArray<number>) => Math.hypot(...a.map((v, i) => v - b[i]));
    const within = (xs: ReadonlyArray<ReadonlyArray<number>>, ys: ReadonlyArray<ReadonlyArray<number>>) => {
      const reach = ys.map((y) => ys.map((other) => distance(y, other)).toSorted((a, b) => a - b)[3]);
      return xs.filter((x) => ys.some((y, i) => distance(x, y) <= reach[i])).length / xs.length;
    };
    const [a, b] = [rowsOf(made), rowsOf(data)];
    return { precision: within(a, b), recall: within(b, a) };
  };

  it('law: they are the shares that lie within the third neighbour of some other', () => {
    fc.assert(
      fc.property(seeds, fc.double({ min: 0.2, max: 3, noNaN: true }), (seed, scale) => {
        const [made, data] = [ops.scale(scale, gaussian(seed, [12, 3])), gaussian(seed + 1, [15, 3])];
        const found = overlapOf(ops, made, { features: data, reach: reachOf(ops, data) });
        const expected = sharesOf(made, data);
        expect(found.precision.data[0]).toBeCloseTo(expected.precision, 12);
        expect(found.recall.data[0]).toBeCloseTo(expected.recall, 12);
      }),
      { numRuns: 50 },
    );
  });

  it('worked example: who makes one example again and again is precise and recalls nothing', () => {
    const data = generate([20, 1], (i) => i);
    const made = generate([10, 1], () => 7);
    const { precision, recall } = overlapOf(ops, made, { features: data, reach: reachOf(ops, data) });
    expect([precision.data[0], recall.data[0]]).toEqual([1, 0.05]);
  });
});

describe('points of a ring', () => {
  const { train, test } = orThrow(ringPoints(eightGaussians, { train: 4000, test: 800 }));
  const pointsOf = (data: typeof train): Tensor =>
    data.batch(Int32Array.from({ length: data.size }, (_, i) => i))['inputs'];
  const measured = (made: Tensor, data: Tensor) =>
    ringMeasures(eightGaussians)(ops, made, data, { params: {}, batch: {} });

  it('the data cover all modes, 98.9 percent are near one, and their distance to others like them is small', () => {
    const { modes, nearby, energyDistance: apart } = measured(pointsOf(test), pointsOf(train));
    expect(mean(modes)).toBe(8);
    // 1 − e^(−9/2), give or take three standard errors of 800.
    expect(Math.abs(mean(nearby) - 0.9889)).toBeLessThan(3 * Math.sqrt((0.9889 * 0.0111) / 800));
    expect(mean(apart)).toBeLessThan(0.01);
  });

  it('worked example: who knows three modes covers three, all of it near', () => {
    const { data } = ringCentres(eightGaussians);
    const made = generate([300, 2], (i) => data[2 * (Math.floor(i / 2) % 3) + (i % 2)]);
    const { modes, nearby, energyDistance: apart } = measured(made, pointsOf(test));
    expect([mean(modes), mean(nearby)]).toEqual([3, 1]);
    expect(mean(apart)).toBeGreaterThan(0.5);
  });

  it('law: the energy distance is symmetric, not negative, and 0 of a set to itself', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const [x, y] = [gaussian(seed, [7, 2]), gaussian(seed + 1, [9, 2])];
        const apart = energyDistance(ops, x, y).data[0];
        expect(apart).toBeGreaterThan(-1e-12);
        expect(energyDistance(ops, y, x).data[0]).toBeCloseTo(apart, 12);
        expect(Math.abs(energyDistance(ops, x, x).data[0])).toBeLessThan(1e-12);
      }),
    );
  });

  it('as many points of each mode, always the same ones', () => {
    const again = orThrow(ringPoints(eightGaussians, { train: 4000, test: 800 }));
    expect(pointsOf(again.train)).toEqual(pointsOf(train));
    expect(pointsOf(test).shape).toEqual([800, 2]);
  });
});
