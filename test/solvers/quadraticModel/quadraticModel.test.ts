import fc from 'fast-check';

import { gaussian } from '../../support/training.ts';
import type { QuadraticModel } from '../../../src/solvers/quadraticModel/quadraticModel.ts';
import { minimiseModel, modelChange, withinSlope } from '../../../src/solvers/quadraticModel/quadraticModel.ts';

const entry = fc.double({ min: -3, max: 3, noNaN: true });

/** Models whose curvature B Bᵀ is positive semidefinite and whose squares are those of real vectors. */
const models: fc.Arbitrary<QuadraticModel> = fc
  .tuple(fc.array(entry, { minLength: 4, maxLength: 4 }), fc.array(entry, { minLength: 6, maxLength: 6 }), entry, entry)
  .map(([b, v, p, q]) => ({
    curvature: [b[0] ** 2 + b[1] ** 2, b[0] * b[2] + b[1] * b[3], b[2] ** 2 + b[3] ** 2],
    squares: [
      v[0] ** 2 + v[1] ** 2 + v[2] ** 2 + 1,
      v[0] * v[3] + v[1] * v[4] + v[2] * v[5],
      v[3] ** 2 + v[4] ** 2 + v[5] ** 2 + 1,
    ],
    slopes: [p, q],
  }));

const lambdas = fc.double({ min: 0.1, max: 10, noNaN: true });

describe('quadratic model', () => {
  it('law: the gradient of the model vanishes at (α, μ)', () => {
    fc.assert(
      fc.property(models, lambdas, (model, lambda) => {
        const at = minimiseModel(model, lambda);
        const h = 1e-4;
        const slope = (alpha: number, mu: number): number =>
          (modelChange(model, lambda, { alpha: at.alpha + alpha, mu: at.mu + mu }) -
            modelChange(model, lambda, { alpha: at.alpha - alpha, mu: at.mu - mu })) /
          (2 * h);
        // Central differences of a quadratic have no truncation error; rounding is about 1e-16 |M| / h.
        expect(Math.abs(slope(h, 0))).toBeLessThan(1e-8);
        expect(Math.abs(slope(0, h))).toBeLessThan(1e-8);
      }),
    );
  });

  it('law: at the minimum the damped model falls by half the slope, M(δ) − M(0) = ½ ∇ᵀδ ≤ 0', () => {
    fc.assert(
      fc.property(models, lambdas, (model, lambda) => {
        const at = minimiseModel(model, lambda);
        const half = 0.5 * (at.alpha * model.slopes[0] + at.mu * model.slopes[1]);
        expect(Math.abs(modelChange(model, lambda, at) - half)).toBeLessThan(1e-9 * (1 + Math.abs(half)));
        expect(half).toBeLessThanOrEqual(1e-12);
      }),
    );
  });

  it('worked example: curvature diag(2, 4), slopes (−2, −8) gives α = 1, μ = 2 and a fall of 9', () => {
    const model: QuadraticModel = { curvature: [2, 0, 4], squares: [1, 0, 1], slopes: [-2, -8] };
    const at = minimiseModel(model, 0);
    expect(at).toEqual({ alpha: 1, mu: 2 });
    expect(modelChange(model, 0, at)).toBe(-9);
  });

  it('without a last update μ is 0 and α is the exact line search', () => {
    const model: QuadraticModel = { curvature: [2, 0, 0], squares: [1, 0, 0], slopes: [-3, 0] };
    expect(minimiseModel(model, 1)).toEqual({ alpha: 1, mu: 0 });
  });

  it('worked example: nearly parallel directions in f32, whose coefficients do not tell them apart, are searched along one', () => {
    const model: QuadraticModel = {
      curvature: [Math.fround(0.719855368), Math.fround(0.719642103), Math.fround(0.719428897)],
      squares: [Math.fround(2.230715513), Math.fround(2.230612993), Math.fround(2.230510712)],
      slopes: [Math.fround(-0.942926943), Math.fround(-0.942703366)],
    };
    const at = minimiseModel(model, 0.01, 'f32');
    expect(at.mu).toBe(0);
    expect(modelChange(model, 0.01, at)).toBeCloseTo(-0.599, 3);
  });

  it('law: coefficients that are rounded to f32 give a fall as good as exact ones, for directions at any angle', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 8 }), fc.nat(), lambdas, (zeros, seed, lambda) => {
        // d and δ₀ = d + 10^−zeros e in a space of three dimensions with the identity as curvature, at a gradient.
        const draws = Array.from(gaussian(seed, [9]).data);
        const [d, e, gradient] = [draws.slice(0, 3), draws.slice(3, 6), draws.slice(6)];
        const last = d.map((value, i) => value + 10 ** -zeros * e[i]);
        const dot = (u: ReadonlyArray<number>, v: ReadonlyArray<number>): number =>
          u.reduce((sum, value, i) => sum + value * v[i], 0);
        const squares = [dot(d, d), dot(d, last), dot(last, last)] as const;
        const slopes = [-dot(d, gradient), -dot(last, gradient)] as const;
        const exact: QuadraticModel = { curvature: squares, squares, slopes };
        const rounded: QuadraticModel = {
          curvature: [Math.fround(squares[0]), Math.fround(squares[1]), Math.fround(squares[2])],
          squares: [Math.fround(squares[0]), Math.fround(squares[1]), Math.fround(squares[2])],
          slopes: [Math.fround(slopes[0]), Math.fround(slopes[1])],
        };
        const along = minimiseModel({ ...exact, squares: [squares[0], 0, 0], curvature: [squares[0], 0, 0] }, lambda);
        const line = modelChange(exact, lambda, { alpha: along.alpha, mu: 0 });
        const found = modelChange(exact, lambda, minimiseModel(rounded, lambda, 'f32'));
        expect(found).toBeLessThanOrEqual(0.95 * line + 1e-6);
      }),
      { numRuns: 400 },
    );
  });

  it('a zero direction gives a zero step', () => {
    const zero: QuadraticModel = { curvature: [0, 0, 0], squares: [0, 0, 0], slopes: [0, 0] };
    expect(minimiseModel(zero, 1)).toEqual({ alpha: 0, mu: 0 });
  });
});

describe('a bound on what the gradient promises', () => {
  const bounds = fc.double({ min: 0, max: 10, noNaN: true });

  it('law: |∇ᵀδ| is at most the bound, where the step led it leads, and a step below the bound is itself', () => {
    fc.assert(
      fc.property(models, lambdas, bounds, (model, lambda, most) => {
        const free = minimiseModel(model, lambda);
        const slope = (at: typeof free): number => Math.abs(at.alpha * model.slopes[0] + at.mu * model.slopes[1]);
        const { at, scale } = withinSlope(model, free, most);
        expect(slope(at)).toBeLessThanOrEqual(most * (1 + 1e-12) + 1e-300);
        expect(scale).toBeGreaterThanOrEqual(0);
        expect(scale).toBeLessThanOrEqual(1);
        expect(at).toEqual(slope(free) <= most ? free : { alpha: scale * free.alpha, mu: scale * free.mu });
        if (slope(free) <= most) expect(scale).toBe(1);
        else expect(slope(at)).toBeGreaterThanOrEqual(most * (1 - 1e-12) - 1e-300);
      }),
    );
  });

  it('law: a shorter step still makes the damped model fall', () => {
    fc.assert(
      fc.property(models, lambdas, bounds, (model, lambda, most) => {
        const { at } = withinSlope(model, minimiseModel(model, lambda), most);
        expect(modelChange(model, lambda, at)).toBeLessThanOrEqual(1e-12);
      }),
    );
  });

  it('worked example: α = 1, μ = 2 with slopes (−2, −8) promises 18; a bound of 9 halves it', () => {
    const model: QuadraticModel = { curvature: [2, 0, 4], squares: [1, 0, 1], slopes: [-2, -8] };
    const at = { alpha: 1, mu: 2 };
    expect(withinSlope(model, at, 9)).toEqual({ at: { alpha: 0.5, mu: 1 }, scale: 0.5 });
    expect(withinSlope(model, at, 18)).toEqual({ at, scale: 1 });
    expect(withinSlope(model, at, Infinity)).toEqual({ at, scale: 1 });
    expect(withinSlope(model, at, 0)).toEqual({ at: { alpha: 0, mu: 0 }, scale: 0 });
  });
});
