import * as E from 'fp-ts/lib/Either.js';

import { startCrew } from '../../../../src/core/backends/threads/crew.ts';
import type { KernelModule } from '../../../../src/core/backends/gpu/gpujs/module.ts';

import { mostPages, pageBytes, webAssembly } from '../../../../src/core/backends/gpu/hostMemory/threads/webAssembly.ts';
import { openOrThrow } from '../gpu/support.ts';

const rightOf = <A>(either: E.Either<string, A>): A => {
  if (E.isLeft(either)) throw new Error(either.left);
  return either.right;
};

const cells = 4096;

const sevens = (): KernelModule =>
  rightOf(
    openOrThrow('webasm').compileModule(
      'function(a) { return 7 * a[0]; }',
      { size: [cells], components: 1 },
      [1],
      true,
    ),
  );

describe('a crew', () => {
  const module = sevens();
  const memory = new (webAssembly().Memory)({ initial: module.bytes / pageBytes, maximum: mostPages, shared: true });
  const floats = new Float32Array(memory.buffer);
  floats[module.inputs[0]] = 1;
  const result = (): ReadonlyArray<number> => Array.from(floats.subarray(module.output, module.output + cells));
  const pause = new Int32Array(new SharedArrayBuffer(4));

  const crew = rightOf(startCrew({ workers: 2, memory }));
  crew.introduce({ kernel: 1, module: module.module, functions: module.functions });
  afterAll(crew.dismissAll);

  it('computes what the caller leaves, and every element once', () => {
    const left: Array<number> = [];
    const shared = crew.share(1, cells, 16, (start, end) => {
      for (let i = start; i < end; i += 1) left.push(i);
      Atomics.wait(pause, 0, 0, 20); // long enough for workers to come and take the rest
    });
    expect(shared).toEqual(E.right(undefined));
    expect(left.length).toBeLessThan(cells);
    const missing = new Set(left);
    expect(result()).toEqual(Array.from({ length: cells }, (_, i) => (missing.has(i) ? 0 : 7)));
  });

  it('is not needed: a kernel that its workers do not know is left to the caller', () => {
    const seen: Array<number> = [];
    expect(crew.share(2, 10, 4, (start, end) => void seen.push(start, end))).toEqual(E.right(undefined));
    expect(seen).toEqual([0, 4, 4, 8, 8, 10]);
  });

  it('says that it was dismissed', async () => {
    const other = rightOf(startCrew({ workers: 1, memory }));
    await other.dismissAll();
    expect(other.share(1, cells, 16, () => undefined)).toEqual(E.left('it was dismissed'));
  });

  it('cannot start where memory is not what workers can be sent', () => {
    expect(E.isLeft(startCrew({ workers: 1, memory: { no: () => 'memory' } }))).toBe(true);
  });
});
