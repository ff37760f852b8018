/**
 * What a program of this folder may do to the world outside, as a record that tests replace.
 *
 * @module
 */
import type * as IO from 'fp-ts/lib/IO.js';

import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../core/errors.ts';
import type { FileSystem } from './files/fileSystem.ts';
import { nodeFileSystem, reasonOf } from './files/fileSystem.ts';
import type { Interruptions } from './interruptions.ts';
import { interruptionsHere } from './interruptions.ts';
import type { Ranks } from './ranks.ts';

/** Output, files, clocks and memory of the process. */
export interface World {
  /** A line on standard output. */
  readonly out: (line: string) => IO.IO<void>;
  /** Text on standard output as it is, without an end of line; none where there is only a place for lines. */
  readonly print?: (text: string) => IO.IO<void>;
  /** Everything on standard input, where there is one. */
  readonly input?: TE.TaskEither<KfacError, Uint8Array>;
  /** A line on standard error. */
  readonly err: (line: string) => IO.IO<void>;
  /** Whether a person watches standard error, so that a bar that redraws itself makes sense. */
  readonly isWatched: boolean;
  readonly files: FileSystem;
  /** Seconds on a clock that only moves forward. */
  readonly clock: IO.IO<number>;
  readonly date: IO.IO<Date>;
  /** Memory that the process holds now and held at most, in MiB. */
  readonly memory: IO.IO<Memory>;
  /** Tells of signals and of output that nobody takes; without it they end the program at once. */
  readonly interruptions?: Interruptions;
  /** The processes that run the program together with this one; without it this one is alone. */
  readonly ranks?: Ranks;
}

/** Resident memory in MiB. */
export interface Memory {
  readonly now: number;
  readonly peak: number;
}

const mebibyte = 2 ** 20;

/** This process. */
export const nodeWorld: World = {
  out: (line) => () => void process.stdout.write(`${line}\n`),
  print: (text) => () => void process.stdout.write(text),
  input: TE.tryCatch(
    async () => Buffer.concat(await process.stdin.toArray()),
    (thrown): KfacError => ({
      _tag: 'FileFailed',
      path: 'standard input',
      operation: 'read',
      reason: reasonOf(thrown),
    }),
  ),
  err: (line) => () => void process.stderr.write(`${line}\n`),
  isWatched: process.stderr.isTTY,
  files: nodeFileSystem,
  clock: () => performance.now() / 1000,
  date: () => new Date(),
  memory: () => ({
    now: process.memoryUsage.rss() / mebibyte,
    peak: process.resourceUsage().maxRSS / 1024, // which is in KiB
  }),
  interruptions: interruptionsHere,
};
