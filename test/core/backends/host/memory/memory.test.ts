/**
 * The memory of the vector unit: it grows under its views, gives out nothing twice, and what is lost comes back.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import type { VectorMemory } from '../../../../../src/core/backends/host/memory/memory.ts';
import { openMemory } from '../../../../../src/core/backends/host/memory/memory.ts';
import { eventually } from '../../../../support/eventually.ts';

const page = 65_536;

const opened = (options: Parameters<typeof openMemory>[0]): VectorMemory => {
  const memory = openMemory(options);
  if (memory === null) throw new Error('there is no WebAssembly here');
  return memory;
};

const room = (memory: VectorMemory, length: number): Float32Array => {
  const data = memory.take(length);
  if (data === null) throw new Error('there is no room');
  return data;
};

const collect = (): void => {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
};

describe('the memory of the vector unit', () => {
  it('law: views are never detached. Arrays from before the memory grew keep their elements and their place', () => {
    const memory = opened({ reserve: 64 });
    expect(memory.shared).toBe(true);
    const before = room(memory, 1000).fill(3);
    const address = memory.addressOf(before, 5);
    const sizes = [1, 2, 3].map(() => {
      const after = room(memory, memory.usage().size / 4).fill(4);
      expect(memory.addressOf(after, 0)).toBeGreaterThan(0);
      return memory.usage().size;
    });
    expect([...new Set(sizes)]).toEqual(sizes);
    expect(before.every((x) => x === 3)).toBe(true);
    expect(memory.addressOf(before, 5)).toBe(address);
    before.fill(5);
    expect(room(memory, 10).buffer).not.toBe(before.buffer); // the same memory, as a larger buffer
  });

  it('has no address for arrays elsewhere, and takes none back', () => {
    const memory = opened({ reserve: 64 });
    const other = opened({ reserve: 64 });
    const data = room(memory, 1000);
    expect(other.addressOf(data, 0)).toBe(-1);
    expect(memory.addressOf(new Float32Array(1000), 0)).toBe(-1);
    other.give(data);
    memory.give(new Float32Array(10));
    expect(memory.usage().taken).toBe(4032);
    memory.give(data);
    expect(memory.usage().taken).toBe(0);
  });

  it.each([true, false])('refuses what does not fit (shared: %s)', (shared) => {
    const memory = opened({ reserve: 64, pages: 4, shared });
    expect(memory.shared).toBe(shared);
    expect(memory.take(page)).toBeNull();
    const data = room(memory, (4 * page - 128) / 4);
    expect(memory.take(1)).toBeNull();
    expect(memory.usage()).toEqual({ taken: 4 * page - 128, size: 4 * page, limit: 4 * page, shared });
    memory.give(data);
    expect(memory.take(1)).not.toBeNull();
  });

  it('law: nothing is lost. What the collector finds comes back, whatever was given back before does so once', async () => {
    const memory = opened({ reserve: 64, pages: 64 });
    const kept = room(memory, 1000).fill(7);
    const lose = (i: number): void => {
      const data = room(memory, 1000);
      if (i % 2 === 0) memory.give(data);
    };
    for (let i = 0; i < 100; i += 1) lose(i);
    expect(memory.usage().taken).toBe(51 * 4032);
    await eventually(() => memory.usage().taken <= 2 * 4032, collect, 5); // the stack may still show the last one
    expect(kept.every((x) => x === 7)).toBe(true);
  });
});
