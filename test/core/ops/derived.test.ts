import fc from 'fast-check';

import type { Program } from '../../../src/core/autodiff/program.ts';
import { vjp } from '../../../src/core/autodiff/reverse.ts';
import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import { referencePrimitives } from '../../../src/core/backends/reference/primitives.ts';
import { unaryDerivative } from '../../../src/core/ops/derived.ts';
import { completeOps } from '../../../src/core/ops/complete.ts';
import type { UnaryKind } from '../../../src/core/ops/primitives.ts';
import { unaryKinds } from '../../../src/core/ops/primitives.ts';
import type { Shape, Tensor } from '../../../src/core/tensor.ts';
import { generate, sizeOf, tensor } from '../../../src/core/tensor.ts';
import {
  arrayOf,
  axesAmong,
  boxIn,
  broadcastableTo,
  imagesAndWindow,
  indicesOf,
  shapeOf,
  smallShapeOf,
  solidExtent,
} from '../../support/arbitraries.ts';
import { scaledError } from '../../support/closeness.ts';

const { ops } = referenceBackend();

/** Agreement up to rounding in f64. */
const expectClose = (actual: Tensor, expected: Tensor, tolerance = 1e-13): void => {
  expect(actual.shape).toEqual(expected.shape);
  expect(scaledError(actual.data, expected.data)).toBeLessThan(tolerance);
};

/** ⟨A x, y⟩ = ⟨x, Aᵀ y⟩ on the scale of their terms. */
const expectAdjoint = (image: Tensor, y: Tensor, x: Tensor, back: Tensor): void => {
  const [left, right] = [ops.dot(image, y).data[0], ops.dot(x, back).data[0]];
  const scale = ops.dot(ops.abs(image), ops.abs(y)).data[0];
  expect(Math.abs(left - right)).toBeLessThanOrEqual(1e-13 * (1 + scale));
};

/** Rows of at least one element, with the last axis kept apart. */
const rows = fc.tuple(smallShapeOf(0, 2), solidExtent).chain(([lead, last]) => arrayOf([...lead, last]));

describe('functions over the last axis', () => {
  it('law: softmax is a distribution, Σ_j softmax(x)_j = 1 with no negative part', () => {
    fc.assert(
      fc.property(rows, fc.constantFrom(1, 100, 400), (x, spread) => {
        const y = ops.softmax(ops.scale(spread, x));
        const total = ops.sum(y, [x.shape.length - 1]);
        expectClose(total, ops.full(total.shape, 1));
        expect(Array.from(y.data).filter((p) => !(p >= 0))).toEqual([]);
      }),
    );
  });

  it('law: shift. logSumExp(x + c) = logSumExp(x) + c and softmax(x + c) = softmax(x)', () => {
    fc.assert(
      fc.property(rows, fc.constantFrom(-1000, -3, 0.5, 800), (x, c) => {
        const shifted = ops.add(x, ops.full([], c));
        // x + c is rounded where x is not.
        expectClose(ops.logSumExp(shifted), ops.add(ops.logSumExp(x), ops.full([], c)), 1e-12);
        expectClose(ops.softmax(shifted), ops.softmax(x), 1e-12);
      }),
    );
  });

  it('law: max x ≤ logSumExp(x) ≤ max x + log n', () => {
    fc.assert(
      fc.property(rows, (x) => {
        const last = x.shape.length - 1;
        const [low, y] = [ops.max(x, [last]), ops.logSumExp(x)];
        const high = ops.add(low, ops.full([], Math.log(x.shape[last]) + 1e-14));
        expect(Array.from(y.data).filter((v, i) => !(v >= low.data[i] && v <= high.data[i]))).toEqual([]);
      }),
    );
  });

  it('law: sizes. softmax and its logarithms keep their digits where one element is far above the others', () => {
    // −log(1 + e⁻⁴⁰ + e⁻³⁹), with 50 digits.
    expect(ops.logSoftmax(tensor([40, 0, 1], [1, 3])).data[0]).toBeCloseTo(-1.5796578428307375e-17, 30);
    expect(ops.logSumExp(tensor([0, -50], [1, 2])).data[0]).toBeCloseTo(1.9287498479639178e-22, 35);
    expect(ops.softmax(tensor([1e4, 9999, 0], [1, 3])).data[0]).toBe(1 / (1 + Math.exp(-1)));
  });

  it('law: logSoftmax is the logarithm of softmax', () => {
    fc.assert(
      fc.property(rows, (x) => {
        expectClose(ops.logSoftmax(x), ops.log(ops.softmax(x)));
      }),
    );
  });

  it('law: a row of −∞ has logSumExp −∞, softmax 0 and zero gradients; in another row −∞ counts for nothing', () => {
    const x = tensor([-Infinity, -Infinity, 0, -Infinity], [2, 2]);
    expect(Array.from(ops.logSumExp(x).data)).toEqual([-Infinity, 0]);
    expect(Array.from(ops.softmax(x).data)).toEqual([0, 0, 1, 0]);
    expect(Array.from(ops.logSoftmax(x).data)).toEqual([-Infinity, -Infinity, 0, -Infinity]);
    const pullback = (program: Program, shape: Shape) => {
      const back = vjp(ops, program, { x }, []).pullback(ops.full(shape, 2));
      return Array.from(back.params['x'].data, (v) => v + 0);
    };
    expect(pullback((o, p) => o.logSumExp(p['x']), [2])).toEqual([0, 0, 2, 0]);
    expect(pullback((o, p) => o.softmax(p['x']), [2, 2])).toEqual([0, 0, 0, 0]);
  });

  it('worked example: logits (0, log 3) give probabilities (¼, ¾)', () => {
    const x = tensor([0, Math.log(3)], [1, 2]);
    expectClose(ops.softmax(x), tensor([0.25, 0.75], [1, 2]));
    expectClose(ops.logSumExp(x), tensor([Math.log(4)], [1]));
  });

  it('law: one-hot vectors pick rows. oneHot(i) M = gather(M, i), and each sums to 1', () => {
    fc.assert(
      fc.property(
        fc
          .tuple(solidExtent, solidExtent, smallShapeOf(1, 1))
          .chain(([classes, d, picks]) => fc.tuple(arrayOf([classes, d]), indicesOf(picks, classes))),
        ([m, indices]) => {
          const hot = ops.oneHot(indices, m.shape[0]);
          expectClose(ops.matmul(hot, m), ops.gather(m, indices));
          expectClose(ops.sum(hot, [1]), ops.full(indices.shape, 1));
        },
      ),
    );
  });
});

describe('adjoints, ⟨A x, y⟩ = ⟨x, Aᵀ y⟩', () => {
  it('law: sumTo is the adjoint of broadcastTo', () => {
    fc.assert(
      fc.property(
        shapeOf().chain((shape) =>
          fc.tuple(
            arrayOf(shape),
            broadcastableTo(shape).chain((from) => arrayOf(from)),
          ),
        ),
        ([y, x]) => {
          expectAdjoint(ops.broadcastTo(x, y.shape), y, x, ops.sumTo(y, x.shape));
        },
      ),
    );
  });

  it('law: pad is the adjoint of slice', () => {
    fc.assert(
      fc.property(
        shapeOf().chain((shape) =>
          boxIn(shape).chain(({ begin, size }) => fc.tuple(arrayOf(shape), arrayOf(size), fc.constant(begin))),
        ),
        ([x, y, begin]) => {
          expectAdjoint(ops.slice(x, begin, y.shape), y, x, ops.pad(y, begin, x.shape));
        },
      ),
    );
  });

  it('law: scatterAdd is the adjoint of gather', () => {
    fc.assert(
      fc.property(
        fc
          .tuple(solidExtent, smallShapeOf(0, 2), smallShapeOf(0, 2))
          .chain(([count, rest, picks]) =>
            fc.tuple(arrayOf([count, ...rest]), indicesOf(picks, count), arrayOf([...picks, ...rest])),
          ),
        ([x, indices, y]) => {
          expectAdjoint(ops.gather(x, indices), y, x, ops.scatterAdd(indices, y, x.shape[0]));
        },
      ),
    );
  });

  it('law: unpatches is the adjoint of patches', () => {
    fc.assert(
      fc.property(
        imagesAndWindow.chain(({ images, window }) => {
          const columns = ops.patches(ops.full(images, 0), window).shape;
          return fc.tuple(arrayOf(images), arrayOf(columns), fc.constant(window));
        }),
        ([x, y, window]) => {
          expectAdjoint(ops.patches(x, window), y, x, ops.unpatches(y, window, x.shape));
        },
      ),
    );
  });
});

describe('derived algebra', () => {
  const square = solidExtent.chain((n) => arrayOf([n, n]));

  it('law: trace (M + c I) = trace M + c n, and trace AᵀB = ⟨A, B⟩', () => {
    fc.assert(
      fc.property(square, fc.constantFrom(0, 1, -2.5), (m, c) => {
        expectClose(ops.trace(ops.addDiagonal(m, c)), ops.add(ops.trace(m), ops.full([], c * m.shape[0])));
        expectClose(ops.trace(ops.matmul(m, m, { transposeA: true })), ops.dot(m, m));
      }),
    );
  });

  it('law: homogeneous coordinates. [x 1] [W b]ᵀ = x Wᵀ + b', () => {
    fc.assert(
      fc.property(
        fc
          .tuple(solidExtent, solidExtent, solidExtent)
          .chain(([n, from, to]) => fc.tuple(arrayOf([n, from]), arrayOf([to, from]), arrayOf([to]))),
        ([x, w, b]) => {
          const joined = ops.concat([w, ops.reshape(b, [b.shape[0], 1])], 1);
          expectClose(ops.matmul(ops.withOnes(x), joined, { transposeB: true }), ops.affine(x, w, b));
        },
      ),
    );
  });

  it('law: mean = sum / count, and linearCombination and scale are what they say', () => {
    fc.assert(
      fc.property(
        shapeOf()
          .filter((shape) => sizeOf(shape) > 0)
          .chain((shape) => fc.tuple(arrayOf(shape), arrayOf(shape), axesAmong(shape))),
        ([x, y, axes]) => {
          const count = axes.reduce((product, axis) => product * x.shape[axis], 1);
          expectClose(ops.mean(x, axes), ops.div(ops.sum(x, axes), ops.full([], count)));
          expectClose(
            ops.linearCombination(2, x, -3, y),
            generate(x.shape, (i) => 2 * x.data[i] - 3 * y.data[i]),
          );
        },
      ),
    );
  });

  it('law: σ(x) − y and softplus(x) − y x are what they say, the second has the first as its derivative, also at 0', () => {
    fc.assert(
      fc.property(
        shapeOf().chain((shape) => fc.tuple(arrayOf(shape, 'ties'), arrayOf(shape))),
        ([x, y]) => {
          expectClose(ops.sigmoidMinus(x, y), ops.sub(ops.sigmoid(x), y));
          expectClose(ops.sigmoidCrossEntropy(x, y), ops.sub(ops.softplus(x), ops.mul(y, x)));
          const program: Program = (o, params) => o.sigmoidCrossEntropy(params['x'], params['y']);
          const { pullback } = vjp(ops, program, { x, y }, []);
          const { params } = pullback(ops.full(x.shape, 1));
          expectClose(params['x'], ops.sigmoidMinus(x, y));
          expectClose(params['y'], ops.neg(x));
        },
      ),
    );
  });

  it('worked example: a logit of 40 and a target of 1 leave e⁻⁴⁰, and of infinite logits nothing where they are right', () => {
    const [x, y] = [tensor([40, -40, Infinity, -Infinity], [4]), tensor([1, 0, 1, 0], [4])];
    // 1 / (1 + e⁴⁰) and log(1 + e⁻⁴⁰) are the same to 17 digits.
    const e = 4.248354255291589e-18;
    expectClose(ops.scale(1 / e, ops.sigmoidMinus(x, y)), tensor([-1, 1, 0, 0], [4]));
    expectClose(ops.scale(1 / e, ops.sigmoidCrossEntropy(x, y)), tensor([1, 1, 0, 0], [4]));
    expect(ops.sigmoidCrossEntropy(tensor([Infinity, 1e300], [2]), tensor([0, 0], [2])).data).toEqual(
      Float64Array.of(Infinity, 1e300),
    );
  });

  it('law: the Gaussian error linear unit is x Φ(x), so gelu(x) − gelu(−x) = x', () => {
    fc.assert(
      fc.property(
        shapeOf().chain((shape) => arrayOf(shape)),
        (x) => {
          expectClose(ops.sub(ops.gelu(x), ops.gelu(ops.neg(x))), x);
        },
      ),
    );
  });

  it('worked example: gelu at 0, ±1 and 2, from the normal distribution function', () => {
    // Φ(1) = 0.8413447460685429, Φ(2) = 0.9772498680518208.
    const y = ops.gelu(tensor([0, 1, -1, 2], [4]));
    expectClose(y, tensor([0, 0.8413447460685429, -0.15865525393145707, 1.9544997361036416], [4]), 1e-15);
  });
});

describe('derivatives of elementwise functions', () => {
  const derivativeAt = (kind: UnaryKind, x: Tensor): Tensor => unaryDerivative(ops, kind, x, ops.unary(kind, x));

  it.each(unaryKinds)('law: f′ of %s is the limit of (f(x + h) − f(x − h)) / 2h', (kind) => {
    fc.assert(
      fc.property(
        shapeOf().chain((shape) => arrayOf(shape, 'positive')),
        fc.constantFrom(1, -1),
        (magnitudes, side) => {
          const x = kind === 'log' || kind === 'sqrt' ? magnitudes : ops.scale(side, magnitudes);
          const at = (h: number): Tensor => ops.unary(kind, ops.add(x, ops.full([], h)));
          const difference = ops.scale(1 / 2e-5, ops.sub(at(1e-5), at(-1e-5)));
          // The difference errs by h² f‴ / 6 and by ε f / h.
          expectClose(derivativeAt(kind, x), difference, 1e-8);
        },
      ),
    );
  });

  it('law: unaryVjp is the cotangent times f′', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...unaryKinds),
        shapeOf().chain((shape) => fc.tuple(arrayOf(shape, 'positive'), arrayOf(shape))),
        (kind, [x, g]) => {
          expectClose(ops.unaryVjp(kind, x, ops.unary(kind, x), g), ops.mul(g, derivativeAt(kind, x)));
        },
      ),
    );
  });

  it('law: maxVjp gives each block its cotangent, all of it to elements that are the largest', () => {
    fc.assert(
      fc.property(
        shapeOf(1, 3)
          .chain((shape) => fc.tuple(arrayOf(shape, 'ties'), axesAmong(shape)))
          .filter(([x]) => x.data.length > 0),
        ([x, axes]) => {
          const y = ops.max(x, axes);
          const cotangents = ops.maxVjp(x, y, axes, y);
          expectClose(ops.sum(cotangents, axes), y);
          const kept = x.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));
          const isSmaller = ops.greater(ops.reshape(y, kept), x);
          expectClose(ops.mul(isSmaller, cotangents), ops.full(x.shape, 0));
        },
      ),
    );
  });

  it('worked example: kinks take the derivative of the left', () => {
    const zero = tensor([0], [1]);
    expect(derivativeAt('relu', zero).data[0]).toBe(0);
    expect(derivativeAt('step', zero).data[0]).toBe(0);
    expect(derivativeAt('abs', zero).data[0]).toBe(0);
  });
});

describe('completeOps', () => {
  it('law: a default that is built on an operation uses the version of the interpreter', () => {
    let calls = 0;
    const counted = completeOps(referencePrimitives, {
      scale: (c, x) => {
        calls += 1;
        return ops.scale(c, x);
      },
    });
    const x = tensor([1, 2], [2]);
    expect(counted.linearCombination(2, x, 3, x)).toEqual(tensor([5, 10], [2]));
    expect(calls).toBe(2);
    expect(counted.addDiagonal(tensor([1], [1, 1]), 2)).toEqual(tensor([3], [1, 1]));
    expect(calls).toBe(3);
  });
});
