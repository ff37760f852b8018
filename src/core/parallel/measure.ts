/**
 * How fast messages are: the time that the smallest takes, and the rate of large ones.
 *
 * @module
 */
import type { Collective } from './collective.ts';

/** The α–β model of a sum over all ranks: α seconds and β seconds for each byte. */
export interface MessageCost {
  /** Seconds of a sum of one number, the best of many. */
  readonly latency: number;
  /** Bytes of a large array that are summed in a second, the best of a few. */
  readonly bandwidth: number;
}

/** Numbers in a large message: 4 MB. */
const many = 2 ** 20;

const bestOf = (times: number, clock: () => number, run: () => void): number => {
  let best = Infinity;
  for (let i = 0; i < times; i += 1) {
    const start = clock();
    run();
    best = Math.min(best, clock() - start);
  }
  return best;
};

/**
 * Measures a collective; all ranks do at the same time.
 *
 * @param collective - the processes
 * @param clock - seconds
 * @example
 * ```ts
 * import { measureMessages, simulated } from 'kfac-ts/core';
 *
 * measureMessages(simulated(2), () => performance.now() / 1000).bandwidth > 0; // => true
 * ```
 */
export const measureMessages = (collective: Collective, clock: () => number): MessageCost => {
  const summing = (length: number): (() => void) => {
    const parts = collective.ranks.map(() => new Float32Array(length));
    const out = new Float32Array(length);
    return () => {
      collective.allReduce(parts, out).wait();
    };
  };
  const latency = bestOf(200, clock, summing(1));
  const large = bestOf(10, clock, summing(many));
  return { latency, bandwidth: (4 * many) / large };
};
