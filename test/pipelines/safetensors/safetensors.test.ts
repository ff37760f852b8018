import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';

import type { Tensor } from '../../../src/core/tensor.ts';
import { allocate, checkTensor, tensor } from '../../../src/core/tensor.ts';
import { decodeSafetensors } from '../../../src/pipelines/safetensors/decode.ts';
import { elementTypes } from '../../../src/pipelines/safetensors/elementTypes.ts';
import { encodeSafetensors } from '../../../src/pipelines/safetensors/encode.ts';
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

/** A tensor as the oracle reads it. */
interface Read {
  readonly type: string;
  readonly shape: ReadonlyArray<number>;
  readonly values: ReadonlyArray<number | 'NaN' | 'Infinity' | '-Infinity'> | null;
}

interface File {
  readonly name: string;
  readonly hex: string;
  readonly refused?: string;
  readonly tensors?: Readonly<Record<string, Read>>;
}

const files = JSON.parse(
  readFileSync(join(__dirname, '../../fixtures/safetensors/files.json'), 'utf8'),
) as ReadonlyArray<File>;

const whole = (value: number): boolean => Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31;

/** Whether this library has the type of a tensor, and room for its integers. */
const isHeld = ({ type, values }: Read): boolean =>
  Object.hasOwn(elementTypes, type) &&
  (elementTypes[type].dtype !== 'i32' || (values ?? []).every((value) => typeof value === 'number' && whole(value)));

describe('the reader of the safetensors package as oracle', () => {
  const rows = files.map((file) => [file.name, file] as const);

  it.each(rows.filter(([, { refused }]) => refused !== undefined))('refuses %s, as it does', (_, { hex }) => {
    expect(errorOf(decodeSafetensors(Buffer.from(hex, 'hex'), 'f'))).toMatchObject({
      _tag: 'BadCheckpoint',
      source: 'f',
    });
  });

  it.each(rows.filter(([, { tensors }]) => tensors !== undefined))(
    'reads %s as it does',
    (_, { hex, tensors = {} }) => {
      const decoded = decodeSafetensors(Buffer.from(hex, 'hex'), 'f');
      if (!Object.values(tensors).every(isHeld)) {
        expect(errorOf(decoded)).toMatchObject({ _tag: 'BadCheckpoint', source: 'f' });
        return;
      }
      const read = orThrow(decoded);
      expect(Object.keys(read).toSorted()).toEqual(Object.keys(tensors).toSorted());
      for (const [path, { type, shape, values }] of Object.entries(tensors)) {
        expect(read[path].shape).toEqual(shape);
        expect(read[path].dtype).toBe(elementTypes[type].dtype);
        expect(Array.from(read[path].data)).toEqual((values ?? []).map(Number));
      }
    },
  );

  it('has files of both sorts', () => {
    expect(files.filter(({ tensors }) => tensors !== undefined).length).toBeGreaterThan(60);
    expect(files.filter(({ refused }) => refused !== undefined).length).toBeGreaterThan(60);
  });
});

describe('errors of safetensors files', () => {
  const file = (header: unknown, data = new Uint8Array(0)): Uint8Array => {
    const json = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    return Buffer.concat([length, json, data]);
  };
  const entry = (dtype: unknown, shape: unknown, offsets: unknown) => ({ dtype, shape, data_offsets: offsets });

  it.each<readonly [string, Uint8Array, string, string]>([
    [
      'a type that is not read',
      file({ w: entry('F8_E4M3', [2], [0, 2]) }, new Uint8Array(2)),
      'a type of "w" that is one of F64, F32, F16, BF16, I64, I32, I16, I8, U64, U32, U16, U8, BOOL',
      '"F8_E4M3"',
    ],
    [
      'an array without its data',
      file({ bias: entry('F32', [1000, 1000], [0, 0]) }),
      'data_offsets of "bias" around the 4000000 bytes of F32 in shape [1000, 1000]',
      '[0, 0]',
    ],
    [
      'a negative extent',
      file({ w: entry('F32', [-1], [0, 4]) }),
      'a shape of "w" of whole numbers of at least 0',
      '[-1]',
    ],
    [
      'half a number',
      file({ w: entry('F32', [1], [0.5, 4.5]) }),
      'two whole numbers as data_offsets of "w"',
      '[0.5, 4.5]',
    ],
    [
      'overlap',
      file({ a: entry('F32', [2], [0, 8]), b: entry('F32', [2], [4, 12]) }, new Uint8Array(12)),
      'the data of "b" at byte 8, after those before it',
      'byte 4',
    ],
    [
      'a rest',
      file({ a: entry('F32', [1], [0, 4]) }, new Uint8Array(8)),
      '4 bytes of data, as the header says',
      '8 bytes',
    ],
    [
      'a long integer',
      file({ a: entry('I64', [1], [0, 8]) }, Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0)),
      'elements of "a" that i32 holds',
      'I64 4294967296 at position 0',
    ],
  ])('worked example: %s is named', (_, bytes, expected, actual) => {
    expect(decodeSafetensors(bytes, 'model.safetensors')).toEqual(
      E.left({ _tag: 'BadCheckpoint', source: 'model.safetensors', expected, actual }),
    );
  });

  it('law: whatever the header says, the outcome is parameters whose data fill their shapes, or an error', () => {
    const extents = fc.array(fc.oneof(fc.nat(3), fc.integer(), fc.double()), { maxLength: 3 });
    const odd = fc.oneof(fc.jsonValue(), extents);
    const entries = fc.dictionary(
      fc.string(),
      fc.oneof(
        fc.record({ dtype: fc.constantFrom('F32', 'I64', 'BF16'), shape: odd, data_offsets: odd }),
        fc.jsonValue(),
      ),
    );
    fc.assert(
      fc.property(entries, fc.uint8Array({ maxLength: 24 }), (header, data) => {
        const decoded = decodeSafetensors(file(header, data), 'f');
        if (E.isLeft(decoded)) expect(decoded.left._tag).toBe('BadCheckpoint');
        else Object.entries(decoded.right).forEach(([path, x]) => checkTensor(path, x));
      }),
    );
  });
});

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
