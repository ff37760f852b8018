import fc from 'fast-check';

import { openMemories } from '../../../../src/core/backends/host/memory/memories.ts';
import { openMemory } from '../../../../src/core/backends/host/memory/memory.ts';
import { createPool } from '../../../../src/core/backends/host/pool.ts';
import { f32, f64 } from '../../../../src/core/backends/host/kernels/precision.ts';

/** Lengths that are pooled, few enough to meet again, and one that is too small to be worth it. */
const length = fc.constantFrom(8, 300, 301, 1024, 4096);

describe('pool', () => {
  it('law: reuse. A second arena with the same demands gets the buffers of the first', () => {
    const pool = createPool(f32);
    const first = pool.open();
    const made = [first.take(1000), first.take(2000), first.zeros(1000)];
    first.close([], []);
    expect(pool.idleBytes()).toBe(16_000);
    const second = pool.open();
    const again = [second.take(1000), second.take(2000), second.zeros(1000)];
    expect(new Set(again.map(({ buffer }) => buffer))).toEqual(new Set(made.map(({ buffer }) => buffer)));
    expect(pool.idleBytes()).toBe(0);
    second.close([], []);
  });

  it('law: exclusion. No two arrays in use share a buffer, however arenas are opened, nested and closed', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(4), length, fc.nat(30)), { minLength: 20, maxLength: 80 }), (actions) => {
        const pool = createPool(f64);
        const live = new Map<ArrayBufferLike, number>(); // with what was written to it
        const arenas = [{ arena: pool.open(), made: new Array<Float64Array | Float32Array>(), parent: -1 }];
        let stamp = 0;
        const check = (): void => {
          for (const [buffer, value] of live) {
            const data = new Float64Array(buffer);
            expect([data[0], data[data.length - 1]]).toEqual([value, value]);
          }
        };
        for (const [action, n, pick] of actions) {
          const current = arenas.length - 1;
          if (action <= 1) {
            const data = action === 0 ? arenas[current].arena.take(n) : arenas[current].arena.zeros(n);
            if (action === 1) expect(data.every((value) => value === 0)).toBe(true);
            expect(live.has(data.buffer)).toBe(false);
            stamp += 1;
            data.fill(stamp);
            live.set(data.buffer, stamp);
            arenas[current].made.push(data);
          } else if (action === 2) {
            arenas.push({ arena: arenas[current].arena.open(), made: [], parent: current });
          } else if (current > 0) {
            const { arena, made } = arenas.pop() ?? arenas[0];
            const kept = made.filter((_, i) => (i + pick) % 3 === 0);
            check();
            arena.close(kept, []);
            for (const data of made) if (!kept.includes(data)) live.delete(data.buffer);
            arenas[current - 1].made.push(...kept);
          }
        }
        check();
      }),
    );
  });

  it('law: views keep their buffer. Whatever shares memory with a kept array is kept', () => {
    const pool = createPool(f32);
    const arena = pool.open();
    const data = arena.take(1000).fill(3);
    arena.close([data.subarray(10, 20)], []);
    expect(pool.idleBytes()).toBe(0);
    expect(pool.root.take(1000).buffer).not.toBe(data.buffer);
  });

  it('law: retirement. Arrays of any allocator come back once, foreign and small ones never', () => {
    const pool = createPool(f32);
    const old = pool.root.take(1000);
    const small = pool.root.take(8);
    const foreign = new Float32Array(1000);
    const arena = pool.open();
    const kept = arena.take(5000); // the demand that lets the pool hold on to something
    arena.close([kept], [old, old, small, foreign]);
    expect(pool.idleBytes()).toBe(4000);
    pool.open().close([], [old]);
    expect(pool.idleBytes()).toBe(4000);
    expect(pool.root.take(1000).buffer).toBe(old.buffer);
    expect(pool.root.take(1000).buffer).not.toBe(foreign.buffer);
  });

  it('does not take back what one arena made and another retired and gave out again', () => {
    const pool = createPool(f32);
    const first = pool.open();
    const data = first.take(1000);
    const other = pool.open();
    const kept = other.take(5000);
    other.close([kept], [data]);
    const second = pool.open();
    const again = second.take(1000).fill(5);
    expect(again.buffer).toBe(data.buffer);
    first.close([], []);
    expect(pool.idleBytes()).toBe(0);
    expect(second.take(1000).buffer).not.toBe(data.buffer);
  });

  it('keeps what is both kept and retired', () => {
    const pool = createPool(f32);
    const old = pool.root.take(1000);
    pool.open().close([old], [old]);
    expect(pool.idleBytes()).toBe(0);
  });

  it('hands out arrays that belong to nobody after the end of an arena', () => {
    const pool = createPool(f32);
    const arena = pool.open();
    arena.close([], []);
    arena.take(1000);
    arena.close([], []);
    expect(pool.idleBytes()).toBe(0);
  });

  it('law: flat memory. The pool holds at most twice the largest demand of the last 16 arenas', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: 256, max: 5000 }), { maxLength: 8 }), { maxLength: 60 }),
        (runs) => {
          const pool = createPool(f32);
          const demands: Array<number> = [];
          for (const lengths of runs) {
            const arena = pool.open();
            for (const n of lengths) arena.take(n);
            arena.close([], []);
            demands.push(4 * lengths.reduce((sum, n) => sum + n, 0));
            expect(pool.idleBytes()).toBeLessThanOrEqual(2 * Math.max(...demands.slice(-16)));
          }
          pool.clear();
          expect(pool.idleBytes()).toBe(0);
        },
      ),
    );
  });
});

describe('a pool in the memory of the vector unit', () => {
  it('law: reuse and exclusion hold there as well, and what is dropped goes back to the memory', () => {
    const memory = openMemory({ reserve: 64, pages: 16 });
    if (memory === null) throw new Error('there is no WebAssembly here');
    const pool = createPool(f32, { memory });
    const first = pool.open();
    const [kept, other] = [first.take(1000), first.take(1000)];
    expect([kept, other].map((x) => memory.addressOf(x, 0) > 0)).toEqual([true, true]);
    expect(Math.abs(kept.byteOffset - other.byteOffset)).toBeGreaterThanOrEqual(4000);
    first.close([kept.subarray(10, 20)], []);
    const second = pool.open();
    expect(second.take(1000)).toBe(other);
    expect(second.take(1000)).not.toBe(kept);
    second.close([], [kept]);
    expect(memory.usage().taken).toBe(3 * 4032);
    pool.clear();
    expect(memory.usage().taken).toBe(0);
  });

  it('goes on in memory of its own where that is full', () => {
    const memory = openMemories({ reserve: 64, pages: 1, memories: 1 });
    const pool = createPool(f32, { memory });
    const arena = pool.open();
    const lengths = [10_000, 10_000, 10_000].map((n) => arena.zeros(n));
    expect(lengths.map((x) => (memory?.addressOf(x, 0) ?? 0) > 0)).toEqual([true, false, false]);
    expect(lengths.every((data) => data.every((x) => x === 0))).toBe(true);
    arena.close([lengths[1]], []);
    expect(pool.open().take(10_000)).toBe(lengths[2]);
    expect(memory?.usage().refused).toBe(2);
  });
});
