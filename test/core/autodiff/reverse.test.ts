import * as E from 'fp-ts/lib/Either.js';
import fc from 'fast-check';

import { jvp } from '../../../src/core/autodiff/forward.ts';
import type { Program } from '../../../src/core/autodiff/program.ts';
import { gradientOf, vjp, vjpTree } from '../../../src/core/autodiff/reverse.ts';
import { attempt } from '../../../src/core/errors.ts';
import type { Ops } from '../../../src/core/ops/ops.ts';
import type { Params } from '../../../src/core/params.ts';
import type { Shaped, Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { scaledError } from '../../support/closeness.ts';
import { countingProducts, noise, ops, snapshot } from './support.ts';

const scalar = (value: number): Tensor => tensor([value], []);
const vector = (...values: ReadonlyArray<number>): Tensor => tensor(values, [values.length]);
const values = (tree: Params<Tensor>): Record<string, ReadonlyArray<number>> =>
  Object.fromEntries(Object.entries(tree).map(([path, { data }]) => [path, Array.from(data)]));

const denseSite = <T extends Shaped>(on: Ops<T>, params: Params<T>, path: string, x: T): T => {
  const weight = `${path}.weight`;
  const bias = `${path}.bias`;
  return on.site({ kind: 'dense', path, weight, bias }, x, on.affine(x, params[weight], params[bias]));
};

/** Two dense layers with a tanh between them. */
const network: Program = (on, params, [x]) => denseSite(on, params, '1', on.tanh(denseSite(on, params, '0', x)));

const networkParams = (from: number, hidden: number, to: number): Params<Tensor> => ({
  '0.weight': noise(1, [hidden, from]),
  '0.bias': noise(2, [hidden]),
  '1.weight': noise(3, [to, hidden]),
  '1.bias': noise(4, [to]),
});

describe('vjp', () => {
  it('worked example: f = w² x + b', () => {
    // x = 3, w = 2, b = 1: f = 13, ∂f/∂w = 2 w x = 12, ∂f/∂b = 1; the cotangent 10 multiplies both.
    const f: Program = (on, params, [x]) => on.add(on.mul(on.square(params['w']), x), params['b']);
    const { outputs, pullback } = vjp(ops, f, { w: scalar(2), b: scalar(1) }, [scalar(3)]);
    expect(Array.from(outputs.data)).toEqual([13]);
    expect(values(pullback(scalar(10)).params)).toEqual({ w: [120], b: [10] });
  });

  it('worked example: a broadcast operand receives the sum over where it was repeated', () => {
    // y[i, j] = a[i, j] b[j]; with cotangents of ones, ∂b[j] = Σ_i a[i, j].
    const a = tensor([1, 2, 3, 4, 5, 6], [3, 2]);
    const f: Program = (on, params) => on.mul(params['a'], params['b']);
    const { pullback } = vjp(ops, f, { a, b: vector(10, 20) }, []);
    expect(values(pullback(ops.full([3, 2], 1)).params)).toEqual({ a: [10, 20, 10, 20, 10, 20], b: [9, 12] });
  });

  it('splits the derivative of a maximum equally between ties', () => {
    // max(1, 1) is a tie; max over (2, 5, 5) has two winners.
    const pairwise: Program = (on, params) => on.maximum(params['a'], params['b']);
    const { pullback } = vjp(ops, pairwise, { a: vector(1, 3, 0), b: vector(1, 2, 4) }, []);
    expect(values(pullback(vector(1, 1, 1)).params)).toEqual({ a: [0.5, 1, 0], b: [0.5, 0, 1] });
    const reduced: Program = (on, params) => on.max(params['x'], [0]);
    expect(values(vjp(ops, reduced, { x: vector(2, 5, 5) }, []).pullback(scalar(1)).params)).toEqual({
      x: [0, 0.5, 0.5],
    });
  });

  it('gives zeros for a parameter that the output does not depend on, and the cotangent for the output itself', () => {
    const f: Program = (_, params) => params['used'];
    const { pullback } = vjp(ops, f, { used: vector(1, 2), unused: noise(1, [2, 3]) }, []);
    expect(values(pullback(vector(3, 4)).params)).toEqual({ used: [3, 4], unused: [0, 0, 0, 0, 0, 0] });
    const constant: Program = (_, __, [x]) => x;
    expect(values(vjp(ops, constant, { p: vector(1) }, [vector(5)]).pullback(vector(7)).params)).toEqual({ p: [0] });
  });

  it('takes what is under stopGradient as a constant, in both modes and in second derivatives', () => {
    // f = x · stop(x²): f′ = 9 at x = 3, not 27; f″ = 0, not 18.
    const f: Program = (on, params) => on.mul(params['x'], on.stopGradient(on.square(params['x'])));
    const at = { x: scalar(3) };
    expect(values(gradientOf(f)(ops, at, []))).toEqual({ x: [9] });
    expect(Array.from(jvp(ops, f, at, { x: scalar(1) }, []).tangent.data)).toEqual([9]);
    expect(values(vjpTree(ops, gradientOf(f), at, []).pullback({ x: scalar(1) }))).toEqual({ x: [0] });
  });

  it('has derivative zero for comparisons, and does no work for them', () => {
    const f: Program = (on, params) => on.greater(params['a'], params['b']);
    const { pullback } = vjp(ops, f, { a: vector(1, 3), b: vector(2, 2) }, []);
    expect(values(pullback(vector(5, 5)).params)).toEqual({ a: [0, 0], b: [0, 0] });
  });

  it('rejects a cotangent in another shape than the output', () => {
    const { pullback, sitePullback, parameterPullback } = vjp(ops, network, networkParams(3, 4, 2), [noise(5, [7, 3])]);
    expect(attempt(() => pullback(noise(6, [7, 3])))).toEqual(
      E.left({
        _tag: 'ShapeMismatch',
        where: 'pullback',
        expected: 'a cotangent in the shape [7, 2] of the output',
        actual: '[7, 3]',
      }),
    );
    expect(attempt(() => sitePullback(noise(6, [2])))).toMatchObject({ left: { where: 'sitePullback' } });
    expect(attempt(() => parameterPullback(['0.bias'])(noise(6, [2])))).toMatchObject({
      left: { where: 'parameterPullback' },
    });
  });

  it('rejects the gradient of a program whose output is not a scalar', () => {
    const f: Program = (on, params) => on.square(params['x']);
    expect(attempt(() => gradientOf(f)(ops, { x: vector(1, 2) }, []))).toMatchObject({
      left: { _tag: 'ShapeMismatch', where: 'gradient', actual: '[2]' },
    });
  });
});

describe('vjpTree', () => {
  it('worked example: the transposed Jacobian of (xy, x + y)', () => {
    // J = [[y, x], [1, 1]] at (2, 5): Jᵀ (10, 1) = (51, 21).
    const at = { x: scalar(2), y: scalar(5) };
    const { outputs, pullback } = vjpTree(
      ops,
      (on, { x, y }) => ({ product: on.mul(x, y), sum: on.add(x, y) }),
      at,
      [],
    );
    expect(values(outputs)).toEqual({ product: [10], sum: [7] });
    expect(values(pullback({ product: scalar(10), sum: scalar(1) }))).toEqual({ x: [51], y: [21] });
    expect(values(pullback({ sum: scalar(3) }))).toEqual({ x: [3], y: [3] });
    expect(attempt(() => pullback({ sum: vector(1) }))).toMatchObject({ left: { where: 'pullback at sum' } });
  });
});

describe('parameters that are told as soon as they are there', () => {
  it('law: each once, with what the pullback gives, before anything of the layers before it', () => {
    const params = {
      first: noise(1, [3, 3]),
      unused: noise(2, [2]),
      second: noise(3, [3, 3]),
      third: noise(4, [1, 3]),
    };
    const program: Program = (on, p, [x]) => {
      const hidden = on.tanh(on.affine(x, p['first'], null));
      return on.affine(on.add(hidden, on.tanh(on.affine(hidden, p['second'], null))), p['third'], null);
    };
    let products = 0;
    const counting = {
      ...ops,
      affineVjp: ops.affine,
      matmul: (...given: Parameters<typeof ops.matmul>) => {
        products += 1;
        return ops.matmul(...given);
      },
    };
    const { pullback } = vjp(counting, program, params, [noise(5, [4, 3])]);
    const told: Array<readonly [Tensor, number]> = [];
    const { params: found } = pullback(noise(6, [4, 1]), undefined, (_, cotangent) => {
      told.push([cotangent, products]);
    });
    expect(told.map(([cotangent]) => cotangent)).toEqual([found['third'], found['second'], found['first']]);
    const after = told.map(([, count]) => count);
    expect(after[0]).toBeLessThan(after[1]);
    expect(after[1]).toBeLessThan(after[2]);
  });
});

describe('sites', () => {
  const extents = fc.record({
    n: fc.integer({ min: 1, max: 5 }),
    from: fc.integer({ min: 1, max: 4 }),
    hidden: fc.integer({ min: 1, max: 4 }),
    to: fc.integer({ min: 1, max: 4 }),
  });

  it('law: dW = gᵀ a and db = Σ g, with a and g the input and cotangent of a dense site', () => {
    fc.assert(
      fc.property(extents, ({ n, from, hidden, to }) => {
        const { sites, pullback, sitePullback } = vjp(ops, network, networkParams(from, hidden, to), [
          noise(5, [n, from]),
        ]);
        const cotangent = noise(6, [n, to]);
        const all = pullback(cotangent);
        const alone = sitePullback(cotangent);
        expect(snapshot(alone)).toEqual(snapshot(all.sites));
        expect(sites.map(({ site }) => site.path)).toEqual(['0', '1']);
        sites.forEach(({ site, input }, i) => {
          const dW = ops.matmul(alone[i], input, { transposeA: true });
          expect(dW.shape).toEqual(all.params[site.weight].shape);
          expect(scaledError(dW.data, all.params[site.weight].data)).toBeLessThanOrEqual(1e-14);
          expect(scaledError(ops.sum(alone[i], [0]).data, all.params[`${site.path}.bias`].data)).toBeLessThanOrEqual(
            1e-14,
          );
        });
      }),
    );
  });

  it('law: the cotangents of some parameters are those that all have', () => {
    fc.assert(
      fc.property(
        extents,
        fc.subarray(['0.weight', '0.bias', '1.weight', '1.bias']),
        ({ n, from, hidden, to }, paths) => {
          const { pullback, parameterPullback } = vjp(ops, network, networkParams(from, hidden, to), [
            noise(5, [n, from]),
          ]);
          const cotangent = noise(6, [n, to]);
          const { params } = pullback(cotangent);
          const some = parameterPullback(paths)(cotangent);
          expect(Object.keys(some)).toEqual(paths);
          for (const path of paths) expect(snapshot([some[path]])).toEqual(snapshot([params[path]]));
        },
      ),
    );
  });

  it('records inputs: the data at the first site, the activations at the second', () => {
    const params = networkParams(3, 4, 2);
    const x = noise(5, [6, 3]);
    const { sites } = vjp(ops, network, params, [x]);
    const hidden = ops.tanh(ops.affine(x, params['0.weight'], params['0.bias']));
    expect(snapshot(sites.map(({ input }) => input))).toEqual(snapshot([x, hidden]));
  });

  it('does no work that leads to no target', () => {
    const counting = countingProducts();
    const work = <A>(action: () => A): readonly [A, number] => {
      const before = counting.count();
      return [action(), counting.count() - before];
    };
    const [linearised, forwardWork] = work(() =>
      vjp(counting.ops, network, networkParams(3, 4, 2), [noise(5, [6, 3])]),
    );
    const cotangent = noise(6, [6, 2]);
    expect(forwardWork).toBe(2);
    // dW of both layers and the cotangent between them; none of the data.
    expect(work(() => linearised.pullback(cotangent))[1]).toBe(3);
    // The cotangent between the layers alone.
    expect(work(() => linearised.sitePullback(cotangent))[1]).toBe(1);
    expect(work(() => linearised.sitePullback(cotangent))[1]).toBe(1);
    // The last bias needs no product, the first one what lies between.
    expect(work(() => linearised.parameterPullback(['1.bias'])(cotangent))[1]).toBe(0);
    expect(work(() => linearised.parameterPullback(['0.bias'])(cotangent))[1]).toBe(1);
  });

  it('has a cotangent at a site whose parameters are constants, and zeros at one that leads nowhere', () => {
    const f: Program = (on, params, [x]) => {
      const frozen = { 'f.weight': on.constant(tensor([2], [1, 1])), 'f.bias': on.constant(vector(1)) };
      denseSite(on, frozen, 'f', x);
      return on.mul(params['c'], denseSite(on, frozen, 'f', x));
    };
    const { sites, pullback, sitePullback } = vjp(ops, f, { c: scalar(3) }, [tensor([1, 4], [2, 1])]);
    expect(sites).toHaveLength(2);
    // s = 2 x + 1 = (3, 9); c s has cotangent c at s and Σ s at c.
    const all = pullback(ops.full([2, 1], 1));
    expect(values(all.params)).toEqual({ c: [12] });
    expect(snapshot(all.sites)).toEqual([
      [0, 0],
      [3, 3],
    ]);
    expect(snapshot(sitePullback(ops.full([2, 1], 1)))).toEqual(snapshot(all.sites));
  });

  it('records a layer that is applied twice as two sites, whose weight cotangents add up', () => {
    const f: Program = (on, params, [x]) => denseSite(on, params, 'l', denseSite(on, params, 'l', x));
    const params = { 'l.weight': noise(1, [2, 2]), 'l.bias': noise(2, [2]) };
    const { sites, pullback } = vjp(ops, f, params, [noise(3, [4, 2])]);
    const all = pullback(noise(4, [4, 2]));
    const parts = sites.map(({ input }, i) => ops.matmul(all.sites[i], input, { transposeA: true }));
    expect(parts).toHaveLength(2);
    expect(scaledError(ops.add(parts[0], parts[1]).data, all.params['l.weight'].data)).toBeLessThanOrEqual(1e-14);
  });
});
