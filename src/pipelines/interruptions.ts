/**
 * What ends a program before its time: signals, and output that nobody takes.
 *
 * A run that listens finishes its step, writes what there is and ends; a second signal ends the process at once. Who does not
 * listen is ended at once by the first.
 *
 * @module
 */
import type * as IO from 'fp-ts/lib/IO.js';
import * as IOR from 'fp-ts/lib/IORef.js';

import { reasonOf } from './files/fileSystem.ts';
import { codeOf } from './files/thrown.ts';

/** Why a program has to end. */
export interface Interruption {
  /** The signal, or what became of the output. */
  readonly by: string;
  /** What the program ends with. */
  readonly exitCode: number;
  /** Whether someone is there to be told. */
  readonly isQuiet: boolean;
}

/** Told of an interruption, the first one only. */
export type Interrupted = (interruption: Interruption) => IO.IO<void>;

/** Listens until what it gives is run. */
export type Interruptions = (told: Interrupted) => IO.IO<IO.IO<void>>;

/** By custom, 128 and the number of the signal. */
const signals = { SIGINT: 130, SIGTERM: 143 } as const;

/** A reader that has seen enough, for example `head`, is no error; a full disk is. */
const ofOutput = (error: unknown): Interruption =>
  codeOf(error) === 'EPIPE'
    ? { by: 'a closed output', exitCode: 0, isQuiet: true }
    : { by: `standard output, which cannot be written: ${reasonOf(error)}`, exitCode: 1, isQuiet: false };

/** Those of this process. */
export const interruptionsHere: Interruptions = (told) => () => {
  const isFirst = IOR.newIORef(true)();
  const tell = (interruption: Interruption): void => {
    isFirst.write(false)();
    told(interruption)();
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    const exitCode = signal === 'SIGTERM' ? signals.SIGTERM : signals.SIGINT;
    if (isFirst.read()) tell({ by: signal, exitCode, isQuiet: false });
    else process.exit(exitCode);
  };
  // Every line that nobody takes is an error; one is enough.
  const onOutput = (error: unknown): void => {
    if (isFirst.read()) tell(ofOutput(error));
  };
  Object.keys(signals).forEach((signal) => process.on(signal, onSignal));
  process.stdout.on('error', onOutput);
  return () => {
    Object.keys(signals).forEach((signal) => process.off(signal, onSignal));
    process.stdout.off('error', onOutput);
  };
};

/**
 * Ends the process where its output fails and no run listens that would write what there is.
 *
 * @param error - of standard output
 */
export const endWithoutOutput = (error: unknown): void => {
  if (process.stdout.listenerCount('error') > 1) return;
  const { by, exitCode, isQuiet } = ofOutput(error);
  if (!isQuiet) process.stderr.write(`error: ended by ${by}.\n`);
  process.exit(exitCode);
};
