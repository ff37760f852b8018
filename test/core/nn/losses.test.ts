import fc from 'fast-check';

import { jvp } from '../../../src/core/autodiff/forward.ts';
import type { Program } from '../../../src/core/autodiff/program.ts';
import { vjp } from '../../../src/core/autodiff/reverse.ts';
import { squareRootColumns } from '../../../src/core/nn/losses/columns.ts';
import { sigmoidCrossEntropy } from '../../../src/core/nn/losses/sigmoidCrossEntropy.ts';
import { softmaxCrossEntropy } from '../../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { squaredError } from '../../../src/core/nn/losses/squaredError.ts';
import type { Loss } from '../../../src/core/nn/losses/loss.ts';
import { weighed } from '../../../src/core/nn/losses/loss.ts';
import { keyOf } from '../../../src/core/random/key.ts';
import { uniform } from '../../../src/core/random/uniform.ts';
import type { Shape, Tensor } from '../../../src/core/tensor.ts';
import { generate, sizeOf, tensor } from '../../../src/core/tensor.ts';
import { scaledError } from '../../support/closeness.ts';
import { loopBackend } from '../backends/host/support.ts';
import { MOST } from '../random/statistics.ts';
import { derivativeAlong, gaussian, inner, moved, ops, relativeGap, total, values } from './support.ts';

/** Shapes `[n, classes]` and `[n, positions, classes]`. */
const shapes: fc.Arbitrary<Shape> = fc
  .tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom([], [1], [2]), fc.integer({ min: 1, max: 4 }))
  .map(([n, positions, classes]) => [n, ...positions, classes]);

const classIndices = (seed: number, shape: Shape): Tensor => {
  const classes = shape[shape.length - 1];
  const draws = uniform(keyOf(seed), shape.slice(0, -1), 'f64');
  return generate(draws.shape, (i) => Math.floor(classes * draws.data[i]), 'i32');
};

interface Case {
  readonly loss: Loss;
  readonly targets: (seed: number, shape: Shape) => Tensor;
  readonly valid: (target: Tensor) => boolean;
  /** Whether targets are those of another number of observations than one, which curvature does not know. */
  readonly isUnbalanced?: boolean;
}

/** Whether each row is zeros and a single one. */
const isOneHot = (target: Tensor): boolean => {
  const classes = target.shape[target.shape.length - 1];
  const rows = sizeOf(target.shape) / classes;
  return Array.from({ length: rows }, (_, row) => values(target).slice(row * classes, (row + 1) * classes)).every(
    (row) => row.filter((y) => y === 1).length === 1 && row.filter((y) => y === 0).length === classes - 1,
  );
};

const cases: ReadonlyArray<readonly [string, Case]> = [
  ['softmaxCrossEntropy, indices', { loss: softmaxCrossEntropy, targets: classIndices, valid: isOneHot }],
  [
    'softmaxCrossEntropy, probabilities',
    { loss: softmaxCrossEntropy, targets: (seed, shape) => ops.softmax(gaussian(seed, shape)), valid: isOneHot },
  ],
  [
    'sigmoidCrossEntropy',
    {
      loss: sigmoidCrossEntropy,
      targets: (seed, shape) => uniform(keyOf(seed), shape, 'f64'),
      valid: (target) => values(target).every((y) => y === 0 || y === 1),
    },
  ],
  [
    'softmaxCrossEntropy, rows that do not sum to one',
    {
      loss: softmaxCrossEntropy,
      targets: (seed, shape) => ops.mul(ops.softmax(gaussian(seed, shape)), ops.square(gaussian(seed + 1, shape))),
      valid: isOneHot,
      isUnbalanced: true,
    },
  ],
  ['squaredError', { loss: squaredError, targets: gaussian, valid: (target) => values(target).every(Number.isFinite) }],
];

describe.each(cases)('%s', (_, { loss, targets, valid, isUnbalanced = false }) => {
  const value: Program = (o, params, [y]) => loss.value(o, params['outputs'], y);
  const gradient: Program = (o, params, [y]) => loss.gradient(o, params['outputs'], y);

  it('law: gradient = the derivative of value, by reverse differentiation', () => {
    fc.assert(
      fc.property(fc.nat(), shapes, (seed, shape) => {
        const [outputs, y] = [gaussian(seed, shape), targets(seed + 1, shape)];
        const { pullback } = vjp(ops, value, { outputs }, [y]);
        const expected = pullback(ops.full([shape[0]], 1)).params['outputs'];
        expect(scaledError(loss.gradient(ops, outputs, y).data, expected.data)).toBeLessThan(1e-13);
      }),
    );
  });

  it('law: gradient = the derivative of value, by central differences', () => {
    fc.assert(
      fc.property(fc.nat(), shapes, (seed, shape) => {
        const [outputs, v, y] = [gaussian(seed, shape), gaussian(seed + 1, shape), targets(seed + 2, shape)];
        const expected = derivativeAlong((c) => total(loss.value(ops, moved(outputs, c, v), y)));
        expect(relativeGap(inner(loss.gradient(ops, outputs, y), v), expected)).toBeLessThan(1e-9);
      }),
    );
  });

  it('law: hessianProduct = the derivative of gradient, whatever the targets of one observation', () => {
    fc.assert(
      fc.property(fc.nat(), shapes, (seed, shape) => {
        const [outputs, v, drawn] = [gaussian(seed, shape), gaussian(seed + 1, shape), targets(seed + 2, shape)];
        const y = isUnbalanced
          ? ops.div(drawn, ops.reshape(ops.sum(drawn, [shape.length - 1]), [...shape.slice(0, -1), 1]))
          : drawn;
        const { tangent } = jvp(ops, gradient, { outputs }, { outputs: v }, [y]);
        expect(scaledError(loss.hessianProduct(ops, outputs, v).data, tangent.data)).toBeLessThan(1e-13);
      }),
    );
  });

  it('law: Σ_c B_c ⟨B_c, v⟩ = H v for each example', () => {
    fc.assert(
      fc.property(fc.nat(), shapes, (seed, shape) => {
        const [outputs, v] = [gaussian(seed, shape), gaussian(seed + 1, shape)];
        const n = shape[0];
        const perExample = sizeOf(shape) / n;
        const expected = new Float64Array(sizeOf(shape));
        squareRootColumns(ops, loss, outputs).forEach((column) => {
          expect(column.shape).toEqual(shape);
          for (let example = 0; example < n; example += 1) {
            const [from, to] = [example * perExample, (example + 1) * perExample];
            let product = 0;
            for (let i = from; i < to; i += 1) product += column.data[i] * v.data[i];
            for (let i = from; i < to; i += 1) expected[i] += product * column.data[i];
          }
        });
        expect(scaledError(loss.hessianProduct(ops, outputs, v).data, expected)).toBeLessThan(1e-13);
      }),
    );
  });

  it('law: H is symmetric and positive semi-definite', () => {
    fc.assert(
      fc.property(fc.nat(), shapes, (seed, shape) => {
        const [outputs, u, v] = [gaussian(seed, shape), gaussian(seed + 1, shape), gaussian(seed + 2, shape)];
        const hu = loss.hessianProduct(ops, outputs, u);
        const hv = loss.hessianProduct(ops, outputs, v);
        expect(relativeGap(inner(u, hv), inner(hu, v))).toBeLessThan(1e-13);
        expect(inner(v, hv)).toBeGreaterThanOrEqual(-1e-14 * inner(v, v));
      }),
    );
  });

  it('law: nothing depends on the rest of the batch', () => {
    fc.assert(
      fc.property(fc.nat(), shapes, (seed, shape) => {
        const [outputs, v, y] = [gaussian(seed, shape), gaussian(seed + 1, shape), targets(seed + 2, shape)];
        const last = (x: Tensor): Tensor => {
          const [n, ...rest] = x.shape;
          return ops.slice(x, [n - 1, ...rest.map(() => 0)], [1, ...rest]);
        };
        const alone: ReadonlyArray<Tensor> = [
          loss.value(ops, last(outputs), last(y)),
          loss.gradient(ops, last(outputs), last(y)),
          loss.hessianProduct(ops, last(outputs), last(v)),
        ];
        const together = [
          loss.value(ops, outputs, y),
          loss.gradient(ops, outputs, y),
          loss.hessianProduct(ops, outputs, v),
        ];
        expect(together[0].shape).toEqual([shape[0]]);
        alone.forEach((expected, i) => {
          expect(scaledError(last(together[i]).data, expected.data)).toBeLessThan(1e-14);
        });
      }),
    );
  });

  it('law: sampled targets are targets, and the key decides them', () => {
    fc.assert(
      fc.property(fc.nat(), shapes, (seed, shape) => {
        const outputs = gaussian(seed, shape);
        const y = loss.sample(ops, keyOf(seed), outputs);
        expect(y.shape).toEqual(shape);
        expect(valid(y)).toBe(true);
        expect(values(loss.value(ops, outputs, y)).every(Number.isFinite)).toBe(true);
        expect(loss.sample(ops, keyOf(seed), outputs)).toEqual(y);
      }),
    );
    const many = gaussian(0, [50, 3]);
    expect(loss.sample(ops, keyOf(1), many)).not.toEqual(loss.sample(ops, keyOf(2), many));
  });

  it.each([
    ['[C]', [4]],
    ['[positions, C]', [2, 3]],
  ])('law: E g = 0 and E g gᵀ = H for sampled targets, within five standard errors, outputs %s', (__, shape) => {
    const samples = 20000;
    const size = sizeOf(shape);
    const one = gaussian(7, [1, ...shape]);
    const outputs = ops.broadcastTo(one, [samples, ...shape]);
    const g = loss.gradient(ops, outputs, loss.sample(ops, keyOf(11), outputs)).data;
    /** (mean of f over the samples − expected) in standard errors, these from the samples too. */
    const score = (f: (example: number) => number, expected: number): number => {
      let sum = 0;
      let squares = 0;
      for (let example = 0; example < samples; example += 1) {
        const x = f(example);
        sum += x;
        squares += x * x;
      }
      const mean = sum / samples;
      const variance = squares / samples - mean * mean;
      // A statistic that does not vary (entries between positions of a class that is certain) must be exact.
      return variance < 1e-20
        ? Math.abs(mean - expected) < 1e-12
          ? 0
          : Infinity
        : (mean - expected) / Math.sqrt(variance / samples);
    };
    for (let i = 0; i < size; i += 1) {
      expect(Math.abs(score((example) => g[example * size + i], 0))).toBeLessThan(MOST);
      const unit = generate([1, ...shape], (position) => (position === i ? 1 : 0));
      const column = loss.hessianProduct(ops, one, unit).data;
      for (let j = 0; j <= i; j += 1) {
        expect(Math.abs(score((example) => g[example * size + i] * g[example * size + j], column[j]))).toBeLessThan(
          MOST,
        );
      }
    }
  });

  it('stays finite at extreme outputs', () => {
    const outputs = tensor([800, -800, 0, -800, -800, 1e4], [2, 3]);
    const y = targets(3, [2, 3]);
    const v = gaussian(4, [2, 3]);
    const results = [
      loss.value(ops, outputs, y),
      loss.gradient(ops, outputs, y),
      loss.hessianProduct(ops, outputs, v),
      ...squareRootColumns(ops, loss, outputs),
    ];
    expect(results.flatMap(values).every(Number.isFinite)).toBe(true);
    expect(valid(loss.sample(ops, keyOf(5), outputs))).toBe(true);
  });

  it('law: purity. Arguments are bit-identical after every call', () => {
    const shape = [2, 3];
    const [outputs, v, y] = [gaussian(1, shape), gaussian(2, shape), targets(3, shape)];
    const before = [outputs, v, y].map(values);
    loss.value(ops, outputs, y);
    loss.gradient(ops, outputs, y);
    loss.sample(ops, keyOf(1), outputs);
    loss.hessianProduct(ops, outputs, v);
    squareRootColumns(ops, loss, outputs);
    expect([outputs, v, y].map(values)).toEqual(before);
  });

  it('rejects targets that would only broadcast', () => {
    const outputs = gaussian(1, [2, 3]);
    expect(() => loss.value(ops, outputs, gaussian(2, [3]))).toThrow(`${loss.name}: expected targets`);
    expect(() => loss.gradient(ops, outputs, gaussian(2, [2, 1]))).toThrow('got [2, 1]');
    expect(() => loss.hessianProduct(ops, outputs, gaussian(2, [1, 3]))).toThrow('[2, 3]');
  });
});

describe('softmaxCrossEntropy', () => {
  it('law: class indices and their one-hot vectors give the same value and gradient', () => {
    fc.assert(
      fc.property(fc.nat(), shapes, (seed, shape) => {
        const [outputs, indices] = [gaussian(seed, shape), classIndices(seed + 1, shape)];
        const hot = ops.oneHot(indices, shape[shape.length - 1]);
        (['value', 'gradient'] as const).forEach((part) => {
          const expected = softmaxCrossEntropy[part](ops, outputs, hot);
          expect(values(softmaxCrossEntropy[part](ops, outputs, indices))).toEqual(values(expected));
        });
      }),
    );
  });

  it('law: adding a constant to all logits of an example changes nothing', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: -50, max: 50 }), (seed, c) => {
        const [outputs, y] = [gaussian(seed, [2, 3]), classIndices(seed + 1, [2, 3])];
        const shifted = ops.add(outputs, ops.full([], c));
        const expected = softmaxCrossEntropy.value(ops, outputs, y);
        expect(scaledError(softmaxCrossEntropy.value(ops, shifted, y).data, expected.data)).toBeLessThan(1e-13);
      }),
    );
  });

  it('by hand: logits (0, ln 3) are probabilities (1/4, 3/4)', () => {
    const outputs = tensor([0, Math.log(3)], [1, 2]);
    const y = tensor([1], [1], 'i32');
    expect(softmaxCrossEntropy.value(ops, outputs, y).data[0]).toBeCloseTo(Math.log(4 / 3), 14);
    expect(scaledError(softmaxCrossEntropy.gradient(ops, outputs, y).data, [1 / 4, -1 / 4])).toBeLessThan(1e-15);
    // H = diag(p) − p pᵀ = 3/16 [[1, −1], [−1, 1]]
    const product = softmaxCrossEntropy.hessianProduct(ops, outputs, tensor([1, 0], [1, 2]));
    expect(scaledError(product.data, [3 / 16, -3 / 16])).toBeLessThan(1e-15);
    // Columns of diag(√p) − p √pᵀ: (½ − ¼ · ½, −¾ · ½) and (−¼ · √¾, √¾ − ¾ · √¾)
    const [first, second] = squareRootColumns(ops, softmaxCrossEntropy, outputs);
    expect(scaledError(first.data, [3 / 8, -3 / 8])).toBeLessThan(1e-15);
    expect(scaledError(second.data, [-Math.sqrt(3) / 8, Math.sqrt(3) / 8])).toBeLessThan(1e-15);
  });

  it('by hand: two observations of one position have twice the gradient', () => {
    const outputs = tensor([0, Math.log(3)], [1, 2]);
    expect(
      scaledError(softmaxCrossEntropy.gradient(ops, outputs, tensor([0, 2], [1, 2])).data, [1 / 2, -1 / 2]),
    ).toBeLessThan(1e-15);
    expect(
      scaledError(softmaxCrossEntropy.gradient(ops, outputs, tensor([1, 1], [1, 2])).data, [-1 / 2, 1 / 2]),
    ).toBeLessThan(1e-15);
    expect(values(softmaxCrossEntropy.gradient(ops, outputs, tensor([0, 0], [1, 2])))).toEqual([0, 0]);
  });

  it('law: a masked class changes nothing: values and derivatives by logits and by targets are those without it', () => {
    const [outputs, y] = [tensor([1, -Infinity, 2], [1, 3]), tensor([0.25, 0, 0.75], [1, 3])];
    const value: Program = (o, { logits, targets }) => softmaxCrossEntropy.value(o, logits, targets);
    const masked = vjp(ops, value, { logits: outputs, targets: y }, []);
    const rest = vjp(ops, value, { logits: tensor([1, 2], [1, 2]), targets: tensor([0.25, 0.75], [1, 2]) }, []);
    expect(values(masked.outputs)).toEqual(values(rest.outputs));
    const [byAll, byRest] = [masked, rest].map(({ pullback }) => pullback(ops.full([1], 1)).params);
    expect(values(byAll['logits']).filter((_, c) => c !== 1)).toEqual(values(byRest['logits']));
    expect(byAll['logits'].data[1] + 0).toBe(0);
    expect(values(byAll['targets']).filter((_, c) => c !== 1)).toEqual(values(byRest['targets']));
  });

  it('draws a class of probability 1.4 · 10⁻¹¹ when it is its turn, not for every draw below 2⁻²⁴', () => {
    const rows = 2089;
    const outputs = generate([rows, 2], (i) => (i % 2 === 0 ? -25 : 0));
    const drawn = softmaxCrossEntropy.sample(ops, keyOf(841), outputs);
    expect(values(drawn).filter((y, i) => i % 2 === 0 && y === 1)).toEqual([]);
  });

  it.each([3, 16, 17, 40, 300])('law: frequencies of %d classes are their probabilities', (classes) => {
    const samples = 20000;
    const host = loopBackend('f64').backend.ops;
    const logits = gaussian(classes, [1, classes]);
    const masked = generate([1, classes], (c) => (c === 1 ? -Infinity : logits.data[c]));
    const p = host.softmax(masked).data;
    const drawn = softmaxCrossEntropy.sample(host, keyOf(classes), host.broadcastTo(masked, [samples, classes]));
    expect(values(host.sum(drawn, [1])).every((count) => count === 1)).toBe(true);
    const counts = host.sum(drawn, [0]).data;
    expect(counts[1]).toBe(0);
    for (let c = 0; c < classes; c += 1) {
      const deviation = Math.sqrt(samples * p[c] * (1 - p[c]));
      // Of a rare class, one more than the deviation allows.
      expect(Math.abs(counts[c] - samples * p[c])).toBeLessThan(MOST * deviation + 1);
    }
  });

  it('draws no class where all are masked, and the first of classes that arrive together', () => {
    const outputs = tensor([-Infinity, -Infinity, -Infinity, 0], [2, 2]);
    expect(values(softmaxCrossEntropy.sample(ops, keyOf(1), outputs))).toEqual([0, 0, 0, 1]);
    const always = { ...ops, div: (a: Tensor) => a };
    expect(values(softmaxCrossEntropy.sample(always, keyOf(1), tensor([0, 1, 1], [1, 3])))).toEqual([0, 1, 0]);
  });

  it('samples a class that has all the probability, first, middle or last', () => {
    const outputs = tensor([900, 0, 0, 0, 900, 0, 0, 0, 900], [3, 3]);
    expect(values(softmaxCrossEntropy.sample(ops, keyOf(1), outputs))).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1]);
  });

  it('needs a class axis besides the batch', () => {
    expect(() => softmaxCrossEntropy.value(ops, gaussian(1, [3]), gaussian(2, [3]))).toThrow('outputs [n, …, classes]');
  });
});

describe('sigmoidCrossEntropy', () => {
  it('by hand: logit ln 3 is probability 3/4', () => {
    const outputs = tensor([Math.log(3), 0], [1, 2]);
    const y = tensor([1, 1 / 4], [1, 2]);
    // −ln ¾ − (¼ ln ½ + ¾ ln ½)
    expect(sigmoidCrossEntropy.value(ops, outputs, y).data[0]).toBeCloseTo(Math.log(4 / 3) + Math.log(2), 14);
    expect(scaledError(sigmoidCrossEntropy.gradient(ops, outputs, y).data, [-1 / 4, 1 / 4])).toBeLessThan(1e-15);
    const product = sigmoidCrossEntropy.hessianProduct(ops, outputs, tensor([1, 2], [1, 2]));
    expect(scaledError(product.data, [3 / 16, 1 / 2])).toBeLessThan(1e-15);
    const [first, second] = squareRootColumns(ops, sigmoidCrossEntropy, outputs);
    expect(scaledError(first.data, [Math.sqrt(3) / 4, 0])).toBeLessThan(1e-15);
    expect(scaledError(second.data, [0, 1 / 2])).toBeLessThan(1e-15);
  });

  it('law: draws of o and −o are complements, so that both outcomes have their digits', () => {
    const outputs = ops.scale(4, gaussian(3, [50, 20]));
    const [drawn, other] = [outputs, ops.neg(outputs)].map((o) => sigmoidCrossEntropy.sample(ops, keyOf(5), o));
    expect(values(ops.add(drawn, other)).every((y) => y === 1)).toBe(true);
  });

  it('draws an outcome of probability 1.4 · 10⁻¹¹ when it is its turn, not for every draw below 2⁻²⁴', () => {
    for (const [logit, likely] of [
      [-25, 0],
      [25, 1],
    ]) {
      const drawn = sigmoidCrossEntropy.sample(ops, keyOf(841), ops.full([1, 2089], logit));
      expect(values(drawn).every((y) => y === likely)).toBe(true);
    }
  });

  it('law: an infinite logit is sure: value, gradient, product and root are 0 where it is right', () => {
    const [outputs, y] = [tensor([Infinity, -Infinity], [1, 2]), tensor([1, 0], [1, 2])];
    expect(values(sigmoidCrossEntropy.value(ops, outputs, y))).toEqual([0]);
    expect(values(sigmoidCrossEntropy.gradient(ops, outputs, y))).toEqual([0, 0]);
    expect(values(sigmoidCrossEntropy.hessianProduct(ops, outputs, y))).toEqual([0, 0]);
    expect(values(sigmoidCrossEntropy.squareRoot(ops, outputs)(y))).toEqual([0, 0]);
    expect(values(sigmoidCrossEntropy.sample(ops, keyOf(1), outputs))).toEqual([1, 0]);
  });

  it('has the derivative ½ − y at 0, where one-sided formulas have −y', () => {
    const y = tensor([0, 1], [1, 2]);
    const outputs = tensor([0, 0], [1, 2]);
    const program: Program = (o, params, [targets]) => sigmoidCrossEntropy.value(o, params['outputs'], targets);
    const { pullback } = vjp(ops, program, { outputs }, [y]);
    expect(values(pullback(ops.full([1], 1)).params['outputs'])).toEqual([1 / 2, -1 / 2]);
  });
});

describe('squaredError', () => {
  it('by hand: outputs (1, 2), targets (0, 4)', () => {
    const [outputs, y] = [tensor([1, 2], [1, 2]), tensor([0, 4], [1, 2])];
    expect(values(squaredError.value(ops, outputs, y))).toEqual([5 / 2]);
    expect(values(squaredError.gradient(ops, outputs, y))).toEqual([1, -2]);
    expect(values(squaredError.hessianProduct(ops, outputs, y))).toEqual([0, 4]);
    expect(squareRootColumns(ops, squaredError, outputs).map(values)).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });
});

describe('weighed', () => {
  it('worked example: what weighs nothing counts for nothing, be it infinite or no number', () => {
    const x = tensor([1, NaN, Infinity, 4, -Infinity, 6], [3, 2]);
    expect(values(weighed(ops, tensor([1, 0, 2, 3, 0, 1], [3, 2]), x))).toEqual([1, 0, Infinity, 12, 0, 6]);
    expect(values(weighed(ops, tensor([2, 0, 0], [3]), tensor([1, 2, NaN, 4, NaN, 6], [3, 2])))).toEqual([
      2, 4, 0, 0, 0, 0,
    ]);
  });
});
