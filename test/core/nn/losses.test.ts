import fc from 'fast-check';

import { jvp } from '../../../src/core/autodiff/forward.ts';
import type { Program } from '../../../src/core/autodiff/program.ts';
import { vjp } from '../../../src/core/autodiff/reverse.ts';
import { squareRootColumns } from '../../../src/core/nn/losses/columns.ts';
import { sigmoidCrossEntropy } from '../../../src/core/nn/losses/sigmoidCrossEntropy.ts';
import { softmaxCrossEntropy } from '../../../src/core/nn/losses/softmaxCrossEntropy.ts';
import { poisson } from '../../../src/core/nn/losses/poisson.ts';
import { sigmoidCrossEntropyWith } from '../../../src/core/nn/losses/sigmoidCrossEntropyWith.ts';
import { curvatureGradient, meanOverPositions } from '../../../src/core/nn/losses/meanOverPositions.ts';
import { judgingOf, meanLoss } from '../../../src/core/pipeline/objective.ts';
import { softmaxCrossEntropyWith } from '../../../src/core/nn/losses/softmaxCrossEntropyWith.ts';
import { squaredErrorWith } from '../../../src/core/nn/losses/squaredErrorWith.ts';
import { checkAdmissible } from '../../../src/core/nn/admissible.ts';
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
import { mlp } from '../../support/training.ts';
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
  /** The targets that a model of some outputs believes in, where the Hessian depends on the targets. */
  readonly believed?: (outputs: Tensor) => Tensor;
  /** Whether outputs of 800 are beyond it. */
  readonly isBounded?: boolean;
}

/** Weights of 4 classes, the first of them for fewer. */
const fourWeights = [0.5, 2, 1, 3];

/** Losses with a weight for each class, for any number of classes up to four. */
const perClass =
  <A>(lossOf: (weights: ReadonlyArray<number>) => A) =>
  (classes: number): A =>
    lossOf(fourWeights.slice(0, classes));

/** A loss that is made for the classes of its outputs. */
const forClasses = (lossOf: (classes: number) => Loss): Loss => {
  const last = ({ shape }: { readonly shape: Shape }): Loss => lossOf(shape[shape.length - 1]);
  return {
    name: lossOf(1).name,
    value: (o, outputs, y, weights) => last(outputs).value(o, outputs, y, weights),
    gradient: (o, outputs, y) => last(outputs).gradient(o, outputs, y),
    sample: (o, key, outputs) => last(outputs).sample(o, key, outputs),
    hessianProduct: (o, outputs, v) => last(outputs).hessianProduct(o, outputs, v),
    squareRoot: (o, outputs) => last(outputs).squareRoot(o, outputs),
  };
};

const isFinite = (target: Tensor): boolean => values(target).every(Number.isFinite);

/** What a model believes of classes that weigh differently, before labels are smoothed. */
const believedClasses =
  (epsilon: number) =>
  (outputs: Tensor): Tensor => {
    const classes = outputs.shape[outputs.shape.length - 1];
    const shares = ops.div(ops.softmax(outputs), tensor(fourWeights.slice(0, classes), [classes]));
    const total = ops.reshape(ops.sum(shares, [outputs.shape.length - 1]), [...outputs.shape.slice(0, -1), 1]);
    const t = ops.div(shares, total);
    return ops.scale(1 / (1 - epsilon), ops.sub(t, ops.full([], epsilon / classes)));
  };

/** What a model believes of positives that weigh w, before labels are smoothed. */
const believedPositives =
  (weightOf: (feature: number) => number, epsilon: number) =>
  (outputs: Tensor): Tensor => {
    const features = outputs.shape[outputs.shape.length - 1];
    return generate(outputs.shape, (i) => {
      const q = 1 / (1 + weightOf(i % features) * Math.exp(-outputs.data[i]));
      return (q - epsilon / 2) / (1 - epsilon);
    });
  };

const fractions = (seed: number, shape: Shape): Tensor => uniform(keyOf(seed), shape, 'f64');

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
  [
    'softmaxCrossEntropy with weights of classes and smoothing, indices',
    {
      loss: forClasses(perClass((classWeights) => softmaxCrossEntropyWith({ classWeights, smoothing: 0.1 }))),
      targets: classIndices,
      valid: isFinite,
      believed: believedClasses(0.1),
    },
  ],
  [
    'softmaxCrossEntropy with weights of classes, probabilities',
    {
      loss: forClasses(perClass((classWeights) => softmaxCrossEntropyWith({ classWeights }))),
      targets: (seed, shape) => ops.softmax(gaussian(seed, shape)),
      valid: isFinite,
      believed: believedClasses(0),
    },
  ],
  [
    'softmaxCrossEntropy with smoothing and an index to ignore',
    { loss: softmaxCrossEntropyWith({ smoothing: 0.2, ignore: -1 }), targets: classIndices, valid: isFinite },
  ],
  [
    'sigmoidCrossEntropy with a weight for positives and smoothing',
    {
      loss: sigmoidCrossEntropyWith({ positiveWeight: 5, smoothing: 0.1 }),
      targets: fractions,
      valid: isFinite,
      believed: believedPositives(() => 5, 0.1),
    },
  ],
  [
    'sigmoidCrossEntropy with a weight for each positive',
    {
      loss: forClasses(perClass((positiveWeight) => sigmoidCrossEntropyWith({ positiveWeight }))),
      targets: fractions,
      valid: isFinite,
      believed: believedPositives((feature) => fourWeights[feature], 0),
    },
  ],
  [
    'poisson',
    {
      loss: poisson,
      targets: (seed, shape) => ops.scale(5, fractions(seed, shape)),
      valid: isFinite,
      believed: (outputs) => ops.exp(outputs),
      isBounded: true,
    },
  ],
  ['squaredError with a variance', { loss: squaredErrorWith({ variance: 2.5 }), targets: gaussian, valid: isFinite }],
  [
    'squaredError with a variance for each output',
    {
      loss: forClasses(perClass((variance) => squaredErrorWith({ variance }))),
      targets: gaussian,
      valid: isFinite,
    },
  ],
  [
    'the mean over positions of softmaxCrossEntropy',
    { loss: meanOverPositions(softmaxCrossEntropy), targets: classIndices, valid: isOneHot },
  ],
  [
    'the mean over positions of squaredError',
    { loss: meanOverPositions(squaredError), targets: gaussian, valid: isFinite },
  ],
  ['squaredError', { loss: squaredError, targets: gaussian, valid: (target) => values(target).every(Number.isFinite) }],
];

describe.each(cases)('%s', (_, { loss, targets, valid, isUnbalanced = false, believed, isBounded = false }) => {
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
        const y =
          believed !== undefined
            ? believed(outputs)
            : isUnbalanced
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
    const g = curvatureGradient(ops, loss, outputs, loss.sample(ops, keyOf(11), outputs)).data;
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
    if (isBounded) return;
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

describe('losses with settings', () => {
  it.each([
    ['softmaxCrossEntropy', softmaxCrossEntropyWith({ classWeights: [1, 1, 1] }), softmaxCrossEntropy, classIndices],
    ['softmaxCrossEntropy', softmaxCrossEntropyWith({}), softmaxCrossEntropy, classIndices],
    ['sigmoidCrossEntropy', sigmoidCrossEntropyWith({}), sigmoidCrossEntropy, fractions],
    ['squaredError', squaredErrorWith({ variance: 1 }), squaredError, gaussian],
  ] as const)('law: with settings of 1, or none, %s is the plain one', (_, loss, plain, targets) => {
    const [outputs, v, y] = [gaussian(1, [4, 2, 3]), gaussian(2, [4, 2, 3]), targets(3, [4, 2, 3])];
    const all = (each: Loss): ReadonlyArray<Tensor> => [
      each.value(ops, outputs, y),
      each.gradient(ops, outputs, y),
      each.hessianProduct(ops, outputs, v),
      each.squareRoot(ops, outputs)(v),
      each.gradient(ops, outputs, each.sample(ops, keyOf(1), outputs)),
    ];
    all(loss).forEach((x, i) => expect(scaledError(x.data, all(plain)[i].data)).toBeLessThan(1e-15));
  });

  it('by hand: weights of classes and smoothing as in PyTorch', () => {
    const loss = softmaxCrossEntropyWith({ classWeights: [1, 3], smoothing: 0.5 });
    const outputs = tensor([0, Math.log(3)], [1, 2]);
    // −(1 · ¼ log ¼ + 3 · ¾ log ¾) for the class 1, whose t is (¼, ¾).
    const expected = -(0.25 * Math.log(0.25) + 3 * 0.75 * Math.log(0.75));
    expect(loss.value(ops, outputs, tensor([1], [1], 'i32')).data[0]).toBeCloseTo(expected, 14);
  });

  it('law: a class that weighs twice as much is one that comes twice, in gradients and in curvature where it is believed', () => {
    const loss = softmaxCrossEntropyWith({ classWeights: [2, 2, 2] });
    const [outputs, v, y] = [gaussian(1, [4, 3]), gaussian(2, [4, 3]), classIndices(3, [4, 3])];
    const twice = (x: Tensor): Tensor => ops.scale(2, x);
    const [g, h] = [softmaxCrossEntropy.gradient(ops, outputs, y), softmaxCrossEntropy.hessianProduct(ops, outputs, v)];
    expect(scaledError(loss.gradient(ops, outputs, y).data, twice(g).data)).toBeLessThan(1e-15);
    expect(scaledError(loss.hessianProduct(ops, outputs, v).data, twice(h).data)).toBeLessThan(1e-15);
  });

  it('an index to ignore costs nothing, counts nowhere, and may be in a batch; other indices that are no class are no number', () => {
    const loss = softmaxCrossEntropyWith({ ignore: -100 });
    const outputs = gaussian(1, [2, 2, 3]);
    const y = tensor([1, -100, -100, -7], [2, 2], 'i32');
    const value = loss.value(ops, outputs, y);
    const alone = softmaxCrossEntropy.value(ops, ops.slice(outputs, [0, 0, 0], [1, 1, 3]), tensor([1], [1, 1], 'i32'));
    expect([value.data[0], Number.isNaN(value.data[1])]).toEqual([alone.data[0], true]);
    expect(values(loss.gradient(ops, outputs, y)).slice(3, 9)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(values(loss.counts?.(ops, y) ?? y)).toEqual([1, 0, 0, 1]);
    const admitted = loss.admits?.([2, 2, 3], [2, 2]);
    if (admitted === undefined || admitted === null) throw new Error('expected a range');
    const check = (data: ReadonlyArray<number>) => checkAdmissible('here', tensor(data, [2, 2], 'i32'), admitted);
    expect(check([1, -100, 2, 0])._tag).toBe('Right');
    expect(check([1, -100, 2, 3])).toMatchObject({
      left: {
        expected: 'classes from 0 to 2, for softmaxCrossEntropy, or -100, which is ignored',
        actual: '3 in example 1, at position 1',
      },
    });
  });

  it.each([
    [
      () => softmaxCrossEntropyWith({ classWeights: [1, 0] }),
      'softmaxCrossEntropy.classWeights: expected numbers above 0',
    ],
    [
      () => softmaxCrossEntropyWith({ smoothing: 1 }),
      'softmaxCrossEntropy.smoothing: expected a number from 0 to below 1',
    ],
    [
      () => softmaxCrossEntropyWith({ classWeights: [1, 2], ignore: 1 }),
      'softmaxCrossEntropy.ignore: expected a whole number that is no class with a weight, got 1',
    ],
    [
      () => sigmoidCrossEntropyWith({ positiveWeight: -1 }),
      'sigmoidCrossEntropy.positiveWeight: expected numbers above 0',
    ],
    [() => squaredErrorWith({ variance: NaN }), 'squaredError.variance: expected numbers above 0'],
    [
      () => softmaxCrossEntropyWith({ classWeights: [1, 2] }).value(ops, gaussian(1, [2, 3]), classIndices(1, [2, 3])),
      'softmaxCrossEntropy: expected outputs [n, …, 2], for as many weights of classes, got [2, 3]',
    ],
    [
      () =>
        sigmoidCrossEntropyWith({ positiveWeight: [1, 2] }).hessianProduct(
          ops,
          gaussian(1, [2, 3]),
          gaussian(1, [2, 3]),
        ),
      'sigmoidCrossEntropy: expected outputs [n, …, 2]',
    ],
    [
      () => squaredErrorWith({ variance: [1, 2] }).squareRoot(ops, gaussian(1, [2, 3]))(gaussian(1, [2, 3])),
      'squaredError: expected outputs [n, …, 2]',
    ],
  ] as const)('refuses what it cannot use: %#', (act, message) => {
    expect(act).toThrow(message);
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

describe('meanOverPositions', () => {
  it('by hand: over the positions of a batch that count, as PyTorch has it with an index to ignore', () => {
    // Logits (0, ln 3): −log p is ln 4 of class 0, ln 4 − ln 3 of class 1. Three of four words count.
    const outputs = ops.broadcastTo(tensor([0, Math.log(3)], [2]), [2, 2, 2]);
    const loss = meanOverPositions(softmaxCrossEntropyWith({ ignore: -100 }));
    const targets = tensor([0, 1, 0, -100], [2, 2], 'i32');
    const objective = { model: mlp([1, 1]), loss };
    const judging = judgingOf(ops, objective, { targets });
    const words = [Math.log(4), Math.log(4) - Math.log(3), Math.log(4)];
    expect(meanLoss(ops, loss, outputs, judging).data[0]).toBeCloseTo(words.reduce((x, y) => x + y) / 3, 14);
    const plain = judgingOf(ops, objective, { targets: tensor([0, 1, 0, 1], [2, 2], 'i32') });
    expect(meanLoss(ops, loss, outputs, plain).data[0]).toBeCloseTo(Math.log(4) - Math.log(3) / 2, 14);
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
