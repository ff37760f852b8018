import fc from 'fast-check';

import type { Backend } from '../../../src/core/backends/backend.ts';
import { referenceBackend } from '../../../src/core/backends/reference/backend.ts';
import type { Shaped, Tensor } from '../../../src/core/tensor.ts';
import { tensor } from '../../../src/core/tensor.ts';
import { orthonormalColumns, refinedBasis } from '../../../src/solvers/inverses/factors/refinedBasis.ts';
import { scaledError } from '../../support/closeness.ts';
import { onEveryBackend } from '../../support/everyBackend.ts';
import { gaussian, orThrow } from '../../support/training.ts';

const backend = referenceBackend();
const { ops } = backend;

const identity = (n: number): Tensor => ops.addDiagonal(ops.full([n, n], 0), 1);

/** Gram–Schmidt, column by column, on numbers. */
const gramSchmidt = (columns: ReadonlyArray<ReadonlyArray<number>>): ReadonlyArray<ReadonlyArray<number>> =>
  columns.reduce((done: ReadonlyArray<ReadonlyArray<number>>, column) => {
    // Twice is enough.
    const once = (v: ReadonlyArray<number>): ReadonlyArray<number> =>
      done.reduce((x, q) => {
        const along = x.reduce((sum, value, i) => sum + value * q[i], 0);
        return x.map((value, i) => value - along * q[i]);
      }, v);
    const rest = once(once(column));
    const length = Math.hypot(...rest);
    return [...done, rest.map((value) => value / length)];
  }, []);

const columnsOf = ({ shape: [m, n], data }: Tensor): ReadonlyArray<ReadonlyArray<number>> =>
  Array.from({ length: n }, (_, j) => Array.from({ length: m }, (__, i) => data[i * n + j]));

const orthogonality = (q: Tensor): number => scaledError(ops.gram(q).data, identity(q.shape[1]).data);

describe('orthonormal columns', () => {
  it('law: Gram–Schmidt in the order of the columns, for columns as dependent as 64 bits tell', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1e6), fc.integer({ min: 0, max: 10 }), async (seed, exponent) => {
        const n = 5;
        // All columns near the first one.
        const near = ops.linearCombination(
          10 ** -exponent,
          gaussian(seed, [n, n]),
          1,
          ops.broadcastTo(gaussian(seed + 1, [n, 1]), [n, n]),
        );
        const x = ops.div(near, ops.sqrt(ops.sum(ops.square(near), [0])));
        const q = orThrow(await orthonormalColumns(backend, x)());
        if (q === null) throw new Error('dependent');
        expect(orthogonality(q)).toBeLessThan(1e-13);
        const expected = gramSchmidt(columnsOf(x));
        columnsOf(q).forEach((column, j) => {
          expect(scaledError(Float64Array.from(column), Float64Array.from(expected[j]))).toBeLessThan(
            1e-13 * 10 ** exponent * 100,
          );
        });
      }),
      { numRuns: 60 },
    );
  });
});

describe('a refined basis', () => {
  it('law: orthonormal, whatever the matrix; its own eigenvectors stay', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1e6), fc.integer({ min: 1, max: 8 }), async (seed, rank) => {
        const m = ops.gram(gaussian(seed, [rank, 6]));
        const { vectors } = orThrow(await backend.linearAlgebra.eigh(ops.gram(gaussian(seed + 1, [9, 6])))());
        expect(orthogonality(orThrow(await refinedBasis(backend, m, vectors)()))).toBeLessThan(1e-12);
        const own = orThrow(await backend.linearAlgebra.eigh(m)()).vectors;
        const kept = orThrow(await refinedBasis(backend, m, own)());
        if (rank >= 6) expect(scaledError(kept.data, own.data)).toBeLessThan(1e-9);
      }),
      { numRuns: 40 },
    );
  });

  it('law: again and again it comes to the eigenvectors, in the places of the first guess', async () => {
    const m = ops.gram(gaussian(3, [30, 5]));
    let basis = identity(5);
    for (let i = 0; i < 400; i += 1) basis = orThrow(await refinedBasis(backend, m, basis)());
    const rotated = ops.matmul(ops.matmul(basis, m, { transposeA: true }), basis);
    const diagonal = ops.mul(rotated, identity(5));
    expect(scaledError(rotated.data, diagonal.data)).toBeLessThan(1e-9);
  });

  it('worked example: of diag(1, 3) the basis turned by a little turns three times less', async () => {
    const angle = 0.3;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const turned = tensor([cos, -sin, sin, cos], [2, 2]);
    const found = orThrow(await refinedBasis(backend, tensor([1, 0, 0, 3], [2, 2]), turned)());
    // The second column is the larger one: (−sin, 3 cos), normalised.
    const length = Math.hypot(sin, 3 * cos);
    expect(found.data[1]).toBeCloseTo(-sin / length, 12);
    expect(found.data[3]).toBeCloseTo((3 * cos) / length, 12);
  });

  onEveryBackend((name, use) => {
    it(`law: orthonormal on every backend, of zeros and of what 32 bits hardly tell apart too (${name})`, () =>
      use(async <T extends Shaped>(at: Backend<T>) => {
        const n = 12;
        const start = orThrow(await backend.linearAlgebra.eigh(ops.gram(gaussian(1, [20, n])))()).vectors;
        const spread = ops.constant(
          tensor(
            Array.from({ length: n }, (_, i) => 10 ** -i),
            [1, n],
          ),
        );
        const matrices = [
          ops.full([n, n], 0),
          ops.gram(gaussian(2, [1, n])),
          ops.gram(ops.mul(gaussian(3, [40, n]), spread)),
          ops.scale(1e-30, ops.gram(gaussian(4, [40, n]))),
          ops.scale(1e30, ops.gram(gaussian(4, [40, n]))),
        ];
        for (const m of matrices) {
          const found = await refinedBasis(at, at.ops.constant(m), at.ops.constant(start))();
          const read = orThrow(await at.read(orThrow(found))());
          const q = { ...read, data: Float64Array.from(read.data) } as Tensor;
          expect(orthogonality({ ...q, dtype: 'f64' })).toBeLessThan(at.dtype === 'f32' ? 1e-5 : 1e-12);
        }
      }));
  });
});
