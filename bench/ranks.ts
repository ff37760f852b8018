/**
 * Two processes of one thread beside one process of one thread, on the same batches, under each MPI that is here: how many times as fast
 * they are, what goes to messages, what they send beside what they have to, and what `kfac plan` said (which needs `npm run build`).
 *
 * Two processes share a machine: how many products two at once do beside one is printed first, since no steps can be faster than that.
 *
 * @module
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import type { RanksRun } from './ranksRun.ts';
import { meanOf, medianOf } from './timing.ts';

const own = fileURLToPath(new URL('./ranksRun.js', import.meta.url));
const program = 'dist/cjs/pipelines/cli/main.js';

/** A way to start. */
interface Way {
  readonly name: string;
  readonly ranks: number;
  /** What goes before the program. */
  readonly launcher: ReadonlyArray<string>;
  readonly workers: 'all' | 'one';
}

const openMpi = ['mpirun.openmpi', '--allow-run-as-root', '--bind-to', 'none', '-n', '2'];
const alone: Way = { name: '1 process', ranks: 1, launcher: [], workers: 'all' };
const together: ReadonlyArray<Way> = [
  { name: '2, Open MPI', ranks: 2, launcher: openMpi, workers: 'all' },
  { name: '2, MPICH', ranks: 2, launcher: ['mpirun.mpich', '-n', '2'], workers: 'all' },
];
const apart: Way = { name: '2, Open MPI, one', ranks: 2, launcher: openMpi, workers: 'one' };

/** A task, whose network is the full one, and an optimizer, in how many steps. */
interface Run {
  readonly title: string;
  readonly task: 'mnist-autoencoder' | 'fashion-classifier';
  readonly batch: string;
  readonly optimizer: 'kfac' | 'adam';
  readonly steps: number;
}

const runsOf = (steps: number): ReadonlyArray<Run> =>
  (['kfac', 'adam'] as const).flatMap((optimizer): ReadonlyArray<Run> => [
    { title: 'full autoencoder', task: 'mnist-autoencoder', batch: '1000', optimizer, steps },
    { title: 'ResNet-8 on images', task: 'fashion-classifier', batch: '256', optimizer, steps: Math.ceil(steps / 5) },
  ]);

type Line = Readonly<Record<string, unknown>>;

const environment = { ...process.env, OPENBLAS_NUM_THREADS: '1' };

/** Lines of JSON that a program gives; none where it could not be run. */
const linesOf = ({ launcher }: Way, args: ReadonlyArray<string>): ReadonlyArray<Line> => {
  const [first, ...rest] = [...launcher, process.execPath, ...args];
  const { stdout, error, status } = spawnSync(first, rest, { encoding: 'utf8', env: environment });
  if (error !== undefined || status !== 0) return [];
  return stdout.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Line] : []));
};

const measured = (way: Way, { task, batch, optimizer, steps }: Run): RanksRun | null => {
  const [found] = linesOf(way, [own, task, batch, optimizer, String(steps), way.workers]);
  return found === undefined ? null : (found as unknown as RanksRun);
};

/** Seconds of a step by `kfac plan`, with messages as they are measured between these processes. */
const plannedBy = (way: Way, { task, batch, optimizer }: Run): number => {
  const flags = ['--batch', batch, '--optimizer', optimizer, '--ranks', String(way.ranks), '--threads', '1'];
  const rows = existsSync(program) ? linesOf(way, [program, 'plan', task, ...flags, '--json']) : [];
  const row = rows.find(
    ({ ranks, gradientWorkers }) => ranks === way.ranks && (way.ranks === 1 || gradientWorkers === way.workers),
  );
  return row === undefined ? NaN : Number(row['seconds']);
};

const sumOf = (xs: ReadonlyArray<number>): number => xs.reduce((sum, x) => sum + x, 0);

/**
 * Bytes that a step must bring to each of R ranks in the mean, in single precision, where each inverse is kept by w = f R of them:
 *
 *     4 · { 2 (R − 1) / R · (P + 1)                       gradient and loss, added up in a ring
 *           + r · [ 2 (R − 1) / R · T + (w − 1) / R · T ]  statistics and inverses as triangles, when inverses are due
 *           + (R − w) / R · P }                            directions, to those that have no inverse
 *
 * with P parameters, T elements in the triangles of all factors, and r refreshes of the inverses in a step.
 */
const necessaryBytes = ({ ranks, workers }: Way, { parameters, triangles, refreshes }: RanksRun): number => {
  const keeping = workers === 'all' ? ranks : 1;
  const ring = (2 * (ranks - 1)) / ranks;
  const refreshed = refreshes * triangles * (ring + (keeping - 1) / ranks);
  const directions = triangles === 0 ? 0 : ((ranks - keeping) / ranks) * parameters;
  return 4 * (ring * (parameters + 1) + refreshed + directions);
};

const column = (width: number, value: number, digits = 0): string => value.toFixed(digits).padStart(width);
const milliseconds = (seconds: number): string => column(9, 1000 * seconds);

const lineOf = (way: Way, run: RanksRun, ofOne: number, planned: number): string => {
  const mean = meanOf(run.seconds);
  const waited = run.ranks.map(([each]) => each);
  const carried = meanOf(run.ranks.map(([, each]) => each));
  const kept = Math.max(...run.ranks.map(([, , each]) => each));
  const peak = Math.max(...run.ranks.map(([, , , each]) => each));
  const isAlone = way.ranks === 1;
  return [
    way.name.padEnd(17),
    milliseconds(medianOf(run.seconds)),
    milliseconds(mean),
    column(7, ofOne / mean, 2),
    isAlone ? ''.padStart(9) : `${column(8, (100 * meanOf(waited)) / mean)}%`,
    isAlone ? ''.padStart(8) : column(8, carried / 1e6, 1),
    isAlone ? ''.padStart(10) : column(10, necessaryBytes(way, run) / 1e6, 1),
    isAlone ? ''.padStart(9) : column(9, run.messages, 1),
    column(11, kept / 1e6, 1),
    column(8, peak),
    milliseconds(planned),
  ].join(' ');
};

/** Means of the stages of one process, and of the first of two. */
const stagesOf = (one: RanksRun, two: RanksRun): string =>
  Object.entries(one.stages)
    .filter(([, seconds]) => seconds > 5e-4)
    .map(
      ([stage, seconds]) =>
        `${stage} ${(1000 * seconds).toFixed(0)} → ${(1000 * (two.stages[stage] ?? NaN)).toFixed(0)}`,
    )
    .join(', ');

/** Products in a second, by each of so many processes at once. */
const products = (processes: number): Promise<ReadonlyArray<number>> =>
  Promise.all(
    Array.from(
      { length: processes },
      () =>
        new Promise<number>((resolve) => {
          const child = spawn(process.execPath, [own, 'products'], { env: environment });
          let out = '';
          child.stdout.on('data', (data) => (out += String(data)));
          child.on('close', () => {
            resolve(Number(out));
          });
        }),
    ),
  );

/**
 * Prints the time of a step by one and by two processes and what there is to say of it.
 *
 * @param steps - of each run of the autoencoder, after the first five; a fifth of them of the other
 */
export const benchRanks = async (steps: number): Promise<void> => {
  const limit = sumOf(await products(2)) / sumOf(await products(1));
  console.log(`two processes of one thread do ${limit.toFixed(2)} times as many products as one`);
  for (const run of runsOf(steps)) {
    console.log(
      `\n${run.title}, batch ${run.batch}, ${run.optimizer}: one thread for each process, ${run.steps} steps`,
    );
    console.log(
      '                  median ms   mean ms  faster  messages  MB/step  necessary    posted  MB inverses  peak MB  planned',
    );
    const one = measured(alone, run);
    if (one === null) throw new Error('no process could be started');
    const ofOne = meanOf(one.seconds);
    console.log(lineOf(alone, one, ofOne, plannedBy(alone, run)));
    for (const way of [...together, ...(run.optimizer === 'kfac' && run.task === 'mnist-autoencoder' ? [apart] : [])]) {
      const two = measured(way, run);
      console.log(two === null ? `${way.name}: could not be run` : lineOf(way, two, ofOne, plannedBy(way, run)));
      if (two !== null) console.log(`   ${stagesOf(one, two)}`);
    }
  }
};
