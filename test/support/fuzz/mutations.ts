/**
 * Files with something in them that is another: bytes that are flipped, cut, doubled or put in, and in text also numbers, names
 * and depths that no honest writer makes.
 *
 * @module
 */
import fc from 'fast-check';

/** A change of a file. */
export type Mutation = (bytes: Uint8Array) => Uint8Array;

/** A place in a file: where in it, as a part of its length. */
const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });

const at = (bytes: Uint8Array, part: number): number => Math.floor(part * bytes.length);

const spliced = (bytes: Uint8Array, start: number, length: number, put: Uint8Array): Uint8Array => {
  const rest = bytes.subarray(Math.min(bytes.length, start + length));
  const result = new Uint8Array(start + put.length + rest.length);
  result.set(bytes.subarray(0, start));
  result.set(put, start);
  result.set(rest, start + put.length);
  return result;
};

const ofBytes: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(place, fc.integer({ min: 0, max: 255 })).map(
    ([part, byte]): Mutation =>
      (bytes) =>
        bytes.length === 0 ? bytes : spliced(bytes, at(bytes, part), 1, Uint8Array.of(byte)),
  ),
  fc.tuple(place, fc.integer({ min: 0, max: 7 })).map(([part, bit]): Mutation => (bytes) => {
    const position = at(bytes, part);
    return bytes.length === 0 ? bytes : spliced(bytes, position, 1, Uint8Array.of(bytes[position] ^ (1 << bit)));
  }),
  place.map(
    (part): Mutation =>
      (bytes) =>
        bytes.slice(0, at(bytes, part)),
  ),
  fc.tuple(place, fc.integer({ min: 1, max: 64 })).map(
    ([part, length]): Mutation =>
      (bytes) =>
        spliced(bytes, at(bytes, part), length, new Uint8Array(0)),
  ),
  fc.tuple(place, fc.uint8Array({ maxLength: 64 })).map(
    ([part, put]): Mutation =>
      (bytes) =>
        spliced(bytes, at(bytes, part), 0, put),
  ),
  fc.tuple(place, place, fc.integer({ min: 1, max: 64 })).map(
    ([from, to, length]): Mutation =>
      (bytes) =>
        spliced(bytes, at(bytes, to), 0, bytes.slice(at(bytes, from), at(bytes, from) + length)),
  ),
  // The length of a header, an extent or a count: eight bytes that are anything.
  fc
    .tuple(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.boolean(), place)
    .map(([value, isFirst, part]): Mutation => (bytes) => {
      const word = new Uint8Array(8);
      new DataView(word.buffer).setBigUint64(0, value, true);
      return spliced(bytes, isFirst ? 0 : at(bytes, part), 8, word);
    }),
);

/** Numbers and words that a reader may not expect. */
const strange = fc.constantFrom(
  ...['-1', '0', '1e400', '-1e-400', '9007199254740993', '1099511627776', '4611686018427387904', 'NaN', 'null', 'true'],
  ...[
    '[]',
    '{}',
    '""',
    '"__proto__"',
    '"constructor"',
    '"toString"',
    '"../../etc/passwd"',
    '"\\u0000"',
    '[[[[[[[[]]]]]]]]',
  ],
);

/** All places of a text where a number or a name between quotes stands. */
const tokens = /-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|"[^"\n]*"/gi;

const ofText: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(place, strange).map(([part, put]): Mutation => (bytes) => {
    const text = new TextDecoder('latin1').decode(bytes);
    const found = [...text.matchAll(tokens)];
    if (found.length === 0) return bytes;
    const { index, 0: token } = found[Math.floor(part * found.length)];
    return Buffer.from(`${text.slice(0, index)}${put}${text.slice(index + token.length)}`, 'latin1');
  }),
  fc.tuple(place, place).map(([one, other]): Mutation => (bytes) => {
    const text = new TextDecoder('latin1').decode(bytes);
    const found = [...text.matchAll(tokens)];
    if (found.length === 0) return bytes;
    const [to, from] = [one, other].map((part) => found[Math.floor(part * found.length)]);
    return Buffer.from(`${text.slice(0, to.index)}${from[0]}${text.slice(to.index + to[0].length)}`, 'latin1');
  }),
  fc.tuple(place, fc.integer({ min: 1, max: 20000 }), fc.constantFrom('[', '{"a":', '(', '"', '- ', '&a [*a, ')).map(
    ([part, times, put]): Mutation =>
      (bytes) =>
        spliced(bytes, at(bytes, part), 0, Buffer.from(put.repeat(times))),
  ),
);

/**
 * Some changes, one after another.
 *
 * @param isText - whether the file is text, so that what it says is changed and not only how it is written
 */
export const mutations = (isText: boolean): fc.Arbitrary<Mutation> =>
  fc
    .array(isText ? fc.oneof({ weight: 2, arbitrary: ofText }, { weight: 1, arbitrary: ofBytes }) : ofBytes, {
      minLength: 1,
      maxLength: 3,
    })
    .map(
      (changes): Mutation =>
        (bytes) =>
          changes.reduce((changed, change) => change(changed), bytes),
    );
