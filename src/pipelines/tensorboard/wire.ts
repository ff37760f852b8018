/**
 * Messages of protocol buffers as bytes: the few types of fields that events are made of.
 *
 * @see https://protobuf.dev/programming-guides/encoding/
 *
 * @module
 */
import { joinedBytes } from '../files/bytes.ts';

/** A whole number of at least 0, seven bits a byte, the low ones first. */
const varint = (value: number): Uint8Array =>
  value < 0x80
    ? Uint8Array.of(value)
    : joinedBytes([Uint8Array.of((value % 0x80) | 0x80), varint(Math.floor(value / 0x80))]);

/** How the bytes of a field end. */
const wireType = { varint: 0, eight: 1, counted: 2, four: 5 } as const;

const field = (number: number, type: keyof typeof wireType, bytes: Uint8Array): Uint8Array =>
  joinedBytes([varint(number * 8 + wireType[type]), bytes]);

/** Numbers of eight bytes, the low ones first. */
const doubles = (values: ReadonlyArray<number>): Uint8Array => {
  const bytes = new DataView(new ArrayBuffer(8 * values.length));
  values.forEach((value, i) => bytes.setFloat64(8 * i, value, true));
  return new Uint8Array(bytes.buffer);
};

const nothing = new Uint8Array();

/** A `double`; 0 is what a reader takes where there is none. */
export const doubleField = (number: number, value: number): Uint8Array =>
  value === 0 ? nothing : field(number, 'eight', doubles([value]));

/** A `float` that is one of several kinds of values, which is there even where it is 0. */
export const floatField = (number: number, value: number): Uint8Array => {
  const bytes = new DataView(new ArrayBuffer(4));
  bytes.setFloat32(0, value, true);
  return field(number, 'four', new Uint8Array(bytes.buffer));
};

/** An `int64` or an enum, of at least 0. */
export const wholeField = (number: number, value: number): Uint8Array =>
  value === 0 ? nothing : field(number, 'varint', varint(value));

/** `bytes`, or a message. */
export const bytesField = (number: number, bytes: Uint8Array): Uint8Array =>
  field(number, 'counted', joinedBytes([varint(bytes.length), bytes]));

/** A `string`. */
export const textField = (number: number, text: string): Uint8Array =>
  bytesField(number, new TextEncoder().encode(text));

/** `repeated double`, packed. */
export const doublesField = (number: number, values: ReadonlyArray<number>): Uint8Array =>
  bytesField(number, doubles(values));
