/**
 * `kfac doctor`: what this machine computes with, how fast that is, and how to get faster.
 *
 * @module
 */
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { BackendReport } from '../../core/backends/backend.ts';
import type { Diagnosis, Finding, ModeFinding } from '../../core/backends/choice/doctor.ts';
import { diagnose } from '../../core/backends/choice/doctor.ts';
import type { KfacError } from '../../core/errors.ts';
import { attempt } from '../../core/errors.ts';
import { toldTexts } from '../../core/parallel/agreement.ts';
import type { MessageCost } from '../../core/parallel/measure.ts';
import { measureMessages } from '../../core/parallel/measure.ts';
import { backendOf } from '../config/plan.ts';
import { showNumber, textTable } from '../reports/table.ts';
import { threadsOf as threadsOfRank } from '../ranks.ts';
import type { World } from '../world.ts';
import type { RawFlags } from './options.ts';
import { configOfFlags } from './options.ts';
import { installedVersion } from './version.ts';

/** What the command asks for. */
export interface DoctorCommand {
  readonly name: 'doctor';
  readonly flags: RawFlags;
}

/** The machine and the program, for bug reports. */
interface Surroundings {
  readonly version: string;
  readonly node: string;
  readonly platform: string;
}

const surroundings = (): Surroundings => ({
  version: installedVersion(),
  node: process.version,
  platform: `${process.platform}-${process.arch}`,
});

const threadsOf = ({ threads }: BackendReport): string => `${threads} ${threads === 1 ? 'thread' : 'threads'}`;

const describeFinding = (finding: Finding): string =>
  finding.found
    ? `${finding.report.library}, ${threadsOf(finding.report)}, factorisations: ${finding.report.factorisations}`
    : finding.reason;

const describeMode = (finding: ModeFinding): string =>
  finding.found
    ? [...(finding.adapter === null ? [] : [finding.adapter]), ...finding.warnings].join('. ')
    : finding.reason;

/** A heading with its lines, or nothing where there are none. */
const section = (heading: string, lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.length === 0 ? [] : ['', heading, ...lines.map((line) => `  ${line}`)];

const textOf = (
  { backends, gpuModes, chosen, dtype, gflops, advice }: Diagnosis,
  around: Surroundings,
): ReadonlyArray<string> => [
  `kfac-ts ${around.version}, Node.js ${around.node}, ${around.platform}`,
  '',
  ...textTable(
    [
      { title: 'backend', align: 'left' },
      { title: 'found', align: 'left' },
      { title: 'what', align: 'left' },
    ],
    backends.map((finding) => [finding.backend, finding.found ? 'yes' : 'no', describeFinding(finding)]),
  ),
  '',
  ...textTable(
    [
      { title: 'gpu mode', align: 'left' },
      { title: 'found', align: 'left' },
      { title: 'GFLOP/s', align: 'right' },
      { title: 'what', align: 'left' },
    ],
    gpuModes.map((finding) => [
      finding.mode,
      finding.found ? 'yes' : 'no',
      finding.found ? showNumber(finding.gflops) : '',
      describeMode(finding),
    ]),
  ),
  '',
  `chosen: ${chosen.backend} (${chosen.library}, ${threadsOf(chosen)}), factorisations: ${chosen.factorisations}`,
  `matrix products: ${showNumber(gflops)} GFLOP/s in ${dtype}`,
  ...section('warnings:', chosen.warnings),
  ...section('to get faster:', advice),
];

/** The processes that examine it together, and how fast messages between them are. */
interface Processes extends MessageCost {
  readonly ranks: number;
  /** Names of the hosts, by rank. */
  readonly hosts: ReadonlyArray<string>;
  readonly library: string;
  /** Threads of each, where they are not set. */
  readonly threads: number;
}

const processesOf = ({ ranks, clock }: World): Processes | null =>
  ranks === undefined
    ? null
    : {
        ranks: ranks.collective.size,
        hosts: toldTexts(ranks.collective, ranks.host),
        library: ranks.library,
        threads: threadsOfRank(ranks),
        ...measureMessages(ranks.collective, clock),
      };

/** Ranks by host: `a: 0, 1`. */
const byHost = ({ hosts }: Processes): ReadonlyArray<string> =>
  [...new Set(hosts)].map(
    (host) => `${host}: ${hosts.flatMap((own, rank) => (own === host ? [rank] : [])).join(', ')}`,
  );

const textOfProcesses = (processes: Processes | null): ReadonlyArray<string> =>
  processes === null
    ? []
    : [
        '',
        `${processes.ranks} ranks over ${processes.library}, ${processes.threads} ${processes.threads === 1 ? 'thread' : 'threads'} each`,
        ...section('ranks by host:', byHost(processes)),
        '',
        `a sum over all ranks: ${showNumber(1e6 * processes.latency)} µs for one number, ${showNumber(processes.bandwidth / 1e6)} MB/s for many`,
      ];

/**
 * Examines the machine and prints what it finds, or with `--json` gives it as one line.
 *
 * @param world - where to print
 * @param command - flags
 */
export const runDoctor = (world: World, command: DoctorCommand): TE.TaskEither<KfacError, void> =>
  pipe(
    configOfFlags(command.flags, []),
    E.map(backendOf),
    TE.fromEither,
    TE.chain((options) => diagnose({ ...options, clock: world.clock })),
    TE.bindTo('diagnosis'),
    TE.bind('processes', () => TE.fromIOEither(() => attempt(() => processesOf(world)))),
    TE.chainIOK(({ diagnosis, processes }) => () => {
      const around = surroundings();
      if (command.flags['json'] === true) {
        world.out(JSON.stringify({ ...around, ...diagnosis, ...(processes === null ? {} : { processes }) }))();
      } else {
        [...textOf(diagnosis, around), ...textOfProcesses(processes)].forEach((line) => world.out(line)());
      }
    }),
  );
