/**
 * Products on packed panels against sums in 64 bits: any shape, either way round, in place or not, on one thread or several.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import fc from 'fast-check';

import type { ProductShape } from '../../../../src/core/backends/host/kernels/products.ts';
import type { VectorUnit } from '../../../../src/core/backends/host/simd/instance.ts';
import { openUnit } from '../../../../src/core/backends/host/simd/instance.ts';
import { singleKernels } from '../../../../src/core/backends/host/simd/kernels.ts';
import { portableBackend } from '../../../../src/core/backends/portable/backend.ts';
import type { PortableOptions, PortableProducts } from '../../../../src/core/backends/portable/products/products.ts';
import { portableProducts } from '../../../../src/core/backends/portable/products/products.ts';
import { eventually } from '../../../support/eventually.ts';
import { withRelaxedVectors } from '../../../support/relaxedVectors.ts';
import { orThrow } from '../../../support/training.ts';
import { inTurns } from '../host/memory/inTurns.ts';
import { entries, exactProduct, excess, gamma, smallShapes } from '../gpu/support.ts';

const present = <A>(found: A | null): A => {
  if (found === null) throw new Error('there is none');
  return found;
};

withRelaxedVectors();

const productsIn = (unit: VectorUnit, options: Partial<PortableOptions> = {}): PortableProducts =>
  present(portableProducts(unit, singleKernels(1, unit), { threads: 1, worthPacking: 0, fused: false, ...options }));

const shared = present(openUnit());
const fixed = present(openUnit({ shared: false, pages: 300 }));

const collect = (): void => {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
};

/** The same numbers in a memory. */
const put = (unit: VectorUnit, x: Float32Array): Float32Array => {
  const inside = present(unit.memory.take(x.length));
  inside.set(x);
  return inside;
};

const elsewhere = (_: VectorUnit, x: Float32Array): Float32Array => x;

const shape = (m: number, n: number, k: number, transposeA = false, transposeB = false): ProductShape => ({ m, n, k, transposeA, transposeB }); // prettier-ignore

const alone = productsIn(shared);
const onThreads = productsIn(shared, { threads: 3, worthSharing: 0 });
const fusedAlone = productsIn(shared, { fused: true });
const fusedOnThreads = productsIn(shared, { threads: 3, worthSharing: 0, fused: true });
afterAll(onThreads.dispose);
afterAll(fusedOnThreads.dispose);

// Waiting for workers takes long where a machine has fewer processors than there are threads.
describe.each<readonly [string, PortableProducts, VectorUnit, typeof put, number]>([
  ['in place', alone, shared, put, 100],
  ['copied in', alone, shared, elsewhere, 50],
  ['in a memory that is not shared', productsIn(fixed), fixed, put, 50],
  ['on three threads', onThreads, shared, put, 10],
  ['fused', fusedAlone, shared, put, 100],
  ['fused, on three threads', fusedOnThreads, shared, put, 10],
])('products, %s', (_, products, unit, at, numRuns) => {
  const room = (n: number): Float32Array => at(unit, new Float32Array(n).fill(7));

  const product = (a: Float32Array, b: Float32Array, s: ProductShape): Float32Array => {
    const out = room(s.m * s.n);
    products.matmul(at(unit, a), at(unit, b), s, out);
    return out;
  };

  it('worked example: [1 2; 3 4] [5 6; 7 8] = [19 22; 43 50]', () => {
    const [a, b] = [Float32Array.of(1, 2, 3, 4), Float32Array.of(5, 6, 7, 8)];
    expect(Array.from(product(a, b, shape(2, 2, 2)))).toEqual([19, 22, 43, 50]);
    expect(Array.from(product(a, b, shape(2, 2, 2, true)))).toEqual([26, 30, 38, 44]);
    expect(Array.from(product(a, b, shape(2, 2, 2, false, true)))).toEqual([17, 23, 39, 53]);
    expect(Array.from(product(a, b, shape(2, 2, 2, true, true)))).toEqual([23, 31, 34, 46]);
  });

  it('law: |C − op(A) op(B)| ≤ γ_k |op(A)| |op(B)| element by element, for every transpose and size', () => {
    fc.assert(
      fc.property(smallShapes, ({ seed, ...s }) => {
        const [a, b] = [entries(s.m * s.k, seed), entries(s.k * s.n, seed + 1)];
        expect(excess(product(a, b, s), exactProduct(a, b, s), gamma(s.k))).toBeLessThanOrEqual(1);
      }),
      { numRuns },
    );
  });

  it.each([0, 1, 2, 3])(
    'the bound holds beyond blocks and runs, and for single rows and columns (transposes %d)',
    (t) => {
      for (const [m, n, k] of [
        [33, 47, 129],
        [5, 6, 1025],
        [1, 130, 70],
        [131, 1, 70],
        [130, 131, 1],
        [65, 129, 257],
      ]) {
        const s = shape(m, n, k, t % 2 === 1, t > 1);
        const [a, b] = [entries(m * k, 3), entries(k * n, 4)];
        expect(excess(product(a, b, s), exactProduct(a, b, s), gamma(k))).toBeLessThanOrEqual(1);
      }
    },
  );

  it('writes the result and nothing behind it', () => {
    const [a, b] = [entries(13 * 9, 1), entries(9 * 11, 2)];
    const out = room(13 * 11 + 5);
    products.matmul(at(unit, a), at(unit, b), shape(13, 11, 9), out);
    expect(Array.from(out.slice(13 * 11))).toEqual([7, 7, 7, 7, 7]);
  });

  it('law: x Wᵀ + b within γ_(k+1)', () => {
    fc.assert(
      fc.property(smallShapes, ({ seed, m, n, k }) => {
        fc.pre(m * n * k > 0);
        const s = shape(m, n, k, false, true);
        const [x, weight, bias] = [entries(m * k, seed), entries(k * n, seed + 1), entries(n, seed + 2)];
        const out = room(m * n);
        products.affine(at(unit, x), at(unit, weight), at(unit, bias), m, n, k, out);
        expect(excess(out, exactProduct(x, weight, s, bias), gamma(k + 1))).toBeLessThanOrEqual(1);
      }),
      { numRuns },
    );
  });

  it('law: XᵀX within γ_k, symmetric bit for bit, and what the whole product gives', () => {
    for (const [rows, columns] of [
      [3, 1],
      [10, 7],
      [257, 66],
      [30, 133],
    ]) {
      const x = at(unit, entries(rows * columns, columns));
      const out = room(columns * columns);
      products.gram(x, rows, columns, out);
      const s = shape(columns, columns, rows, true);
      expect(excess(out, exactProduct(x, x, s), gamma(rows))).toBeLessThanOrEqual(1);
      const mirrored = Array.from(out, (value, i) => out[(i % columns) * columns + Math.floor(i / columns)] - value);
      expect(mirrored.every((difference) => difference === 0)).toBe(true);
    }
  });

  it('law: a batch is its products one after another', () => {
    const s = shape(9, 13, 21, false, true);
    const [a, b] = [at(unit, entries(3 * 9 * 21, 5)), at(unit, entries(3 * 13 * 21, 6))];
    const out = room(3 * 9 * 13);
    products.batchedMatmul(3, a, b, s, out);
    for (const i of [0, 1, 2]) {
      const single = product(a.slice(i * 189, (i + 1) * 189), b.slice(i * 273, (i + 1) * 273), s);
      expect(out.slice(i * 117, (i + 1) * 117)).toEqual(single.slice());
    }
  });
});

describe('fused multiply-add', () => {
  it('worked example: (−1 − 2⁻¹¹) 1 + (1 + 2⁻¹²)² keeps the 2⁻²⁴ that a product of 32 bits has lost', () => {
    const [root, square] = [1 + 2 ** -12, 1 + 2 ** -11];
    const [a, b] = [Float32Array.of(-square, root), Float32Array.of(1, root)];
    const results = [alone, fusedAlone].map((products) => {
      const out = new Float32Array(1);
      products.matmul(a, b, shape(1, 1, 2), out);
      return out[0];
    });
    expect(results).toEqual([0, 2 ** -24]);
    expect([alone.fused, fusedAlone.fused]).toEqual([false, true]);
  });
});

describe('threads and products', () => {
  it.each([
    ['plain', alone, onThreads],
    ['fused', fusedAlone, fusedOnThreads],
  ])('law: bit for bit what one thread gives (%s)', (_, onOne, onThree) => {
    const s = shape(200, 300, 520, false, true);
    const [a, b, bias] = [entries(200 * 520, 1), entries(520 * 300, 2), entries(300, 3)].map((x) => put(shared, x));
    const results = [onOne, onThree].map((products) => {
      const [product, affine, gram] = [200 * 300, 200 * 300, 520 * 520].map((n) => present(shared.memory.take(n)));
      products.matmul(a, b, s, product);
      products.affine(a, b, bias, 200, 300, 520, affine);
      products.gram(a, 200, 520, gram);
      return [product, affine, gram].map((x) => x.slice());
    });
    expect(results[1]).toEqual(results[0]);
    expect(onThree.threads()).toBe(3);
  });

  it('goes on alone, and says so, when a worker fails', async () => {
    // It knows the kernel and traps.
    const source = `
      let control;
      require('worker_threads').parentPort.on('message', (message) => {
        if (message.type === 'greeting') ({ control } = message);
        if (message.type === 'introduction') Atomics.store(control, 4, 1);
      });`;
    const products = productsIn(shared, { threads: 2, worthSharing: 0, crew: { source } });
    const s = shape(40, 50, 60, false, true);
    const [x, weight, bias] = [entries(2400, 1), entries(3000, 2), entries(50, 3)].map((values) => put(shared, values));
    const out = present(shared.memory.take(2000));
    await eventually(
      () => products.threads() === 1,
      () => products.affine(x, weight, bias, 40, 50, 60, out),
    );
    expect(products.warnings()).toEqual(['Products run on one thread: a kernel failed in a worker.']);
    expect(excess(out, exactProduct(x, weight, s, bias), gamma(61))).toBeLessThanOrEqual(1);
    await products.dispose();
  });

  it('law: what products hold is theirs until they are disposed of, whatever the collector finds', async () => {
    const unit = present(openUnit({ shared: false, pages: 20 }));
    const products = productsIn(unit);
    const [a, b] = [entries(600, 1), entries(600, 2)];
    const s = shape(20, 20, 30);
    const out = new Float32Array(400);
    products.matmul(a, b, s, out);
    const held = unit.memory.usage().taken;
    for (let i = 0; i < 5; i += 1) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(unit.memory.usage().taken).toBe(held);
    present(unit.memory.take(1000)).fill(1);
    products.matmul(a, b, s, out);
    expect(excess(out, exactProduct(a, b, s), gamma(30))).toBeLessThanOrEqual(1);
    await products.dispose();
    expect(unit.memory.usage().taken).toBeLessThan(held);
  });

  it('law: bit for bit, in whichever memories operands and results lie', async () => {
    const s = shape(70, 50, 90);
    const bitsIn = async (unit: VectorUnit): Promise<ReadonlyArray<number>> => {
      const products = productsIn(unit);
      const found = [1, 2, 3].flatMap((seed) => {
        const [a, b, row] = [entries(70 * 90, seed), entries(90 * 90, seed + 1), entries(50, seed)].map((x) => put(unit, x)); // prettier-ignore
        const [product, affine, gram] = [70 * 50, 70 * 50, 90 * 90].map((n) => present(unit.memory.take(n)));
        products.matmul(a, b, s, product);
        products.affine(a, b, row, 70, 50, 90, affine);
        products.gram(a, 70, 90, gram);
        return [product, affine, gram].flatMap((x) => Array.from(x));
      });
      await products.dispose();
      return found;
    };
    const expected = await bitsIn(present(openUnit()));
    expect(await bitsIn(inTurns(openUnit({ pages: 60, memories: 3 }), 3))).toEqual(expected);
    expect(await bitsIn(inTurns(openUnit({ pages: 60, memories: 3, shared: false }), 3))).toEqual(expected);
    expect(await bitsIn(present(openUnit({ pages: 2 })))).toEqual(expected);
  });

  it('goes to a memory without arrays where there is no room for panels', () => {
    const small = present(openUnit({ shared: false, pages: 1 }));
    const products = productsIn(small);
    const [a, b] = [entries(120 * 120, 1), entries(120 * 120, 2)];
    const s = shape(120, 120, 120);
    const out = new Float32Array(120 * 120);
    products.matmul(a, b, s, out);
    expect(excess(out, exactProduct(a, b, s), gamma(120))).toBeLessThanOrEqual(1);
    products.affine(a, b, entries(120, 3), 120, 120, 120, out);
    const affine = shape(120, 120, 120, false, true);
    expect(excess(out, exactProduct(a, b, affine, entries(120, 3)), gamma(151))).toBeLessThanOrEqual(1);
  });
});

describe('the portable backend', () => {
  it('says what it is', () => {
    expect(orThrow(portableBackend({ threads: 2 })).report()).toMatchObject({
      backend: 'portable',
      threads: 2,
      factorisations: 'portable',
      warnings: [],
    });
  });

  it('has one thread where memory is not shared, and says why', () => {
    const report = orThrow(portableBackend({ threads: 2, unit: fixed })).report();
    expect([report.threads, report.warnings]).toEqual([1, [expect.stringContaining('cannot be shared')]]);
  });

  it('is not to be had without WebAssembly', () => {
    expect(portableBackend({ unit: null })).toMatchObject({
      left: { _tag: 'BackendUnavailable', backend: 'portable' },
    });
  });
});
