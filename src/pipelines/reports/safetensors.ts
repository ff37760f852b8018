/**
 * safetensors, the file format for parameters that most tools read: the length of a header, a JSON header, the data.
 *
 * Tensors of eight-byte elements come first and the header is padded to eight bytes, so every tensor is aligned in the
 * file.
 *
 * @module
 */
import { endianness } from 'node:os';

import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as t from 'io-ts';

import type { KfacError } from '../../core/errors.ts';
import type { Params } from '../../core/params.ts';
import type { DType, ReadonlyVector, Tensor } from '../../core/tensor.ts';
import { bytesOf, sizeOf } from '../../core/tensor.ts';

const codeOf: Readonly<Record<DType, string>> = { f32: 'F32', f64: 'F64', i32: 'I32' };

/** The bytes in the other order, where this machine's is not that of the file. */
const swapped = (bytes: Uint8Array, dtype: DType): Uint8Array => {
  if (endianness() === 'LE') return bytes;
  const copy = Buffer.from(bytes);
  return dtype === 'f64' ? copy.swap64() : copy.swap32();
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
  const json = Buffer.from(JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) }));
  const header = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, ' ')]);
  const length = new DataView(new ArrayBuffer(8));
  length.setBigUint64(0, BigInt(header.length), true);
  return Buffer.concat([new Uint8Array(length.buffer), header, ...sorted.map(([, x]) => toBytes(x))]);
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
  const length = bytes.length < 8 ? Infinity : Number(Buffer.from(bytes.subarray(0, 8)).readBigUInt64LE());
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
      (): unknown => JSON.parse(Buffer.from(bytes.subarray(8, 8 + length)).toString()),
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
