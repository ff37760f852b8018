import {
  assemble,
  f32x4,
  f64x2,
  i32,
  local,
  repeatWhile,
  v128,
  valueType,
} from '../../../../src/core/backends/webAssembly/assembler.ts';

interface Runtime {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: object };
}

const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: Runtime };

const instantiate = <Exports>(bytes: Uint8Array): Exports =>
  new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as Exports;

describe('assemble', () => {
  it('makes a module with its functions and its memory', () => {
    // total(end): the sum over elements of x² + 300, with 300 to need two bytes and −1 as a negative constant.
    const [end, at, sum] = [0, 1, 2];
    const x = v128.load(local.get(at), 128);
    const module = instantiate<{
      readonly total: (end: number) => number;
      readonly below: (end: number) => number;
      readonly memory: { readonly buffer: ArrayBuffer };
    }>(
      assemble(1, [
        {
          name: 'total',
          parameters: [valueType.i32],
          results: [valueType.f64],
          locals: [valueType.i32, valueType.v128],
          body: [
            ...repeatWhile(
              [
                ...local.set(sum, f32x4.add(local.get(sum), f32x4.add(f32x4.mul(x, x), f32x4.constant(300)))),
                ...local.set(at, i32.add(local.get(at), i32.constant(16))),
              ],
              i32.lessThan(local.get(at), local.get(end)),
            ),
            ...f64x2.lane(f64x2.fromLower(local.get(sum)), 1),
          ],
        },
        {
          name: 'below',
          parameters: [valueType.i32],
          results: [valueType.i32],
          locals: [],
          body: i32.add(local.get(0), i32.constant(-129)),
        },
      ]),
    );
    new Float32Array(module.memory.buffer).set([9, 2, 9, 9, 9, 5, 9, 9], 128 / 4);
    expect(module.memory.buffer.byteLength).toBe(65_536);
    expect(module.total(32)).toBe(2 * 2 + 300 + 5 * 5 + 300);
    expect(module.below(100)).toBe(-29);
  });
});
