import { evaluating } from '../../../src/core/nn/layers/circumstances.ts';
import fc from 'fast-check';

import { activation } from '../../../src/core/nn/layers/activation.ts';
import { dense } from '../../../src/core/nn/layers/dense.ts';
import { constant, zeros } from '../../../src/core/nn/initialisers/constant.ts';
import { lsuv } from '../../../src/core/nn/lsuv.ts';
import { orthogonal } from '../../../src/core/nn/initialisers/orthogonal.ts';
import { sparse } from '../../../src/core/nn/initialisers/sparse.ts';
import { glorotNormal, glorotUniform, heNormal, heUniform } from '../../../src/core/nn/initialisers/varianceScaling.ts';
import type { Initialiser } from '../../../src/core/nn/initialisers/initialiser.ts';
import type { Layer } from '../../../src/core/nn/layers/layer.ts';
import type { Model } from '../../../src/core/nn/model.ts';
import { initialParams, model } from '../../../src/core/nn/model.ts';
import { sequential } from '../../../src/core/nn/layers/sequential.ts';
import type { Params } from '../../../src/core/params.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import type { Shape, Tensor } from '../../../src/core/tensor.ts';
import { generate } from '../../../src/core/tensor.ts';
import { scaledError } from '../../support/closeness.ts';
import { MOST, chiSquareScore, countsOf, meanScore } from '../random/statistics.ts';
import { gaussian, ops, values } from './support.ts';

const seeds = fc.nat();
const everyInitialiser: ReadonlyArray<readonly [string, Initialiser]> = [
  ['glorotUniform', glorotUniform],
  ['glorotNormal', glorotNormal],
  ['heUniform', heUniform],
  ['heNormal', heNormal],
  ['orthogonal', orthogonal()],
  ['sparse', sparse()],
  ['zeros', zeros],
  ['constant', constant(0.5)],
];

describe.each(everyInitialiser)('%s', (_, initialiser) => {
  const shapes: fc.Arbitrary<Shape> = fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }));

  it('law: shape and element type are those asked for, and the key decides the values', () => {
    fc.assert(
      fc.property(seeds, shapes, fc.constantFrom('f32', 'f64'), (seed, shape, dtype) => {
        const w = initialiser(Object.freeze(keyOf(seed)), shape, dtype);
        expect([w.shape, w.dtype]).toEqual([shape, dtype]);
        expect(initialiser(keyOf(seed), shape, dtype)).toEqual(w);
      }),
    );
  });

  it('law: both precisions give the same values up to rounding', () => {
    fc.assert(
      fc.property(seeds, shapes, (seed, shape) => {
        const single = initialiser(keyOf(seed), shape, 'f32');
        const double = initialiser(keyOf(seed), shape, 'f64');
        // Uniform draws are cut off at 24 bits and doubled: 2⁻²³; normal ones lose less (see their own law).
        expect(scaledError(single.data, double.data)).toBeLessThan(2 ** -22);
      }),
    );
  });
});

describe('variance scaling', () => {
  // Kurtosis E x⁴ / (E x²)²: 9/5 for a uniform, 3 for a normal variable.
  it.each([
    ['glorotUniform', glorotUniform, 2 / 300, 9 / 5],
    ['glorotNormal', glorotNormal, 2 / 300, 3],
    ['heUniform', heUniform, 2 / 200, 9 / 5],
    ['heNormal', heNormal, 2 / 200, 3],
  ] as const)('law: %s of a layer 200 → 100 has mean 0, the variance of its paper, and its kurtosis', (...row) => {
    const [, initialiser, variance, kurtosis] = row;
    const w = values(initialiser(keyOf(3), [100, 200], 'f64'));
    const eighth = kurtosis === 3 ? 105 : 9;
    expect(Math.abs(meanScore(w, 0, variance))).toBeLessThan(MOST);
    expect(
      Math.abs(
        meanScore(
          w.map((x) => x ** 2),
          variance,
          (kurtosis - 1) * variance ** 2,
        ),
      ),
    ).toBeLessThan(MOST);
    const fourth = w.map((x) => x ** 4);
    expect(
      Math.abs(meanScore(fourth, kurtosis * variance ** 2, (eighth - kurtosis ** 2) * variance ** 4)),
    ).toBeLessThan(MOST);
  });

  it('by hand: the bound of glorotUniform for a layer 4 → 2 is 1, of heUniform for six inputs too', () => {
    const largest = (w: Tensor): number => Math.max(...values(w).map(Math.abs));
    const draws = Array.from({ length: 500 }, (_, seed) => keyOf(seed));
    const glorot = draws.map((key) => largest(glorotUniform(key, [2, 4], 'f64')));
    const he = draws.map((key) => largest(heUniform(key, [3, 6], 'f64')));
    [glorot, he].forEach((maxima) => {
      expect(Math.max(...maxima)).toBeLessThanOrEqual(1);
      expect(Math.max(...maxima)).toBeGreaterThan(0.99);
    });
  });
});

describe('orthogonal', () => {
  const extent = fc.integer({ min: 1, max: 30 });

  it('law: W Wᵀ = gain² I, or Wᵀ W where there are more outputs than inputs', () => {
    fc.assert(
      fc.property(seeds, extent, extent, fc.constantFrom(1, Math.SQRT2), (seed, out, inputs, gain) => {
        const w = orthogonal(gain)(keyOf(seed), [out, inputs], 'f64');
        const wide = out <= inputs;
        const product = ops.matmul(w, w, { transposeA: !wide, transposeB: wide });
        const size = Math.min(out, inputs);
        const expected = Array.from({ length: size ** 2 }, (_, i) => (i % (size + 1) === 0 ? gain ** 2 : 0));
        expect(scaledError(product.data, expected)).toBeLessThan(1e-14);
      }),
    );
  });

  it('law: rounding does not grow with the size. One pass of Gram–Schmidt gives 10⁻¹³ here', () => {
    const w = orthogonal()(keyOf(3), [200, 200], 'f64');
    const expected = Array.from({ length: 40000 }, (_, i) => (i % 201 === 0 ? 1 : 0));
    expect(scaledError(ops.matmul(w, w, { transposeB: true }).data, expected)).toBeLessThan(1e-14);
  });

  it('law: entries have mean 0 and variance 1/3 over rotations of space, both signs of the determinant alike', () => {
    const draws = Array.from({ length: 4000 }, (_, seed) => values(orthogonal()(keyOf(seed), [3, 3], 'f64')));
    const determinants = draws.map(
      ([a, b, c, d, e, f, g, h, i]) => a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g),
    );
    expect(Math.abs(meanScore(determinants, 0, 1))).toBeLessThan(MOST);
    for (let entry = 0; entry < 9; entry += 1) {
      const xs = draws.map((w) => w[entry]);
      // A coordinate of a uniform point on the sphere is uniform on [−1, 1].
      expect(Math.abs(meanScore(xs, 0, 1 / 3))).toBeLessThan(MOST);
      expect(
        Math.abs(
          meanScore(
            xs.map((x) => x ** 2),
            1 / 3,
            4 / 45,
          ),
        ),
      ).toBeLessThan(MOST);
    }
  });
});

describe('sparse', () => {
  const nonZeros = (w: Tensor): ReadonlyArray<number> =>
    Array.from(
      { length: w.shape[0] },
      (_, row) =>
        values(w)
          .slice(row * w.shape[1], (row + 1) * w.shape[1])
          .filter((x) => x !== 0).length,
    );

  it('law: each unit has min(15, in) incoming weights', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 40 }), (seed, out, inputs) => {
        const w = sparse()(keyOf(seed), [out, inputs], 'f64');
        expect(nonZeros(w)).toEqual(new Array(out).fill(Math.min(15, inputs)));
      }),
    );
  });

  it('law: places are equally likely and weights are N(0, deviation²)', () => {
    const w = sparse(3, 2)(keyOf(1), [4000, 10], 'f64');
    const places = values(w).flatMap((x, i) => (x === 0 ? [] : [i % 10]));
    // Three different places of ten per row: counts vary less than independent ones, by a factor 1 − 2/9.
    expect(chiSquareScore(countsOf(places, 10))).toBeLessThan(MOST);
    const weights = values(w).filter((x) => x !== 0);
    expect(Math.abs(meanScore(weights, 0, 4))).toBeLessThan(MOST);
    expect(
      Math.abs(
        meanScore(
          weights.map((x) => x ** 2),
          4,
          32,
        ),
      ),
    ).toBeLessThan(MOST);
  });

  it('law: pairs of places in a row are equally likely', () => {
    const w = values(sparse(2)(keyOf(2), [6000, 4], 'f64'));
    const pairs = Array.from({ length: 6000 }, (_, row) => [0, 1, 2, 3].filter((column) => w[4 * row + column] !== 0));
    const names = ['0,1', '0,2', '0,3', '1,2', '1,3', '2,3'];
    expect(
      Math.abs(
        chiSquareScore(
          countsOf(
            pairs.map((pair) => names.indexOf(pair.join())),
            6,
          ),
        ),
      ),
    ).toBeLessThan(MOST);
  });
});

describe('constants', () => {
  it('zeros are 0 and constant(c) is c', () => {
    expect(values(zeros(keyOf(1), [2, 2], 'f64'))).toEqual([0, 0, 0, 0]);
    expect(values(constant(0.5)(keyOf(1), [3], 'f32'))).toEqual([0.5, 0.5, 0.5]);
  });
});

describe('lsuv', () => {
  const net = model(
    'net',
    [6],
    sequential([
      dense({ in: 6, out: 9, initialiser: orthogonal() }),
      activation('tanh'),
      dense({ in: 9, out: 7, initialiser: orthogonal() }),
      activation('gelu'),
      dense({ in: 7, out: 3, initialiser: orthogonal() }),
    ]),
  );

  /** Variance over all elements of each site's output, by site. */
  const variances = (m: Model, params: Params<Tensor>, x: Tensor): Readonly<Record<string, number>> => {
    const found: Record<string, number> = {};
    const observing = {
      ...ops,
      site: (site: { readonly path: string }, _input: Tensor, output: Tensor): Tensor => {
        const xs = values(output);
        const mean = xs.reduce((sum, value) => sum + value, 0) / xs.length;
        found[site.path] = xs.reduce((sum, value) => sum + (value - mean) ** 2, 0) / xs.length;
        return output;
      },
    };
    m.program(observing, params, evaluating({ inputs: x }));
    return found;
  };

  it('law: without biases one pass gives every layer output variance 1', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 2, max: 40 }), (seed, n) => {
        const x = gaussian(seed + 1, [n, 6]);
        const params = lsuv(ops, net, initialParams(net, keyOf(seed), 'f64'), { inputs: x }, 1);
        const found = Object.values(variances(net, params, x));
        expect(found).toHaveLength(3);
        expect(scaledError(found, [1, 1, 1])).toBeLessThan(1e-12);
      }),
    );
  });

  it('law: with biases of variance v, passes reduce the error about v-fold each', () => {
    const x = gaussian(1, [50, 6]);
    const drawn = initialParams(net, keyOf(2), 'f64');
    const biased = Object.fromEntries(
      Object.entries(drawn).map(([path, p], i) => {
        const noise = gaussian(i, p.shape);
        return [path, path.endsWith('bias') ? generate(p.shape, (j) => 0.1 * noise.data[j]) : p];
      }),
    );
    const errorAfter = (passes: number): number =>
      scaledError(Object.values(variances(net, lsuv(ops, net, biased, { inputs: x }, passes), x)), [1, 1, 1]);
    expect(errorAfter(2)).toBeLessThan(0.2 * errorAfter(1));
    expect(errorAfter(4)).toBeLessThan(1e-3);
    expect(errorAfter(20)).toBeLessThan(1e-12);
  });

  it('law: weights keep their direction, biases stay as they are, arguments are untouched', () => {
    const x = gaussian(1, [10, 6]);
    const params = initialParams(net, keyOf(2), 'f64');
    const before = Object.values(params).map(values);
    const scaled = lsuv(ops, net, params, { inputs: x });
    expect(Object.keys(scaled)).toEqual(Object.keys(params));
    Object.entries(params).forEach(([path, p]) => {
      const ratio = path.endsWith('bias') ? 1 : scaled[path].data[0] / p.data[0];
      expect(ratio).toBeGreaterThan(0);
      expect(
        scaledError(
          scaled[path].data,
          values(p).map((w) => ratio * w),
        ),
      ).toBeLessThan(1e-14);
    });
    expect(Object.values(params).map(values)).toEqual(before);
  });

  it('leaves a layer alone whose output does not vary', () => {
    const params = initialParams(net, keyOf(2), 'f64');
    const scaled = lsuv(ops, net, params, { inputs: generate([5, 6], () => 0) });
    expect(Object.values(scaled).map(values)).toEqual(Object.values(params).map(values));
  });

  it('scales a weight that is used twice at its first use, for both', () => {
    const inner = dense({ in: 3, out: 3 });
    const twice: Layer = {
      ...inner,
      apply: (o, params, path, x, at) => inner.apply(o, params, path, inner.apply(o, params, path, x, at), at),
    };
    const tied = model('tied', [3], twice);
    const once = model('once', [3], inner);
    const params = initialParams(tied, keyOf(1), 'f64');
    const x = gaussian(2, [20, 3]);
    const expected = lsuv(ops, once, params, { inputs: x });
    expect(values(lsuv(ops, tied, params, { inputs: x })['weight'])).toEqual(values(expected['weight']));
    expect(values(expected['weight'])).not.toEqual(values(params['weight']));
  });

  it('by hand: outputs 2 and −2 have variance 4, so the weight is halved', () => {
    const single = model('single', [1], dense({ in: 1, out: 1, bias: false, initialiser: constant(2) }));
    const x = generate([2, 1], (i) => (i === 0 ? 1 : -1));
    expect(values(lsuv(ops, single, initialParams(single, keyOf(1), 'f64'), { inputs: x })['weight'])).toEqual([1]);
  });
});
