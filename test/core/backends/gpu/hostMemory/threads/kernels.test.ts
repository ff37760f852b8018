import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import fc from 'fast-check';

import type { Gpu } from '../../../../../../src/core/backends/gpu/gpujs/gpujs.ts';
import type { Products } from '../../../../../../src/core/backends/gpu/hostMemory/products.ts';
import { productsOn } from '../../../../../../src/core/backends/gpu/hostMemory/products.ts';
import type { KernelModule } from '../../../../../../src/core/backends/gpu/gpujs/module.ts';
import type {
  KernelThreads,
  KernelThreadsOptions,
} from '../../../../../../src/core/backends/gpu/hostMemory/threads/kernels.ts';
import { kernelThreads } from '../../../../../../src/core/backends/gpu/hostMemory/threads/kernels.ts';
import { workerText } from '../../../../../../src/core/backends/threads/workerText.ts';
import type { ProductShape } from '../../../../../../src/core/backends/host/kernels/products.ts';
import { attempt } from '../../../../../../src/core/errors.ts';

import { eventually, patience } from '../../../../../support/eventually.ts';
import { entries, openOrThrow, smallShapes } from '../../support.ts';

const gpu = openOrThrow('webasm');

/** Kernels for every product, however small. */
const plans = {
  planProduct: ({ transposeA }: ProductShape) =>
    ({ by: 'kernel', swapped: false, left: transposeA ? 'panels' : 'rows', right: 'panels' }) as const,
  planSymmetric: () => ({ by: 'kernel', layout: 'panels' }) as const,
};

const plain = productsOn(gpu, plans);

const opened: Array<KernelThreads> = [];

const open = (options: KernelThreadsOptions = {}, on: Gpu = gpu): KernelThreads => {
  const threads = kernelThreads(on, { threads: 3, worthSharing: 0, ...options });
  opened.push(threads);
  return threads;
};

afterAll(async () => {
  await Promise.all(opened.map(({ dispose }) => dispose()));
});

const shape = (m: number, n: number, k: number): ProductShape => ({ m, n, k, transposeA: false, transposeB: true });

const large = shape(130, 70, 65);
const [a, b] = [entries(130 * 65, 1), entries(70 * 65, 2)];
const expected = plain.matmul(a, b, large);

/** Runs a product again and again, until something has gone wrong with the workers or a long time has passed. */
const untilWarned = (threads: KernelThreads, products: Products): void => {
  const end = performance.now() + patience;
  while (threads.warnings().length === 0 && performance.now() < end) {
    expect(products.matmul(a, b, large)).toEqual(expected);
  }
};

describe('kernels on threads', () => {
  it.each([1, 2, 3])('law: threads. products on %i threads are those of gpu.js, bit for bit', (count) => {
    const products = productsOn(open({ threads: count }), plans);
    fc.assert(
      fc.property(smallShapes, fc.boolean(), ({ seed, ...s }, biased) => {
        const [left, right] = [entries(s.m * s.k, seed), entries(s.k * s.n, seed + 1)];
        const options = { bias: biased ? entries(s.n, 3) : null };
        expect(products.matmul(left, right, s, options)).toEqual(plain.matmul(left, right, s, options));
        expect(products.gram(left, s.m, s.k)).toEqual(plain.gram(left, s.m, s.k));
      }),
      { numRuns: 15 },
    );
    for (let i = 0; i < 30; i += 1) expect(products.matmul(a, b, large)).toEqual(expected);
    expect(products.gram(a, 130, 65)).toEqual(plain.gram(a, 130, 65));
  });

  it('say how many threads there are, without a warning', () => {
    const threads = open();
    productsOn(threads, plans).matmul(a, b, large);
    expect([threads.threads(), threads.warnings()]).toEqual([3, []]);
    expect(open({ threads: 1 }).threads()).toBe(1);
    expect(kernelThreads(gpu).threads()).toBeGreaterThanOrEqual(1);
  });

  it('take one memory in turn, and keep it at the size of the largest kernel', () => {
    const threads = open();
    const products = productsOn(threads, plans);
    for (let i = 0; i < 100; i += 1) products.matmul(a, b, large);
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 50; i += 1) {
      const source = `function(a) { return a[this.thread.x] + ${i}; }`;
      threads.createKernel(source, { size: [4], components: 1 }, [4], 1).run(entries(4));
    }
    const out = new Float32Array(130 * 70);
    for (let i = 0; i < 1000; i += 1) products.matmul(a, b, large, { out });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
    expect(out).toEqual(expected);
  });

  it('make room for a larger kernel while workers run', () => {
    const products = productsOn(open(), plans);
    const big = shape(260, 300, 1100); // 3 MB, where a memory starts with 1
    const [left, right] = [entries(260 * 1100), entries(300 * 1100, 5)];
    for (let i = 0; i < 3; i += 1) {
      expect(products.matmul(a, b, large)).toEqual(expected);
      expect(products.matmul(left, right, big)).toEqual(plain.matmul(left, right, big));
    }
  });

  it('can be destroyed and compiled again', () => {
    const products = productsOn(open(), { ...plans, limits: { kernels: 1, bytes: 2 ** 30 } });
    for (let i = 0; i < 3; i += 1) {
      expect(products.matmul(a, b, large)).toEqual(expected);
      expect(products.gram(a, 130, 65)).toEqual(plain.gram(a, 130, 65));
    }
  });

  it('hold nothing that keeps a process alive', () => {
    const held = (): ReadonlyArray<string> =>
      process.getActiveResourcesInfo().filter((name) => /Worker|Port|Timeout/.test(name));
    const before = held();
    productsOn(open(), plans).matmul(a, b, large);
    expect(held()).toEqual(before);
  });

  it('go on alone after they were disposed of', async () => {
    const threads = open();
    const products = productsOn(threads, plans);
    products.matmul(a, b, large);
    await threads.dispose();
    expect(products.matmul(a, b, large)).toEqual(expected);
    expect(threads.threads()).toBe(1);
  });

  it('take an argument that was made in their memory as it is', () => {
    const source = 'function(a, b) { return a[this.thread.x] - b[this.thread.x]; }';
    const kernel = open().createKernel(source, { size: [4], components: 1 }, [4, 4], 1);
    const places = [0, 1].map((argument) => kernel.place?.(argument) ?? new Float32Array(0));
    places[0].set([5, 6, 7, 8]);
    places[1].set([1, 2, 3, 4]);
    expect(Array.from(kernel.run(places[0], places[1]))).toEqual([4, 4, 4, 4]);
    expect(Array.from(kernel.run(places[0], Float32Array.of(5, 5, 5, 5)))).toEqual([0, 1, 2, 3]);
  });

  it('report a kernel that does not compile', () => {
    const source = 'function(a) { return nowhere[this.thread.x]; }';
    const threads = open();
    expect(attempt(() => threads.createKernel(source, { size: [4], components: 1 }, [4], 1))).toMatchObject({
      left: { _tag: 'BackendUnavailable' },
    });
  });
});

describe('when something is missing or breaks, kernels go on alone and say so', () => {
  const program = (from: string, to: string): string => {
    expect(workerText).toContain(from);
    return workerText.replace(from, to);
  };
  const claimed = 'kernel(start, Math.min(start + chunk, cells), 0);';

  it.each([
    ['never finishes', program(claimed, 'for (;;);'), 'a worker did not finish its work within 50 ms'],
    ['fails in a kernel', program(claimed, 'throw new Error();'), 'a kernel failed in a worker'],
  ])('a worker that %s', (_, source, reason) => {
    const threads = open({ crew: { source, patience: 50 } });
    const products = productsOn(threads, plans);
    untilWarned(threads, products);
    expect(threads.warnings()).toEqual([`Products run on one thread: ${reason}.`]);
    expect(threads.threads()).toBe(1);
    expect(products.matmul(a, b, large)).toEqual(expected);
    expect(products.gram(a, 130, 65)).toEqual(plain.gram(a, 130, 65));
  });

  it.each([
    ['ends', 'process.exit()'],
    ['does not parse', 'this is no program'],
  ])('a worker that %s', async (_, source) => {
    const threads = open({ crew: { source } });
    const products = productsOn(threads, plans);
    // Word of it comes through the event loop.
    await eventually(
      () => threads.warnings().length > 0,
      () => expect(products.matmul(a, b, large)).toEqual(expected),
    );
    expect(threads.warnings()).toEqual(['Products run on one thread: a worker has ended.']);
  });

  it('no workers', () => {
    const spy = jest.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined);
    const threads = open();
    expect(productsOn(threads, plans).matmul(a, b, large)).toEqual(expected);
    spy.mockRestore();
    expect(threads.warnings()).toEqual(['Products run on one thread: there are no workers here.']);
  });

  it('no shared memory', () => {
    const { SharedArrayBuffer } = globalThis;
    Reflect.deleteProperty(globalThis, 'SharedArrayBuffer');
    const [threads, one] = [open(), open({ threads: 1 })];
    Object.assign(globalThis, { SharedArrayBuffer });
    expect(threads.warnings()).toEqual([expect.stringContaining('not isolated across origins')]);
    expect([threads.threads(), one.warnings()]).toEqual([1, []]);
    expect(productsOn(threads, plans).matmul(a, b, large)).toEqual(expected);
  });

  it('modules that gpu.js keeps in another way', () => {
    const other: Gpu = { ...gpu, compileModule: () => E.left('another way') };
    const threads = open({}, other);
    expect(threads.warnings()).toEqual([expect.stringContaining('another way')]);
    expect(threads.threads()).toBe(1);
    expect(productsOn(threads, plans).matmul(a, b, large)).toEqual(expected);
  });

  /** gpu.js with other modules. */
  const changed = (change: (module: KernelModule, source: string) => KernelModule): Gpu => ({
    ...gpu,
    compileModule: (source, ...rest) =>
      pipe(
        gpu.compileModule(source, ...rest),
        E.map((module) => change(module, source)),
      ),
  });

  it('modules whose result is not where it was', () => {
    const threads = open(
      {},
      changed((module) => ({ ...module, output: module.output + 4 })),
    );
    expect(threads.warnings()).toEqual([expect.stringContaining('other numbers than gpu.js')]);
    expect(productsOn(threads, plans).matmul(a, b, large)).toEqual(expected);
  });

  it('a kernel that is larger than a memory can be is left to gpu.js', () => {
    const isProduct = (source: string): boolean => !source.includes('Math.exp');
    const huge = changed((module, source) => (isProduct(source) ? { ...module, bytes: 2 ** 29 } : module));
    const createKernel = jest.fn(gpu.createKernel);
    const products = productsOn(open({}, { ...huge, createKernel }), plans);
    createKernel.mockClear(); // the self-test
    expect(products.matmul(a, b, large)).toEqual(expected);
    expect(createKernel).toHaveBeenCalledTimes(1);
  });
});
