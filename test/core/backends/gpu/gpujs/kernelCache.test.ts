import type { GpuKernel } from '../../../../../src/core/backends/gpu/gpujs/gpujs.ts';
import { kernelCache } from '../../../../../src/core/backends/gpu/gpujs/kernelCache.ts';

/** A cache with kernels that only remember that they were destroyed. */
const withLog = (kernels: number, bytes: number) => {
  const cache = kernelCache<GpuKernel>({ kernels, bytes });
  const made: Array<string> = [];
  const destroyed: Array<string> = [];
  const get = (key: string, size = 1): GpuKernel =>
    cache.obtain(key, () => {
      made.push(key);
      return { kernel: { run: () => new Float32Array(0), destroy: () => destroyed.push(key) }, bytes: size };
    });
  return { cache, get, made, destroyed };
};

describe('kernelCache', () => {
  it('makes a kernel once', () => {
    const { get, made } = withLog(2, 100);
    expect(get('a')).toBe(get('a'));
    expect(made).toEqual(['a']);
  });

  it('destroys the least recently used kernel when there are too many', () => {
    const { get, made, destroyed, cache } = withLog(2, 100);
    get('a');
    get('b');
    get('a');
    get('c');
    expect(destroyed).toEqual(['b']);
    get('a');
    get('b');
    expect(made).toEqual(['a', 'b', 'c', 'b']);
    expect(destroyed).toEqual(['b', 'c']);
    expect(cache.usage()).toEqual({ kernels: 2, bytes: 2 });
  });

  it('destroys as many as it takes to stay within the bytes', () => {
    const { get, destroyed, cache } = withLog(10, 100);
    get('a', 40);
    get('b', 40);
    get('c', 70);
    expect(destroyed).toEqual(['a', 'b']);
    expect(cache.usage()).toEqual({ kernels: 1, bytes: 70 });
  });

  it('keeps a kernel that is bigger than the bounds until the next one', () => {
    const { get, destroyed } = withLog(10, 100);
    get('huge', 1000);
    get('huge', 1000);
    expect(destroyed).toEqual([]);
    get('a');
    expect(destroyed).toEqual(['huge']);
  });

  it('destroys all kernels when cleared', () => {
    const { get, destroyed, cache } = withLog(10, 100);
    get('a');
    get('b');
    cache.clear();
    expect(destroyed).toEqual(['a', 'b']);
    expect(cache.usage()).toEqual({ kernels: 0, bytes: 0 });
  });
});
