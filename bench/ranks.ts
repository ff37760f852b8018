/**
 * Two processes of one thread beside one process of one thread, on the same batches, under each MPI that is here; and what `kfac plan`
 * said that their steps would take. Needs `npm run build`.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';

import { medianOf } from './timing.ts';

const program = 'dist/esm/pipelines/cli/main.js';

/** A way to start. */
interface Way {
  readonly name: string;
  readonly ranks: number;
  /** What goes before the program. */
  readonly launcher: ReadonlyArray<string>;
}

const ways: ReadonlyArray<Way> = [
  { name: '1 process', ranks: 1, launcher: [] },
  {
    name: '2 over Open MPI',
    ranks: 2,
    launcher: ['mpirun.openmpi', '--allow-run-as-root', '--bind-to', 'none', '-n', '2'],
  },
  { name: '2 over MPICH', ranks: 2, launcher: ['mpirun.mpich', '-n', '2'] },
];

/** What is trained: a task, and flags that `train` and `plan` share. */
const runs: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
  ['full autoencoder, batch 1000, kfac', ['mnist-autoencoder', '--batch', '1000', '--optimizer', 'kfac']],
  ['full autoencoder, batch 1000, adam', ['mnist-autoencoder', '--batch', '1000', '--optimizer', 'adam']],
  ['ResNet-8 on images, batch 256, kfac', ['fashion-classifier', '--batch', '256', '--optimizer', 'kfac']],
  ['ResNet-8 on images, batch 256, adam', ['fashion-classifier', '--batch', '256', '--optimizer', 'adam']],
];

type Line = Readonly<Record<string, unknown>>;

/** Lines that a command gives with `--json`; none where it could not be run. */
const linesOf = ({ launcher }: Way, command: string, args: ReadonlyArray<string>): ReadonlyArray<Line> => {
  const [first, ...rest] = [...launcher, process.execPath, program, command, ...args, '--threads', '1', '--json'];
  const { stdout, error, status } = spawnSync(first, rest, {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    env: { ...process.env, OPENBLAS_NUM_THREADS: '1' },
  });
  if (error !== undefined || status !== 0) return [];
  return stdout.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Line] : []));
};

/** Seconds of the steps after the first few: up to the fifth, inverses are made more often than later. */
const secondsOf = (way: Way, args: ReadonlyArray<string>, steps: number): ReadonlyArray<number> => {
  const ends = linesOf(way, 'train', [...args, '--steps', String(steps)])
    .filter(({ event }) => event === 'step')
    .map(({ seconds }) => Number(seconds));
  const before = Math.min(5, Math.floor(steps / 2));
  return ends.slice(before).map((end, i) => end - ends[before + i - 1]);
};

/** Seconds of a step by `kfac plan`, with messages as they are measured between these processes. */
const plannedBy = (way: Way, args: ReadonlyArray<string>): number => {
  const rows = linesOf(way, 'plan', [...args, '--ranks', String(way.ranks)]);
  const row = rows.find(
    ({ ranks, gradientWorkers }) => ranks === way.ranks && (way.ranks === 1 || gradientWorkers === 'all'),
  );
  return row === undefined ? NaN : Number(row['seconds']);
};

const meanOf = (seconds: ReadonlyArray<number>): number => seconds.reduce((sum, x) => sum + x, 0) / seconds.length;

const milliseconds = (seconds: number): string => (1000 * seconds).toFixed(0).padStart(9);

/**
 * Prints the time of a step by one and by two processes, how many times faster two are, and what was planned.
 *
 * @param steps - of each run: 25 have a refresh of inverses after the first steps
 */
export const benchRanks = (steps: number): void => {
  for (const [what, args] of runs) {
    console.log(`\n${what}: one thread for each process`);
    console.log('                 median ms   mean ms   faster   planned ms   of measured');
    const found = ways.map((way) => ({ way, seconds: secondsOf(way, args, steps), planned: plannedBy(way, args) }));
    const alone = meanOf(found[0].seconds);
    for (const { way, seconds, planned } of found) {
      const mean = meanOf(seconds);
      console.log(
        seconds.length === 0
          ? `${way.name.padEnd(16)} could not be run`
          : [
              way.name.padEnd(16),
              milliseconds(medianOf(seconds)),
              milliseconds(mean),
              (alone / mean).toFixed(2).padStart(8),
              milliseconds(planned).padStart(12),
              (planned / mean).toFixed(2).padStart(13),
            ].join(' '),
      );
    }
  }
};
