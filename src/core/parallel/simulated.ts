/**
 * Ranks of one process, for laws and for programs without MPI: what a collective operation gives is computed on the spot.
 *
 * @module
 */
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { Buffer } from '../backends/host/kernels/precision.ts';
import type { ReadonlyVector } from '../tensor.ts';
import { extent } from '../settings.ts';
import type { Collective, Posted } from './collective.ts';
import { carriedBy } from './collective.ts';

const done: Posted = { wait: () => undefined, done: TE.right(undefined) };

/** A vector that a collective may write to: its caller has made it for that. */
const writable = (data: ReadonlyVector): Buffer => data as Buffer;

/**
 * So many ranks in this process.
 *
 * @param size - how many, at least 1
 * @example
 * ```ts
 * import { simulated } from 'kfac-ts/core';
 *
 * const out = new Float32Array(2);
 * simulated(2).allReduce([Float32Array.of(1, 2), Float32Array.of(3, 4)], out).wait();
 * Array.from(out); // => [4, 6]
 * ```
 */
export const simulated = (size: number): Collective => {
  const ranks = Array.from({ length: extent('simulated.size', size) }, (_, rank) => rank);
  let [messages, bytes, carried] = [0, 0, 0];
  /** What each rank takes in is the mean of what all do. */
  const posted = (takenIn: number, ...parts: ReadonlyArray<ReadonlyVector>): Posted => {
    messages += 1;
    bytes += parts.reduce((sum, part) => sum + part.byteLength, 0);
    carried += takenIn;
    return done;
  };
  /** Of an array of which each rank has a run, what comes in from the others in the mean. */
  const ofOthers = ({ byteLength }: ReadonlyVector): number => carriedBy.runs(byteLength, byteLength / size);
  const sumInto = (parts: ReadonlyArray<ReadonlyVector>, begin: number, out: ReadonlyVector): void => {
    const [first, ...others] = parts;
    const to = writable(out);
    for (let i = 0; i < to.length; i += 1) {
      let sum = first[begin + i];
      for (const part of others) sum += part[begin + i];
      to[i] = sum;
    }
  };
  return {
    name: 'simulated',
    size,
    ranks,
    allReduce: (parts, out) => {
      sumInto(parts, 0, out);
      return posted(carriedBy.sum(out.byteLength, size), ...parts);
    },
    allGather: (parts, lengths, out) => {
      const to = writable(out);
      let begin = 0;
      for (const [rank, part] of parts.entries()) {
        for (let i = 0; i < lengths[rank]; i += 1) to[begin + i] = part[i];
        begin += lengths[rank];
      }
      return posted(ofOthers(out), ...parts);
    },
    broadcast: (_, data, among = ranks) => posted((data.byteLength * (among.length - 1)) / size, data),
    reduceScatter: (parts, lengths, outs) => {
      let begin = 0;
      for (const rank of ranks) {
        sumInto(parts, begin, outs[rank]);
        begin += lengths[rank];
      }
      return posted(ofOthers(parts[0]), ...parts);
    },
    allToAll: (parts, lengths, outs) => {
      let begin = 0;
      for (const rank of ranks) {
        const to = writable(outs[rank]);
        for (const [from, part] of parts.entries()) {
          for (let i = 0; i < lengths[rank]; i += 1) to[from * lengths[rank] + i] = part[begin + i];
        }
        begin += lengths[rank];
      }
      return posted(ofOthers(parts[0]), ...parts);
    },
    barrier: () => posted(0),
    progress: () => undefined,
    traffic: () => ({ messages, bytes, carried, waited: 0 }),
    abort: () => undefined,
    end: () => undefined,
  };
};

/**
 * A process by itself.
 *
 * @example
 * ```ts
 * import { single } from 'kfac-ts/core';
 *
 * single().ranks; // => [0]
 * ```
 */
export const single = (): Collective => ({ ...simulated(1), name: 'single' });
