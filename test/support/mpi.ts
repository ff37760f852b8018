/**
 * Programs on several ranks: under each MPI that this machine has.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';

import { patience } from './eventually.ts';
import type { Ran } from './program.ts';
import { runOf } from './program.ts';

/** A launcher, and what it takes to run more processes than there are processors, as whoever runs the tests. */
interface Launcher {
  readonly name: string;
  readonly command: string;
  readonly flags: ReadonlyArray<string>;
}

const known: ReadonlyArray<Launcher> = [
  {
    name: 'Open MPI',
    command: 'mpirun.openmpi',
    flags: ['--allow-run-as-root', '--oversubscribe', '--bind-to', 'none'],
  },
  { name: 'MPICH', command: 'mpirun.mpich', flags: [] },
];

/** The launchers of this machine. */
export const launchers: ReadonlyArray<Launcher> = known.filter(
  ({ command }) => spawnSync(command, ['--version']).error === undefined,
);

/** One thread for each process; Open MPI, which counts only its own ranks, is told that others want the cores as well. */
const surroundings = { OPENBLAS_NUM_THREADS: '1', OMPI_MCA_mpi_yield_when_idle: '1' };

/** Runs a program of Node.js and waits for it. */
export const run = (command: string, args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}): Ran =>
  runOf(command, args, { env: { ...surroundings, ...env }, timeout: patience });

/** Runs it on several ranks. */
export const runOnRanks = ({ command, flags }: Launcher, ranks: number, args: ReadonlyArray<string>): Ran =>
  run(command, [...flags, '-n', String(ranks), process.execPath, ...args]);

/**
 * Tests under each launcher. Where there is none, `KFAC_REQUIRE_MPI` (continuous integration) makes that a failure.
 *
 * @param define - defines tests for a launcher
 */
export const underEachMpi = (define: (launcher: Launcher) => void): void => {
  it('has MPI, or does without', () => {
    if (process.env['KFAC_REQUIRE_MPI'] !== undefined) {
      expect(launchers.map(({ name }) => name)).toEqual(known.map(({ name }) => name));
    }
  });
  launchers.forEach(define);
};
