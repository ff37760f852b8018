import { GPU, Input } from 'gpu.js';

import { integers, unrolledLoop } from '../../../../../src/core/backends/gpu/gpujs/kernelText.ts';
import type { MatmulSpec, OperandLayout } from '../../../../../src/core/backends/gpu/hostMemory/matmulSource.ts';
import { matmulSource } from '../../../../../src/core/backends/gpu/hostMemory/matmulSource.ts';
import { symmetricSource } from '../../../../../src/core/backends/gpu/hostMemory/symmetricSource.ts';
import { threadsOf, tilingOf } from '../../../../../src/core/backends/gpu/hostMemory/tiling.ts';

import { entries } from '../support.ts';

const layouts: ReadonlyArray<OperandLayout> = ['rows', 'columns', 'panels'];
const pairs = layouts.flatMap((a) =>
  (['columns', 'panels'] as const).map((b): readonly [OperandLayout, MatmulSpec['b']] => [a, b]),
);

const tiling = tilingOf(12, 8, 7, true);

const sourceOf = (a: OperandLayout, b: MatmulSpec['b']): string =>
  matmulSource({
    m: 12,
    n: 8,
    k: 7,
    a,
    b,
    bias: null,
    tiling,
  });

const symmetric = (layout: 'columns' | 'panels'): string =>
  symmetricSource({ d: 8, k: 7, layout, tiling: tilingOf(8, 8, 7, true) });

/** The WebAssembly module that gpu.js makes of a kernel; private to it, so all the more worth a test. */
const moduleOf = (source: string, output: ReadonlyArray<number>, ...args: ReadonlyArray<Float32Array>): Uint8Array => {
  const gpu = new GPU({ mode: 'webasm' });
  const kernel = gpu.createKernel(source, { output: [...output], precision: 'single' });
  kernel(...args.map((value) => new Input(value as unknown as Array<number>, [value.length])));
  const { _active } = kernel.kernel as unknown as { readonly _active: { readonly bytes: Uint8Array } };
  return _active.bytes;
};

/**
 * Conversions of floats to integers in a module: `i32.trunc_sat_f32_*` (fc 00, fc 01) and `i32x4.trunc_sat_f32x4_*`
 * (fd f8 01, fd f9 01). After a load or store (2a or 38, then its alignment 02) these bytes are an offset.
 */
const conversions = (module: Uint8Array): number => {
  let count = 0;
  for (let i = 2; i + 2 < module.length; i += 1) {
    const offset = module[i - 1] === 2 && (module[i - 2] === 0x2a || module[i - 2] === 0x38);
    const scalar = module[i] === 0xfc && module[i + 1] <= 1;
    const vector = module[i] === 0xfd && (module[i + 1] === 0xf8 || module[i + 1] === 0xf9) && module[i + 2] === 1;
    if (!offset && (scalar || vector)) count += 1;
  }
  return count;
};

describe('kernel sources', () => {
  it('declare pointers so that they stay integers', () => {
    expect(integers(['p', 'q'])).toBe('let p = this.output.x; p++; let q = this.output.x; q++;');
    expect(sourceOf('columns', 'panels')).toContain(integers(['i', 'j', 'p0', 'p1', 'p2', 'p3', 'pb']));
    expect(symmetric('columns')).toContain(integers(['i', 'j', 'p0', 'p1', 'p2', 'p3', 'pb']));
  });

  it.each(pairs)('matmul of %s and %s is compiled without conversions between floats and integers', (a, b) => {
    const source = sourceOf(a, b);
    const output = threadsOf(tiling);
    const left = entries(84);
    const right = entries(84);
    expect(conversions(moduleOf(source, output, left, right))).toBe(0);
    const withFloats = source.replaceAll('this.output.x', '0');
    expect(conversions(moduleOf(withFloats, output, left, right))).toBeGreaterThan(0); // what the declarations are for
  });

  it.each(['columns', 'panels'] as const)('XᵀX of %s is compiled without conversions', (layout) => {
    expect(conversions(moduleOf(symmetric(layout), [4, 2, 2], entries(56)))).toBe(0);
  });

  it('write out two rounds of a loop, and the one that is left over', () => {
    const loop = (count: number): string =>
      unrolledLoop(
        count,
        (u) => `r(${u});`,
        (rounds) => `p += ${rounds};`,
      );
    expect(loop(0)).toBe('');
    expect(loop(1)).toBe('r(0);');
    expect(loop(2)).toBe('for (let k = 0; k < 1; k++) {\nr(0);\nr(1);\np += 2;\n}\n');
    expect(loop(5)).toBe('for (let k = 0; k < 2; k++) {\nr(0);\nr(1);\np += 2;\n}\nr(0);');
  });

  it('have one text for one product', () => {
    const texts = pairs.map(([a, b]) => sourceOf(a, b));
    expect(new Set(texts).size).toBe(texts.length);
    expect(sourceOf('rows', 'columns')).toBe(sourceOf('rows', 'columns'));
  });
});
