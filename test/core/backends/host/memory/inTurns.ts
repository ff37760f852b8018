/**
 * A unit that puts new arrays into its memories in turns, so that the operands of most calls lie in several of them.
 *
 * @module
 */
import { apart } from '../../../../../src/core/backends/host/memory/memories.ts';
import type { VectorUnit } from '../../../../../src/core/backends/host/simd/instance.ts';

/** The unit; its memories are opened first. */
export const inTurns = (unit: VectorUnit | null, count = 2): VectorUnit => {
  if (unit === null) throw new Error('there is no WebAssembly here');
  const { memory } = unit;
  const most = Math.floor((memory.usage().limit - 50_000) / 5);
  const filling: Array<Float32Array> = [];
  while (memory.usage().memories < count) {
    const data = memory.take(most);
    if (data === null) throw new Error('there are not so many memories');
    filling.push(data);
  }
  filling.forEach(memory.give);
  let turn = 0;
  return {
    ...unit,
    memory: {
      ...memory,
      take: (length) => {
        turn += 1;
        return memory.of((turn % count) * apart).take(length) ?? memory.take(length);
      },
    },
  };
};
