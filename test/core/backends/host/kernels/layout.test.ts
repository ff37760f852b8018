import fc from 'fast-check';

import { clearUpper, mirrorLower, transposeInto } from '../../../../../src/core/backends/host/kernels/layout.ts';
import { f64, firstNonFinite } from '../../../../../src/core/backends/host/kernels/precision.ts';

import { vectorOf } from '../../native/support.ts';

const extent = fc.integer({ min: 0, max: 27 });
const matrix = fc
  .record({ rows: extent, columns: extent })
  .chain((s) => fc.record({ s: fc.constant(s), a: vectorOf(f64, s.rows * s.columns) }));
const square = fc
  .record({ n: extent, pad: fc.nat(3) })
  .chain((s) => fc.record({ s: fc.constant(s), a: vectorOf(f64, s.n * (s.n + s.pad)) }));

describe('layout', () => {
  it('law: transpose. (Aᵀ)[c, r] = A[r, c]', () => {
    fc.assert(
      fc.property(matrix, ({ s: { rows, columns }, a }) => {
        const out = new Float64Array(a.length);
        transposeInto(rows, columns, a, out);
        for (let r = 0; r < rows; r += 1) {
          for (let c = 0; c < columns; c += 1) expect(out[c * rows + r]).toBe(a[r * columns + c]);
        }
      }),
    );
  });

  it('law: mirror. The upper triangle becomes the lower one; diagonal, lower triangle and padding stay', () => {
    fc.assert(
      fc.property(square, ({ s: { n, pad }, a }) => {
        const stride = n + pad;
        const out = a.slice();
        mirrorLower(n, out, stride);
        for (let r = 0; r < n; r += 1) {
          for (let c = 0; c < stride; c += 1) {
            expect(out[r * stride + c]).toBe(c > r && c < n ? a[c * stride + r] : a[r * stride + c]);
          }
        }
      }),
    );
  });

  it('law: clear. The upper triangle becomes zero, the rest stays', () => {
    fc.assert(
      fc.property(square, ({ s: { n }, a }) => {
        const out = a.slice(0, n * n);
        clearUpper(n, out);
        for (let r = 0; r < n; r += 1) {
          for (let c = 0; c < n; c += 1) expect(out[r * n + c]).toBe(c > r ? 0 : a[r * n + c]);
        }
      }),
    );
  });

  it('law: finite. firstNonFinite is the first position that is not finite', () => {
    const values = fc.array(fc.oneof({ weight: 9, arbitrary: fc.double() }, fc.constantFrom(NaN, Infinity, -Infinity)));
    fc.assert(
      fc.property(values, (xs) => {
        expect(firstNonFinite(Float64Array.from(xs))).toBe(xs.findIndex((x) => !Number.isFinite(x)));
      }),
    );
  });
});
