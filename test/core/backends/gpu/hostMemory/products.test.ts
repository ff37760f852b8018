import fc from 'fast-check';

import type { OperandLayout } from '../../../../../src/core/backends/gpu/hostMemory/matmulSource.ts';
import type { ProductPlan } from '../../../../../src/core/backends/gpu/hostMemory/plan.ts';
import type { ProductShape } from '../../../../../src/core/backends/host/kernels/products.ts';
import type { Products } from '../../../../../src/core/backends/gpu/hostMemory/products.ts';
import { productsOn } from '../../../../../src/core/backends/gpu/hostMemory/products.ts';
import { attempt } from '../../../../../src/core/errors.ts';

import { entries, exactProduct, excess, gamma, openOrThrow, smallShapes } from '../support.ts';

/** A plan that always takes the kernel, either way round, with the given layout wherever an operand allows it. */
const always =
  (wanted: OperandLayout, swapped: boolean) =>
  ({ m, n, transposeA, transposeB }: ProductShape): ProductPlan => {
    const [left, acrossLeft, right, acrossRight] = swapped
      ? [n, transposeB, m, !transposeA]
      : [m, !transposeA, n, transposeB];
    const columns = (width: number, across: boolean): 'columns' | 'panels' =>
      wanted === 'columns' && !across && width % 4 === 0 ? 'columns' : 'panels';
    return {
      by: 'kernel',
      swapped,
      left: acrossLeft && wanted !== 'panels' ? 'rows' : columns(left, acrossLeft),
      right: columns(right, acrossRight),
    };
  };

const webasm = openOrThrow('webasm');
const variants: ReadonlyArray<readonly [string, Products]> = [
  ['plain loops', productsOn(webasm, { planProduct: () => ({ by: 'loops' }), planSymmetric: () => ({ by: 'loops' }) })],
  [
    'webasm, columns',
    productsOn(webasm, {
      planProduct: always('columns', false),
      planSymmetric: (d) => ({ by: 'kernel', layout: d % 4 === 0 ? 'columns' : 'panels' }),
    }),
  ],
  [
    'webasm, panels, swapped',
    productsOn(webasm, {
      planProduct: always('panels', true),
      planSymmetric: () => ({ by: 'kernel', layout: 'panels' }),
    }),
  ],
  ['webasm, as planned', productsOn(webasm)],
  [
    'cpu, columns, swapped',
    productsOn(openOrThrow('cpu'), {
      planProduct: always('columns', true),
      planSymmetric: () => ({ by: 'kernel', layout: 'panels' }),
    }),
  ],
];

const shape = (m: number, n: number, k: number, transposeA = false, transposeB = false): ProductShape => ({
  m,
  n,
  k,
  transposeA,
  transposeB,
});

const transposes = [false, true].flatMap((a) => [false, true].map((b): readonly [boolean, boolean] => [a, b]));

describe.each(variants)('products (%s)', (_, products) => {
  it('worked example: [1 2; 3 4] [5 6; 7 8] = [19 22; 43 50]', () => {
    const a = Float32Array.of(1, 2, 3, 4);
    const b = Float32Array.of(5, 6, 7, 8);
    expect(Array.from(products.matmul(a, b, shape(2, 2, 2)))).toEqual([19, 22, 43, 50]);
    expect(Array.from(products.matmul(a, b, shape(2, 2, 2, true)))).toEqual([26, 30, 38, 44]);
    expect(Array.from(products.matmul(a, b, shape(2, 2, 2, false, true)))).toEqual([17, 23, 39, 53]);
    expect(Array.from(products.matmul(a, b, shape(2, 2, 2, true, true)))).toEqual([23, 31, 34, 46]);
  });

  it('law: |C - op(A) op(B)| <= γ_k |op(A)| |op(B)| element by element, for every transpose and size from 0', () => {
    fc.assert(
      fc.property(smallShapes, ({ seed, ...s }) => {
        const a = entries(s.m * s.k, seed);
        const b = entries(s.k * s.n, seed + 1);
        expect(excess(products.matmul(a, b, s), exactProduct(a, b, s), gamma(s.k))).toBeLessThanOrEqual(1);
      }),
    );
  });

  it.each(transposes)('the bound holds for odd sizes and sums of more than 1000 terms (Aᵀ: %p, Bᵀ: %p)', (ta, tb) => {
    for (const [m, n, k] of [
      [33, 47, 129],
      [5, 6, 2049],
      [1, 130, 70],
      [131, 1, 70],
      [130, 131, 1],
      [7, 30, 2100], // several bands
    ]) {
      const s = shape(m, n, k, ta, tb);
      const a = entries(m * k, 3);
      const b = entries(k * n, 4);
      expect(excess(products.matmul(a, b, s), exactProduct(a, b, s), gamma(k))).toBeLessThanOrEqual(1);
    }
  });

  it('law: matmul with a bias is A B + bias', () => {
    fc.assert(
      fc.property(smallShapes, fc.boolean(), ({ seed, ...s }, biased) => {
        const a = entries(s.m * s.k, seed);
        const b = entries(s.k * s.n, seed + 1);
        const bias = biased ? entries(s.n, seed + 2) : null;
        const actual = products.matmul(a, b, s, { bias });
        expect(excess(actual, exactProduct(a, b, s, bias ?? undefined), gamma(s.k + 1))).toBeLessThanOrEqual(1);
      }),
      { numRuns: 100 },
    );
  });

  it('law: gram(X) = XᵀX within γ_k |X|ᵀ|X|, symmetric bit for bit', () => {
    const check = (rows: number, columns: number, seed: number): void => {
      const x = entries(rows * columns, seed);
      const c = products.gram(x, rows, columns);
      const exact = exactProduct(x, x, shape(columns, columns, rows, true));
      expect(excess(c, exact, gamma(rows))).toBeLessThanOrEqual(1);
      for (let i = 0; i < columns; i += 1)
        for (let j = 0; j < i; j += 1) expect(c[i * columns + j]).toBe(c[j * columns + i]);
    };
    const extent = fc.integer({ min: 0, max: 13 });
    fc.assert(fc.property(extent, extent, fc.integer({ min: 0, max: 1000 }), check));
    check(1101, 9, 1);
    check(2100, 30, 1); // several bands
    check(33, 63, 2);
  });

  it('leaves its operands bit for bit as they were', () => {
    const a = entries(35);
    const b = entries(42);
    products.matmul(a, b, shape(5, 6, 7), { bias: entries(6) });
    products.gram(a, 5, 7);
    expect(a).toEqual(entries(35));
    expect(b).toEqual(entries(42));
  });

  it('reads parts of larger arrays, and writes into an array that it is given', () => {
    const a = entries(100).subarray(10, 45);
    const b = entries(100, 2).subarray(3, 45);
    const out = new Float32Array(30).fill(NaN);
    expect(products.matmul(a, b, shape(5, 6, 7), { out })).toBe(out);
    expect(excess(out, exactProduct(a, b, shape(5, 6, 7)), gamma(7))).toBeLessThanOrEqual(1);
    const gram = new Float32Array(49).fill(NaN);
    expect(products.gram(a, 5, 7, gram)).toBe(gram);
    expect(gram).toEqual(products.gram(a.slice(), 5, 7));
  });

  it('does not let one product show in the next one of the same shape', () => {
    const s = shape(9, 7, 5, true);
    const first = products.matmul(new Float32Array(45).fill(NaN), entries(35), s);
    expect(first.every(Number.isNaN)).toBe(true);
    const again = products.matmul(entries(45), entries(35), s);
    expect(excess(again, exactProduct(entries(45), entries(35), s), gamma(5))).toBeLessThanOrEqual(1);
    expect(first.every(Number.isNaN)).toBe(true);
  });

  it('refuses arrays of another length', () => {
    expect(attempt(() => products.matmul(entries(5), entries(6), shape(2, 2, 3)))).toMatchObject({
      left: { _tag: 'ShapeMismatch', where: 'matmul', expected: '6 elements of A', actual: '5 elements' },
    });
    expect(
      attempt(() => products.matmul(entries(6), entries(6), shape(2, 2, 3), { out: new Float32Array(3) })),
    ).toMatchObject({
      left: { _tag: 'ShapeMismatch', where: 'matmul' },
    });
    expect(attempt(() => products.gram(entries(5), 2, 3))).toMatchObject({
      left: { _tag: 'ShapeMismatch', where: 'gram' },
    });
  });
});

describe('products', () => {
  it('law: kernels on columns and on panels agree bit for bit', () => {
    const [, [, columns], [, panels]] = variants;
    fc.assert(
      fc.property(smallShapes, ({ seed, ...s }) => {
        const a = entries(s.m * s.k, seed);
        const b = entries(s.k * s.n, seed + 1);
        expect(columns.matmul(a, b, s)).toEqual(panels.matmul(a, b, s));
      }),
      { numRuns: 30 },
    );
  });

  it('compile a shape once, and within the bounds of the cache', () => {
    const products = productsOn(webasm, {
      planProduct: always('columns', false),
      limits: { kernels: 2, bytes: 2 ** 30 },
    });
    const run = (m: number): Float32Array => products.matmul(entries(m * 3), entries(12), shape(m, 4, 3));
    const first = run(4);
    run(4);
    expect(products.usage().kernels).toBe(1);
    [5, 6, 7].forEach(run);
    expect(products.usage().kernels).toBe(2);
    expect(run(4)).toEqual(first); // compiled again after it was evicted
    products.clear();
    expect(products.usage()).toEqual({ kernels: 0, bytes: 0 });
    expect(run(4)).toEqual(first);
  });
});
