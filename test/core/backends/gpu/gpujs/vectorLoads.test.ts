import { GPU, Input } from 'gpu.js';

import { flatten } from '../../../../../src/core/backends/gpu/gpujs/gpujs.ts';
import type { CompilableKernel } from '../../../../../src/core/backends/gpu/gpujs/vectorLoads.ts';
import { readNeighboursTogether } from '../../../../../src/core/backends/gpu/gpujs/vectorLoads.ts';

import { entries } from '../support.ts';

interface Run {
  readonly result: ReadonlyArray<number>;
  readonly module: Uint8Array;
  readonly taught: boolean;
}

/** Runs a kernel of gpu.js over 8 by 3 threads, as it is compiled by gpu.js or as it is after a change. */
const run = (source: string, prepare: (kernel: CompilableKernel) => () => boolean, width = 8): Run => {
  const kernel = new GPU({ mode: 'webasm' }).createKernel(source, { output: [width, 3], precision: 'single' });
  const inner = kernel.kernel as unknown as CompilableKernel & { readonly _active: { readonly bytes: Uint8Array } };
  const taught = prepare(inner);
  const inputs = [1, 2].map((seed) => new Input(entries(64, seed) as unknown as Array<number>, [64]));
  const nested = kernel(...inputs) as Parameters<typeof flatten>[0];
  const components = source.includes('return [') ? 4 : 1;
  const result = Array.from(flatten(nested, components * width * 3));
  return { result, module: inner._active.bytes, taught: taught() };
};

/** How often an instruction of vectors occurs; good enough to compare two modules. */
const count = (module: Uint8Array, opcode: number): number =>
  module.reduce((found, byte, i) => found + (byte === 0xfd && module[i + 1] === opcode ? 1 : 0), 0);

const [load, loadIntoAll, extractLane] = [0x00, 0x09, 0x1b];

const declare = 'let p = this.output.x; p++; let q = this.output.x; q++;';

/** Kernels whose reads can be put together. */
const together: ReadonlyArray<readonly [string, string]> = [
  ['neighbours along x', 'function(a, b) { return a[this.thread.x + 8 * this.thread.y] + b[3 + this.thread.x]; }'],
  [
    'neighbours of a pointer that moves',
    `function(a, b) { ${declare} let s = 0; let v = 0.5; p = this.thread.y; q = this.thread.y * 2;
     for (let k = 0; k < 3; k++) {
       v = b[q + 5 + this.thread.x]; s += a[p] * v; s += a[p + 1] * v; s += a[p + 6] * v; p += 3; s += a[p] * v; q += 2;
     } return s; }`,
  ],
  [
    'neighbours in both arms of a branch, and after it',
    `function(a, b) { ${declare} let s = 0; let v = 0.5; p = this.thread.y; q = 0; v = b[q + this.thread.x];
     if (this.thread.y > 1) { s += a[p + 1] * v; p += 4; } else { s += a[p + 2] * v; }
     s += a[p + 1] * v; s += (this.thread.y > 0 ? a[p + 2] : a[p + 3]) * v; return s; }`,
  ],
  [
    'four components',
    `function(a, b) { ${declare} p = this.thread.y * 4; const v = b[p + this.thread.x];
     return [a[p] * v, a[p + 1] * v, a[p + 2] * v, a[p + 3] * v]; }`,
  ],
];

/** Kernels with reads that stay as they are. */
const apart: ReadonlyArray<readonly [string, string]> = [
  ['steps along x', 'function(a, b) { return a[2 * this.thread.x] + b[this.thread.x * 3 + 1]; }'],
  ['x downwards', 'function(a, b) { return a[31 - this.thread.x]; }'],
  ['two dimensions', 'function(a, b) { return a[this.thread.y + this.thread.x % 2]; }'],
  [
    'branches that depend on x',
    `function(a, b) { ${declare} let s = 0; p = this.thread.y;
     if (this.thread.x > 2) { s += a[p + this.thread.x] + b[p + 1]; } return s; }`,
  ],
];

const asItIs = (): (() => boolean) => () => false;

describe('reading neighbours together', () => {
  it.each([...together, ...apart])('law: %s gives the same numbers, bit for bit', (_, source) => {
    const taught = run(source, readNeighboursTogether);
    expect(taught.taught).toBe(true);
    expect(taught.result).toEqual(run(source, asItIs).result);
    // Rows that no vector of four fits into are computed one by one.
    expect(run(source, readNeighboursTogether, 7).result).toEqual(run(source, asItIs, 7).result);
  });

  it.each(together)('%s: vector loads instead of elements put together', (_, source) => {
    const [taught, untaught] = [run(source, readNeighboursTogether).module, run(source, asItIs).module];
    expect(count(taught, load)).toBeGreaterThan(count(untaught, load));
    expect(count(taught, extractLane)).toBeLessThan(count(untaught, extractLane));
    expect(count(taught, loadIntoAll) > 0).toBe(source.includes('a[p + 1]'));
  });

  it.each(apart)('%s: no vector loads', (_, source) => {
    expect(count(run(source, readNeighboursTogether).module, load)).toBe(count(run(source, asItIs).module, load));
  });

  it('leaves the compiler alone when a private method is missing', () => {
    const [, source] = together[1];
    const withoutAssembly = run(source, () => readNeighboursTogether({}));
    expect(withoutAssembly).toMatchObject({ taught: false, result: run(source, asItIs).result });
    let calls = 0;
    const incomplete = { functionBuilder: { functionMap: {} }, _assembleModule: () => (calls += 1) };
    const taught = readNeighboursTogether(incomplete);
    expect(incomplete._assembleModule()).toBe(1);
    expect(taught()).toBe(false);
  });
});
