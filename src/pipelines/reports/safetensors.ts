/**
 * safetensors, the file format for parameters that most tools read: the length of a header, a JSON header, the data.
 *
 * Tensors of eight-byte elements come first and the header is padded to eight bytes, so every tensor is aligned in the
 * file.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as t from 'io-ts';

import type { KfacError } from '../../core/errors.ts';
import type { Params } from '../../core/params.ts';
import type { DType, ReadonlyVector, Tensor } from '../../core/tensor.ts';
import { bytesOf, sizeOf } from '../../core/tensor.ts';

const codeOf: Readonly<Record<DType, string>> = { f32: 'F32', f64: 'F64', i32: 'I32' };

/** Whether this machine stores the low byte of a number first, as the file does. */
const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** The bytes in the other order, where this machine's is not that of the file. */
const swapped = (bytes: Uint8Array, dtype: DType): Uint8Array => {
  const last = bytesOf(dtype) - 1;
  return isLittleEndian ? bytes : bytes.map((_, i) => bytes[i - (i & last) + (last - (i & last))]);
};

/** Arrays of bytes, one after another. */
const joined = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  parts.reduce((at, part) => {
    whole.set(part, at);
    return at + part.length;
  }, 0);
  return whole;
};

const eightBytes = (length: number): Uint8Array => {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt(length), true);
  return new Uint8Array(view.buffer);
};

const toBytes = ({ data, dtype }: Tensor): Uint8Array =>
  swapped(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), dtype);

const fromBytes = (bytes: Uint8Array, dtype: DType): ReadonlyVector => {
  const { buffer } = Uint8Array.from(swapped(bytes, dtype)); // a copy, and so aligned
  return dtype === 'f32'
    ? new Float32Array(buffer)
    : dtype === 'f64'
      ? new Float64Array(buffer)
      : new Int32Array(buffer);
};

interface Entry {
  readonly dtype: string;
  readonly shape: ReadonlyArray<number>;
  readonly data_offsets: ReadonlyArray<number>;
}

/**
 * Tensors by path as the content of a safetensors file.
 *
 * @param params - tensors
 * @param metadata - text to keep with them
 */
export const encodeSafetensors = (
  params: Params<Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array => {
  const sorted = Object.entries(params).toSorted(([, a], [, b]) => bytesOf(b.dtype) - bytesOf(a.dtype));
  const ends = sorted.reduce(
    (sums: ReadonlyArray<number>, [, x]) => [...sums, (sums.at(-1) ?? 0) + x.data.byteLength],
    [],
  );
  const entries = sorted.map(([path, { dtype, shape, data }], i): readonly [string, Entry] => [
    path,
    { dtype: codeOf[dtype], shape, data_offsets: [ends[i] - data.byteLength, ends[i]] },
  ]);
  const json = new TextEncoder().encode(JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) }));
  const padding = new TextEncoder().encode(' '.repeat((8 - (json.length % 8)) % 8));
  return joined([eightBytes(json.length + padding.length), json, padding, ...sorted.map(([, x]) => toBytes(x))]);
};

const EntryCodec: t.Decoder<unknown, Entry> = t.type({
  dtype: t.string,
  shape: t.array(t.number),
  data_offsets: t.array(t.number),
});

const Header = t.record(t.string, t.unknown);

const tensorOf = (entry: Entry, data: Uint8Array): Tensor | undefined => {
  const [start, end] = entry.data_offsets;
  const found = Object.entries(codeOf).find(([, code]) => code === entry.dtype);
  const dtype = (['f32', 'f64', 'i32'] as const).find((name) => name === found?.[0]);
  const fits = dtype !== undefined && end <= data.length && end - start === sizeOf(entry.shape) * bytesOf(dtype);
  return fits ? { shape: entry.shape, dtype, data: fromBytes(data.subarray(start, end), dtype) } : undefined;
};

/**
 * Reads the content of a safetensors file with tensors of types that this library has.
 *
 * @param bytes - the whole file
 * @param source - name of the file, for errors
 */
export const decodeSafetensors = (bytes: Uint8Array, source: string): E.Either<KfacError, Params<Tensor>> => {
  const bad = (expected: string, actual: string): KfacError => ({ _tag: 'BadCheckpoint', source, expected, actual });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length < 8 ? Infinity : Number(view.getBigUint64(0, true));
  if (8 + length > bytes.length) return E.left(bad('a header within the file', `${bytes.length} bytes`));
  const data = bytes.subarray(8 + length);
  const decodeEntry = (path: string, entry: unknown): E.Either<KfacError, readonly [string, Tensor]> =>
    pipe(
      EntryCodec.decode(entry),
      E.map((decoded) => tensorOf(decoded, data)),
      E.chainW(E.fromNullable(undefined)),
      E.bimap(
        () => bad(`a tensor of type ${Object.values(codeOf).join(', ')} within the file`, `something else at ${path}`),
        (decoded) => [path, decoded] as const,
      ),
    );
  return pipe(
    E.tryCatch(
      (): unknown => JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))),
      () => bad('a JSON header', 'other bytes'),
    ),
    E.chain((json) =>
      pipe(
        Header.decode(json),
        E.mapLeft(() => bad('a JSON object as header', typeof json)),
      ),
    ),
    E.chain((header) =>
      pipe(
        Object.entries(header).filter(([path]) => path !== '__metadata__'),
        E.traverseArray(([path, entry]) => decodeEntry(path, entry)),
      ),
    ),
    E.map((decoded) => Object.fromEntries(decoded)),
  );
};
