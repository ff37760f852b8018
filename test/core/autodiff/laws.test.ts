import fc from 'fast-check';

import { jvp, jvpTree } from '../../../src/core/autodiff/forward.ts';
import { hessianProduct } from '../../../src/core/autodiff/products.ts';
import type { Program, TreeProgram } from '../../../src/core/autodiff/program.ts';
import { gradientOf, vjp, vjpTree } from '../../../src/core/autodiff/reverse.ts';
import { recording } from '../../../src/core/autodiff/replay.ts';
import { completeOps } from '../../../src/core/ops/complete.ts';
import type { Ops } from '../../../src/core/ops/ops.ts';
import type { Params } from '../../../src/core/params.ts';
import { mapParams } from '../../../src/core/params.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { scaledError } from '../../support/closeness.ts';
import { derivedCases } from './derivedCases.ts';
import { elementwiseCases } from './elementwiseCases.ts';
import { matrixCases } from './matrixCases.ts';
import { structuralCases } from './structuralCases.ts';
import {
  atMostOne,
  centralDifference,
  expectAgree,
  flat,
  halfSquareOf,
  inner,
  innerTree,
  moved,
  noise,
  noiseLike,
  ops,
  snapshot,
} from './support.ts';

/** Rounding of sums of a few dozen products, each accurate to a few units in the last place. */
const rounding = 1e-13;
/** Step 1e-3, extrapolated: truncation h⁴ f⁽⁵⁾/480 and rounding 2e-16/h, both below. */
const truncation = 1e-8;

const seed = fc.nat(2 ** 31);
const secondOrderRuns = { numRuns: 40 };

/** θ ↦ ⟨∇f(θ), u⟩, by forward mode inside a program: its gradient is H u. */
const directional =
  (program: Program, u: Params<Tensor>): Program =>
  (on, params, inputs) =>
    jvp(
      on,
      program,
      params,
      mapParams(u, (leaf) => on.constant(leaf)),
      inputs,
    ).tangent;

const cases = [...structuralCases, ...matrixCases, ...elementwiseCases, ...derivedCases];

describe.each(cases.map((entry) => [entry.name, entry] as const))('%s', (_, entry) => {
  const smooth = entry.settings('smooth');
  const any = fc.oneof(smooth, entry.settings('ties'));

  it('law: vjp–jvp duality. ⟨v, J u⟩ = ⟨Jᵀ v, u⟩, ties included, and the pushforward of a linearisation is J u', () => {
    fc.assert(
      fc.property(any, seed, ({ params, inputs, program }, at) => {
        const { outputs, pullback, pushforward } = vjp(ops, program, params, inputs);
        const u = noiseLike(at, params);
        const v = noise(at + 1, outputs.shape);
        const { value, tangent } = jvp(ops, program, params, u, inputs);
        const values = snapshot([value, pushforward(u)]);
        expect([values, value.shape, tangent.shape]).toEqual([
          snapshot([outputs, tangent]),
          outputs.shape,
          outputs.shape,
        ]);
        expectAgree(inner(v, tangent), innerTree(pullback(v).params, u), rounding);
      }),
    );
  });

  it('law: gradient against central differences. ⟨∇⟨v, f⟩, u⟩ = d/dt ⟨v, f(θ + t u)⟩', () => {
    fc.assert(
      fc.property(smooth, seed, ({ params, inputs, program }, at) => {
        const { outputs, pullback } = vjp(ops, program, params, inputs);
        const u = atMostOne(noiseLike(at, params));
        const v = noise(at + 1, outputs.shape);
        const [slope] = centralDifference((t) => [inner(v, program(ops, moved(params, t, u), inputs)).value]);
        const product = innerTree(pullback(v).params, u);
        expectAgree(product, { value: slope, scale: product.scale }, truncation);
      }),
    );
  });

  it('law: second derivatives of f = ½‖y‖². ⟨u, H w⟩ = ⟨H u, w⟩, ties included', () => {
    fc.assert(
      fc.property(any, seed, ({ params, inputs, program }, at) => {
        const f = halfSquareOf(program);
        const u = noiseLike(at, params);
        const w = noiseLike(at + 1, params);
        const left = innerTree(u, hessianProduct(ops, f, params, w, inputs));
        expectAgree(left, innerTree(hessianProduct(ops, f, params, u, inputs), w), 10 * rounding);
      }),
      secondOrderRuns,
    );
  });

  it('law: Hessian product against central differences of gradients. H u = d/dt ∇f(θ + t u)', () => {
    fc.assert(
      fc.property(smooth, seed, ({ params, inputs, program }, at) => {
        const f = halfSquareOf(program);
        const u = atMostOne(noiseLike(at, params));
        const expected = centralDifference((t) => flat(gradientOf(f)(ops, moved(params, t, u), inputs)));
        expect(scaledError(flat(hessianProduct(ops, f, params, u, inputs)), expected)).toBeLessThanOrEqual(truncation);
      }),
      secondOrderRuns,
    );
  });

  it('law: a recorded run gives the products of a fresh one, bit for bit, with the operations that are given', () => {
    const counting = (): { readonly on: Ops<Tensor>; readonly calls: () => number } => {
      let calls = 0;
      const counted = recording(ops, (value) => {
        calls += 1;
        return value;
      });
      return { on: completeOps(counted), calls: () => calls };
    };
    fc.assert(
      fc.property(any, seed, ({ params, inputs, program }, at) => {
        const gradient = gradientOf(halfSquareOf(program));
        const u = noiseLike(at, params);
        const [first, second] = [counting(), counting()];
        const tree = vjpTree(first.on, gradient, params, inputs);
        const whole = vjp(first.on, program, params, inputs);
        const before = first.calls();
        expect(tree.pushforward(u, second.on)).toEqual(jvpTree(ops, gradient, params, u, inputs).tangent);
        expect(tree.pullback(u, second.on)).toEqual(tree.pullback(u));
        const between = first.calls();
        const image = whole.pushforward(u, second.on);
        expect(image).toEqual(jvp(ops, program, params, u, inputs).tangent);
        const pulled = whole.pullback(image, second.on).params;
        expect(first.calls()).toBe(between);
        expect(pulled).toEqual(whole.pullback(image).params);
        expect(second.calls()).toBeGreaterThan(0);
        expect(between).toBeGreaterThanOrEqual(before);
      }),
      { numRuns: 10 },
    );
  });

  it('law: the orders agree. forward∘reverse = reverse∘reverse = reverse∘forward, and forward∘forward is uᵀHu', () => {
    fc.assert(
      fc.property(any, seed, ({ params, inputs, program }, at) => {
        const f = halfSquareOf(program);
        const u = noiseLike(at, params);
        const gradient: TreeProgram = gradientOf(f);
        const forwardOverReverse = jvpTree(ops, gradient, params, u, inputs).tangent;
        const reverseOverReverse = vjpTree(ops, gradient, params, inputs).pullback(u);
        const along = directional(f, u);
        const reverseOverForward = gradientOf(along)(ops, params, inputs);
        const forwardOverForward = jvp(ops, along, params, u, inputs).tangent;
        const errors = [reverseOverReverse, reverseOverForward].map((other) =>
          scaledError(flat(other), flat(forwardOverReverse)),
        );
        expect(Math.max(...errors)).toBeLessThanOrEqual(10 * rounding);
        const quadratic = innerTree(u, forwardOverReverse);
        expectAgree({ value: forwardOverForward.data[0], scale: quadratic.scale }, quadratic, 10 * rounding);
      }),
      secondOrderRuns,
    );
  });

  it('law: purity. Arguments are bit-identical after every call, and a second call gives the same bits', () => {
    fc.assert(
      fc.property(any, seed, ({ params, inputs, program }, at) => {
        const u = noiseLike(at, params);
        const f = halfSquareOf(program);
        const operands = [...Object.values(params), ...inputs, ...Object.values(u)];
        const operandsBefore = snapshot(operands);
        const { outputs, pullback, sitePullback, pushforward } = vjp(ops, program, params, inputs);
        const v = noise(at + 1, outputs.shape);
        const given = [v, outputs];
        const givenBefore = snapshot(given);
        const once = pullback(v);
        sitePullback(v);
        const pushed = pushforward(u);
        jvp(ops, program, params, u, inputs);
        hessianProduct(ops, f, params, u, inputs);
        const again = pullback(v);
        const second = snapshot([pushforward(u), ...Object.values(again.params), ...again.sites]);
        expect([snapshot(operands), snapshot(given), second]).toEqual([
          operandsBefore,
          givenBefore,
          snapshot([pushed, ...Object.values(once.params), ...once.sites]),
        ]);
      }),
      secondOrderRuns,
    );
  });
});
