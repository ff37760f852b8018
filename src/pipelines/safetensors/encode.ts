/**
 * Writing safetensors, the file format for parameters that most tools read: the length of a header, a JSON header, the
 * data.
 *
 * Tensors of eight-byte elements come first and the header is padded to eight bytes, so every tensor is aligned in the
 * file.
 *
 * @module
 */
import type { Params } from '../../core/params.ts';
import type { Tensor } from '../../core/tensor.ts';
import { bytesOf, checkTensor } from '../../core/tensor.ts';
import { joinedBytes } from '../files/bytes.ts';
import { codeOf, swapped } from './elementTypes.ts';

const eightBytes = (length: number): Uint8Array => {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt(length), true);
  return new Uint8Array(view.buffer);
};

const toBytes = ({ data, dtype }: Tensor): Uint8Array =>
  swapped(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), dtype);

/**
 * Tensors by path as the content of a safetensors file.
 *
 * @param params - tensors; one whose data do not fill its shape raises
 * @param metadata - text to keep with them
 * @example
 * ```ts
 * import { tensor } from 'kfac-ts/core';
 * import { encodeSafetensors } from 'kfac-ts/pipelines';
 *
 * const file = encodeSafetensors({ weight: tensor([1, 2], [1, 2], 'f32') }, { task: 'mnist-classifier' });
 * file.length % 8; // => 0
 * ```
 */
export const encodeSafetensors = (
  params: Params<Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array => {
  const sorted = Object.entries(params).toSorted(([, a], [, b]) => bytesOf(b.dtype) - bytesOf(a.dtype));
  const ends = sorted.reduce(
    (sums: ReadonlyArray<number>, [path, x]) => [...sums, (sums.at(-1) ?? 0) + checkTensor(path, x).data.byteLength],
    [],
  );
  const entries = sorted.map(
    ([path, { dtype, shape, data }], i) =>
      [path, { dtype: codeOf[dtype], shape, data_offsets: [ends[i] - data.byteLength, ends[i]] }] as const,
  );
  const json = new TextEncoder().encode(JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) }));
  const padding = new TextEncoder().encode(' '.repeat((8 - (json.length % 8)) % 8));
  return joinedBytes([eightBytes(json.length + padding.length), json, padding, ...sorted.map(([, x]) => toBytes(x))]);
};
