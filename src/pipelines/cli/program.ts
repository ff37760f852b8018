/**
 * The command line: which commands and flags there are.
 *
 * Parsing gives a command as data, or what is wrong as a `KfacError`. The parser itself reports by throwing, help and
 * version included; that ends here.
 *
 * @module
 */
import { Command, CommanderError, Option } from 'commander';
import * as TE from 'fp-ts/lib/TaskEither.js';

import type { KfacError } from '../../core/errors.ts';
import { optimizerNames } from '../../solvers/presets/registry.ts';
import type { Setting, SettingValue } from '../../solvers/settings/setting.ts';
import type { TaskFamily } from '../tasks/task.ts';
import type { World } from '../world.ts';
import type { BenchCommand } from './bench.ts';
import type { DoctorCommand } from './doctor.ts';
import type { Flag, RawFlags } from './options.ts';
import {
  benchFlags,
  doctorFlags,
  evaluateFlags,
  generateFlags,
  planFlags,
  reportFlags,
  runFlags,
  setFlag,
  summaryFlags,
  translateFlags,
  tuneFlags,
  withFlag,
} from './options.ts';
import type { RunCommand } from './overRun.ts';
import type { ReportCommand } from './reporting.ts';
import type { PlanCommand } from './forecasting.ts';
import type { SummaryCommand } from './summary.ts';
import type { TrainingCommand } from './planning.ts';
import type { TuneCommand } from './tuning.ts';
import { installedVersion } from './version.ts';

/** What a command line asks for. */
export type CliCommand =
  | TrainingCommand
  | TuneCommand
  | RunCommand
  | ReportCommand
  | SummaryCommand
  | PlanCommand
  | BenchCommand
  | DoctorCommand;

/** There is nothing left to do: help or the version has been shown. */
export interface Shown {
  readonly _tag: 'Shown';
}

type Found = (command: CliCommand) => void;

const withFlags = (command: Command, flags: ReadonlyArray<Flag>): Command =>
  flags.reduce((extended, { flag, description }) => extended.option(flag, description), command);

const collect = (value: string, before: ReadonlyArray<string> | undefined): ReadonlyArray<string> => [
  ...(before ?? []),
  value,
];

/** Settings of a task, for `--with`. */
const settingsHelp = (settings: Readonly<Record<string, Setting<SettingValue>>>): ReadonlyArray<string> =>
  Object.entries(settings).map(
    ([name, { meaning, range, standard }]) =>
      `    --with ${`${name}=${standard}`.padEnd(18)}${meaning}: ${range.words}`,
  );

const taskHelp = (tasks: ReadonlyArray<TaskFamily>): string =>
  [
    '',
    'Tasks:',
    ...tasks.flatMap(({ name, description, settings }) => [
      `  ${name.padEnd(20)}${description}`,
      ...settingsHelp(settings?.('full') ?? {}),
    ]),
  ].join('\n');

/** A command about a task, whose settings can be set. */
interface TaskCommand {
  readonly name: (TrainingCommand | TuneCommand | SummaryCommand | PlanCommand)['name'];
  readonly description: string;
  /** What the task is for. */
  readonly task: string;
  /** Flags before those of settings. */
  readonly first?: ReadonlyArray<Flag>;
  /** What `--set` does, where that is something of its own. */
  readonly set?: string;
  readonly flags: ReadonlyArray<Flag>;
}

const taskCommand =
  (tasks: ReadonlyArray<TaskFamily>, found: Found) =>
  ({ name, description, task, first = [], set = setFlag.description, flags }: TaskCommand): Command =>
    withFlags(
      withFlags(new Command(name).description(description).argument('<task>', task), first)
        .option(setFlag.flag, set, collect)
        .option(withFlag.flag, withFlag.description, collect),
      flags,
    )
      .addHelpText('after', taskHelp(tasks))
      .action((given: string, raw: RawFlags) => found({ name, task: given, flags: raw }));

/** A command about a run that is over. */
const runCommand = (name: RunCommand['name'], description: string, flags: ReadonlyArray<Flag>, found: Found): Command =>
  withFlags(new Command(name).description(description).argument('<run>', 'folder of a run'), flags).action(
    (run: string, given: RawFlags) => found({ name, run, flags: given }),
  );

const buildProgram = (world: World, tasks: ReadonlyArray<TaskFamily>, found: Found): Command => {
  const names = optimizerNames.join(', ');
  const aboutTask = taskCommand(tasks, found);
  const commands = [
    aboutTask({
      name: 'train',
      description: 'train a network',
      task: 'what to learn',
      first: [{ flag: '--optimizer <NAME>', description: `one of ${names} (default: kfac)` }],
      flags: runFlags,
    }),
    aboutTask({
      name: 'compare',
      description: 'train with several optimizers under the same conditions',
      task: 'what to learn',
      first: [
        { flag: '--optimizers <NAMES>', description: `some of ${names}, with commas between (default: kfac,adam,sgd)` },
      ],
      flags: runFlags,
    }),
    aboutTask({
      name: 'tune',
      description: 'find settings of optimizers, as much search for each',
      task: 'what to learn',
      set: 'a setting that is not searched, of one optimizer or of all; may be repeated',
      flags: tuneFlags,
    }),
    runCommand('evaluate', 'judge what a run came to, on its data or on others', evaluateFlags, found),
    withFlags(
      new Command('report').description('a run as one page to look at').argument('<run>', 'folder of a run'),
      reportFlags,
    ).action((run: string, flags: RawFlags) => found({ name: 'report', run, flags })),
    runCommand('generate', 'go on with a text, with the language model of a run', generateFlags, found),
    withFlags(
      new Command('translate')
        .description('say texts in another language, with the translation of a run')
        .argument('<run>', 'folder of a run')
        .argument('[texts...]', 'what to translate (default: the lines of standard input)'),
      translateFlags,
    ).action((run: string, texts: ReadonlyArray<string>, flags: RawFlags) =>
      found({ name: 'translate', run, texts, flags }),
    ),
    aboutTask({
      name: 'summary',
      description: 'layers, cost and curvature of a task’s network, and what a step costs',
      task: 'which task',
      flags: summaryFlags,
    }),
    aboutTask({
      name: 'plan',
      description: 'what a step would take on many processes',
      task: 'which task',
      flags: planFlags,
    }),
    withFlags(
      new Command('bench')
        .description('optimizers on a suite of small problems')
        .option(setFlag.flag, setFlag.description, collect)
        .addOption(new Option('--worker').hideHelp()),
      benchFlags,
    ).action((flags: RawFlags) => found({ name: 'bench', flags })),
    withFlags(new Command('doctor').description('what this machine computes with, and how fast'), doctorFlags).action(
      (flags: RawFlags) => found({ name: 'doctor', flags }),
    ),
  ];
  const program = new Command('kfac')
    .description('Trains neural networks with K-FAC and other optimizers.')
    .version(installedVersion());
  // Settings of the parser are inherited when a command is added, so they come first.
  const quiet = program.exitOverride().configureOutput({
    writeOut: (text) => world.out(text.trimEnd())(),
    writeErr: (text) => world.err(text.trimEnd())(),
    outputError: () => undefined,
  });
  return commands.reduce((all, command) => all.addCommand(command.copyInheritedSettings(quiet)), quiet);
};

/** Flags of the command that the arguments name, or all commands where they name none. */
const knownTo = (program: Command, args: ReadonlyArray<string>): string => {
  const command = program.commands.find((candidate) => candidate.name() === args[0]);
  return command === undefined
    ? program.commands.map((candidate) => candidate.name()).join(', ')
    : command.options.map(({ long, flags }) => long ?? flags).join(', ');
};

/** The parser's words without its prefix, and the name that it quotes. */
const quoted = (message: string): string => /'([^']*)'/.exec(message)?.[1] ?? 'command line';

const failureOf = (
  program: Command,
  args: ReadonlyArray<string>,
  tasks: ReadonlyArray<TaskFamily>,
  thrown: unknown,
): KfacError | Shown => {
  if (!(thrown instanceof CommanderError)) {
    return { _tag: 'BadConfig', path: 'command line', expected: 'a command', actual: String(thrown) };
  }
  if (thrown.exitCode === 0) return { _tag: 'Shown' };
  const path = quoted(thrown.message);
  switch (thrown.code) {
    case 'commander.unknownOption':
      return { _tag: 'BadConfig', path, expected: `one of ${knownTo(program, args)}`, actual: 'an unknown option' };
    case 'commander.unknownCommand':
      return { _tag: 'BadConfig', path, expected: `one of ${knownTo(program, args)}`, actual: 'an unknown command' };
    case 'commander.missingArgument':
      return {
        _tag: 'BadConfig',
        path,
        expected: path === 'run' ? 'the folder of a run' : `one of ${tasks.map(({ name }) => name).join(', ')}`,
        actual: 'nothing',
      };
    case 'commander.optionMissingArgument':
      return { _tag: 'BadConfig', path, expected: 'a value after it', actual: 'nothing' };
    default:
      return {
        _tag: 'BadConfig',
        path: 'command line',
        expected: 'what kfac --help describes',
        actual: thrown.message.replace(/^error: |\.$/g, ''),
      };
  }
};

/**
 * Parses arguments. Shows help or the version where they ask for it, or where there are none.
 *
 * @param world - where to show
 * @param args - arguments after the name of the program
 * @param tasks - what can be learned
 */
export const parseCommand = (
  world: World,
  args: ReadonlyArray<string>,
  tasks: ReadonlyArray<TaskFamily>,
): TE.TaskEither<KfacError | Shown, CliCommand> => {
  const given = args.length === 0 ? ['--help'] : args;
  return TE.tryCatch(
    () => new Promise((resolve) => void buildProgram(world, tasks, resolve).parse(given, { from: 'user' })),
    (thrown) =>
      failureOf(
        buildProgram(world, tasks, () => undefined),
        given,
        tasks,
        thrown,
      ),
  );
};
