import * as E from 'fp-ts/lib/Either.js';
import fc from 'fast-check';

import { decodeIdx } from '../../../src/pipelines/data/idx.ts';
import type { IdxType } from '../support.ts';
import { errorOf, idxFile } from '../support.ts';
import { orThrow } from '../../support/training.ts';

const ranges: Readonly<Record<IdxType, fc.Arbitrary<number>>> = {
  u8: fc.integer({ min: 0, max: 255 }),
  i8: fc.integer({ min: -128, max: 127 }),
  i16: fc.integer({ min: -32768, max: 32767 }),
  i32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  f32: fc.float(),
  f64: fc.double(),
};

const typeOf = fc.constantFrom<IdxType>('u8', 'i8', 'i16', 'i32', 'f32', 'f64');

const arrayOf = typeOf.chain((type) =>
  fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 3 }).chain((shape) => {
    const size = shape.reduce((product, extent) => product * extent, 1);
    return fc.record({
      type: fc.constant(type),
      shape: fc.constant(shape),
      values: fc.array(ranges[type], { minLength: size, maxLength: size }),
    });
  }),
);

describe('decodeIdx', () => {
  it('worked example: two 1 × 2 byte images', () => {
    const bytes = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 10, 20, 30, 255);
    const { shape, kind, data } = orThrow(decodeIdx(bytes, 'x'));
    expect(shape).toEqual([2, 1, 2]);
    expect(kind).toBe('byte');
    expect(Array.from(data)).toEqual([10, 20, 30, 255]);
  });

  it('law: round trip. decode(encode(array)) = array for every element type', () => {
    fc.assert(
      fc.property(arrayOf, ({ type, shape, values }) => {
        const decoded = orThrow(decodeIdx(idxFile(type, shape, values), 'x'));
        expect(decoded.shape).toEqual(shape);
        expect(Array.from(decoded.data)).toEqual(values);
      }),
    );
  });

  it('law: a file that was cut off anywhere is an error that names the file', () => {
    fc.assert(
      fc.property(arrayOf, fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), (array, part) => {
        const whole = idxFile(array.type, array.shape, array.values);
        const error = errorOf(decodeIdx(whole.subarray(0, Math.floor(part * whole.length)), 'train-images'));
        expect(error).toMatchObject({ _tag: 'BadData', source: 'train-images' });
      }),
    );
  });

  it('law: bytes after the last element are an error', () => {
    fc.assert(
      fc.property(arrayOf, ({ type, shape, values }) => {
        const longer = Buffer.concat([idxFile(type, shape, values), Buffer.alloc(1)]);
        expect(E.isLeft(decodeIdx(longer, 'x'))).toBe(true);
      }),
    );
  });

  it.each([
    ['a PNG file', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d)],
    ['an unknown element type', Uint8Array.of(0, 0, 0x0a, 1, 0, 0, 0, 1, 5)],
    ['little-endian numbers', Uint8Array.of(1, 8, 0, 0, 1, 0, 0, 0, 5)],
  ])('refuses %s by its magic number', (_, bytes) => {
    const error = errorOf(decodeIdx(bytes, 'x'));
    expect(error).toMatchObject({ _tag: 'BadData', expected: expect.stringContaining('magic number') as string });
  });

  it('says how many bytes a cut-off file should have', () => {
    const bytes = idxFile(
      'u8',
      [3, 2, 2],
      Array.from({ length: 12 }, () => 7),
    ).subarray(0, 20);
    expect(errorOf(decodeIdx(bytes, 'x'))).toMatchObject({
      expected: '28 bytes for shape [3, 2, 2]',
      actual: '20 bytes',
    });
  });
});
