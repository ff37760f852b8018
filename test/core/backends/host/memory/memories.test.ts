/**
 * Several memories as one: arrays keep their place, go back to where they came from, and another memory is opened when there is no room.
 */
import type { Memories, MemoriesOptions } from '../../../../../src/core/backends/host/memory/memories.ts';
import { apart, openMemories } from '../../../../../src/core/backends/host/memory/memories.ts';

const page = 65_536;
const line = 64;

const opened = (options: Partial<MemoriesOptions>): Memories => {
  const memory = openMemories({ reserve: line, ...options });
  if (memory === null) throw new Error('there is no WebAssembly here');
  return memory;
};

const room = (memory: Memories, length: number): Float32Array => {
  const data = memory.take(length);
  if (data === null) throw new Error('there is no room');
  return data;
};

const numberOf = (memory: Memories, data: Float32Array): number => Math.floor(memory.addressOf(data, 0) / apart);

/** Elements of an array that fills most of a page. */
const most = 12_000;

describe.each([true, false])('several memories as one (shared: %s)', (shared) => {
  it('are opened one after another, and say how many they are', () => {
    const memory = opened({ pages: 1, shared });
    const arrays = [0, 1, 2].map((i) => room(memory, most).fill(i));
    expect(arrays.map((data) => numberOf(memory, data))).toEqual([0, 1, 2]);
    expect(memory.usage()).toEqual({
      taken: 3 * 4 * most,
      size: 3 * page,
      limit: page,
      shared,
      memories: 3,
      refused: 0,
    });
    arrays.forEach((data, i) => {
      const address = memory.addressOf(data, 7);
      expect(address).toBe(memory.of(address).addressOf(data, 7));
      expect(memory.view(address, 1)[0]).toBe(i);
      expect(arrays.filter((_, j) => memory.of(memory.addressOf(arrays[j], 0)) === memory.of(address))).toEqual([data]);
    });
  });

  it('take arrays back where they came from, and give out again what is free before another is opened', () => {
    const memory = opened({ pages: 1, shared });
    const arrays = [0, 1, 2].map(() => room(memory, most));
    memory.give(arrays[0]);
    expect(memory.usage().taken).toBe(2 * 4 * most);
    expect(numberOf(memory, room(memory, most))).toBe(0);
    memory.give(arrays[1]);
    memory.give(arrays[2]);
    expect(memory.usage()).toMatchObject({ taken: 4 * most, memories: 3 });
  });

  it('put new arrays where there was room last', () => {
    const memory = opened({ pages: 1, shared });
    const [first] = [room(memory, most), room(memory, most)];
    memory.give(first);
    expect([1, 2, 3].map(() => numberOf(memory, room(memory, 100)))).toEqual([1, 1, 1]);
  });

  it('refuse what no memory has room for without opening one, and what is beyond their number', () => {
    const memory = opened({ pages: 1, memories: 2, shared });
    expect(memory.take(page)).toBeNull();
    expect(memory.usage()).toMatchObject({ memories: 1, refused: 1 });
    const arrays = [0, 1, 2].map(() => memory.take(most));
    expect(arrays.map((data) => data === null)).toEqual([false, false, true]);
    expect(memory.usage()).toMatchObject({ memories: 2, refused: 2 });
  });

  it('have one for copies, in which no arrays are', () => {
    const memory = opened({ pages: 1, memories: 1, shared });
    const spare = memory.spare();
    expect(memory.spare()).toBe(spare);
    const copy = spare?.take(100);
    expect(copy === undefined || copy === null ? -1 : numberOf(memory, copy)).toBe(1);
    room(memory, most);
    expect(memory.take(most)).toBeNull();
  });
});

it('law: views are never detached. Arrays from before a memory grew, and before another was opened, keep their elements and place', () => {
  const memory = opened({ pages: 600 });
  const before = [room(memory, 1000).fill(3)];
  while (memory.usage().memories < 3) before.push(room(memory, 2 ** 20).fill(before.length + 3));
  const addresses = before.map((data) => memory.addressOf(data, 0));
  expect(new Set(addresses.map((address) => Math.floor(address / apart)))).toEqual(new Set([0, 1, 2]));
  for (let i = 0; i < 5; i += 1) room(memory, 2 ** 21).fill(-1);
  expect(before.map((data) => memory.addressOf(data, 0))).toEqual(addresses);
  expect(before.every((data, i) => data.every((x) => x === i + 3))).toBe(true);
});
