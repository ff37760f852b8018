import fc from 'fast-check';

import { blocksBetween, line } from '../../../../../src/core/backends/host/memory/blocks.ts';

describe('blocks', () => {
  it('law: exclusion. Blocks begin at lines, lie within the stretch and never overlap', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 3000 }), fc.nat(3)), { maxLength: 80 }), (actions) => {
        const blocks = blocksBetween(128, 20_000);
        const live: Array<readonly [number, number]> = [];
        for (const [bytes, choice] of actions) {
          const address = choice === 0 && live.length > 0 ? null : blocks.take(bytes);
          if (address === null) {
            const [given] = live.splice(bytes % Math.max(live.length, 1), 1);
            if (given !== undefined) blocks.give(given[0]);
            continue;
          }
          expect(address % line).toBe(0);
          expect(address).toBeGreaterThanOrEqual(128);
          expect(address + bytes).toBeLessThanOrEqual(20_000);
          for (const [other, size] of live) expect(address + bytes <= other || other + size <= address).toBe(true);
          live.push([address, bytes]);
        }
        live.forEach(([address]) => blocks.give(address));
        expect(blocks.taken()).toBe(0);
        // Neighbours have become one again: everything is there in a single block.
        expect(blocks.take(20_000 - (20_000 % line) - 128)).toBe(128);
      }),
    );
  });

  it('cuts the smallest block that is large enough, gives back once, and ends later when it is extended', () => {
    const blocks = blocksBetween(0, 64 * 10);
    const [a, b, c] = [blocks.take(64 * 4), blocks.take(1), blocks.take(64 * 2)];
    expect([a, b, c]).toEqual([0, 256, 320]);
    blocks.give(0); // four lines are free before, and three at the end
    expect(blocks.take(64 * 3)).toBe(448);
    expect(blocks.take(64 * 5)).toBeNull();
    blocks.give(0); // not taken
    expect(blocks.taken()).toBe(64 * 6);
    blocks.extend(64 * 15);
    expect(blocks.take(64 * 5)).toBe(640);
  });
});
