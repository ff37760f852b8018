/**
 * What processes have to agree on that no array says: whether one of them has to stop, whether all run the same.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';

import type { KfacError } from '../errors.ts';
import { attempt, raise } from '../errors.ts';
import type { ReadonlyVector } from '../tensor.ts';
import type { Collective } from './collective.ts';

/**
 * Whether any process says so. All ask at the same time; a `CollectiveFailed` is raised where they cannot.
 *
 * @param collective - the processes
 * @param said - what this one says
 */
export const anyOf = (collective: Collective, said: boolean): boolean => {
  if (collective.size === 1) return said;
  const count = new Int32Array(1);
  collective
    .allReduce(
      collective.ranks.map(() => Int32Array.of(said ? 1 : 0)),
      count,
    )
    .wait();
  return count[0] > 0;
};

/**
 * Numbers of each rank, told to all.
 *
 * @param collective - the processes
 * @param numbers - those of this one, as many as of any other
 */
export const toldNumbers = (
  collective: Collective,
  numbers: ArrayLike<number>,
): ReadonlyArray<ReadonlyArray<number>> => {
  const { length } = numbers;
  const out = new Float64Array(length * collective.size);
  const own = Float64Array.from(numbers);
  collective
    .allGather(
      collective.ranks.map(() => own),
      Array.from({ length: collective.size }, () => length),
      out,
    )
    .wait();
  return Array.from({ length: collective.size }, (_, rank) =>
    Array.from(out.subarray(rank * length, (rank + 1) * length)),
  );
};

/** Most bytes of a text that is told to the others. */
const longest = 256;

/**
 * A short text of each rank, told to all: the name of its host, for example. What is longer than 256 bytes is cut.
 *
 * @param collective - the processes
 * @param text - that of this one
 */
export const toldTexts = (collective: Collective, text: string): ReadonlyArray<string> => {
  const bytes = new TextEncoder().encode(text).subarray(0, longest);
  const own = new Uint8Array(longest);
  own.set(bytes);
  return toldNumbers(collective, own).map((row) =>
    new TextDecoder().decode(Uint8Array.from(row.filter((code) => code > 0))),
  );
};

/**
 * Whether all processes have the same, by digests of it.
 *
 * @param collective - the processes
 * @param digests - numbers that differ where what they stand for does, by what that is called
 * @returns the first of the names and the first rank that has another than rank 0, the same error on every rank
 */
export const checkSame = (
  collective: Collective,
  digests: Readonly<Record<string, Int32Array>>,
): E.Either<KfacError, void> => {
  if (collective.size === 1) return E.right(undefined);
  return attempt(() => {
    for (const [what, digest] of Object.entries(digests)) {
      const [first, ...others] = toldNumbers(collective, digest);
      const other = others.findIndex((row) => row.some((value, i) => value !== first[i]));
      if (other >= 0) {
        raise({
          _tag: 'CollectiveFailed',
          operation: `comparing ${what}`,
          rank: other + 1,
          reason: `it has other ${what} than rank 0`,
        });
      }
    }
  });
};

/** Bits moved up, those at the top to the bottom. */
const turned = (bits: number, by: number): number => (bits << by) | (bits >>> (32 - by));

/**
 * Numbers that differ, but for a chance, where vectors do: two 32-bit sums over words in the manner of FNV-1a. A product takes bits up
 * only, and signs are at the top, where those of two words would cancel: so each sum is turned round before its product.
 *
 * @param vectors - of elements of whole words
 */
export const digestOf = (
  vectors: ReadonlyArray<Pick<ReadonlyVector, 'buffer' | 'byteOffset' | 'byteLength'>>,
): Int32Array => {
  let [a, b] = [0x811c9dc5, 0x1b873593];
  for (const { buffer, byteOffset, byteLength } of vectors) {
    const words = new Int32Array(buffer, byteOffset, byteLength >> 2);
    for (let i = 0; i < words.length; i += 1) {
      a = Math.imul(turned(a ^ words[i], 15), 0x01000193);
      b = Math.imul(turned(b ^ words[i], 17), 0x85ebca6b);
    }
  }
  return Int32Array.of(a, b);
};
