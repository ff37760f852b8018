/**
 * Two processes of one thread beside one process of one thread, on the same batches, under each MPI that is here. Needs `npm run build`.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';

import { medianOf } from './timing.ts';

const program = 'dist/esm/pipelines/cli/main.js';

/** Ways to start: how they are called, and what goes before the program. */
const ways: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
  ['1 process', []],
  ['2 over Open MPI', ['mpirun.openmpi', '--allow-run-as-root', '--bind-to', 'none', '-n', '2']],
  ['2 over MPICH', ['mpirun.mpich', '-n', '2']],
];

/** What is trained, and for how many steps: a refresh of inverses among them. */
const runs: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
  ['full autoencoder, batch 1000, kfac', ['mnist-autoencoder', '--batch', '1000', '--steps', '25']],
  [
    'full autoencoder, batch 1000, adam',
    ['mnist-autoencoder', '--batch', '1000', '--steps', '25', '--optimizer', 'adam'],
  ],
];

/** Seconds of the steps after the first five. */
const secondsOf = (way: ReadonlyArray<string>, args: ReadonlyArray<string>): ReadonlyArray<number> => {
  const [command, ...rest] = [...way, process.execPath, program, 'train', ...args, '--threads', '1', '--json'];
  const { stdout, error, status } = spawnSync(command, rest, {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    env: { ...process.env, OPENBLAS_NUM_THREADS: '1' },
  });
  if (error !== undefined || status !== 0) return [];
  const ends = stdout
    .split('\n')
    .filter((line) => line.includes('"event":"step"'))
    .map((line) => Number((JSON.parse(line) as Readonly<Record<string, unknown>>)['seconds']));
  return ends.slice(5).map((end, i) => end - ends[i + 4]);
};

/** Prints the time of a step by one and by two processes, and how many times faster two are. */
export const benchRanks = (): void => {
  for (const [what, args] of runs) {
    console.log(`\n${what}: one thread for each process`);
    console.log('                 median ms   mean ms   faster');
    const found = ways.map(([name, way]) => [name, secondsOf(way, args)] as const);
    const mean = (seconds: ReadonlyArray<number>): number => seconds.reduce((sum, x) => sum + x, 0) / seconds.length;
    const [[, alone]] = found;
    for (const [name, seconds] of found) {
      console.log(
        seconds.length === 0
          ? `${name.padEnd(16)} could not be run`
          : [
              name.padEnd(16),
              (1000 * medianOf(seconds)).toFixed(0).padStart(9),
              (1000 * mean(seconds)).toFixed(0).padStart(9),
              (mean(alone) / mean(seconds)).toFixed(2).padStart(8),
            ].join(' '),
      );
    }
  }
};
