/**
 * Sums over ranks in half the bytes: numbers travel as bfloat16, the upper half of a 32-bit float, rounded to the nearest, ties to even.
 *
 * MPI knows no such numbers, so it does not add them. Each rank sends every other one a run of its numbers, adds up the runs that it is
 * sent in 32 bits, in the order of the ranks, and tells all the rounded sum: every rank ends with the same bytes. A sum s of addends x
 * is off by at most 2⁻⁸ Σ|x| + 2⁻⁸ |s|, besides the rounding of 32-bit floats.
 *
 * @module
 */
import type { ReadonlyVector } from '../../tensor.ts';
import type { Buffer } from '../../backends/host/kernels/precision.ts';
import type { Collective } from '../collective.ts';
import { evenBounds } from '../collective.ts';

/** How sums over examples travel between ranks: as they are, or as bfloat16. */
export type Wire = 'full' | 'bf16';

/** Elements below which a sum is sent as it is: losses, and whatever else steps decide by. */
const few = 256;

/** Whether a sum of so many elements is rounded on its way. */
export const isRounded = (wire: Wire, length: number): boolean => wire === 'bf16' && length >= few;

const exponent = 0x7f800000;

/** The upper half of a float's bits, rounded; what is no number stays none. */
const rounded = (bits: number): number =>
  (bits & 0x7fffffff) > exponent ? (bits >>> 16) | 0x40 : ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;

/** Pairs of numbers as words, the first in the lower half; a last one without another is beside a zero. */
export const packed = (numbers: ReadonlyVector): Int32Array => {
  const float = new Float32Array(2);
  const bits = new Uint32Array(float.buffer);
  const words = new Int32Array(Math.ceil(numbers.length / 2));
  for (let i = 0; i < words.length; i += 1) {
    float[0] = numbers[2 * i];
    float[1] = 2 * i + 1 < numbers.length ? numbers[2 * i + 1] : 0;
    words[i] = rounded(bits[0]) | (rounded(bits[1]) << 16);
  }
  return words;
};

/** The numbers of words, written to `out`. */
export const unpacked = (words: Int32Array, out: Buffer): void => {
  const bits = new Uint32Array(2);
  const float = new Float32Array(bits.buffer);
  for (let i = 0; i < words.length; i += 1) {
    bits[0] = words[i] << 16;
    bits[1] = words[i] & 0xffff0000;
    out[2 * i] = float[0];
    if (2 * i + 1 < out.length) out[2 * i + 1] = float[1];
  }
};

/** The sum of several runs of words, added up in 32 bits. */
const sumOfRuns = (runs: Int32Array, count: number): Int32Array => {
  const length = runs.length / count;
  const sum = new Float32Array(2 * length);
  const addend = new Float32Array(2 * length);
  for (let r = 0; r < count; r += 1) {
    unpacked(runs.subarray(r * length, (r + 1) * length), addend);
    for (let i = 0; i < sum.length; i += 1) sum[i] += addend[i];
  }
  return packed(sum);
};

/**
 * The sum over ranks, rounded on its way.
 *
 * @param collective - the ranks
 * @param parts - what each rank here adds
 * @param out - where the sum goes
 * @returns what waits for the first of two messages and sends the second
 */
export const roundedSum = (
  collective: Collective,
  parts: ReadonlyArray<ReadonlyVector>,
  out: Buffer,
): { readonly wait: () => void } => {
  const { size, ranks } = collective;
  const words = Math.ceil(out.length / 2);
  const bounds = evenBounds(words, size);
  const lengths = Array.from({ length: size }, (_, rank) => bounds[rank + 1] - bounds[rank]);
  const runs = ranks.map((rank) => new Int32Array(size * lengths[rank]));
  const exchanged = collective.allToAll(parts.map(packed), lengths, runs);
  return {
    wait: () => {
      exchanged.wait();
      const whole = new Int32Array(words);
      const sums = runs.map((own) => sumOfRuns(own, size));
      collective.allGather(sums, lengths, whole).wait();
      unpacked(whole, out);
    },
  };
};
