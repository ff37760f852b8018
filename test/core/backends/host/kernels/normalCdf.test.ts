import fc from 'fast-check';

import { normalCdf } from '../../../../../src/core/backends/host/kernels/normalCdf.ts';
import { vjp } from '../../../../../src/core/autodiff/reverse.ts';
import { tensor } from '../../../../../src/core/tensor.ts';
import { readFrom } from '../../../../support/conformance/trial.ts';
import { onEveryBackend } from '../../../../support/everyBackend.ts';

/** Φ with 50 digits, rounded, at numbers that 32 bits hold. */
const table: ReadonlyArray<readonly [number, number]> = [
  [-38, 2.88542835e-316],
  [-20, 2.7536241186062337e-89],
  [-12.5, 3.732564298877713e-36],
  [-8, 6.220960574271784e-16],
  [-5.25, 7.604960516488715e-8],
  [-3, 0.0013498980316300946],
  [-2.125, 0.016793306448448814],
  [-1.5, 0.06680720126885807],
  [-1, 0.15865525393145705],
  [-0.75, 0.2266273523768682],
  [-0.5, 0.3085375387259869],
  [-0.125, 0.4502617751698871],
  [0, 0.5],
  [0.125, 0.5497382248301129],
  [0.5, 0.6914624612740131],
  [1, 0.8413447460685429],
  [2.5, 0.9937903346742238],
  [5.25, 0.9999999239503948],
];

describe('normalCdf', () => {
  it.each(table)('has its value at %d to a few units in the last place', (x, value) => {
    expect(Math.abs(normalCdf(x) - value)).toBeLessThanOrEqual(6 * 2 ** -53 * value);
  });

  it('law: complement. Φ(x) + Φ(−x) = 1', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 45, noNaN: true }), (x) => {
        expect(Math.abs(normalCdf(x) + normalCdf(-x) - 1)).toBeLessThanOrEqual(2 ** -52);
      }),
    );
  });

  it('law: Mills. x / (1 + x²) < (1 − Φ(x)) / φ(x) < 1 / x, which the first digits after the point decide far out', () => {
    fc.assert(
      fc.property(fc.double({ min: 3, max: 30, noNaN: true }), (x) => {
        const ratio = normalCdf(-x) * Math.sqrt(2 * Math.PI) * Math.exp(x ** 2 / 2);
        expect(ratio).toBeGreaterThan((x / (1 + x ** 2)) * (1 - 1e-12));
        expect(ratio).toBeLessThan((1 / x) * (1 + 1e-12));
      }),
    );
  });

  it('is 1 and 0 at infinities and passes NaN on', () => {
    expect([normalCdf(Infinity), normalCdf(-Infinity), normalCdf(NaN), normalCdf(1e300)]).toEqual([1, 0, NaN, 1]);
  });
});

/** gelu(−8) = −8 Φ(−8) with 50 digits: 1 + erf(x/√2) makes a multiple of 2⁻⁵³ of it. */
const geluOfMinus8 = -4.97676845941743e-15;

describe('gelu', () => {
  onEveryBackend((name, use) => {
    it(`law: −8 Φ(−8) at −8 and −0 far out, by itself and where it is differentiated (${name})`, () =>
      use(async (backend) => {
        const x = backend.ops.constant(tensor([-8, -40, 8], [3]));
        const differentiated = vjp(backend.ops, (ops, params) => ops.gelu(params['x']), { x }, []).outputs;
        for (const result of [backend.ops.gelu(x), differentiated]) {
          const [near, far, right] = Array.from((await readFrom(backend, result)).data);
          expect(Math.abs(near - geluOfMinus8)).toBeLessThan(1e-6 * Math.abs(geluOfMinus8));
          expect(Math.abs(far)).toBeLessThan(1e-300);
          expect(right).toBeCloseTo(8, 13);
        }
      }));
  });
});
