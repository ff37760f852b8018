import * as E from 'fp-ts/lib/Either.js';
import { GPU } from 'gpu.js';

import type { MemoryMode } from '../../../../../src/core/backends/gpu/gpujs/gpujs.ts';
import { flatten, openGpu } from '../../../../../src/core/backends/gpu/gpujs/gpujs.ts';
import { attempt } from '../../../../../src/core/errors.ts';

import { entries, openOrThrow } from '../support.ts';

const modes: ReadonlyArray<MemoryMode> = ['webasm', 'cpu'];

describe('gpu.js', () => {
  it('returns flat results in its WebAssembly mode', () => {
    const gpu = openOrThrow('webasm');
    expect(gpu).toMatchObject({ mode: 'webasm', flatResults: true, vectorLoads: true });
  });

  it('walks nested results where they cannot be had flat', () => {
    expect(openOrThrow('cpu')).toMatchObject({ mode: 'cpu', flatResults: false, vectorLoads: false });
  });

  it.each(modes)('%s: thread (x, y, z) stores its components at 4 (x + X (y + Y z))', (mode) => {
    const kernel = openOrThrow(mode).createKernel(
      'function(a) { const v = a[this.thread.x + 10 * this.thread.y + 100 * this.thread.z]; return [v, v + 0.25, v + 0.5, v + 0.75]; }',
      { size: [5, 3, 2], components: 4 },
    );
    const values = Float32Array.from({ length: 200 }, (_, i) => i);
    const expected = [0, 1].flatMap((z) =>
      [0, 1, 2].flatMap((y) =>
        [0, 1, 2, 3, 4].flatMap((x) => [0, 0.25, 0.5, 0.75].map((part) => x + 10 * y + 100 * z + part)),
      ),
    );
    expect(Array.from(kernel.run(values))).toEqual(expected); // the first call compiles, the second does not
    expect(Array.from(kernel.run(values))).toEqual(expected);
    kernel.destroy();
  });

  it.each(modes)('%s: runs loops of more than 1000 rounds to their end', (mode) => {
    const source = (bound: string): string =>
      `function(a, count) { let sum = 0; for (let i = 0; i < ${bound}; i++) { sum += a[i]; } return sum; }`;
    for (const bound of ['4321', 'count[0]']) {
      const kernel = openOrThrow(mode).createKernel(source(bound), { size: [4], components: 1 });
      const ones = new Float32Array(5000).fill(1);
      expect(Array.from(kernel.run(ones, Float32Array.of(4321)))).toEqual([4321, 4321, 4321, 4321]);
    }
  });

  it('leaves arguments bit for bit as they were, and gives every call a new result', () => {
    const kernel = openOrThrow('webasm').createKernel('function(a) { return 2 * a[this.thread.x]; }', {
      size: [8],
      components: 1,
    });
    const a = entries(8);
    const first = kernel.run(a);
    const kept = Array.from(first);
    kernel.run(entries(8, 2));
    expect(Array.from(first)).toEqual(kept);
    expect(a).toEqual(entries(8));
  });

  it('reports a mode that this machine does not have', () => {
    const opened = openGpu('webgl2' as MemoryMode);
    expect(opened).toMatchObject({ _tag: 'Left', left: { _tag: 'BackendUnavailable', backend: 'gpu (webgl2)' } });
  });

  it('reports a kernel that gpu.js moved to plain JavaScript', () => {
    const webasm = openOrThrow('webasm');
    const source = 'function(a) { return a[this.thread.x]; }';
    const elsewhere = new GPU({ mode: 'cpu' }).createKernel(source, { output: [4], precision: 'single' });
    const spy = jest.spyOn(GPU.prototype, 'createKernel').mockReturnValueOnce(elsewhere as never);
    const kernel = webasm.createKernel(source, { size: [4], components: 1 });
    expect(attempt(() => kernel.run(entries(4)))).toEqual({
      _tag: 'Left',
      left: {
        _tag: 'BackendUnavailable',
        backend: 'gpu (webasm)',
        reason: 'a kernel was moved to cpu: no reason given',
        advice: 'Use the native or the reference backend.',
      },
    });
    spy.mockRestore();
  });

  it('reports a kernel that does not compile', () => {
    const kernel = openOrThrow('webasm').createKernel('function(a) { return nowhere[this.thread.x]; }', {
      size: [4],
      components: 1,
    });
    expect(E.isLeft(attempt(() => kernel.run(Float32Array.of(1))))).toBe(true);
  });

  it('holds nothing that keeps a process alive', () => {
    const held = (): ReadonlyArray<string> =>
      process.getActiveResourcesInfo().filter((name) => /Worker|Port|Timeout/.test(name));
    const before = held();
    const kernel = openOrThrow('webasm').createKernel('function(a) { return a[this.thread.x]; }', {
      size: [8192],
      components: 1,
    });
    kernel.run(entries(8192));
    expect(held()).toEqual(before);
  });

  it('can be disposed of', async () => {
    const gpu = openOrThrow('webasm');
    gpu.createKernel('function(a) { return a[this.thread.x]; }', { size: [4], components: 1 }).run(entries(4));
    await expect(gpu.dispose()).resolves.toBeUndefined();
  });
});

describe('flatten', () => {
  it('lays arrays of arrays out in order', () => {
    const nested = [
      [Float32Array.of(1, 2), Float32Array.of(3, 4)],
      [Float32Array.of(5, 6), Float32Array.of(7, 8)],
    ];
    expect(Array.from(flatten(nested, 8))).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('returns a flat array itself', () => {
    const flat = Float32Array.of(1, 2, 3);
    expect(flatten(flat, 3)).toBe(flat);
  });
});
