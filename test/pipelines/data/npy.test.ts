import * as E from 'fp-ts/lib/Either.js';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';

import { describeError } from '../../../src/core/errors.ts';
import { readArray } from '../../../src/pipelines/data/arrayFiles.ts';
import { decodeNpy } from '../../../src/pipelines/data/npy.ts';
import { orThrow } from '../../support/training.ts';
import { errorOf, memoryFiles } from '../support.ts';

/** Files that NumPy 2.4.6 wrote with `numpy.lib.format.write_array`. */
const written = {
  f8: 'k05VTVBZAQB2AHsnZGVzY3InOiAnPGY4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAD4PwAAAAAAAADAAAAAAAAACEAAAAAAAAAQQAAAAAAAABRAAAAAAAAAGUA=',
  f4: 'k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAMA/AAAAwAAAQEAAAIBAAACgQAAAyEA=',
  f2: 'k05VTVBZAQB2AHsnZGVzY3InOiAnPGYyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAPgDAAEIARABFQEY=',
  i8: 'k05VTVBZAQB2AHsnZGVzY3InOiAnPGk4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoBAAAAAAAAAP7/////////AwAAAAAAAAAEAAAAAAAAAAUAAAAAAAAABgAAAAAAAAA=',
  u1: 'k05VTVBZAQB2AHsnZGVzY3InOiAnfHUxJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDMsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAB/8=',
  bool: 'k05VTVBZAQB2AHsnZGVzY3InOiAnfGIxJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoBAA==',
  fortran:
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPGY4JywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMiwgMyksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAD4PwAAAAAAABBAAAAAAAAAAMAAAAAAAAAUQAAAAAAAAAhAAAAAAAAAGUA=',
  v2: 'k05VTVBZAgB0AAAAeydkZXNjcic6ICc8ZjgnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMiwgMyksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAD4PwAAAAAAAADAAAAAAAAACEAAAAAAAAAQQAAAAAAAABRAAAAAAAAAGUA=',
  scalar:
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPGY4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAAEQA==',
  big: 'k05VTVBZAQB2AHsnZGVzY3InOiAnPmY4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAo/+AAAAAAAAMAAAAAAAAAAQAgAAAAAAABAEAAAAAAAAEAUAAAAAAAAQBkAAAAAAAA=',
  object:
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPFUxJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDEsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAphAAAA',
  F3: 'k05VTVBZAQB2AHsnZGVzY3InOiAnPGk0JywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMiwgMywgNCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAADAAAAAQAAAAQAAAACAAAABQAAAABAAAADQAAAAUAAAARAAAACQAAABUAAAACAAAADgAAAAYAAAASAAAACgAAABYAAAADAAAADwAAAAcAAAATAAAACwAAABcAAAA=',
} as const;

const bytesOf = (name: keyof typeof written): Uint8Array => Uint8Array.from(Buffer.from(written[name], 'base64'));

const fractions = [1.5, -2, 3, 4, 5, 6.25];
const upTo24 = Array.from({ length: 24 }, (_, i) => i);

describe('decodeNpy', () => {
  it.each([
    ['f8', [2, 3], 'Float64Array', fractions],
    ['f4', [2, 3], 'Float32Array', fractions],
    ['f2', [2, 3], 'Float32Array', fractions],
    ['v2', [2, 3], 'Float64Array', fractions],
    ['fortran', [2, 3], 'Float64Array', fractions],
    ['F3', [2, 3, 4], 'Int32Array', upTo24],
    ['i8', [2, 3], 'Int32Array', [1, -2, 3, 4, 5, 6]],
    ['u1', [3], 'Uint8Array', [0, 7, 255]],
    ['bool', [2], 'Int32Array', [1, 0]],
    ['scalar', [], 'Float64Array', [2.5]],
  ] as const)('reads what NumPy wrote: %s', (name, shape, type, values) => {
    const { shape: found, data } = orThrow(decodeNpy(bytesOf(name), name));
    expect([found, Object.prototype.toString.call(data), Array.from(data)]).toEqual([
      shape,
      `[object ${type}]`,
      values,
    ]);
  });

  it.each([
    ['numbers whose high byte is first', bytesOf('big'), '>f8'],
    ['text', bytesOf('object'), '<U1'],
    ['another file', new Uint8Array(40), 'begin otherwise'],
    ['a file that was cut off', bytesOf('f8').subarray(0, 170), '176 bytes for shape [2, 3]'],
    ['a header that was cut off', bytesOf('f8').subarray(0, 60), 'a whole header'],
    ['a number that no integer of 32 bits is', large(), '2147483648'],
  ])('says what is wrong with %s', (_, bytes, said) => {
    expect(describeError(errorOf(decodeNpy(bytes, 'array.npy')))).toMatch(/^array\.npy/);
    expect(describeError(errorOf(decodeNpy(bytes, 'array.npy')))).toContain(said);
  });

  it('law: bytes of any kind are read or refused, never a fault', () => {
    const places = fc.array(fc.tuple(fc.nat(175), fc.integer({ min: 0, max: 255 })), { maxLength: 4 });
    fc.assert(
      fc.property(places, (changes) => {
        const bytes = bytesOf('f8');
        for (const [at, byte] of changes) bytes[at] = byte;
        expect(E.isLeft(decodeNpy(bytes, '')) || E.isRight(decodeNpy(bytes, ''))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

/** The file of integers of 64 bits, with one that is too large in the first place. */
function large(): Uint8Array {
  const bytes = bytesOf('i8');
  new DataView(bytes.buffer).setBigUint64(128, 2n ** 31n, true);
  return bytes;
}

describe('readArray', () => {
  it('tells an IDX file from an NPY file, compressed or not', async () => {
    const idx = new Uint8Array([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]);
    const files = memoryFiles({ idx, npy: bytesOf('f8'), 'more.gz': gzipSync(bytesOf('f8')), none: 'text' });
    expect(Array.from(orThrow(await readArray(files, 'idx')()).data)).toEqual([7, 8, 9]);
    expect(Array.from(orThrow(await readArray(files, 'npy')()).data)).toEqual(fractions);
    expect(Array.from(orThrow(await readArray(files, 'more')()).data)).toEqual(fractions);
    expect(describeError(errorOf(await readArray(files, 'none')()))).toContain('IDX');
  });
});
