import fc from 'fast-check';

import type { Tensor } from '../../../src/core/tensor.ts';
import { allocate, tensor } from '../../../src/core/tensor.ts';
import { decodeSafetensors, encodeSafetensors } from '../../../src/pipelines/reports/safetensors.ts';
import { orThrow } from '../../support/training.ts';
import { errorOf } from '../support.ts';

const tensorOf: fc.Arbitrary<Tensor> = fc
  .record({
    dtype: fc.constantFrom('f32' as const, 'f64' as const, 'i32' as const),
    shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
    seed: fc.integer(),
  })
  .map(({ dtype, shape, seed }) => {
    const data = allocate(
      dtype,
      shape.reduce((product, extent) => product * extent, 1),
    );
    for (let i = 0; i < data.length; i += 1) data[i] = Math.sin(seed + i) * 1000;
    return { dtype, shape, data };
  });

const paramsOf = fc.dictionary(
  fc.string({ minLength: 1 }).filter((path) => path !== '__metadata__' && path !== '__proto__'),
  tensorOf,
  { maxKeys: 5 },
);

describe('safetensors', () => {
  it('law: round trip. decode(encode(params)) = params, bit for bit', () => {
    fc.assert(
      fc.property(paramsOf, (params) => {
        expect(orThrow(decodeSafetensors(encodeSafetensors(params, { a: 'b' }), 'f'))).toEqual({ ...params });
      }),
    );
  });

  it('worked example: header and bytes of one tensor', () => {
    const bytes = Buffer.from(encodeSafetensors({ w: tensor([1, -2], [2], 'f32') }));
    const length = Number(bytes.readBigUInt64LE(0));
    expect(length % 8).toBe(0);
    expect(JSON.parse(bytes.subarray(8, 8 + length).toString())).toEqual({
      __metadata__: {},
      w: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
    });
    expect(bytes.subarray(8 + length).toString('hex')).toBe('0000803f000000c0');
  });

  it('law: every tensor is aligned to its elements in the file', () => {
    fc.assert(
      fc.property(paramsOf, (params) => {
        const bytes = Buffer.from(encodeSafetensors(params));
        const length = Number(bytes.readBigUInt64LE(0));
        const header = JSON.parse(bytes.subarray(8, 8 + length).toString()) as Record<
          string,
          { data_offsets: Array<number> }
        >;
        for (const [path, { dtype }] of Object.entries(params)) {
          const [start] = header[path].data_offsets;
          expect((8 + length + start) % (dtype === 'f64' ? 8 : 4)).toBe(0);
        }
      }),
    );
  });

  it('law: a file that was cut off is an error, never an exception', () => {
    const whole = encodeSafetensors({ w: tensor([1, 2, 3], [3]), b: tensor([1], [], 'i32') });
    fc.assert(
      fc.property(fc.nat({ max: whole.length - 1 }), (length) => {
        const error = errorOf(decodeSafetensors(whole.subarray(0, length), 'f'));
        expect(error).toMatchObject({ _tag: 'BadCheckpoint', source: 'f' });
      }),
    );
  });
});
