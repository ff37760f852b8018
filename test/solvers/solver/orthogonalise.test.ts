import fc from 'fast-check';

import type { Backend } from '../../../src/core/backends/backend.ts';
import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import type { Shaped, Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { orthogonalised } from '../../../src/solvers/solver/orthogonalise.ts';
import { scaledError } from '../../support/closeness.ts';
import { onEveryBackend } from '../../support/everyBackend.ts';
import { gaussian, orThrow } from '../../support/training.ts';

const { ops, linearAlgebra } = referenceBackend();

/** Singular values by the eigenvalues of the smaller product. */
const singularValues = async (x: Tensor): Promise<ReadonlyArray<number>> => {
  const S = x.shape[0] >= x.shape[1] ? ops.gram(x) : ops.gram(ops.transposed(x));
  return Array.from(orThrow(await linearAlgebra.eigh(S)()).values.data, (value) => Math.sqrt(Math.max(0, value)));
};

const inOrder = (values: ReadonlyArray<number>): ReadonlyArray<number> => [...values].sort((a, b) => a - b);

/** What the iteration makes of a singular value, by its own formula on numbers. */
const turned = (s: number, iterations: number): number =>
  Array.from({ length: iterations }).reduce((x: number) => 3.4445 * x - 4.775 * x ** 3 + 2.0315 * x ** 5, s);

describe('orthogonalised', () => {
  it('worked example: diag(3, 4) has the values of the quintic at 3/5 and 4/5', () => {
    const found = orthogonalised(ops, tensor([3, 0, 0, 4], [2, 2]), 5);
    const expected = [turned(0.6, 5), 0, 0, turned(0.8, 5)];
    expect(scaledError(found.data, Float64Array.from(expected))).toBeLessThan(1e-14);
  });

  it.each([
    [5, 3],
    [3, 5],
    [4, 4],
    [1, 6],
  ])('law: %p by %p: singular values end near 1, and vectors stay', async (m, n) => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1e6), fc.double({ min: -60, max: 60, noNaN: true }), async (seed, exponent) => {
        const x = gaussian(seed, [m, n]);
        const found = orthogonalised(ops, ops.scale(10 ** exponent, x), 5);
        const [before, after] = [await singularValues(x), await singularValues(found)];
        const norm = Math.hypot(...before);
        const expected = before.map((s) => turned(s / norm, 5));
        expect(inOrder(after)).toEqual(inOrder(expected).map((s): unknown => expect.closeTo(s, 6)));
        for (const [i, s] of before.entries()) {
          if (s / norm > 0.01) expect(expected[i]).toBeGreaterThan(0.65);
          expect(expected[i]).toBeLessThan(1.25);
        }
        // X Yᵀ is symmetric where both have the same singular vectors.
        const product = ops.matmul(x, found, { transposeB: true });
        expect(scaledError(product.data, ops.transposed(product).data)).toBeLessThan(1e-9);
      }),
      { numRuns: 20 },
    );
  });

  onEveryBackend((name, use) => {
    it(`law: zeros stay, and what 32 bits can hold is scaled as anything else (${name})`, () =>
      use(async <T extends Shaped>(backend: Backend<T>) => {
        const made = async (values: ReadonlyArray<number>): Promise<ReadonlyArray<number>> => {
          const x = backend.ops.constant(tensor(values, [2, 2]));
          return Array.from(orThrow(await backend.read(orthogonalised(backend.ops, x, 5))()).data);
        };
        expect(await made([0, 0, 0, 0])).toEqual([0, 0, 0, 0]);
        const plain = await made([3, 1, -1, 4]);
        for (const scale of [1e-30, 1e30]) {
          const found = await made([3, 1, -1, 4].map((value) => scale * value));
          expect(scaledError(Float64Array.from(found), Float64Array.from(plain))).toBeLessThan(1e-5);
        }
      }));
  });
});
