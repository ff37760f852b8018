import fc from 'fast-check';

import { jvp } from '../../../src/core/autodiff/forward.ts';
import { gaussNewton, gaussNewtonProduct, hessianProduct } from '../../../src/core/autodiff/products.ts';
import type { Program } from '../../../src/core/autodiff/program.ts';
import { gradientOf, vjp, vjpTree } from '../../../src/core/autodiff/reverse.ts';
import type { Params } from '../../../src/core/params.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { generate, sizeOf, tensor } from '../../../src/core/tensor.ts';
import { scaledError } from '../../support/closeness.ts';
import {
  centralDifference,
  countingProducts,
  expectAgree,
  flat,
  innerTree,
  moved,
  noise,
  noiseLike,
  ops,
  unitVector,
} from './support.ts';

const extents = fc.record({
  seed: fc.nat(2 ** 31),
  n: fc.integer({ min: 1, max: 4 }),
  from: fc.integer({ min: 1, max: 3 }),
  hidden: fc.integer({ min: 1, max: 3 }),
  to: fc.integer({ min: 1, max: 3 }),
});

interface Extents {
  readonly seed: number;
  readonly n: number;
  readonly from: number;
  readonly hidden: number;
  readonly to: number;
}

const network: Program = (on, params, [x]) =>
  on.affine(on.gelu(on.affine(x, params['V'], params['c'])), params['W'], params['b']);

/** −Σ t log softmax(f), summed over examples. */
const crossEntropy: Program = (on, params, inputs) =>
  on.neg(on.dot(inputs[1], on.logSoftmax(network(on, params, inputs))));

/** (diag(p) − p pᵀ) v per example. */
const softmaxHessian = (outputs: Tensor, v: Tensor): Tensor => {
  const p = ops.softmax(outputs);
  const pv = ops.mul(p, v);
  return ops.sub(pv, ops.mul(p, ops.reshape(ops.sum(pv, [1]), [v.shape[0], 1])));
};

const drawn = ({ seed, n, from, hidden, to }: Extents): { params: Params<Tensor>; inputs: ReadonlyArray<Tensor> } => ({
  params: noiseLike(seed, {
    V: { shape: [hidden, from] },
    c: { shape: [hidden] },
    W: { shape: [to, hidden] },
    b: { shape: [to] },
  }),
  inputs: [noise(seed + 1, [n, from]), ops.softmax(noise(seed + 2, [n, to]))],
});

describe('hessianProduct', () => {
  it('worked example: f = x² y', () => {
    // H = [[2y, 2x], [2x, 0]] at (3, 5): H (1, 2) = (10 + 12, 6).
    const f: Program = (on, { x, y }) => on.mul(on.square(x), y);
    const scalar = (value: number): Tensor => tensor([value], []);
    const product = hessianProduct(ops, f, { x: scalar(3), y: scalar(5) }, { x: scalar(1), y: scalar(2) }, []);
    expect(flat(product)).toEqual([22, 6]);
  });

  it('law: symmetry. ⟨u, H v⟩ = ⟨H u, v⟩ for a network with cross-entropy', () => {
    fc.assert(
      fc.property(extents, (drawing) => {
        const { params, inputs } = drawn(drawing);
        const u = noiseLike(drawing.seed + 3, params);
        const v = noiseLike(drawing.seed + 4, params);
        const left = innerTree(u, hessianProduct(ops, crossEntropy, params, v, inputs));
        expectAgree(left, innerTree(hessianProduct(ops, crossEntropy, params, u, inputs), v), 1e-12);
      }),
    );
  });

  it('law: H v against central differences of gradients, and against reverse over reverse', () => {
    fc.assert(
      fc.property(extents, (drawing) => {
        const { params, inputs } = drawn(drawing);
        const v = noiseLike(drawing.seed + 3, params);
        const product = flat(hessianProduct(ops, crossEntropy, params, v, inputs));
        const gradient = gradientOf(crossEntropy);
        const slope = centralDifference((t) => flat(gradient(ops, moved(params, t, v), inputs)));
        expect(scaledError(product, slope)).toBeLessThanOrEqual(1e-8);
        expect(scaledError(product, flat(vjpTree(ops, gradient, params, inputs).pullback(v)))).toBeLessThanOrEqual(
          1e-12,
        );
      }),
    );
  });
});

describe('gaussNewtonProduct', () => {
  it('law: Jᵀ H J v equals the materialised matrix times v', () => {
    fc.assert(
      fc.property(extents, (drawing) => {
        const { params, inputs } = drawn(drawing);
        const size = flat(params).length;
        const { outputs } = vjp(ops, network, params, inputs);
        const columnsOf = (column: (i: number) => Tensor): Tensor => {
          const columns = Array.from({ length: size }, (_, i) => column(i).data);
          const rows = sizeOf(outputs.shape);
          return generate([rows, size], (at) => columns[at % size][Math.floor(at / size)]);
        };
        const jacobianColumn = (i: number): Tensor => jvp(ops, network, params, unitVector(params, i), inputs).tangent;
        const J = columnsOf(jacobianColumn);
        const HJ = columnsOf((i) => softmaxHessian(outputs, jacobianColumn(i)));
        const v = noiseLike(drawing.seed + 3, params);
        const vector = generate([size, 1], (i) => flat(v)[i]);
        const expected = ops.matmul(ops.matmul(J, HJ, { transposeA: true }), vector);
        const product = gaussNewtonProduct(ops, network, softmaxHessian, params, v, inputs);
        expect(scaledError(flat(product), expected.data)).toBeLessThanOrEqual(1e-12);
      }),
      { numRuns: 50 },
    );
  });

  it('law: it is the Hessian where the model is linear in its parameters', () => {
    const linear: Program = (on, params, [x]) => on.affine(x, params['W'], params['b']);
    const loss: Program = (on, params, inputs) => on.neg(on.dot(inputs[1], on.logSoftmax(linear(on, params, inputs))));
    fc.assert(
      fc.property(extents, (drawing) => {
        const inputs = [noise(drawing.seed, [drawing.n, 2]), ops.softmax(noise(drawing.seed + 1, [drawing.n, 3]))];
        const params = noiseLike(drawing.seed + 2, { W: { shape: [3, 2] }, b: { shape: [3] } });
        const v = noiseLike(drawing.seed + 3, params);
        const product = gaussNewtonProduct(ops, linear, softmaxHessian, params, v, inputs);
        const hessian = hessianProduct(ops, loss, params, v, inputs);
        expect(scaledError(flat(product), flat(hessian))).toBeLessThanOrEqual(1e-12);
      }),
    );
  });

  it('a pushforward computes tangents only: one product in the first layer, two in the second', () => {
    const counting = countingProducts();
    const { params, inputs } = drawn({ seed: 1, n: 3, from: 2, hidden: 3, to: 2 });
    const { pushforward } = vjp(counting.ops, network, params, inputs);
    const before = counting.count();
    pushforward(noiseLike(2, params));
    expect(counting.count() - before).toBe(3);
  });

  it('linearises once for many products', () => {
    const counting = countingProducts();
    const { params, inputs } = drawn({ seed: 1, n: 3, from: 2, hidden: 3, to: 2 });
    const product = gaussNewton(counting.ops, network, softmaxHessian, params, inputs);
    expect(counting.count()).toBe(2);
    const v = noiseLike(2, params);
    const once = flat(product(v));
    // Three for the tangent, three for the way back; none for the value.
    expect(counting.count()).toBe(2 + 6);
    expect(flat(product(v))).toEqual(once);
  });
});
