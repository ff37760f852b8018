/**
 * What a program knows of the processes that run it together: their collective, and how they decide as one.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';

import type * as E from 'fp-ts/lib/Either.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { BackendOptions } from '../core/backends/choice/choose.ts';
import type { KfacError } from '../core/errors.ts';
import { anyOf, checkSame, toldNumbers } from '../core/parallel/agreement.ts';
import type { Collective } from '../core/parallel/collective.ts';
import type { Launch } from '../core/parallel/mpi/launch.ts';
import type { Saving } from './trainer/snapshot.ts';

/** The processes that run a program together. */
export interface Ranks {
  readonly collective: Collective;
  readonly launch: Launch;
  /** Library and version, for reports. */
  readonly library: string;
  /** Name of this process's host. */
  readonly host: string;
}

/** Whether this process is the one that tells and writes. */
export const isFirst = (ranks: Ranks | undefined): boolean => ranks === undefined || ranks.launch.rank === 0;

/** Threads of a process: processors are shared out among those on a host. */
export const threadsOf = ({ launch }: Ranks, processors: number = availableParallelism()): number =>
  Math.max(1, Math.floor(processors / (launch.local?.size ?? launch.size)));

/** Where to compute: on this process's part of the host, by itself. */
export const backendAlone = (options: BackendOptions, ranks: Ranks | undefined): BackendOptions =>
  ranks === undefined ? options : { ...options, threads: options.threads ?? threadsOf(ranks) };

/** Where to compute: on this process's part of the host, with the others. */
export const backendWith = (options: BackendOptions, ranks: Ranks | undefined): BackendOptions =>
  ranks === undefined ? options : { ...backendAlone(options, ranks), collective: ranks.collective };

/** Whether any process says so, asked by all of them at the same time. */
export const agreed = (ranks: Ranks | undefined, said: boolean): boolean =>
  ranks === undefined ? said : anyOf(ranks.collective, said);

/**
 * Saving that all processes do at the same time, since each has a part of what is saved; the first one writes, and its clock decides.
 *
 * @param ranks - the processes
 * @param saving - that of a process by itself
 */
export const savingTogether = (ranks: Ranks | undefined, saving: Saving): Saving =>
  ranks === undefined
    ? saving
    : {
        isDue: (moment) => agreed(ranks, (isFirst(ranks) || moment.isLast) && saving.isDue(moment)),
        save: isFirst(ranks) ? saving.save : () => TE.right(undefined),
      };

/** The least and the most of some numbers of bytes, in megabytes. */
const megabytes = (bytes: ReadonlyArray<number>): string => {
  const [least, most] = [Math.min(...bytes), Math.max(...bytes)].map((each) => (each / 1e6).toFixed(2));
  return least === most ? `${least} MB` : `${least} to ${most} MB`;
};

/**
 * What training together has cost, in sentences. All processes ask at the same time.
 *
 * @param ranks - the processes
 * @param steps - that were taken
 * @param inverseBytes - bytes of inverses that this process has kept
 */
export const trafficNotes = (
  { collective, library }: Ranks,
  steps: number,
  inverseBytes: number,
): ReadonlyArray<string> => {
  const { messages, carried, waited } = collective.traffic();
  const came = `${(carried / 1e6).toFixed(1)} MB came to the first in ${messages.toLocaleString('en-US')} messages`;
  const told = toldNumbers(collective, [carried / Math.max(1, steps), inverseBytes]);
  const [ofSteps, kept] = [told.map(([each]) => each), told.map(([, each]) => each)];
  return [
    `${collective.size} processes over ${library}: ${came}, on which it spent ${waited.toFixed(1)} s`,
    `${megabytes(ofSteps)} came to each process in a step, and it kept ${megabytes(kept)} of inverses`,
  ];
};

const hashed = (value: unknown): Int32Array => {
  const digest = createHash('sha256')
    .update(JSON.stringify(value) ?? '')
    .digest();
  return Int32Array.from({ length: 8 }, (_, i) => digest.readInt32LE(4 * i));
};

/**
 * Refuses processes that do not run the same, before the first step.
 *
 * @param ranks - the processes
 * @param what - what has to be the same, by name
 */
export const checkAlike = ({ collective }: Ranks, what: Readonly<Record<string, unknown>>): E.Either<KfacError, void> =>
  checkSame(collective, Object.fromEntries(Object.entries(what).map(([name, value]) => [name, hashed(value)])));
