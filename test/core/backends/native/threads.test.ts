import { setTimeout } from 'node:timers/promises';

import { onOneThread, oneThreadEach } from '../../../../src/core/backends/native/threads.ts';

describe('threads', () => {
  /** A setting that remembers what it was set to. */
  const setting = (count: number) => {
    const history = [count];
    return { history, get: () => history[history.length - 1], set: (next: number) => void history.push(next) };
  };

  it('law: one thread while tasks run, and what it was after the last', async () => {
    const threads = setting(8);
    const around = oneThreadEach(threads);
    const first = around(() => Promise.resolve('short'))();
    const second = around(() => setTimeout(1, 'long'))();
    expect(threads.history).toEqual([8, 1]);
    expect(await first).toBe('short');
    expect(threads.history).toEqual([8, 1]);
    expect(await second).toBe('long');
    expect(threads.history).toEqual([8, 1, 8]);
  });

  it('gives the threads back when a task breaks', async () => {
    const threads = setting(4);
    await expect(oneThreadEach(threads)(() => Promise.reject(new Error('broken')))()).rejects.toThrow('broken');
    expect(threads.history).toEqual([4, 1, 4]);
  });

  it('law: one thread for a small call, and what it was after it, also when it breaks', () => {
    const threads = setting(8);
    expect(onOneThread(threads)(() => threads.get())).toBe(1);
    expect(threads.history).toEqual([8, 1, 8]);
    expect(() =>
      onOneThread(threads)(() => {
        throw new Error('broken');
      }),
    ).toThrow('broken');
    expect(threads.history).toEqual([8, 1, 8, 1, 8]);
  });

  it('changes nothing where there is one thread', () => {
    const threads = setting(1);
    expect(onOneThread(threads)(() => threads.get())).toBe(1);
    expect(threads.history).toEqual([1]);
  });
});
